"""Sealed backups (protocol §8.1)."""

from specie import backups, cbor, holdings
from specie.ed25519 import public_key

from .draw import Draw
from .entries import accepted, refused
from .world import BEGIN, value_note

DRAW = Draw("backup")
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE = "".join(DIGITS[byte % 32] for byte in DRAW.bytes("code", 30))
A = public_key(DRAW.bytes("device"))
NONCE = DRAW.bytes("nonce", 24)


def entries():
    note = holdings.encode(value_note(DRAW, DRAW.scalar("u")))
    backup = backups.encode(BEGIN, [note])
    sealed = backups.seal(CODE, A, NONCE, backups.padded(backup))
    assert len(sealed) == 2**14 and backups.open(CODE, A, sealed) == (BEGIN, [cbor.decode(note)])
    yield accepted("backup", "one value note", {
        "code": CODE, "A": A, "nonce": NONCE, "key": backups.key_of(CODE), "made_at": BEGIN, "holdings": [note],
        "backup": backup, "sealed": sealed,
    })
    # Short ones, so that the file is: who opens one does not look at its length.
    empty = backups.encode(BEGIN, [])
    good = backups.seal(CODE, A, NONCE, empty + b"\x80\x00\x00")
    backups.open(CODE, A, good)

    def entry(why, sealed=good, code=CODE, A=A):
        return refused("backup", backups.open, why, {"code": code, "A": A, "sealed": sealed})

    def sealing(why, data):
        return entry(why, backups.seal(CODE, A, NONCE, data))

    yield entry("another code", code=("1" if CODE[0] == "0" else "0") + CODE[1:])
    yield entry("another device's", A=public_key(DRAW.bytes("another device")))
    yield entry("a bit of the nonce changed", bytes([good[0] ^ 1]) + good[1:])
    yield entry("a bit of the backup changed", good[:30] + bytes([good[30] ^ 1]) + good[31:])
    yield entry("a bit of the tag changed", good[:-1] + bytes([good[-1] ^ 0x80]))
    yield entry("the last byte is missing", good[:-1])
    yield entry("a tag and nothing else", good[-16:])
    yield sealing("no end is marked", empty + bytes(3))
    yield sealing("another mark", empty + b"\x81\x00")
    yield sealing("nothing within", b"\x80\x00")
    yield sealing("a byte between the backup and its end", empty + b"\x00\x80\x00")
    yield sealing("a holding within", note + b"\x80")
    yield sealing("a backup of something else", cbor.encode([1, 23, BEGIN, [7]]) + b"\x80")
