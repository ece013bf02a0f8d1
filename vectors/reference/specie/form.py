"""Reading the structures of specie.cddl."""

from . import cbor
from .cbor import Malformed
from .curve import Point, decode_scalar

AMOUNT_MAX = 2**63 - 1


def require(holds, why):
    if not holds:
        raise Malformed(why)


def array(value, length=None):
    require(isinstance(value, list), "no array")
    require(length is None or len(value) == length, "another number of elements")
    return value


def message(data, number, length):
    """The elements after version and type of message."""
    value = array(cbor.decode(data), length)
    require(value[0] == 1, "another version")
    require(value[1] == number, "another type of message")
    return value[2:]


def uint(value, most=2**64 - 1, least=0):
    require(type(value) is int and least <= value <= most, "no number in range")
    return value


def amount(value):
    return uint(value, AMOUNT_MAX)


seconds = amount


def octets(value, *lengths):
    require(isinstance(value, bytes) and len(value) in lengths, "no bytes of that length")
    return value


def text(value, most, least=1):
    require(isinstance(value, str) and least <= len(value.encode()) <= most, "no text of that length")
    return value


def name(value):
    return text(value, 32)


def currency(value):
    text(value, 3, 3)
    require(all("A" <= letter <= "Z" for letter in value), "no currency")
    return value


def point(value):
    Point.decode(octets(value, 32))
    return value


def scalar(value):
    decode_scalar(octets(value, 32))
    return value
