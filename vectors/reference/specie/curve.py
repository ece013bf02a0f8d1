"""Curve25519 in Edwards form, and ristretto255 on it (RFC 9496)."""

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578


class Undecodable(ValueError):
    """Bytes that encode no point, or no scalar."""


def negative(x):
    return x % P & 1


def magnitude(x):
    return -x % P if negative(x) else x % P


def sqrt_ratio(u, v):
    """RFC 9496 §4.2: whether u/v is a square, and its root, or that of SQRT_M1 * u/v."""
    r = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    check = v * r * r % P
    u %= P
    if check in (-u % P, -u * SQRT_M1 % P):
        r = r * SQRT_M1 % P
    return check in (u, -u % P), magnitude(r)


class Edwards:
    """A point in extended coordinates (RFC 8032 §5.1.4)."""

    def __init__(self, x, y, z=1, t=None):
        self.x, self.y, self.z, self.t = x % P, y % P, z % P, (x * y if t is None else t) % P

    def __add__(self, other):
        a = (self.y - self.x) * (other.y - other.x)
        b = (self.y + self.x) * (other.y + other.x)
        c = 2 * D * self.t * other.t
        d = 2 * self.z * other.z
        e, f, g, h = b - a, d - c, d + c, b + a
        return type(self)(e * f, g * h, f * g, e * h)

    def __neg__(self):
        return type(self)(-self.x, self.y, self.z, -self.t)

    def __sub__(self, other):
        return self + -other

    def __rmul__(self, n):
        total, power = type(self)(0, 1), self
        while n:
            if n & 1:
                total = total + power
            power = power + power
            n >>= 1
        return total

    def __eq__(self, other):
        return (self.x * other.z - other.x * self.z) % P == 0 and (self.y * other.z - other.y * self.z) % P == 0

    __hash__ = None


BASE_Y = 4 * pow(5, -1, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202


class Point(Edwards):
    """An element of ristretto255."""

    def encode(self):
        """RFC 9496 §4.3.2."""
        u1 = (self.z + self.y) * (self.z - self.y) % P
        u2 = self.x * self.y % P
        _, root = sqrt_ratio(1, u1 * u2 * u2 % P)
        den1, den2 = root * u1 % P, root * u2 % P
        z_inv = den1 * den2 * self.t % P
        if negative(self.t * z_inv):
            x, y, den_inv = self.y * SQRT_M1 % P, self.x * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
        else:
            x, y, den_inv = self.x, self.y, den2
        if negative(x * z_inv):
            y = -y
        return magnitude(den_inv * (self.z - y)).to_bytes(32, "little")

    @classmethod
    def decode(cls, data):
        """RFC 9496 §4.3.1."""
        s = int.from_bytes(data, "little")
        if len(data) != 32 or s >= P or s & 1:
            raise Undecodable("no canonical encoding of a point")
        u1, u2 = (1 - s * s) % P, (1 + s * s) % P
        v = (-D * u1 * u1 - u2 * u2) % P
        square, root = sqrt_ratio(1, v * u2 * u2 % P)
        den_x = root * u2 % P
        x, y = magnitude(2 * s * den_x), u1 * root * den_x * v % P
        if not square or negative(x * y) or y == 0:
            raise Undecodable("no point has this encoding")
        return cls(x, y)

    @classmethod
    def map(cls, data):
        """The one-way map of RFC 9496 §4.3.4, from 64 bytes."""
        return cls._element(data[:32]) + cls._element(data[32:])

    @classmethod
    def _element(cls, data):
        t = (int.from_bytes(data, "little") & 2**255 - 1) % P
        r = SQRT_M1 * t * t % P
        u = (r + 1) * (1 - D * D) % P
        v = (-1 - r * D) * (r + D) % P
        square, s = sqrt_ratio(u, v)
        c = P - 1
        if not square:
            s, c = -magnitude(s * t), r
        n = (c * (r - 1) * (D - 1) ** 2 - v) % P
        w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
        return cls(w0 * w3, w2 * w1, w1 * w3, w0 * w2)

    def is_identity(self):
        return self.encode() == bytes(32)

    def __eq__(self, other):
        return self.encode() == other.encode()

    __hash__ = None


G = Point(BASE_X, BASE_Y)


def encode_scalar(n):
    return (n % L).to_bytes(32, "little")


def decode_scalar(data):
    n = int.from_bytes(data, "little")
    if len(data) != 32 or n >= L:
        raise Undecodable("no canonical scalar")
    return n


def inverse(n):
    return pow(n, -1, L)
