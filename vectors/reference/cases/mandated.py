"""Mandates (protocol §7.2)."""

from specie import cbor, mandates
from specie.ed25519 import public_key, sign as sign_raw
from specie.hashes import H32, sign

from .draw import Draw
from .entries import NOBODY, NOBODYS_SIGNATURE, accepted, malleable, other_forms, refused
from .world import BEGIN, DAY

DRAW = Draw("mandate")
SEED = DRAW.bytes("owner")
OWNER = public_key(SEED)
DEVICE = public_key(DRAW.bytes("device"))
KEYS = sorted(public_key(DRAW.bytes(f"payee {number}")) for number in range(16))
MAX = 2**63 - 1
BODY = ("owner", "device", "sequence", "valid_until", "max_payment", "period_seconds", "max_per_period", "max_total", "redeem_to")
TERMS = ["XTS", 2_000, [[1, 4_784], [1, 5_541], [2, KEYS[0]]]]


def body(terms=TERMS, owner=OWNER, sequence=3, until=BEGIN + 30 * DAY, payment=1_500, period=DAY, in_period=4_000, total=30_000, to=None):
    return [owner, DEVICE, sequence, until, payment, period, in_period, total, to, mandates.terms_hash(terms)]


def entries():
    most = body(["XTS", MAX, [[0]]], sequence=2**64 - 1, until=MAX, payment=MAX, period=2**64 - 1, in_period=MAX, total=MAX)
    account = H32("redeem", b"psp-one", b"alice")
    for why, of, terms in (
        ("a car that pays for parking, charging and one payee", body(), TERMS),
        ("anyone, every number as large as it may be", most, ["XTS", MAX, [[0]]]),
        ("nothing: how an owner ends a mandate", body(["EUR", 0, [[0]]], payment=0, in_period=0, total=0, until=0, period=1),
         ["EUR", 0, [[0]]]),
        ("redemptions to one account", body(to=account), TERMS),
        ("sixteen payees", body(["XTS", 1, [[2, key] for key in KEYS]]), ["XTS", 1, [[2, key] for key in KEYS]]),
    ):
        data = mandates.signed(SEED, of, terms)
        mandates.read(data)
        yield accepted("mandate", why, {
            "seed": SEED, **dict(zip(BODY, of)), "currency": terms[0], "person_above": terms[1],
            "terms": cbor.encode(terms), "terms_hash": of[9], "body": cbor.encode(of), "name": mandates.name(of), "mandate": data,
        })
    yield from _refused()


def _refused():
    def entry(why, data):
        return refused("mandate", mandates.read, why, {"mandate": data})

    def made(why, terms=TERMS, **fields):
        return entry(why, mandates.signed(SEED, body(terms, **fields), terms))

    good = mandates.signed(SEED, body(), TERMS)
    signature, encoded = good[-64:], cbor.encode(body())

    def with_signature(why, signature, of=None):
        return entry(why, cbor.encode([1, 11, of or body(), TERMS, signature]))

    yield entry("signed by another than the owner it names", mandates.signed(DRAW.bytes("thief"), body(), TERMS))
    yield with_signature("the signature is of a mandate of less", signature, body(total=30_001))
    yield with_signature("the signature is for another device", signature, [*body()[:1], KEYS[1], *body()[2:]])
    yield with_signature("a signature under another label", sign(SEED, "device-request", encoded))
    yield with_signature("a signature of the body itself, not of its hash", sign_raw(SEED, encoded))
    yield with_signature("the signature with s + l", malleable(signature))
    yield with_signature("an owner's key of small order, which signs everything", NOBODYS_SIGNATURE, body(owner=NOBODY))
    yield entry("other terms than the body names", cbor.encode([1, 11, body(), ["XTS", 9_000, [[0]]], signature]))
    yield made("payees in falling order", ["XTS", 1, [[1, 5_541], [1, 4_784]]])
    yield made("keys before categories", ["XTS", 1, [[2, KEYS[0]], [1, 4_784]]])
    yield made("a payee twice", ["XTS", 1, [[1, 4_784], [1, 4_784]]])
    yield made("no payees", ["XTS", 1, []])
    yield made("seventeen payees", ["XTS", 1, [[0]] + [[2, key] for key in KEYS]])
    yield made("a rule of another kind", ["XTS", 1, [[3, KEYS[0]]]])
    yield made("a category above 65535", ["XTS", 1, [[1, 65_536]]])
    yield made("anyone, with something beside it", ["XTS", 1, [[0, 4_784]]])
    yield made("a currency in small letters", ["xts", 1, [[0]]])
    yield made("a currency of four letters", ["XTSX", 1, [[0]]])
    yield made("an amount above 2^63 - 1 in the terms", ["XTS", 2**63, [[0]]])
    yield made("a period of no length", period=0)
    yield made("an amount above 2^63 - 1", total=2**63)
    yield made("a time above 2^63 - 1", until=2**63)
    yield made("a destination of 16 bytes", to=bytes(16))
    for why, data in other_forms(good):
        yield entry(why, data)
    yield entry("another type of message", good[:2] + b"\x07" + good[3:])
