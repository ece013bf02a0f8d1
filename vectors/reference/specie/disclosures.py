"""Disclosed payments (protocol §7.1)."""

from . import cbor, form, transfers
from .curve import G, Point, decode_scalar, encode_scalar
from .hashes import H32, Hs, K
from .notes import Class, Refused


class Disclosure:
    """A payer's, for one preimage."""

    def __init__(self, note, S, t, w4):
        U = note.u * K
        K3 = note.k3 * K
        E1, E2 = t * G, U + t * S
        A1, A2 = w4 * G - note.k0 * E1, K3 + w4 * S - note.k0 * E2
        self.note, self.t, self.w4 = note, t, w4
        self.S, self.E1, self.E2, self.A1, self.A2 = (point.encode() for point in (S, E1, E2, A1, A2))

    @property
    def name(self):
        return name(self.S, self.E1, self.E2, self.A1, self.A2)

    def answer(self, preimage):
        d = Hs("spend", preimage)
        return self.E1 + self.E2 + encode_scalar(self.w4 + d * self.note.gamma * self.t)


def name(S, E1, E2, A1, A2):
    return H32("disclosure", S, E1, E2, A1, A2)


def encode(issuing_class, S, transfer):
    return cbor.encode([1, 10, issuing_class.Y, issuing_class.info, S, transfer])


def verify(data):
    """The class, S, and the transfer of a disclosed transfer that holds."""
    Y, info, S, value = form.message(data, 10, 6)
    issuing_class = Class(Y, form.octets(info, len(info) if isinstance(info, bytes) else 0))
    transfer = transfers.read(value)
    form.require(transfer.disclosure is not None, "nothing is disclosed")
    transfers.verify(issuing_class, transfer)
    z0, _, z3 = (decode_scalar(transfer.show[at : at + 32]) for at in (0, 32, 64))
    E1, E2 = (Point.decode(transfer.show[at : at + 32]) for at in (96, 128))
    z4, key = decode_scalar(transfer.show[160:]), Point.decode(form.octets(S, 32))
    if E1.is_identity() or key.is_identity():
        raise Refused("E1 or S is 0")
    A1 = z4 * G - z0 * E1
    A2 = z3 * K + z4 * key - z0 * E2
    if transfer.disclosure != name(S, *(point.encode() for point in (E1, E2, A1, A2))):
        raise Refused("not the disclosure that the preimage names")
    return issuing_class, S, transfer


def open(transfer, s):
    """U, for who knows the secret of S."""
    E1, E2 = (Point.decode(transfer.show[at : at + 32]) for at in (96, 128))
    return E2 - s * E1
