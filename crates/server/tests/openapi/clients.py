"""Whoever asks: a PSP, and a device with an element, both made by the reference in Python and not by the program under test."""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "vectors" / "reference"))

from specie import cbor, ed25519, enrolment  # noqa: E402
from specie.curve import encode_scalar  # noqa: E402
from specie.hashes import H32, sign, u64  # noqa: E402


class Psp:
    """Signs as a PSP does (http.md §3)."""

    def __init__(self, name, seed):
        self.name, self.seed = name, seed

    def headers(self, method, target, key, body):
        now = int(time.time())
        signature = sign(self.seed, "psp-request", method.encode(), target.encode(), key.encode(), u64(now), body)
        return {"specie-psp": self.name.encode().hex(), "specie-time": str(now), "specie-signature": signature.hex()}


class Device:
    """Signs as a device's element does."""

    def __init__(self, seed):
        self.element = enrolment.Element(seed)

    def headers(self, method, target, key, body):
        now = int(time.time())
        digest = H32("http", method.encode(), target.encode(), key.encode(), u64(now), body)
        signature = sign(self.element.key, "device-request", digest)
        return {"specie-device": self.element.A.hex(), "specie-time": str(now), "specie-signature": signature.hex()}

    def enrolment(self, maker, maker_seed, series, nonce):
        """What a maker certifies of the element, and what it proves with the PSP's nonce."""
        body = [maker, series, bytes(32), self.element.U, self.element.A]
        _, R, _, s = self.element.prove(nonce, b"")
        claims = enrolment.claims_of(body, nonce)
        token = enrolment.token(claims, self.element.attest(claims))
        return enrolment.encode(enrolment.certify(maker_seed, body), nonce, b"", [R, encode_scalar(s)], token)


def from_environment():
    """The client that `run.py` set up."""
    seed = bytes.fromhex(os.environ["SPECIE_CLIENT_SEED"])
    name = os.environ.get("SPECIE_CLIENT_NAME")
    return Psp(name, seed) if name else Device(seed)
