"""Classes and notes that entries are made of."""

from specie import cbor
from specie.curve import G, encode_scalar
from specie.notes import BLANK, VALUE, Class, withdraw

BEGIN = 1_767_225_600
"""2026-01-01T00:00:00Z."""

DAY = 86_400


def issuing_class(draw, kind=VALUE, amount=5_000, currency="XTS", issuer="central-bank", epoch=1, redeem_days=120):
    """An issuing key and its class."""
    x = draw.scalar("x")
    dates = [BEGIN, BEGIN + 60 * DAY, BEGIN + redeem_days * DAY]
    info = cbor.encode([1, issuer, currency, kind, amount, epoch, *dates, 8 if kind == VALUE else 0])
    return x, Class((x * G).encode(), info)


def value_note(draw, u, **fields):
    x, of = issuing_class(draw, VALUE, **fields)
    return withdraw(x, of, u, draw)


def blank(draw, u, amount=10_000, **fields):
    x, of = issuing_class(draw, BLANK, amount, **fields)
    return withdraw(x, of, u, draw)


def secrets(note):
    """The secrets of a note by their letters."""
    names = ("u", "gamma", "rnd", "k0", "k1", "k3")
    return {name: encode_scalar(getattr(note, name)) for name in names}
