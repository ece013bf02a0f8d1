"""Classes (protocol §3), withdrawal (§5), and shows that hold (§6)."""

from dataclasses import dataclass

from . import cbor, form
from .curve import L, G, Point, decode_scalar, encode_scalar
from .form import require
from .hashes import H, H32, H512, Hg, Hs, K

VALUE, BLANK = 0, 1


class Refused(ValueError):
    """Something well-formed that does not hold."""


class Class:
    def __init__(self, Y, info):
        """Of an issuing key and an encoded info."""
        self.Y, self.info = Y, info
        fields = form.array(cbor.decode(info), 10)
        require(fields[0] == 1, "another version")
        _, self.issuer, self.currency, self.kind, self.amount, self.epoch, *dates, self.max_hops = fields
        form.name(self.issuer), form.currency(self.currency), form.uint(self.kind, 1)
        require(form.amount(self.amount) > 0, "no amount")
        form.uint(self.epoch, 2**32 - 1)
        require([form.seconds(date) for date in dates] == sorted(dates), "dates out of order")
        self.issue_from, self.spend_until, self.redeem_until = dates
        form.uint(self.max_hops, 255)
        require((self.max_hops > 0) == (self.kind == VALUE), "another number of hops")
        require(not Point.decode(form.octets(Y, 32)).is_identity(), "Y is 0")
        self.id = H512("class-id", Y, info)[:16]
        self.Z = Hg("class", Y + info)


@dataclass
class Note:
    """A note with the device's secrets: host's and element's."""

    issuing_class: Class
    data: bytes
    points: list
    u: int
    gamma: int
    rnd: int
    k0: int
    k1: int
    k3: int

    @property
    def id(self):
        return note_id(self.data, *self.points[4:])

    def show(self, preimage):
        d = Hs("spend", preimage)
        z0, z1 = self.k0 + d * self.gamma, self.k1 + d * self.gamma * self.rnd
        return b"".join(map(encode_scalar, (z0, z1, self.k3 + d * self.gamma * self.u)))


def note_id(note, N0, N1):
    return H32("note-id", note[:32], note[32:64], N0, N1)


def withdraw(x, issuing_class, u, draw):
    """Both sides of §5, each refusing what it must."""
    Y, U, Z = Point.decode(issuing_class.Y), u * K, issuing_class.Z
    rnd, kappa, s1, s2, delta = (draw.scalar(name) for name in ("rnd", "kappa", "s1", "s2", "delta"))
    Z1 = U + rnd * G
    Z2 = Z - Z1
    a, b1, b2 = kappa * G, s1 * G + delta * Z1, s2 * H + delta * Z2
    gamma, tau, k0, k1, k3 = (draw.scalar(name) for name in ("gamma", "tau", "k0", "k1", "k3"))
    t1, t2, t3, t4, t5 = (draw.scalar(f"t{number}") for number in range(1, 6))
    zeta, zeta1 = gamma * Z, gamma * Z1
    zeta2, eta, N0, N1 = zeta - zeta1, tau * Z, k0 * Z, k1 * G + k3 * K
    alpha = a + t1 * G + t2 * Y
    beta1 = gamma * b1 + t3 * G + t4 * zeta1
    beta2 = gamma * b2 + t5 * H + t4 * zeta2
    points = [point.encode() for point in (alpha, beta1, beta2, eta, N0, N1)]
    epsilon = _epsilon(issuing_class, zeta.encode(), zeta1.encode(), points)
    e = epsilon - t2 - t4
    c = e - delta
    r = kappa - c * x
    assert a == r % L * G + c % L * Y
    rho, omega, omega_ = r + t1, c + t2, delta + t4
    numbers = rho, omega, gamma * s1 + t3, gamma * s2 + t5, omega_, tau - omega_ * gamma
    data = zeta.encode() + zeta1.encode() + b"".join(map(encode_scalar, numbers))
    return Note(issuing_class, data, points, u, gamma, rnd, k0, k1, k3)


def _epsilon(issuing_class, zeta, zeta1, points):
    return Hs("issue", issuing_class.info, issuing_class.Y, zeta, zeta1, *points)


def verify_show(issuing_class, note, d, show):
    """The six points of a show that holds (§6)."""
    z0, z1, z3 = (decode_scalar(show[at : at + 32]) for at in (0, 32, 64))
    zeta, zeta1 = Point.decode(note[:32]), Point.decode(note[32:64])
    if zeta.is_identity() or zeta1.is_identity() or zeta == zeta1:
        raise Refused("degenerate note")
    N0 = z0 * issuing_class.Z - d * zeta
    N1 = z1 * G + z3 * K - d * zeta1
    points = [*signature_points(issuing_class, note), N0.encode(), N1.encode()]
    verify_note(issuing_class, note, points)
    return points


def signature_points(issuing_class, note):
    """α, β1, β2, η."""
    zeta, zeta1 = Point.decode(note[:32]), Point.decode(note[32:64])
    rho, omega, rho1, rho2, omega_, mu = _numbers(note)
    alpha = rho * G + omega * Point.decode(issuing_class.Y)
    beta1 = rho1 * G + omega_ * zeta1
    beta2 = rho2 * H + omega_ * (zeta - zeta1)
    eta = mu * issuing_class.Z + omega_ * zeta
    return [point.encode() for point in (alpha, beta1, beta2, eta)]


def verify_note(issuing_class, note, points):
    """That the bank signed ζ, ζ1, N0 and N1."""
    _, omega, _, _, omega_, _ = _numbers(note)
    if (omega + omega_) % L != _epsilon(issuing_class, note[:32], note[32:64], points):
        raise Refused("not signed by the issuing key")


def _numbers(note):
    return [decode_scalar(note[at : at + 32]) for at in range(64, 256, 32)]


def decode_note(data):
    """256 bytes of which every part is canonical."""
    form.octets(data, 256)
    for at in (0, 32):
        form.point(data[at : at + 32])
    _numbers(data)
    return data
