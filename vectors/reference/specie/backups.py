"""Backups that a PSP keeps and cannot read (protocol §8.1)."""

from . import aead, cbor, form
from .hashes import H32
from .holdings import read
from .notes import Refused


def encode(made_at, holdings):
    return cbor.encode([1, 23, made_at, [cbor.decode(holding) for holding in holdings]])


def key_of(code):
    return H32("recovery-key", code.encode())


def padded(backup):
    """As long as the shortest `sealed` that holds it leaves room for."""
    length = 2**14
    while length < 24 + len(backup) + 1 + 16:
        length *= 2
    return (backup + b"\x80").ljust(length - 24 - 16, b"\x00")


def seal(code, A, nonce, data):
    return nonce + aead.seal(key_of(code), nonce, A, data)


def open(code, A, sealed):
    """Time and holdings of a backup."""
    data = aead.open(key_of(code), sealed[:24], A, sealed[24:])
    if data is None:
        raise Refused("sealed with another key, for another device, or changed")
    backup = data.rstrip(b"\x00")
    form.require(backup.endswith(b"\x80"), "no end of the backup")
    made_at, holdings = form.message(backup[:-1], 23, 4)
    for version, kind, *fields in (form.array(holding, 9) for holding in form.array(holdings)):
        form.require((version, kind) == (1, 22), "no holding")
        read(fields)
    return form.seconds(made_at), holdings
