"""What an element says of its totals (totals.md §1), and how it opens (§3). Not the range proof."""

from .curve import G, Point, decode_scalar
from .hashes import H, Hs, sign, u8, u64, verify
from .notes import Refused


def commit(total, r):
    return (total * H + r * G).encode()


def blindings(element, nonce, sequence, held, spent):
    """r of both (element.md)."""
    totals = u64(sequence) + u64(held) + u64(spent)
    return [Hs("totals-blinding", element.seed, nonce, totals, u8(which)) for which in (0, 1)]


def signature(element, nonce, sequence, C_held, C_spent, tag="totals"):
    return sign(element.key, tag, nonce, u64(sequence), C_held, C_spent)


def check(A, nonce, sequence, C_held, C_spent, signature, max_holding, max_cumulative, held, r_held, spent, r_spent):
    """What a PSP checks that is shown both totals."""
    if not verify(A, signature, "totals", nonce, u64(sequence), C_held, C_spent):
        raise Refused("not signed by the device")
    for total, r, C, most in ((held, r_held, C_held, max_holding), (spent, r_spent, C_spent, max_cumulative)):
        if commit(total, decode_scalar(r)) != Point.decode(C).encode() or total > most:
            raise Refused("opens to something else, or is over the limit")
