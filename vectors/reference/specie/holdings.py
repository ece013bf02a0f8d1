"""What a device held (protocol §8.1)."""

from . import cbor, chains, form, transfers
from .curve import G, Point, decode_scalar, encode_scalar
from .notes import BLANK, Class, Refused, decode_note, note_id, signature_points, verify_note


def encode(note, owned=None):
    opening = [encode_scalar(note.gamma), encode_scalar(note.gamma * note.rnd)]
    return cbor.encode([1, 22, note.issuing_class.id, note.data, *note.points[4:], *opening, owned])


def read(fields):
    """What stands after version and type of message, if it has the form of a holding."""
    class_id, note, N0, N1, gamma, gamma_rnd, owned = fields
    form.octets(class_id, 16), decode_note(note), form.octets(N0, 32), form.octets(N1, 32)
    gamma, gamma_rnd = decode_scalar(form.octets(gamma, 32)), decode_scalar(form.octets(gamma_rnd, 32))
    if owned is not None:
        chain, index, blind = form.array(owned, 3)
        form.require(1 <= len(form.array(chain)) <= 256, "no chain")
        for transfer in chain:
            transfers.read(transfer)
        form.uint(index, 255), form.octets(blind, 32)
    return class_id, note, N0, N1, gamma, gamma_rnd, owned


def check(holding, Y, info, U):
    """That it is of U, and of the class; its note_id, and what it owns."""
    of = Class(Y, info)
    class_id, note, N0, N1, gamma, gamma_rnd, owned = read(form.message(holding, 22, 9))
    if class_id != of.id:
        raise Refused("of another class")
    zeta, zeta1 = Point.decode(note[:32]), Point.decode(note[32:64])
    if zeta.is_identity() or zeta1.is_identity() or zeta == zeta1:
        raise Refused("degenerate note")
    verify_note(of, note, [*signature_points(of, note), N0, N1])
    if zeta != gamma * of.Z or zeta1 != gamma_rnd * G + gamma * Point.decode(U):
        raise Refused("not of this device")
    return note_id(note, N0, N1), owned


def check_owned(classes, held, name, owned):
    """That the blank `name` of class `held` owns the output; the amount."""
    chain, index, blind = owned
    links = [transfers.read(transfer) for transfer in chain]
    chains.verify_links(links, classes, "outputs", 0)
    amount, tag = links[-1].outputs[index]
    if held.kind != BLANK or tag != transfers.owner(name, blind) or amount > held.amount:
        raise Refused("not owned by this blank")
    return amount
