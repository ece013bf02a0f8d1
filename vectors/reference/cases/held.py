"""Holdings of a lost device (protocol §8.1)."""

from specie import cbor, holdings, transfers
from specie.curve import L, G, encode_scalar
from specie.disclosures import Disclosure
from specie.hashes import K

from .draw import Draw
from .entries import accepted, other_forms, refused
from .world import blank, secrets, value_note

DRAW = Draw("holding")
U_SECRET = DRAW.scalar("u")
U = (U_SECRET * K).encode()


def _paid(to, amount=1_200, face=5_000, disclosure=None, extended=False):
    """A payment to a blank: the payer's note, and the transfer."""
    payer = value_note(DRAW.below("payer"), DRAW.scalar("payer's u"))
    change = transfers.owner(DRAW.bytes("payer's blank"), DRAW.bytes("payer's blind"))
    outputs = [[amount, transfers.owner(to.id, DRAW.bytes("blind"))], [face - amount, change]]
    prepared = disclosure and disclosure(payer)
    preimage = transfers.preimage(payer, [0], outputs, DRAW.bytes("context"), [prepared.name] if prepared else ())
    encoded = cbor.encode(preimage)
    show = payer.show(encoded) + (prepared.answer(encoded) if prepared else b"")
    return payer, [preimage, show, b"".join(payer.points)] if extended else [preimage, show]


def _garbage(payer):
    """A disclosure of bytes that are no points, which nobody asked for."""
    prepared = Disclosure(payer, G, DRAW.scalar("t"), DRAW.scalar("w4"))
    prepared.E1, prepared.E2 = b"\xff" * 32, b"\x01" + bytes(31)
    return prepared


def entries():
    note, own = value_note(DRAW, U_SECRET), blank(DRAW.below("blank"), U_SECRET)
    yield _holds("a value note", note)
    yield _holds("an output, and the blank that owns it", own, *_paid(own))
    yield _holds("an output of a transfer in extended form", own, *_paid(own, extended=True))
    yield _holds("as much as the blank's cap", small := blank(DRAW.below("small"), U_SECRET, amount=1_200), *_paid(small))
    yield _holds("an output of a transfer with a disclosure that does not decode, which nobody asked for", own,
                 *_paid(own, disclosure=_garbage))
    yield from _refused(note, own)


def _holds(why, note, payer=None, transfer=None):
    of, owned, chain = note.issuing_class, None, {}
    if transfer:
        owned = [[transfer], 0, DRAW.bytes("blind")]
        classes = [payer.issuing_class, of]
        amount = holdings.check_owned(classes, of, note.id, owned)
        chain = {"chain_Y": payer.issuing_class.Y, "chain_info": payer.issuing_class.info, "amount": amount}
    data = holdings.encode(note, owned)
    holdings.check(data, of.Y, of.info, U)
    return accepted("holding", why, {
        "Y": of.Y, "info": of.info, "U": U, **secrets(note), "N0": note.points[4], "N1": note.points[5],
        "note": note.data, "note_id": note.id, **chain, "holding": data,
    })


def _refused(note, own):
    of, good = note.issuing_class, cbor.decode(holdings.encode(note))

    def entry(why, data=None, U=U, of=of, **changes):
        fields = [*good]
        for field, value in changes.items():
            fields[FIELDS[field]] = value
        data = cbor.encode(fields) if data is None else data
        return refused("holding", holdings.check, why, {"holding": data, "Y": of.Y, "info": of.info, "U": U})

    gamma, gamma_rnd = note.gamma, note.gamma * note.rnd % L
    yield entry("claimed for another device", U=(DRAW.scalar("thief's u") * K).encode())
    yield entry("a note of another device", holdings.encode(value_note(DRAW.below("other"), DRAW.scalar("other u"))))
    yield entry("another γ", gamma=encode_scalar(gamma + 1))
    yield entry("another γ·rnd", gamma_rnd=encode_scalar(gamma_rnd + 1))
    yield entry("γ is the same modulo l, not below it", gamma=(gamma + L).to_bytes(32, "little"))
    yield entry("γ and γ·rnd negated", gamma=encode_scalar(-gamma), gamma_rnd=encode_scalar(-gamma_rnd))
    yield entry("γ is 0", gamma=bytes(32), gamma_rnd=bytes(32))
    rewritten = bytes(64) + note.data[64:]
    yield entry("ζ and ζ1 are 0, which anybody opens", note=rewritten, gamma=bytes(32), gamma_rnd=bytes(32))
    yield entry("another N0, which would be another note_id", N0=note.points[5])
    yield entry("another N1", N1=(G + G).encode())
    rho = encode_scalar(int.from_bytes(note.data[64:96], "little") + 1)
    yield entry("the signature is not the bank's", note=note.data[:64] + rho + note.data[96:])
    yield entry("beside another class", of=value_note(DRAW.below("class"), U_SECRET).issuing_class)
    yield entry("it names another class", class_id=bytes(16))
    yield entry("a note that is cut", note=note.data[:-1])
    _, transfer = _paid(own)
    whole = cbor.decode(holdings.encode(own, [[transfer], 0, DRAW.bytes("blind")]))

    def owning(why, owned):
        return entry(why, cbor.encode([*whole[:8], owned]), of=own.issuing_class)

    yield owning("an output of no chain", [[], 0, DRAW.bytes("blind")])
    yield owning("an output above 255", [[transfer], 256, DRAW.bytes("blind")])
    yield owning("a blind of 31 bytes", [[transfer], 0, bytes(31)])
    yield owning("a transfer cut off", [[transfer[:1]], 0, DRAW.bytes("blind")])
    for why, data in other_forms(cbor.encode(good)):
        yield entry(why, data)
    yield entry("another type of message", cbor.encode([1, 23, *good[2:]]))


FIELDS = {"class_id": 2, "note": 3, "N0": 4, "N1": 5, "gamma": 6, "gamma_rnd": 7}
