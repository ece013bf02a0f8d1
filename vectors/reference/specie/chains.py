"""Chains (protocol §6): their rules, each with its code."""

from . import cbor, form, transfers
from .cbor import Malformed
from .curve import Undecodable
from .notes import BLANK, VALUE, Refused, note_id
from .transfers import owner


class Broken(Refused):
    """A rule that a chain breaks, by its code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def demand(holds, code):
    if not holds:
        raise Broken(code)


def verify(chain, classes, end, now):
    """Root, last transfer and its value, hops, and the earliest `redeem_until`, of a chain that holds at a time."""
    try:
        links = [transfers.read(value) for value in form.array(cbor.decode(chain))]
        form.require(1 <= len(links) <= 256, "no chain")
    except (Malformed, Undecodable):
        raise Broken("malformed") from None
    return verify_links(links, classes, end, now)


def verify_links(links, classes, end, now):
    known, before, shown, hops = {of.id: of for of in classes}, None, [], 0
    for link in links:
        demand(link.class_id in known, "unknown-class")
        of = known[link.class_id]
        demand(now <= (of.spend_until if end == "outputs" else of.redeem_until), "expired")
        demand((not link.outputs) == (end == "redemption" and link is links[-1]), "wrong-end")
        first = known[links[0].class_id]
        demand((of.issuer, of.currency) == (first.issuer, first.currency), "mixed-classes")
        try:
            points = transfers.verify(of, link)
        except (Malformed, Undecodable, Refused):
            raise Broken("forged") from None
        name = note_id(link.note, *points[4:])
        value = _input(of, link, name, before)
        demand(not link.outputs or sum(amount for amount, _ in link.outputs) == value, "wrong-amount")
        hops += bool(link.outputs)
        demand(hops <= first.max_hops, "too-many-hops")
        shown.append(name)
        before = link
    redeem_until = min(known[link.class_id].redeem_until for link in links)
    return {"root": shown[0], "last": before.id, "value": value, "hops": hops, "redeem_until": redeem_until}


def _input(of, link, name, before):
    """What a transfer spends."""
    issued = link.input == [0]
    demand(issued == (before is None) and of.kind == (VALUE if issued else BLANK), "wrong-kind")
    if issued:
        return of.amount
    _, previous, index, blind = link.input
    demand(previous == before.id and index < len(before.outputs), "broken-link")
    amount, tag = before.outputs[index]
    demand(tag == owner(name, blind), "wrong-owner")
    demand(amount <= of.amount, "over-cap")
    return amount
