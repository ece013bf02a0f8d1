"""Mandates (protocol §7.2)."""

from . import cbor, form
from .form import require
from .hashes import H32, sign, verify
from .notes import Refused


def terms_hash(terms):
    return H32("mandate-terms", cbor.encode(terms))


def name(body):
    return H32("mandate", cbor.encode(body))


def signed(seed, body, terms):
    return cbor.encode([1, 11, body, terms, sign(seed, "mandate", cbor.encode(body))])


def read(mandate):
    """Body and terms of a mandate that its owner signed."""
    body, terms, signature = form.message(mandate, 11, 5)
    owner, device, sequence, until, payment, period, in_period, total, redeem_to, hashed = form.array(body, 10)
    form.octets(owner, 32), form.octets(device, 32), form.uint(sequence), form.seconds(until), form.amount(payment)
    form.uint(period, least=1), form.amount(in_period), form.amount(total), form.octets(hashed, 32)
    if redeem_to is not None:
        form.octets(redeem_to, 32)
    currency, person_above, payees = form.array(terms, 3)
    form.currency(currency), form.amount(person_above)
    require(1 <= len(form.array(payees)) <= 16, "another number of payees")
    rules = [_rule(rule) for rule in payees]
    require(all(before < after for before, after in zip(rules, rules[1:])), "payees not in rising order")
    require(hashed == terms_hash(terms), "other terms than those of the body")
    if not verify(owner, form.octets(signature, 64), "mandate", cbor.encode(body)):
        raise Refused("not signed by the owner")
    return body, terms


def _rule(rule):
    """Something to order a rule by."""
    match form.array(rule):
        case [0]:
            return 0, b""
        case [1, category]:
            return 1, form.uint(category, 65_535).to_bytes(2, "big")
        case [2, key]:
            return 2, form.octets(key, 32)
    raise form.Malformed("no rule about payees")
