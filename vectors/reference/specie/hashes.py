"""Hashes, generators and signatures (protocol §2)."""

from hashlib import sha512

from . import ed25519
from .curve import L, Point


def _big_endian(size):
    return lambda number: number.to_bytes(size, "big")


u8, u16, u32, u64 = map(_big_endian, (1, 2, 4, 8))


def H512(tag, *parts):
    label = b"specie/v1/" + tag.encode()
    return sha512(u16(len(label)) + label + b"".join(u32(len(part)) + part for part in parts)).digest()


def H32(tag, *parts):
    return H512(tag, *parts)[:32]


def Hs(tag, *parts):
    return int.from_bytes(H512(tag, *parts), "little") % L


def Hg(tag, message):
    """hash_to_ristretto255 of RFC 9380, appendix B."""
    dst = b"specie/v1/" + tag.encode()
    dst += u8(len(dst))
    first = sha512(bytes(128) + message + u16(64) + u8(0) + dst).digest()
    return Point.map(sha512(first + u8(1) + dst).digest())


H = Hg("generator", b"H")
K = Hg("generator", b"K")


def sign(seed, tag, *parts):
    return ed25519.sign(seed, H32(tag, *parts))


def verify(key, signature, tag, *parts):
    return ed25519.verify(key, H32(tag, *parts), signature)
