"""Transfers (protocol §6) and what they encode to."""

from dataclasses import dataclass

from . import cbor, form
from .cbor import Malformed
from .form import require
from .hashes import H32, Hs
from .notes import decode_note, verify_show


@dataclass
class Transfer:
    value: list
    class_id: bytes
    note: bytes
    input: list
    outputs: list
    context: bytes
    disclosure: bytes | None
    show: bytes
    points: bytes | None

    @property
    def preimage(self):
        return cbor.encode(self.value[0])

    @property
    def d(self):
        return Hs("spend", self.preimage)

    @property
    def id(self):
        return H32("transfer-id", self.preimage)


def preimage(note, input, outputs, context, disclosure=()):
    return [1, note.issuing_class.id, note.data, input, outputs, context, *disclosure]


def owner(note_id, blind):
    return H32("owner", note_id, blind)


def read(value):
    """The transfer that a decoded value is, or Malformed."""
    require(len(form.array(value)) in (2, 3), "no transfer")
    fields = form.array(value[0])
    require(len(fields) in (6, 7) and fields[0] == 1, "no preimage")
    _, class_id, note, input, outputs, context, *disclosure = fields
    form.octets(class_id, 16), form.octets(context, 32), decode_note(note)
    if form.array(input) != [0]:
        kind, previous, index, blind = form.array(input, 4)
        require(kind == 1, "no input")
        form.octets(previous, 32), form.uint(index, 255), form.octets(blind, 32)
    require(len(form.array(outputs)) <= 8, "too many outputs")
    for amount, tag in (form.array(output, 2) for output in outputs):
        form.amount(amount), form.octets(tag, 32)
    require(all(amount for amount, _ in outputs[:-1]), "an output of zero that is not the last")
    require(len({tag for _, tag in outputs}) == len(outputs), "an owner twice")
    form.amount(sum(amount for amount, _ in outputs))
    show = form.octets(value[1], 192 if disclosure else 96)
    for at in (0, 32, 64):
        form.scalar(show[at : at + 32])
    if disclosure:
        form.octets(disclosure[0], 32)
        require(outputs, "a redeeming transfer with a disclosure")
        form.scalar(show[160:])
    points = form.octets(value[2], 192) if len(value) == 3 else None
    if points is not None:
        for at in range(0, 192, 32):
            form.point(points[at : at + 32])
    return Transfer(value, class_id, note, input, outputs, context, *(disclosure or [None]), show, points)


def verify(issuing_class, transfer):
    """That the show holds; the six points."""
    if transfer.class_id != issuing_class.id:
        raise Malformed("of another class")
    points = verify_show(issuing_class, transfer.note, transfer.d, transfer.show[:96])
    require(transfer.points in (None, b"".join(points)), "other points than those of the show")
    return points
