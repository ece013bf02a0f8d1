"""Manifests (protocol §3)."""

from specie import cbor, manifests
from specie.curve import G
from specie.ed25519 import public_key
from specie.notes import BLANK

from .draw import Draw
from .entries import NOBODY, NOBODYS_SIGNATURE, accepted, malleable, other_forms, refused
from .world import BEGIN, issuing_class

DRAW = Draw("manifest")
SEED = DRAW.bytes("root")
ROOT = public_key(SEED)


def _class(name, **fields):
    _, of = issuing_class(DRAW.below(name), **fields)
    return [0, of.Y, of.info]


def _supervision(threshold=100_000, currency="XTS", s="s"):
    return [3, currency, threshold, (DRAW.scalar(s) * G).encode()]


ENTRIES = [
    _class("value"), _class("blank", kind=BLANK), [1, "psp-one", public_key(DRAW.bytes("psp"))],
    [2, public_key(DRAW.bytes("ledger"))], _supervision(), _supervision(s="old s"),
    _supervision(2**63 - 1, "EUR"),
]


def header(entries=ENTRIES, issuer="central-bank", sequence=7, previous=DRAW.bytes("previous"), issued_at=BEGIN):
    return manifests.header(entries, issuer, sequence, previous, issued_at)


def entries():
    for why, fields, listed in (
        ("the first manifest, which has no entries", {"sequence": 1, "previous": bytes(32)}, []),
        ("one entry, which is the root", {}, ENTRIES[:1]),
        ("seven entries of every kind, with a supervisory key, one before it, and one of another currency", {}, ENTRIES),
        ("numbers as large as they may be", {"sequence": 2**64 - 1, "issued_at": 2**63 - 1}, ENTRIES[2:5]),
    ):
        of = header(listed, **fields)
        data = manifests.signed(SEED, of, listed)
        manifests.read(data, ROOT)
        leaves = [manifests.leaf(entry) for entry in listed]
        yield accepted("manifest", why, {
            "seed": SEED, "root": ROOT, **dict(zip(("issuer", "sequence", "previous", "issued_at", "entries_root"), of)),
            "header": cbor.encode(of), "name": manifests.name(of), "entries": [cbor.encode(entry) for entry in listed],
            "leaves": leaves, "paths": [b"".join(manifests.path(leaves, position)) for position in range(len(leaves))],
            "manifest": data,
        })
    yield from _refused()


def _refused():
    def entry(why, data, root=ROOT):
        return refused("manifest", manifests.read, why, {"manifest": data, "root": root})

    def listing(why, *listed):
        return entry(why, manifests.signed(SEED, header(listed), list(listed)))

    good = manifests.signed(SEED, header(), ENTRIES)
    _, _, of, signature, _ = cbor.decode(good)

    def other(why, of=of, signature=signature, listed=ENTRIES, root=ROOT):
        return entry(why, cbor.encode([1, 4, of, signature, listed]), root)

    yield entry("signed by another key", manifests.signed(DRAW.bytes("thief"), header(), ENTRIES))
    yield other("the signature with s + l", signature=malleable(signature))
    yield other("a root key of small order, which signs everything", signature=NOBODYS_SIGNATURE, root=NOBODY)
    yield other("the signature is of another header", of=header(sequence=8))
    yield other("another supervisory key than the signed one", listed=[*ENTRIES[:4], _supervision(s="thief's s"), *ENTRIES[5:]])
    yield other("a lower threshold than the signed one", listed=[*ENTRIES[:4], _supervision(1), *ENTRIES[5:]])
    yield other("the supervisory keys exchanged", listed=[*ENTRIES[:4], ENTRIES[5], ENTRIES[4], ENTRIES[6]])
    yield other("an entry is missing", listed=ENTRIES[:-1])
    yield other("an entry too many", listed=[*ENTRIES, ENTRIES[2]])
    counted = [*header()[:5], 8]
    yield entry("the header counts another number of entries", manifests.signed(SEED, counted, ENTRIES))
    wrong = [*header()[:4], bytes(32), 7]
    yield entry("the header has another root", manifests.signed(SEED, wrong, ENTRIES))
    yield listing("a supervisory key that is 0", [3, "XTS", 1, bytes(32)])
    yield listing("a supervisory key that is no point", [3, "XTS", 1, b"\x01" + bytes(31)])
    yield listing("a threshold above 2^63 - 1", _supervision(2**63))
    yield listing("a currency of two letters", _supervision(currency="XT"))
    yield listing("a kind of entry that there is not", [4, DRAW.bytes("key")])
    yield listing("an entry with something beside it", [2, DRAW.bytes("key"), 0])
    yield listing("a PSP without a name", [1, "", DRAW.bytes("key")])
    yield listing("a class that redeems before it is spent", _redated())
    yield listing("a class whose key is no point", [0, b"\xff" * 32, ENTRIES[0][2]])
    yield listing("a class whose info has something after its end", [0, ENTRIES[0][1], ENTRIES[0][2] + b"\x00"])
    for why, data in other_forms(good):
        yield entry(why, data)


def _redated():
    _, Y, info = ENTRIES[0]
    fields = cbor.decode(info)
    fields[8] = fields[7] - 1
    return [0, Y, cbor.encode(fields)]
