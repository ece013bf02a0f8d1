"""Disclosed transfers (protocol §7.1)."""

from specie import cbor, disclosures, transfers
from specie.curve import L, G, Point, encode_scalar
from specie.disclosures import Disclosure
from specie.hashes import K

from .draw import Draw
from .entries import accepted, other_forms, refused
from .world import secrets, value_note

KIND = "disclosure"


def entries():
    yield from (_holds(Draw(f"disclosure {number}"), change) for number, change in enumerate((0, 1_250)))
    yield from _refused(Draw("disclosure refused"))


def _outputs(draw, face=5_000, change=1_250):
    tags = [transfers.owner(draw.bytes(f"note {number}"), draw.bytes(f"blind {number}")) for number in (0, 1)]
    return [[face - change, tags[0]], [change, tags[1]]]


def disclosed(note, S, draw):
    """A disclosed transfer of all of a note."""
    disclosure = Disclosure(note, S, draw.scalar("t"), draw.scalar("w4"))
    transfer = _transfer(note, disclosure, _outputs(draw), draw.bytes("context"))
    return disclosures.encode(note.issuing_class, disclosure.S, transfer)


def _transfer(note, disclosure, outputs, context, name=None):
    """A transfer with a disclosure; `name` stands in the preimage instead of its own."""
    preimage = transfers.preimage(note, [0], outputs, context, [disclosure.name if name is None else name])
    encoded = cbor.encode(preimage)
    return [preimage, note.show(encoded) + disclosure.answer(encoded)]


def _holds(draw, change):
    note, s = value_note(draw, draw.scalar("u")), draw.scalar("s")
    of = note.issuing_class
    disclosure = Disclosure(note, s * G, draw.scalar("t"), draw.scalar("w4"))
    value = _transfer(note, disclosure, _outputs(draw, change=change), draw.bytes("context"))
    disclosed = disclosures.encode(of, disclosure.S, value)
    _, _, transfer = disclosures.verify(disclosed)
    U = disclosures.open(transfer, s)
    assert U == note.u * K
    points = b"".join(note.points)
    extended = disclosures.encode(of, disclosure.S, [*value, points])
    disclosures.verify(extended)
    show = transfer.show
    return accepted(KIND, f"{change} of change", {
        "Y": of.Y, "info": of.info, "note": note.data, "note_id": note.id, **secrets(note),
        "U": U.encode(), "s": encode_scalar(s), "S": disclosure.S,
        "t": encode_scalar(disclosure.t), "w4": encode_scalar(disclosure.w4),
        "E1": disclosure.E1, "E2": disclosure.E2, "A1": disclosure.A1, "A2": disclosure.A2, "name": disclosure.name,
        "preimage": transfer.preimage, "d": encode_scalar(transfer.d), "transfer_id": transfer.id,
        "z0": show[:32], "z1": show[32:64], "z3": show[64:96], "z4": show[160:],
        "points": points, "disclosed": disclosed, "disclosed_extended": extended,
    })


def _refused(draw):
    u, s, t, w4 = (draw.scalar(name) for name in ("u", "s", "t", "w4"))
    note, S, zero = value_note(draw, u), s * G, Point(0, 1)
    of, outputs, context = note.issuing_class, _outputs(draw), draw.bytes("context")
    disclosure = Disclosure(note, S, t, w4)
    preimage, show = _transfer(note, disclosure, outputs, context)
    good = disclosures.encode(of, disclosure.S, [preimage, show])
    disclosures.verify(good)

    def entry(why, show=show, preimage=preimage, S=disclosure.S, of=of, points=()):
        return bytes_(why, disclosures.encode(of, S, [preimage, show, *points]))

    def bytes_(why, data):
        return refused(KIND, lambda disclosed: disclosures.verify(disclosed), why, {"disclosed": data})

    def made(why, disclosure, **fields):
        preimage, show = _transfer(note, disclosure, outputs, context)
        return entry(why, show, preimage, disclosure.S, **fields)

    z4 = int.from_bytes(show[160:], "little")
    yield entry("z4 is one more", show[:160] + encode_scalar(z4 + 1))
    yield entry("z4 is the same modulo l, not below it", show[:160] + (z4 + L).to_bytes(32, "little"))
    other = Disclosure(note, S, t + 1, w4)
    yield entry("encrypted anew with the same U, which the name does not cover",
                show[:96] + other.answer(cbor.encode(preimage)))
    forged = Disclosure(note, S, t, w4)
    stranger = draw.scalar("stranger") * K
    E2 = stranger + t * S
    forged.E2 = E2.encode()
    forged.A2 = (note.k3 * K + w4 * S - note.k0 * E2).encode()
    yield made("another device's U is encrypted, everything else as it should be", forged)
    nobody = Disclosure(note, S, t, w4)
    nobody.E2 = zero.encode()
    nobody.A2 = (note.k3 * K + w4 * S).encode()
    yield made("E2 is 0: U is encrypted to no key", nobody)
    yield made("E1 is 0 and E2 is U", Disclosure(note, S, 0, w4))
    yield made("S is 0 and E2 is U", Disclosure(note, zero, t, w4))
    key = (draw.scalar("another s") * G).encode()
    yield entry("under another key than the one encrypted to", S=key)
    rewritten = Disclosure(note, S, t, w4)
    rewritten.S = key
    yield made("another key in the name than the one encrypted to", rewritten)
    yield entry("E1 and E2 exchanged", show[:96] + show[128:160] + show[96:128] + show[160:])
    negative = (2**255 - 19 - int.from_bytes(show[96:128], "little")).to_bytes(32, "little")
    yield entry("E1 is the negative encoding of its point", show[:96] + negative + show[128:])
    yield entry("E2 decodes to no point", show[:128] + b"\xff" * 32 + show[160:])
    yield entry("S decodes to no point", S=b"\x01" + bytes(31))
    elsewhere = _transfer(note, disclosure, outputs, draw.bytes("another context"))
    yield entry("the disclosure answers another payment of the note", show[:96] + elsewhere[1][96:])
    replayed = Disclosure(value_note(draw.below("another note"), u), S, t, w4)
    foreign = _transfer(note, replayed, outputs, context)
    yield entry("the disclosure is of another note of the same device", foreign[1], foreign[0])
    yield made("the disclosure's answer is for another t", _answering(disclosure, t + 1))
    yield entry("the show does not hold", encode_scalar(int.from_bytes(show[:32], "little") + 1) + show[32:])
    silent = preimage[:-1]
    plain = note.show(cbor.encode(silent))
    yield entry("nothing is disclosed", plain, silent)
    yield entry("a disclosure beside the show that the preimage does not name", plain + show[96:], silent)
    yield entry("a disclosure that the preimage names and the show lacks", show[:96])
    redeeming, redeemed = _transfer(note, disclosure, [], context)
    yield entry("a transfer that redeems", redeemed, redeeming)
    _, another = value_note(draw, u, epoch=2).issuing_class, value_note(draw.below("class"), u).issuing_class
    yield entry("beside another class than the transfer's", of=another)
    points = list(note.points)
    yield entry("points that are not those of the show", points=[b"".join(points[1:] + points[:1])])
    for why, data in other_forms(good):
        yield bytes_(why, data)
    yield bytes_("another type of message", good[:2] + b"\x06" + good[3:])


def _answering(disclosure, t):
    other = Disclosure(disclosure.note, Point.decode(disclosure.S), disclosure.t, disclosure.w4)
    other.t = t
    return other
