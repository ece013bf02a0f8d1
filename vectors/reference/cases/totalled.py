"""Totals that an element signed, opened (totals.md)."""

from specie import totals
from specie.curve import L, encode_scalar
from specie.enrolment import Element

from .draw import Draw
from .entries import NOBODY, NOBODYS_SIGNATURE, accepted, malleable, refused

DRAW = Draw("totals")
ELEMENT = Element(DRAW.bytes("seed"))
MAX = 2**63 - 1


def statement(held=12_500, spent=3_000, sequence=4, max_holding=30_000, max_cumulative=3_000, nonce=DRAW.bytes("nonce")):
    r_held, r_spent = totals.blindings(ELEMENT, nonce, sequence, held, spent)
    C = totals.commit(held, r_held), totals.commit(spent, r_spent)
    return {
        "A": ELEMENT.A, "nonce": nonce, "sequence": sequence, "C_held": C[0], "C_spent": C[1],
        "signature": totals.signature(ELEMENT, nonce, sequence, *C),
        "max_holding": max_holding, "max_cumulative": max_cumulative,
        "held": held, "r_held": encode_scalar(r_held), "spent": spent, "r_spent": encode_scalar(r_spent),
    }


def entries():
    for why, fields in (
        ("something held, and as much spent as may be", statement()),
        ("an element that was never used, and has no limits", statement(0, 0, 0, 0, 0)),
        ("everything as large as it may be", statement(MAX, MAX, 2**64 - 1, MAX, MAX)),
    ):
        totals.check(**fields)
        yield accepted("totals", why, {"element_seed": ELEMENT.seed, **fields})
    good = statement()

    def entry(why, **changes):
        return refused("totals", totals.check, why, good | changes)

    def signed(why, **changes):
        """With something else, which the element signs."""
        fields = good | changes
        signature = totals.signature(ELEMENT, *(fields[name] for name in ("nonce", "sequence", "C_held", "C_spent")))
        return refused("totals", totals.check, why, fields | {"signature": signature})

    yield entry("a replay: the PSP sent another nonce", nonce=DRAW.bytes("another nonce"))
    yield entry("said of other limits", sequence=5)
    yield entry("signed by another element", A=Element(DRAW.bytes("another seed")).A)
    yield entry("a key of small order, which signs everything", A=NOBODY, signature=NOBODYS_SIGNATURE)
    yield entry("the signature with s + l", signature=malleable(good["signature"]))
    yield entry("a signature under another label", signature=totals.signature(
        ELEMENT, good["nonce"], 4, good["C_held"], good["C_spent"], "device-request"))
    yield entry("the commitments exchanged", C_held=good["C_spent"], C_spent=good["C_held"])
    yield entry("another commitment than the signed one", C_held=totals.commit(1, 1), held=1, r_held=encode_scalar(1))
    yield entry("less is said to be held than the commitment says", held=good["held"] - 1)
    yield entry("less is said to be spent than the commitment says", spent=good["spent"] - 1)
    yield entry("another r", r_held=encode_scalar(int.from_bytes(good["r_held"], "little") + 1))
    yield entry("r is the same modulo l, not below it",
                r_spent=(int.from_bytes(good["r_spent"], "little") + L).to_bytes(32, "little"))
    yield entry("what hides the totals is exchanged", r_held=good["r_spent"], r_spent=good["r_held"])
    yield entry("one more is held than may be", max_holding=good["held"] - 1)
    yield entry("one more is spent than may be", max_cumulative=good["spent"] - 1)
    yield signed("a commitment that is no point", C_held=b"\xff" * 32)
    more = statement(2**64 - 1, 0, max_holding=MAX)
    yield refused("totals", totals.check, "more is held than any limit allows", more)
