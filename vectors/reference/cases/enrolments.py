"""Enrolments: certificates, proofs of identity, attestations (protocol §4)."""

from specie import cbor, enrolment
from specie.cbor import Tag
from specie.curve import L, encode_scalar
from specie.ed25519 import public_key
from specie.enrolment import Element

from .draw import Draw
from .entries import NOBODY, NOBODYS_SIGNATURE, accepted, malleable, other_forms, refused

DRAW = Draw("enrolment")
MAKER = DRAW.bytes("maker")
NONCE = DRAW.bytes("nonce")


def body_of(element, maker="maker-one", series="series-7"):
    return [maker, series, DRAW.bytes("firmware"), element.U, element.A]


class Made:
    """An enrolment and its parts; any of them may be another than it should be."""

    def __init__(self, element, body=None, nonce=NONCE, device_info=b"meter 17", maker=MAKER):
        self.element, self.nonce, self.device_info = element, nonce, device_info
        self.body = body or body_of(element)
        self.certificate = enrolment.certify(maker, self.body)
        self.w, self.R, self.c, self.s = element.prove(nonce, device_info)
        self.claims = enrolment.claims_of(self.body, nonce)
        self.token = enrolment.token(self.claims, element.attest(self.claims))

    def encoded(self, **parts):
        fields = ("certificate", "nonce", "device_info", "proof", "token")
        values = {field: getattr(self, field) for field in fields}
        return enrolment.encode(*(values | parts).values())

    @property
    def proof(self):
        return [self.R, encode_scalar(self.s)]


def entries():
    yield from (_holds(*case) for case in (
        ("a meter", Element(DRAW.bytes("seed")), b"meter 17", "maker-one", "series-7"),
        ("nothing said of the device, the shortest names", Element(DRAW.bytes("seed 2")), b"", "m", "s"),
        ("as much as may be said of it, the longest names", Element(DRAW.bytes("seed 3")), bytes(range(64)), "Ω" * 16, "s" * 32),
    ))
    yield from _refused()


def _holds(why, element, device_info, maker, series):
    made = Made(element, body_of(element, maker, series), device_info=device_info)
    encoded = made.encoded()
    enrolment.accept(encoded, public_key(MAKER), NONCE)
    return accepted("enrolment", why, {
        "maker_seed": MAKER, "maker": public_key(MAKER), "maker_name": maker, "series": series, "firmware": made.body[2],
        "element_seed": element.seed, "u": encode_scalar(element.u), "U": element.U, "A_seed": element.key, "A": element.A,
        "nonce": NONCE, "device_info": device_info, "w": encode_scalar(made.w), "R": made.R, "c": encode_scalar(made.c),
        "s": encode_scalar(made.s), "certificate": cbor.encode(made.certificate), "claims": cbor.encode(made.claims),
        "attestation": made.token, "enrolment": encoded,
    })


def _refused():
    element, other = Element(DRAW.bytes("seed")), Element(DRAW.bytes("another seed"))
    made = Made(element)
    good = made.encoded()

    def entry(why, data, maker=public_key(MAKER), nonce=NONCE):
        return refused("enrolment", enrolment.accept, why, {"enrolment": data, "maker": maker, "nonce": nonce})

    def claiming(why, change):
        """With other claims, which A signs."""
        claims = dict(made.claims)
        change(claims)
        return entry(why, made.encoded(token=enrolment.token(claims, element.attest(claims))))

    def enveloped(why, value, signature=None):
        signature = signature or made.token[-64:]
        return entry(why, made.encoded(token=cbor.encode(value(cbor.encode(made.claims), signature))))

    another = DRAW.bytes("another nonce")
    yield entry("a replay: the PSP sent another nonce", good, nonce=another)
    yield entry("a replay under the nonce that was sent", made.encoded(nonce=another), nonce=another)
    yield entry("certified by another maker", good, maker=public_key(DRAW.bytes("another maker")))
    yield entry("certified by a maker's key of small order, which certifies everything",
                made.encoded(certificate=[made.body, NOBODYS_SIGNATURE]), maker=NOBODY)
    yield entry("the certificate's signature with s + l",
                made.encoded(certificate=[made.body, malleable(made.certificate[1])]))
    changed = ["maker-one", "series-8", *made.body[2:]]
    yield entry("the certificate was changed", made.encoded(certificate=[changed, made.certificate[1]]))
    yield entry("another element's certificate", made.encoded(certificate=Made(other).certificate))
    nobody = Element(DRAW.bytes("seed"))
    nobody.u, nobody.U = 0, bytes(32)
    yield entry("U is 0, and everything proven of it", Made(nobody).encoded())
    yield entry("s is one more", made.encoded(proof=[made.R, encode_scalar(made.s + 1)]))
    yield entry("s is the same modulo l, not below it", made.encoded(proof=[made.R, (made.s + L).to_bytes(32, "little")]))
    yield entry("R is no point", made.encoded(proof=[b"\xff" * 32, encode_scalar(made.s)]))
    yield entry("the proof is another device's", made.encoded(proof=Made(other).proof))
    yield entry("something else is said of the device", made.encoded(device_info=b"meter 18"))
    yield entry("65 bytes are said of the device", Made(element, device_info=bytes(65)).encoded())
    yield claiming("another nonce is attested", lambda claims: claims.update({10: another}))
    yield claiming("another device is attested", lambda claims: claims.update({256: b"\x01" + other.U}))
    yield claiming("another form of device identity is attested", lambda claims: claims.update({256: b"\x02" + element.U}))
    yield claiming("another maker is attested", lambda claims: claims.update({258: bytes(16)}))
    yield claiming("another series is attested", lambda claims: claims.update({259: b"series-8"}))
    yield claiming("the series is a text", lambda claims: claims.update({259: "series-7"}))
    yield claiming("another profile is attested", lambda claims: claims.update({265: "urn:specie:eat:2"}))
    yield claiming("another firmware is attested", lambda claims: claims.update({-65_537: bytes(32)}))
    yield claiming("a claim is missing", lambda claims: claims.pop(-65_537))
    yield claiming("a claim too many", lambda claims: claims.update({6: 1_767_225_600}))
    stranger = enrolment.token(made.claims, other.attest(made.claims))
    yield entry("attested by another key", made.encoded(token=stranger))
    yield enveloped("without a tag", lambda payload, signature: [enrolment.PROTECTED, {}, payload, signature])
    yield enveloped("another tag", lambda payload, signature: Tag(17, [enrolment.PROTECTED, {}, payload, signature]))
    header = cbor.encode({1: -7})
    yield enveloped("the header names another algorithm", lambda payload, signature: Tag(18, [header, {}, payload, signature]),
                    element.attest(made.claims, header))
    yield enveloped("something in the unprotected header",
                    lambda payload, signature: Tag(18, [enrolment.PROTECTED, {4: b"key"}, payload, signature]))
    yield enveloped("the payload is elsewhere", lambda payload, signature: Tag(18, [enrolment.PROTECTED, {}, None, signature]))
    yield enveloped("signed with external data", lambda payload, signature: Tag(18, [enrolment.PROTECTED, {}, payload, signature]),
                    element.attest(made.claims, external=b"data"))
    yield enveloped("the signature with s + l", lambda payload, signature: Tag(18, [enrolment.PROTECTED, {}, payload, signature]),
                    malleable(made.token[-64:]))
    yield _unordered(entry, made, element)
    weak = Element(DRAW.bytes("seed"))
    weak.A = NOBODY
    forged = Made(weak)
    yield entry("A is of small order, which attests everything",
                forged.encoded(token=enrolment.token(forged.claims, NOBODYS_SIGNATURE)))
    for why, data in other_forms(good):
        yield entry(why, data)


def _unordered(entry, made, element):
    """The claims in another order, signed so."""
    payload = cbor.encode(made.claims)
    first, rest = payload[1:36], payload[36:]
    swapped = payload[:1] + rest + first
    signature = enrolment.ed25519.sign(element.key, cbor.encode(["Signature1", enrolment.PROTECTED, b"", swapped]))
    token = cbor.encode(Tag(18, [enrolment.PROTECTED, {}, swapped, signature]))
    return entry("claims in another order", made.encoded(token=token))
