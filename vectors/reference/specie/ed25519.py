"""Ed25519 (RFC 8032), verified strictly as protocol §2 asks."""

from hashlib import sha512

from .curve import BASE_X, BASE_Y, D, L, P, Edwards, sqrt_ratio

BASE = Edwards(BASE_X, BASE_Y)


def _encode(point):
    inverse = pow(point.z, -1, P)
    x, y = point.x * inverse % P, point.y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data):
    """The point, or None."""
    number = int.from_bytes(data, "little")
    y, sign = number & 2**255 - 1, number >> 255
    square, x = sqrt_ratio(y * y - 1, D * y * y + 1)
    if y >= P or not square or (x == 0 and sign):
        return None
    return Edwards(-x if x & 1 != sign else x, y)


def _number(*parts):
    return int.from_bytes(sha512(b"".join(parts)).digest(), "little")


def _expand(seed):
    digest = sha512(seed).digest()
    secret = int.from_bytes(digest[:32], "little")
    return secret & (1 << 254) - 8 | 1 << 254, digest[32:]


def public_key(seed):
    return _encode(_expand(seed)[0] * BASE)


def sign(seed, message):
    secret, prefix = _expand(seed)
    r = _number(prefix, message) % L
    R = _encode(r * BASE)
    k = _number(R, public_key(seed), message)
    return R + ((r + k * secret) % L).to_bytes(32, "little")


def verify(key, message, signature):
    """Canonical s, neither key nor R of small order, the equation without a cofactor."""
    A, R, s = _decode(key), _decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if A is None or R is None or s >= L or len(signature) != 64:
        return False
    identity = Edwards(0, 1)
    if 8 * A == identity or 8 * R == identity:
        return False
    k = _number(signature[:32], key, message) % L
    return s * BASE == R + k * A
