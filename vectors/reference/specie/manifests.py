"""Manifests (protocol §3)."""

from . import cbor, form
from .cbor import Malformed
from .curve import Point
from .form import require
from .hashes import H32, sign, verify
from .notes import Class, Refused


def leaf(entry):
    return H32("manifest-leaf", cbor.encode(entry))


def _split(count):
    """The largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def tree(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else bytes(32)
    k = _split(len(leaves))
    return H32("manifest-node", tree(leaves[:k]), tree(leaves[k:]))


def path(leaves, position):
    """From the leaf up."""
    if len(leaves) < 2:
        return []
    k = _split(len(leaves))
    if position < k:
        return [*path(leaves[:k], position), tree(leaves[k:])]
    return [*path(leaves[k:], position - k), tree(leaves[:k])]


def header(entries, issuer, sequence, previous, issued_at):
    return [issuer, sequence, previous, issued_at, tree([leaf(entry) for entry in entries]), len(entries)]


def name(header):
    return H32("manifest", cbor.encode(header))


def signed(root, header, entries):
    return cbor.encode([1, 4, header, sign(root, "manifest", cbor.encode(header)), entries])


def read(manifest, root):
    """Header and entries of a manifest that the root key signed."""
    header, signature, entries = form.message(manifest, 4, 5)
    issuer, sequence, previous, issued_at, entries_root, count = form.array(header, 6)
    form.name(issuer), form.uint(sequence), form.octets(previous, 32), form.seconds(issued_at)
    form.octets(entries_root, 32), form.uint(count, 2**32 - 1)
    require(len(form.array(entries)) <= 65_536, "too many entries")
    for entry in entries:
        _entry(entry)
    if count != len(entries) or entries_root != tree([leaf(entry) for entry in entries]):
        raise Refused("other entries than the header's")
    if not verify(root, form.octets(signature, 64), "manifest", cbor.encode(header)):
        raise Refused("not signed by the root key")
    return header, entries


def _entry(entry):
    match form.array(entry):
        case [0, Y, bytes() as info]:
            Class(Y, info)
        case [1, psp, key]:
            form.name(psp), form.octets(key, 32)
        case [2, key]:
            form.octets(key, 32)
        case [3, currency, threshold, S]:
            form.currency(currency), form.amount(threshold)
            require(not Point.decode(form.octets(S, 32)).is_identity(), "S is 0")
        case _:
            raise Malformed("no entry")
