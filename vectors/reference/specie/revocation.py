"""Pages of the revocation list (protocol §8.2)."""

from dataclasses import dataclass

from . import cbor, form
from .form import require
from .hashes import H32, sign, verify
from .notes import Refused

FULL = 32


@dataclass
class Page:
    issuer: str
    page: int
    sequence: int
    previous: bytes
    oldest: int
    issued_at: int
    notes: list
    signature: bytes = b""

    @property
    def body(self):
        notes = b"".join(self.notes)
        return [self.issuer, self.page, self.sequence, self.previous, self.oldest, self.issued_at, notes]

    @property
    def name(self):
        return H32("revocation", cbor.encode(self.body))

    @property
    def full(self):
        return len(self.notes) == FULL

    def signed(self, seed):
        """The message."""
        return cbor.encode([1, 5, self.body, sign(seed, "revocation", cbor.encode(self.body))])


def read(page, ledger):
    """A page that the ledger signed."""
    body, signature = form.message(page, 5, 4)
    issuer, number, sequence, previous, oldest, issued_at, notes = form.array(body, 7)
    form.name(issuer), form.uint(number, least=1), form.uint(sequence, least=1), form.uint(oldest, number, 1)
    form.seconds(issued_at), form.octets(notes, *range(0, 16 * FULL + 1, 16))
    require((form.octets(previous, 32) == bytes(32)) == (number == 1), "zeros in `previous` are for page 1")
    notes = [notes[at : at + 16] for at in range(0, len(notes), 16)]
    require(notes == sorted(set(notes)), "notes not in ascending order")
    if not verify(ledger, form.octets(signature, 64), "revocation", cbor.encode(body)):
        raise Refused("not signed by the ledger")
    return Page(issuer, number, sequence, previous, oldest, issued_at, notes, signature)


def contradict(one, other):
    """Whether two pages convict the ledger's key."""
    earlier, later = sorted((one, other), key=lambda page: (page.page, page.sequence))
    if (earlier.page, earlier.sequence) == (later.page, later.sequence):
        return earlier.body != later.body
    if later.sequence <= earlier.sequence or later.issued_at < earlier.issued_at or later.oldest < earlier.oldest:
        return True
    if earlier.page == later.page:
        return not set(earlier.notes) <= set(later.notes) or earlier.previous != later.previous or earlier.full
    return earlier.full and later.page == earlier.page + 1 and later.previous != earlier.name


def follows(held, page):
    """Whether a device that holds a page as its newest may add this one: a later version, or the one after a full one."""
    if contradict(held, page):
        return False
    return page.page == held.page and page.sequence > held.sequence or held.full and page.page == held.page + 1
