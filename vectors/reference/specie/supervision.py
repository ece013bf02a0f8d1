"""The supervisory key: ceremony and opening (supervision.md)."""

from dataclasses import dataclass

from . import cbor, disclosures, form
from .curve import L, G, Point, decode_scalar, encode_scalar, inverse
from .ed25519 import public_key
from .form import require
from .hashes import H32, Hs, sign, u8, verify
from .notes import Refused


@dataclass
class Officer:
    name: str
    seed: bytes
    e: int

    def card(self):
        E = (self.e * G).encode()
        signature = sign(self.seed, "supervision-card", self.name.encode(), E)
        return [1, 32, self.name, public_key(self.seed), E, signature]


def invitation(name, threshold, officers):
    return [1, 33, name, threshold, [officer.card() for officer in officers]]


def ceremony_of(invited):
    return H32("supervision-ceremony", cbor.encode(invited))


def evaluate(coefficients, x):
    return sum(coefficient * x**power for power, coefficient in enumerate(coefficients)) % L


def committed(commitments, x):
    total = Point(0, 1)
    for power, commitment in enumerate(commitments):
        total = total + x**power * commitment
    return total


def deal(officer, number, invited, coefficients, draw):
    """The dealing of an officer with this polynomial."""
    ceremony, r = ceremony_of(invited), draw.scalar("r")
    masked = [
        encode_scalar(evaluate(coefficients, receiver) + _mask(ceremony, number, receiver, r * Point.decode(card[4])))
        for receiver, card in enumerate(invited[4], 1)
    ]
    commitments, R = [(coefficient * G).encode() for coefficient in coefficients], (r * G).encode()
    w, v = draw.scalar("w"), draw.scalar("v")
    c = _possession(ceremony, number, commitments[0], R, w * G, v * G)
    proof = [encode_scalar(c), encode_scalar(w + c * coefficients[0]), encode_scalar(v + c * r)]
    return sign_dealing(officer, [1, 34, ceremony, number, commitments, R, proof, masked, bytes(64)])


def sign_dealing(officer, dealing):
    unsigned = [*dealing[:8], bytes(64)]
    return [*unsigned[:8], sign(officer.seed, "supervision-dealing", cbor.encode(unsigned))]


def transcript_of(invited, dealings):
    return H32("supervision-transcript", *map(cbor.encode, (invited, *dealings)))


def approve(officer, number, transcript):
    return [1, 37, transcript, number, sign(officer.seed, "supervision-transcript", transcript, u8(number))]


def _mask(ceremony, dealer, receiver, shared):
    return Hs("supervision-share", ceremony, u8(dealer) + u8(receiver), shared.encode())


def _possession(ceremony, dealer, constant, R, *commitments):
    return Hs("supervision-possession", ceremony, u8(dealer), constant, R, *(point.encode() for point in commitments))


def share(officer, number, dealings):
    """x_j, having checked every part of it."""
    total = 0
    for dealing in dealings:
        shared = officer.e * Point.decode(dealing[5])
        part = decode_scalar(dealing[7][number - 1]) - _mask(dealing[2], dealing[3], number, shared)
        if part % L * G != committed([Point.decode(one) for one in dealing[4]], number):
            raise Refused("a wrong share")
        total += part
    return total % L


def prove_equal(x, B, about, w):
    points = [x * G, B, x * B]
    c = _equal(points, [w * G, w * B], about)
    return [encode_scalar(c), encode_scalar(w + c * x)]


def equal(X, B, Y, proof, about):
    c, s = map(decode_scalar, proof)
    return c == _equal([X, B, Y], [s * G - c * X, s * B - c * Y], about)


def _equal(points, commitments, about):
    return Hs("supervision-proof", *(point.encode() for point in points + commitments), *about)


def partial(officer, number, dealings, transcript, case, transfer, w):
    """Officer number's part of opening a transfer."""
    x, E1 = share(officer, number, dealings), Point.decode(transfer.show[96:128])
    proof = prove_equal(x, E1, _about(transcript, case, transfer.id, number), w)
    return [1, 38, case, transfer.id, number, (x * E1).encode(), *proof]


def _about(transcript, case, transfer, number):
    return [transcript, case.encode(), transfer, u8(number)]


@dataclass
class Outcome:
    threshold: int
    S: Point
    shares: list
    transcript: bytes


def read_outcome(data):
    """An outcome that holds."""
    invited, dealings, approvals = form.message(data, 36, 5)
    _check_invitation(invited)
    cards = invited[4]
    numbers = list(range(1, len(cards) + 1))
    require([form.array(dealing, 9)[3] for dealing in form.array(dealings)] == numbers, "not one dealing of each")
    require([form.array(approval, 5)[3] for approval in form.array(approvals)] == numbers, "not one approval of each")
    commitments = [_check_dealing(dealing, invited) for dealing in dealings]
    transcript = transcript_of(invited, dealings)
    for card, (version, kind, approved, number, signature) in zip(cards, approvals):
        require((version, kind) == (1, 37), "no approval")
        signed = verify(card[3], form.octets(signature, 64), "supervision-transcript", transcript, u8(number))
        if approved != transcript or not signed:
            raise Refused("not approved")
    S, *shares = (_sum([committed(one, x) for one in commitments]) for x in (0, *numbers))
    if S.is_identity():
        raise Refused("no key")
    return Outcome(invited[3], S, shares, transcript)


def _sum(points):
    total = Point(0, 1)
    for point in points:
        total = total + point
    return total


def _check_invitation(invited):
    version, kind, name, threshold, cards = form.array(invited, 5)
    require((version, kind) == (1, 33), "no invitation")
    form.name(name)
    require(2 <= len(form.array(cards)) <= 16, "another number of officers")
    form.uint(threshold, len(cards), 2)
    for version, kind, name, key, E, signature in (form.array(card, 6) for card in cards):
        require((version, kind) == (1, 32), "no card")
        form.octets(key, 32)
        require(not Point.decode(form.octets(E, 32)).is_identity(), "E is 0")
        signed = verify(key, form.octets(signature, 64), "supervision-card", form.name(name).encode(), E)
        require(signed, "a card that its key did not sign")
    for field in (2, 3, 4):
        require(len({card[field] for card in cards}) == len(cards), "an officer twice")


def _check_dealing(dealing, invited):
    """The commitments of a dealing that holds."""
    version, kind, ceremony, dealer, commitments, R, proof, masked, signature = dealing
    require((version, kind) == (1, 34), "no dealing")
    if ceremony != ceremony_of(invited):
        raise Refused("a dealing of another ceremony")
    unsigned = cbor.encode([*dealing[:8], bytes(64)])
    if not verify(invited[4][dealer - 1][3], form.octets(signature, 64), "supervision-dealing", unsigned):
        raise Refused("not signed by the dealer")
    require(len(form.array(commitments)) == invited[3] and len(form.array(masked)) == len(invited[4]), "another shape")
    for share_ in masked:
        form.scalar(share_)
    points = [Point.decode(form.octets(one, 32)) for one in commitments]
    hides = Point.decode(form.octets(R, 32))
    c, s, t = (decode_scalar(form.octets(one, 32)) for one in form.array(proof, 3))
    known = _possession(ceremony, dealer, commitments[0], R, s * G - c * points[0], t * G - c * hides)
    if points[0].is_identity() or c != known:
        raise Refused("no possession")
    return points


def open(outcome, disclosed, opening):
    """U, if the opening holds."""
    outcome = read_outcome(outcome)
    _, S, transfer = disclosures.verify(disclosed)
    if Point.decode(S) != outcome.S:
        raise Refused("disclosed to another key")
    (parts,) = form.message(opening, 39, 3)
    parts = [form.array(part, 8) for part in form.array(parts)]
    for version, kind, case, of, number, D, c, s in parts:
        require((version, kind) == (1, 38), "no part")
        form.text(case, 140), form.octets(of, 32), form.uint(number, 255)
        form.octets(D, 32), form.scalar(c), form.scalar(s)
    numbers = [part[4] for part in parts]
    require(numbers == sorted(set(numbers)), "officers out of order")
    if len(parts) != outcome.threshold or len({part[2] for part in parts}) != 1:
        raise Refused("another number of officers, or cases")
    E1, E2 = (Point.decode(transfer.show[at : at + 32]) for at in (96, 128))
    for _, _, case, of, number, D, *proof in parts:
        if of != transfer.id or not 1 <= number <= len(outcome.shares):
            raise Refused("another transfer or officer")
        about = _about(outcome.transcript, case, of, number)
        if not equal(outcome.shares[number - 1], E1, Point.decode(D), proof, about):
            raise Refused("a forged part")
    return E2 - _sum([_lagrange(numbers, part[4]) * Point.decode(part[5]) for part in parts])


def _lagrange(numbers, j):
    product = 1
    for m in numbers:
        if m != j:
            product = product * m * inverse(m - j) % L
    return product
