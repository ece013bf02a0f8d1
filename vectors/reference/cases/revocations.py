"""Pages of the revocation list, and pairs of them (protocol §8.2)."""

from dataclasses import replace

from specie import cbor, revocation
from specie.ed25519 import public_key
from specie.hashes import sign
from specie.revocation import FULL, Page

from .draw import Draw
from .entries import NOBODY, NOBODYS_SIGNATURE, accepted, malleable, other_forms, refused
from .world import BEGIN

DRAW = Draw("revocation")
SEED = DRAW.bytes("ledger")
LEDGER = public_key(SEED)


def notes(count, about=""):
    return sorted(DRAW.bytes(f"note {about}{number}", 16) for number in range(count))


FIRST = Page("central-bank", 1, 7, bytes(32), 1, BEGIN, notes(3))
FULL_PAGE = replace(FIRST, sequence=40, issued_at=BEGIN + 3_600, notes=notes(FULL))
SECOND = Page("central-bank", 2, 41, FULL_PAGE.name, 1, BEGIN + 3_600, notes(1, "second "))


def entries():
    yield from _pages()
    yield from _pairs()


def _pages():
    last = Page("b" * 32, 2**64 - 1, 2**64 - 1, DRAW.bytes("previous"), 2**64 - 1, 2**63 - 1, notes(2))
    for why, page in (
        ("the first page of a list without notes", replace(FIRST, sequence=1, notes=[])),
        ("the first page", FIRST),
        ("a full page", FULL_PAGE),
        ("the page after it", SECOND),
        ("every number as large as it may be", last),
    ):
        data = page.signed(SEED)
        revocation.read(data, LEDGER)
        yield accepted("revocation", why, {
            "seed": SEED, "ledger": LEDGER, "issuer": page.issuer, "number": page.page, "sequence": page.sequence,
            "previous": page.previous, "oldest": page.oldest, "issued_at": page.issued_at, "notes": page.notes,
            "name": page.name, "page": data,
        })

    def entry(why, page, ledger=LEDGER):
        data = page if isinstance(page, bytes) else page.signed(SEED)
        return refused("revocation", revocation.read, why, {"page": data, "ledger": ledger})

    three = FIRST.notes
    yield entry("notes in falling order", replace(FIRST, notes=three[::-1]))
    yield entry("a note twice", replace(FIRST, notes=[three[0], three[0]]))
    yield entry("33 notes", replace(FIRST, notes=notes(FULL + 1)))
    yield entry("half a note", replace(FIRST, notes=[three[0][:8]]))
    yield entry("page 0", replace(FIRST, page=0))
    yield entry("sequence 0", replace(FIRST, sequence=0))
    yield entry("the oldest page is 0", replace(FIRST, oldest=0))
    yield entry("the oldest page in force is after this one", replace(SECOND, oldest=3))
    yield entry("page 1 has one before it", replace(FIRST, previous=FULL_PAGE.name))
    yield entry("page 2 has none before it", replace(SECOND, previous=bytes(32)))
    yield entry("a time above 2^63 - 1", replace(FIRST, issued_at=2**63))
    yield entry("an issuer without a name", replace(FIRST, issuer=""))
    yield entry("an issuer's name of 33 bytes", replace(FIRST, issuer="b" * 33))
    good = FIRST.signed(SEED)
    yield entry("signed by another key", FIRST.signed(DRAW.bytes("somebody")))
    yield entry("the ledger has another key", good, public_key(DRAW.bytes("somebody")))
    body, signature = cbor.encode(FIRST.body), good[-64:]
    yield entry("the signature is of an earlier version",
                cbor.encode([1, 5, replace(FIRST, sequence=8).body, signature]))
    yield entry("a signature under another label",
                cbor.encode([1, 5, FIRST.body, sign(SEED, "manifest", body)]))
    yield entry("the signature with s + l", cbor.encode([1, 5, FIRST.body, malleable(signature)]))
    yield entry("a key of small order, which signs everything",
                cbor.encode([1, 5, FIRST.body, NOBODYS_SIGNATURE]), NOBODY)
    for why, data in other_forms(good):
        yield entry(why, data)
    yield entry("another type of message", good[:2] + b"\x07" + good[3:])


def _pairs():
    grown = replace(FIRST, sequence=9, issued_at=BEGIN + 60, notes=sorted(FIRST.notes + notes(1, "new ")))
    for why, held, page in (
        ("grown by a note", FIRST, grown),
        ("signed again without a new note", FIRST, replace(FIRST, sequence=8, issued_at=BEGIN + 3_600)),
        ("grown until it is full", FIRST, FULL_PAGE),
        ("the page after a full one", FULL_PAGE, SECOND),
        ("the page after a full one, which is the only one in force", FULL_PAGE, replace(SECOND, oldest=2)),
        ("the page after one that is not full as it is held: what is missing is not known", grown, SECOND),
        ("a page is left out", FULL_PAGE, replace(SECOND, page=3, sequence=80)),
    ):
        follows = revocation.follows(held, page)
        assert not revocation.contradict(held, page)
        yield accepted("revocation-pair", why, {
            "held": held.signed(SEED), "page": page.signed(SEED), "follows": follows})
    fewer = replace(FIRST, sequence=8, notes=FIRST.notes[1:])
    other = replace(SECOND, previous=DRAW.bytes("another page"))
    for why, held, page in (
        ("one page and sequence, other notes", FIRST, replace(FIRST, notes=FIRST.notes[1:])),
        ("one page and sequence, another time", FIRST, replace(FIRST, issued_at=BEGIN + 1)),
        ("a note is missing from the later version", FIRST, fewer),
        ("the later version is of an earlier time", FIRST, replace(grown, issued_at=BEGIN - 1)),
        ("the later version has another page before it", SECOND,
         replace(other, sequence=42)),
        ("a full page was signed again", FULL_PAGE, replace(FULL_PAGE, sequence=41)),
        ("the page after a full one names another", FULL_PAGE, other),
        ("the page after has the same sequence", FULL_PAGE, replace(SECOND, sequence=40)),
        ("the page after has a lower sequence", FULL_PAGE, replace(SECOND, sequence=39)),
        ("the page after is of an earlier time", FULL_PAGE, replace(SECOND, issued_at=BEGIN)),
        ("the oldest page in force becomes an older one", replace(SECOND, oldest=2),
         replace(SECOND, page=4, sequence=90)),
    ):
        yield refused("revocation-pair", _fit, why, {"held": held.signed(SEED), "page": page.signed(SEED)})


def _fit(held, page):
    if revocation.contradict(revocation.read(held, LEDGER), revocation.read(page, LEDGER)):
        raise revocation.Refused("they contradict each other")
