"""Ceremonies of the supervisory key, and openings (supervision.md)."""

from specie import cbor, disclosures, supervision
from specie.curve import L, G, Point, encode_scalar
from specie.hashes import K
from specie.supervision import Officer

from .disclosures import disclosed
from .draw import Draw
from .entries import accepted, other_forms, refused
from .world import value_note

CASE = "case 2026/17"


class Ceremony:
    """Three officers, of whom two can open."""

    def __init__(self, draw):
        self.draw = draw
        self.officers = [
            Officer(f"officer-{number}", draw.bytes(f"seed {number}"), draw.scalar(f"e {number}")) for number in (1, 2, 3)
        ]
        self.invited = supervision.invitation("payments above the threshold", 2, self.officers)
        self.polynomials = [[draw.scalar(f"f {number}/{power}") for power in (0, 1)] for number in (1, 2, 3)]
        self.dealings = [self.dealing(number) for number in (1, 2, 3)]

    def dealing(self, number):
        return supervision.deal(
            self.officers[number - 1], number, self.invited, self.polynomials[number - 1], self.draw.below(f"deal {number}"))

    @property
    def secret(self):
        return sum(polynomial[0] for polynomial in self.polynomials) % L

    @property
    def transcript(self):
        return supervision.transcript_of(self.invited, self.dealings)

    def approvals(self):
        return [supervision.approve(officer, number, self.transcript) for number, officer in enumerate(self.officers, 1)]

    def outcome(self, approvals=None):
        return cbor.encode([1, 36, self.invited, self.dealings, self.approvals() if approvals is None else approvals])

    def part(self, number, transfer, case=CASE):
        w = self.draw.scalar(f"w {number} {case} {transfer.id.hex()}")
        return supervision.partial(
            self.officers[number - 1], number, self.dealings, self.transcript, case, transfer, w)


def opening(parts):
    return cbor.encode([1, 39, parts])


def entries():
    ceremony = Ceremony(Draw("ceremony"))
    yield from _ceremonies(ceremony)
    yield from _openings(ceremony, Draw("opening"))


def _ceremonies(ceremony):
    def entry(why, outcome):
        return refused("ceremony", lambda outcome: supervision.read_outcome(outcome), why, {"outcome": outcome})

    def tampered(why, change, resign=True):
        """With something done to the dealing of officer 3, which signs it again; all approve."""
        other = Ceremony(Draw("ceremony"))
        change(other)
        if resign:
            other.dealings[2] = supervision.sign_dealing(other.officers[2], other.dealings[2])
        return entry(why, other.outcome())

    outcome = ceremony.outcome()
    read = supervision.read_outcome(outcome)
    assert read.S == ceremony.secret * G
    yield accepted("ceremony", "two of three officers can open", {
        "outcome": outcome, "ceremony": supervision.ceremony_of(ceremony.invited), "transcript": read.transcript,
        "S": read.S.encode(), "s": encode_scalar(ceremony.secret),
    })
    approvals = ceremony.approvals()
    yield entry("an approval is missing", ceremony.outcome(approvals[:2]))
    yield entry("an approval is there twice", ceremony.outcome([*approvals[:2], approvals[1]]))
    yield entry("approvals out of order", ceremony.outcome([approvals[1], approvals[0], approvals[2]]))
    forged = supervision.approve(ceremony.officers[0], 3, ceremony.transcript)
    yield entry("an approval that another officer signed", ceremony.outcome([*approvals[:2], forged]))
    elsewhere = supervision.approve(ceremony.officers[2], 3, bytes(32))
    yield entry("an approval of other dealings", ceremony.outcome([*approvals[:2], elsewhere]))
    yield tampered("a dealing changed after it was signed", lambda other: _masked(other.dealings[2]), resign=False)
    yield tampered("officer 3 takes the others' part of the key away", _cancel)
    yield tampered("officer 3 deals the key 0 as its part", _nothing)
    yield tampered("a dealing of another ceremony", lambda other: other.dealings[2].__setitem__(2, bytes(32)))
    yield tampered("officer 3 hides its shares as officer 1 does", lambda other: other.dealings[2].__setitem__(5, other.dealings[0][5]))
    yield tampered("what hides the shares is no point", lambda other: other.dealings[2].__setitem__(5, b"\xff" * 32))
    yield tampered("a commitment too few", lambda other: other.dealings[2][4].pop())
    yield tampered("a share too few", lambda other: other.dealings[2][7].pop())
    yield tampered("a share that is not below l", lambda other: other.dealings[2][7].__setitem__(0, b"\xff" * 32))
    yield tampered("a commitment that is no point", lambda other: other.dealings[2][4].__setitem__(1, b"\xff" * 32))
    yield tampered("dealings out of order", lambda other: other.dealings.reverse(), resign=False)
    for why, field, value in (
        ("one officer could open alone", 3, 1),
        ("four of three officers", 3, 4),
        ("an officer is invited twice", 4, [ceremony.invited[4][0], *ceremony.invited[4][:2]]),
    ):
        other = Ceremony(Draw("ceremony"))
        other.invited[field] = value
        other.dealings = [other.dealing(number) for number in (1, 2, 3)]
        yield entry(why, other.outcome())
    for why, data in other_forms(outcome):
        yield entry(why, data)


def _masked(dealing):
    dealing[7][0] = encode_scalar(int.from_bytes(dealing[7][0], "little") + 1)


def _cancel(ceremony):
    own, first, second = (Point.decode(ceremony.dealings[at][4][0]) for at in (2, 0, 1))
    ceremony.dealings[2][4][0] = (own - first - second).encode()


def _nothing(ceremony):
    ceremony.polynomials[2][0] = 0
    ceremony.dealings[2] = ceremony.dealing(3)


def _openings(ceremony, draw):
    u, S, outcome = draw.scalar("u"), ceremony.secret * G, ceremony.outcome()
    payment = disclosed(value_note(draw, u), S, draw)
    _, _, transfer = disclosures.verify(payment)
    another = disclosed(value_note(draw.below("another"), u), S, draw.below("another"))
    _, _, other_transfer = disclosures.verify(another)
    parts = {number: ceremony.part(number, transfer) for number in (1, 2, 3)}
    for first, second in ((1, 2), (1, 3), (2, 3)):
        data = opening([parts[first], parts[second]])
        U = supervision.open(outcome, payment, data)
        assert U == u * K
        yield accepted("opening", f"by officers {first} and {second}", {
            "outcome": outcome, "disclosed": payment, "opening": data, "U": U.encode(), "S": S.encode(),
            "x": [encode_scalar(supervision.share(ceremony.officers[j - 1], j, ceremony.dealings)) for j in (first, second)],
            "D": [parts[j][5] for j in (first, second)],
        })

    def entry(why, *parts, payment=payment):
        return bytes_(why, opening(list(parts)), payment)

    def bytes_(why, data, payment=payment):
        fields = {"outcome": outcome, "disclosed": payment, "opening": data}
        return refused("opening", supervision.open, why, fields)

    def changed(field, value):
        return [*parts[2][:field], value, *parts[2][field + 1 :]]

    yield entry("one officer alone", parts[1])
    yield entry("more officers than are needed", *parts.values())
    yield entry("one officer twice", parts[1], parts[1])
    yield entry("officers out of order", parts[2], parts[1])
    yield entry("two cases", parts[1], ceremony.part(2, transfer, "another case"))
    yield entry("the case changed after the proofs", *([*part[:2], "another case", *part[3:]] for part in (parts[1], parts[2])))
    yield entry("one part is of another payment", parts[1], ceremony.part(2, other_transfer))
    yield entry("parts of another payment, renamed", *(
        [*part[:3], transfer.id, *part[4:]] for part in (ceremony.part(1, other_transfer), ceremony.part(2, other_transfer))))
    yield entry("all parts are of another payment", ceremony.part(1, other_transfer), ceremony.part(2, other_transfer))
    yield entry("D is another point", parts[1], changed(5, (Point.decode(parts[2][5]) + G).encode()))
    yield entry("D is no point", parts[1], changed(5, b"\xff" * 32))
    yield entry("a proof with another s", parts[1], changed(7, encode_scalar(int.from_bytes(parts[2][7], "little") + 1)))
    yield entry("officer 2's part as officer 3's", parts[1], changed(4, 3))
    yield entry("an officer whom nobody invited", parts[1], changed(4, 4))
    stranger = disclosed(value_note(draw, u), draw.scalar("s") * G, draw)
    yield entry("the payment is disclosed to another key", parts[1], parts[2], payment=stranger)
    broken = cbor.decode(payment)
    show = broken[5][1]
    broken[5][1] = show[:160] + encode_scalar(int.from_bytes(show[160:], "little") + 1)
    yield entry("the disclosure does not hold", parts[1], parts[2], payment=cbor.encode(broken))
    for why, data in other_forms(opening([parts[1], parts[2]]))[:2]:
        yield bytes_(why, data)
