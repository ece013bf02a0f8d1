"""Requests and descriptors (protocol §7)."""

from . import cbor, form
from .form import require
from .hashes import H32, sign, verify
from .notes import Refused


def describe(psp_seed, body):
    return [1, 8, body, sign(psp_seed, "descriptor", cbor.encode(body))]


def digest(body):
    return H32("request-body", cbor.encode(body))


def signed(seed, body):
    """By the payee's element, where there is a descriptor."""
    return cbor.encode([1, 1, body, sign(seed, "payee", digest(body)) if body[9] else None])


def context(request):
    return H32("request", request)


def read(request, psp):
    """The body of a request, whose descriptor, if it has one, is by the PSP of key `psp`."""
    body, signature = form.message(request, 1, 4)
    (currency, amount, nonce, expiry, tags, receipt_hash, manifest, revocation, disclose_to, descriptor,
     memo) = form.array(body, 11)
    form.currency(currency), form.octets(nonce, 16), form.seconds(expiry), form.octets(receipt_hash, 32)
    require(form.amount(amount) > 0, "nothing is asked for")
    require(1 <= len(form.array(tags)) <= 8, "another number of owner tags")
    require(len({form.octets(tag, 32) for tag in tags}) == len(tags), "an owner tag twice")
    form.uint(manifest), form.uint(revocation)
    if disclose_to is not None:
        form.octets(disclose_to, 32)
    if memo is not None:
        form.text(memo, 140)
    require((descriptor is None) == (signature is None), "signed by halves")
    if descriptor is not None:
        _check_descriptor(descriptor, form.octets(signature, 64), body, psp)
    return body


def _check_descriptor(descriptor, signature, body, psp):
    version, kind, described, vouched = form.array(descriptor, 4)
    require((version, kind) == (1, 8), "no descriptor")
    name, payee, account, category, key, valid_until = form.array(described, 6)
    form.name(name), form.name(payee), form.name(account), form.uint(category, 65_535)
    form.octets(key, 32), form.seconds(valid_until)
    if not verify(psp, form.octets(vouched, 64), "descriptor", cbor.encode(described)):
        raise Refused("the PSP does not vouch for the payee")
    if not verify(key, signature, "payee", digest(body)):
        raise Refused("not signed by the payee described")
