"""Chains, and the code of every rule that one can break (protocol §6)."""

from specie import cbor, chains, transfers
from specie.curve import encode_scalar
from specie.notes import BLANK, withdraw

from .draw import Draw
from .entries import accepted
from .world import BEGIN, DAY, issuing_class

DRAW = Draw("chain")
NOW = BEGIN + 10 * DAY
CONTEXT = DRAW.bytes("context")


def issued(name, **fields):
    """A note or blank of a class of its own."""
    x, of = issuing_class(DRAW.below(name), **fields)
    return withdraw(x, of, DRAW.scalar(f"u of {name}"), DRAW.below(f"note {name}"))


def blind(name):
    return DRAW.bytes(f"blind {name}")


NOTE = issued("value")
FIRST = issued("first blank", kind=BLANK, amount=5_000)
SECOND = issued("second blank", kind=BLANK, amount=3_000)


def output(amount, to, name):
    return [amount, transfers.owner(to.id, blind(name))]


def change(amount):
    return [amount, DRAW.bytes("owner of the change")]


def shown(note, input, outputs, context=CONTEXT, extended=False):
    preimage = transfers.preimage(note, input, outputs, context)
    show = note.show(cbor.encode(preimage))
    return [preimage, show, b"".join(note.points)] if extended else [preimage, show]


def received(before, name, index=0):
    return [1, transfers.read(before).id, index, blind(name)]


PAID = shown(NOTE, [0], [output(3_000, FIRST, "first"), change(2_000)])
PASSED_ON = shown(FIRST, received(PAID, "first"), [change(1_000), output(2_000, SECOND, "second")])
REDEEMED = shown(SECOND, received(PASSED_ON, "second", 1), [], DRAW.bytes("account"))
CLASSES = [note.issuing_class for note in (NOTE, FIRST, SECOND)]


def entries():
    extended = shown(NOTE, [0], [output(3_000, FIRST, "first"), change(2_000)], extended=True)
    for why, chain, end, now in (
        ("one transfer", [PAID], "outputs", NOW),
        ("two, at the last moment", [PAID, PASSED_ON], "outputs", BEGIN + 60 * DAY),
        ("the first one in extended form", [extended, PASSED_ON], "outputs", NOW),
        ("three, of which the last redeems, at the last moment", [PAID, PASSED_ON, REDEEMED], "redemption", BEGIN + 120 * DAY),
        ("an issued note, redeemed", [shown(NOTE, [0], [])], "redemption", NOW),
        ("everything paid, and an output of zero for what may be left over",
         [shown(NOTE, [0], [output(5_000, FIRST, "first"), change(0)])], "outputs", NOW),
    ):
        classes = CLASSES[: len(chain)]
        found = chains.verify(cbor.encode(chain), classes, end, now)
        yield accepted("chain", why, {**_judged(chain, classes, end, now), **found})
    yield from _rules()
    yield from _malformed()


def _judged(chain, classes, end, now):
    data = chain if isinstance(chain, bytes) else cbor.encode(chain)
    return {"chain": data, "classes": [{"Y": of.Y, "info": of.info} for of in classes], "end": end, "now": now}


def _broken(why, code, chain, classes=CLASSES, end="outputs", now=NOW):
    judged = _judged(chain, classes, end, now)
    try:
        chains.verify(judged["chain"], classes, end, now)
    except chains.Broken as broken:
        assert broken.code == code, (why, broken.code)
        return {"kind": "chain", "why": why, "accept": False, "code": code, **judged}
    raise AssertionError(why)


def _with(of):
    return [*CLASSES, of.issuing_class]


def _rules():
    yield _broken("a class that the manifest lacks", "unknown-class", [PAID, PASSED_ON], CLASSES[:1])
    late = BEGIN + 60 * DAY + 1
    yield _broken("a second after the last moment at which a wallet takes it", "expired", [PAID], now=late)
    yield _broken("a second after the last moment at which the bank does", "expired", [PAID, PASSED_ON, REDEEMED],
                  end="redemption", now=BEGIN + 120 * DAY + 1)
    for why, of in (
        ("a blank of another currency", issued("euro", kind=BLANK, currency="EUR")),
        ("a blank of another issuer", issued("other", kind=BLANK, issuer="another-bank")),
    ):
        paid = shown(NOTE, [0], [output(5_000, of, "mixed"), change(0)])
        passed = shown(of, received(paid, "mixed"), [change(5_000)])
        yield _broken(why, "mixed-classes", [paid, passed], _with(of))
    yield _broken("a blank as an issued note", "wrong-kind", [shown(FIRST, [0], [change(5_000)])])
    another = issued("another value")
    paid = shown(NOTE, [0], [output(5_000, another, "value"), change(0)])
    yield _broken("a value note that owns an output", "wrong-kind",
                  [paid, shown(another, received(paid, "value"), [change(5_000)])], _with(another))
    yield _broken("two issued notes in one chain", "wrong-kind", [PAID, shown(another, [0], [change(5_000)])], _with(another))
    elsewhere = shown(NOTE, [0], [output(3_000, FIRST, "first"), change(2_000)], DRAW.bytes("another context"))
    yield _broken("it spends an output of another transfer", "broken-link", [elsewhere, PASSED_ON])
    beyond = shown(FIRST, received(PAID, "first", 2), [change(3_000)])
    yield _broken("it spends an output that there is not", "broken-link", [PAID, beyond])
    yield _broken("it spends somebody else's output", "wrong-owner", [PAID, shown(FIRST, received(PAID, "first", 1), [change(2_000)])])
    yield _broken("another blind", "wrong-owner", [PAID, shown(FIRST, received(PAID, "second"), [change(3_000)])])
    yield _broken("another blank of the same owner", "wrong-owner", [PAID, shown(SECOND, received(PAID, "first"), [change(3_000)])])
    paid = shown(NOTE, [0], [output(3_001, SECOND, "second"), change(1_999)])
    yield _broken("one more than the blank's cap", "over-cap", [paid, shown(SECOND, received(paid, "second"), [change(3_001)])])
    for why, amount in (("one more than the note's face", 2_001), ("one less than the note's face", 1_999)):
        yield _broken(why, "wrong-amount", [shown(NOTE, [0], [output(3_000, FIRST, "first"), change(amount)])])
    yield _broken("one more than the output spent", "wrong-amount",
                  [PAID, shown(FIRST, received(PAID, "first"), [change(3_001)])])
    yield from _hops()
    yield _broken("it redeems where it should pay", "wrong-end", [PAID, PASSED_ON, REDEEMED])
    yield _broken("it pays where it should redeem", "wrong-end", [PAID], end="redemption")
    half = shown(FIRST, received(PAID, "first"), [], DRAW.bytes("account"))
    yield _broken("it redeems before its end", "wrong-end", [PAID, half, REDEEMED], end="redemption")
    for at, name in enumerate(("z0", "z1", "z3")):
        show = PASSED_ON[1]
        z = encode_scalar(int.from_bytes(show[32 * at : 32 * at + 32], "little") + 1)
        yield _broken(f"{name} of a show is one more", "forged",
                      [PAID, [PASSED_ON[0], show[: 32 * at] + z + show[32 * at + 32 :]]])
    yield _broken("the show is of another transfer of the note", "forged", [[PAID[0], elsewhere[1]]])
    points = [*NOTE.points[1:], NOTE.points[0]]
    yield _broken("points that are not those of the show", "forged", [[*PAID, b"".join(points)]])


def _hops():
    """As many hops as the class allows may be redeemed, and one more is refused."""
    x, of = issuing_class(DRAW.below("short"))
    fields = cbor.decode(of.info)
    fields[9] = 1
    short = withdraw(x, type(of)(of.Y, cbor.encode(fields)), DRAW.scalar("u"), DRAW.below("short note"))
    paid = shown(short, [0], [output(3_000, FIRST, "first"), change(2_000)])
    classes = [short.issuing_class, FIRST.issuing_class]
    redeemed = [paid, shown(FIRST, received(paid, "first"), [], DRAW.bytes("account"))]
    found = chains.verify(cbor.encode(redeemed), classes, "redemption", NOW)
    yield accepted("chain", "the one hop that the class allows, and a redemption", {
        **_judged(redeemed, classes, "redemption", NOW), **found})
    passed = shown(FIRST, received(paid, "first"), [change(3_000)])
    yield _broken("a hop more than the class of the note allows", "too-many-hops", [paid, passed], classes)


def _malformed():
    def transfer(why, outputs):
        return _broken(why, "malformed", [shown(NOTE, [0], outputs)])

    yield _broken("no transfers", "malformed", [])
    yield transfer("an output of zero that is not the last", [change(0), output(5_000, FIRST, "first")])
    yield transfer("an owner twice", [change(2_000), change(3_000)])
    yield transfer("nine outputs", [[1, DRAW.bytes(f"owner {number}")] for number in range(9)])
    yield transfer("outputs of more than 2^63 - 1 together", [[2**63 - 1, DRAW.bytes("a")], [1, DRAW.bytes("b")]])
    show = PAID[1]
    yield _broken("a show that is cut", "malformed", [[PAID[0], show[:-1]]])
    yield _broken("z1 not below l", "malformed", [[PAID[0], show[:32] + b"\xff" * 32 + show[64:]]])
    yield _broken("points cut off", "malformed", [[*PAID, b"".join(NOTE.points[1:])]])
    data = cbor.encode([PAID])
    yield _broken("a longer head of the array", "malformed", b"\x98\x01" + data[1:])
    yield _broken("an array of indefinite length", "malformed", b"\x9f" + data[1:] + b"\xff")
    yield _broken("a byte after the end", "malformed", data + b"\x00")
