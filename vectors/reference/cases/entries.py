"""Entries of a file of vectors."""

from specie.cbor import Malformed
from specie.curve import L, Undecodable
from specie.notes import Refused


def hexadecimal(value):
    """Bytes as hex, everywhere in an entry."""
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {key: hexadecimal(item) for key, item in value.items()}
        case list() | tuple():
            return [hexadecimal(item) for item in value]
    return value


def accepted(kind, why, fields):
    return {"kind": kind, "why": why, "accept": True, **fields}


def refused(kind, verify, why, fields):
    """An entry that the reference refuses too."""
    try:
        verify(**fields)
    except (Malformed, Undecodable, Refused):
        return {"kind": kind, "why": why, "accept": False, **fields}
    raise AssertionError(f"{kind}: accepted, although {why}")


def longer_head(data):
    """The first array's head in a longer form of the same length."""
    assert 0x80 <= data[0] < 0x98
    return bytes([0x98, data[0] & 31]) + data[1:]


def indefinite(data):
    """The first array with an end instead of a length."""
    assert 0x80 <= data[0] < 0x98
    return b"\x9f" + data[1:] + b"\xff"


def other_forms(data):
    """What every message must be refused as: what is wrong, and the bytes. Its second element is its type."""
    assert data[1] == 1
    return [
        ("a longer head of the array", longer_head(data)),
        ("an array of indefinite length", indefinite(data)),
        ("a byte after the end", data + b"\x00"),
        ("the last byte is missing", data[:-1]),
        ("version 2", data[:1] + b"\x02" + data[2:]),
    ]


def malleable(signature):
    """The same signature with s + l, which satisfies the equation too."""
    return signature[:32] + (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little")


NOBODY = b"\x01" + bytes(31)
"""An Ed25519 key of small order: 0. Without strictness it signs everything."""

NOBODYS_SIGNATURE = NOBODY + bytes(32)
