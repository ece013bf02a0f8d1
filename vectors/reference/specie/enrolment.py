"""Enrolment (protocol §4): certificate, proof of identity, attestation; and how an element makes them (element.md)."""

from . import cbor, ed25519, form
from .cbor import Tag
from .curve import G, L, Point, decode_scalar, encode_scalar
from .hashes import H32, Hs, K, sign, verify
from .notes import Refused

PROFILE = "urn:specie:eat:1"
PROTECTED = cbor.encode({1: -8})


class Element:
    """An element that drew `seed`."""

    def __init__(self, seed):
        self.seed = seed
        self.u = Hs("device-key", seed)
        self.U = (self.u * K).encode()
        self.key = H32("element-authentication", seed)
        self.A = ed25519.public_key(self.key)

    def prove(self, nonce, device_info):
        """w, R, c and s."""
        w = Hs("enrol-nonce", self.seed, nonce, device_info)
        R = (w * K).encode()
        c = challenge(self.U, R, self.A, nonce, device_info)
        return w, R, c, (w + c * self.u) % L

    def attest(self, claims, protected=PROTECTED, external=b""):
        return ed25519.sign(self.key, cbor.encode(["Signature1", protected, external, cbor.encode(claims)]))


def challenge(U, R, A, nonce, device_info):
    return Hs("enrol", U, R, A, nonce, device_info)


def certify(maker, body):
    return [body, sign(maker, "certificate", cbor.encode(body))]


def claims_of(body, nonce):
    maker, series, firmware, U, _ = body
    oemid = H32("oemid", maker.encode())[:16]
    return {10: nonce, 256: b"\x01" + U, 258: oemid, 259: series.encode(), 265: PROFILE, -65_537: firmware}


def token(claims, signature):
    return cbor.encode(Tag(18, [PROTECTED, {}, cbor.encode(claims), signature]))


def encode(certificate, nonce, device_info, proof, attestation):
    return cbor.encode([1, 9, certificate, nonce, device_info, proof, attestation])


def accept(enrolment, maker, nonce):
    """What a PSP checks that trusts the maker's key and sent the nonce."""
    certificate, answered, device_info, proof, attestation = form.message(enrolment, 9, 7)
    body, signature = form.array(certificate, 2)
    name, series, firmware, U, A = form.array(body, 5)
    form.name(name), form.name(series), form.octets(firmware, 32), form.octets(U, 32), form.octets(A, 32)
    form.octets(answered, 32), form.octets(device_info, *range(65))
    R, s = (form.octets(part, 32) for part in form.array(proof, 2))
    if not verify(maker, form.octets(signature, 64), "certificate", cbor.encode(body)):
        raise Refused("not certified")
    if answered != nonce:
        raise Refused("another nonce")
    identity, c = Point.decode(U), challenge(U, R, A, nonce, device_info)
    if identity.is_identity() or decode_scalar(s) * K != Point.decode(R) + c * identity:
        raise Refused("no proof of identity")
    claims, signature = claims_of(body, nonce), attestation[-64:]
    signed = cbor.encode(["Signature1", PROTECTED, b"", cbor.encode(claims)])
    if attestation != token(claims, signature) or not ed25519.verify(A, signed, signature):
        raise Refused("no attestation")
