"""Requests, with and without descriptor and supervisory key (protocol §7)."""

from specie import cbor, requests
from specie.curve import G
from specie.ed25519 import public_key
from specie.hashes import sign

from .draw import Draw
from .entries import NOBODY, NOBODYS_SIGNATURE, accepted, malleable, other_forms, refused
from .world import BEGIN, DAY

DRAW = Draw("request")
PSP = DRAW.bytes("psp")
PAYEE = DRAW.bytes("payee")
S = (DRAW.scalar("s") * G).encode()
FIELDS = ("currency", "amount", "payee_nonce", "expiry", "owner_tags", "receipt_hash", "manifest_sequence",
          "revocation_sequence", "disclose_to")


def tags(count):
    return [DRAW.bytes(f"tag {number}") for number in range(count)]


def described(psp=PSP, category=5_541, key=public_key(PAYEE), account="shop-account", payee="Corner Shop"):
    return requests.describe(psp, ["psp-one", payee, account, category, key, BEGIN + 90 * DAY])


def body(amount=2_345, owner_tags=tags(2), disclose_to=None, descriptor=None, memo=None, currency="XTS", expiry=BEGIN + 600,
         nonce=DRAW.bytes("nonce", 16)):
    return [currency, amount, nonce, expiry, owner_tags, DRAW.bytes("receipt hash"), 7, 41, disclose_to, descriptor, memo]


def entries():
    for why, of in (
        ("a person, who is not described", body()),
        ("a shop", body(descriptor=described(), memo="Wednesday, 3 loaves")),
        ("a shop that asks for more than the threshold", body(250_000, disclose_to=S, descriptor=described())),
        ("the longest", body(2**63 - 1, tags(8), S, described(account="ø" * 16), "雪" * 46 + "ab", expiry=2**63 - 1)),
    ):
        data = requests.signed(PAYEE, of)
        requests.read(data, public_key(PSP))
        yield accepted("request", why, {
            "psp_seed": PSP, "psp": public_key(PSP), "payee_seed": PAYEE, "payee": public_key(PAYEE), **dict(zip(FIELDS, of)),
            "descriptor": of[9] and cbor.encode(of[9]), "memo": of[10], "digest": requests.digest(of),
            "context": requests.context(data), "request": data,
        })
    yield from _refused()


def _refused():
    def entry(why, data, psp=public_key(PSP)):
        return refused("request", requests.read, why, {"request": data, "psp": psp})

    def made(why, seed=PAYEE, **fields):
        return entry(why, requests.signed(seed, body(**fields)))

    of = body(250_000, disclose_to=S, descriptor=described())
    good = requests.signed(PAYEE, of)
    signature = good[-64:]

    def with_signature(why, of, signature=signature):
        return entry(why, cbor.encode([1, 1, of, signature]))

    yield made("signed by another than the payee described", seed=DRAW.bytes("thief"), descriptor=described())
    yield made("described by another PSP", descriptor=described(psp=DRAW.bytes("thief")))
    yield entry("the PSP has another key", good, public_key(DRAW.bytes("another psp")))
    changed = described()
    changed[2] = [*changed[2][:2], "thief-account", *changed[2][3:]]
    yield made("the descriptor was changed", descriptor=changed)
    yield with_signature("another amount than the signed one", body(1, disclose_to=S, descriptor=described()))
    yield with_signature("the supervisory key was taken out", body(250_000, descriptor=described()))
    yield with_signature("another supervisory key than the signed one", body(250_000, disclose_to=G.encode(), descriptor=described()))
    yield with_signature("the signature is of another request", body(
        250_000, disclose_to=S, descriptor=described(), nonce=DRAW.bytes("another nonce", 16)))
    yield with_signature("described, and not signed", of, None)
    yield with_signature("signed, and not described", body())
    yield with_signature("the signature with s + l", of, malleable(signature))
    yield with_signature("a signature under another label", of, sign(PAYEE, "device-request", requests.digest(of)))
    yield with_signature("a payee's key of small order, which signs everything",
                         body(descriptor=described(key=NOBODY)), NOBODYS_SIGNATURE)
    yield made("nothing is asked for", amount=0)
    yield made("an amount above 2^63 - 1", amount=2**63)
    yield made("no owner tag", owner_tags=[])
    yield made("nine owner tags", owner_tags=tags(9))
    yield made("an owner tag twice", owner_tags=tags(1) * 2)
    yield made("a memo without a letter", memo="")
    yield made("a memo of 141 bytes", memo="ø" * 70 + "x")
    yield made("a currency in small letters", currency="xts")
    yield made("a supervisory key of 31 bytes", disclose_to=S[:-1])
    yield made("a category above 65535", descriptor=described(category=65_536))
    yield made("a payee without a name", descriptor=described(payee=""))
    for why, data in other_forms(good):
        yield entry(why, data)
