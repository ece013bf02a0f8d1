"""Audit logs (audit.md)."""

import json
import re
from hashlib import sha256
from pathlib import Path

from . import cbor, form
from .form import require
from .hashes import H32, sign, verify
from .notes import Refused

_TEXT = Path(__file__).resolve().parents[3] / "docs/spec/audit.md"
_KINDS = _TEXT.read_text("utf-8").split("## 2. Kinds")[1].split("## 3.")[0]

KINDS = set(re.findall(r"^\| `([a-z-]+)` \|", _KINDS, re.MULTILINE))
"""Those of the tables in the specification."""


def record(sequence, at, by, kind, subject, details, previous):
    return [1, sequence, at, by, kind, subject, [[key, value] for key, value in sorted(details.items())], previous]


def hash_of(record):
    return H32("audit-record", cbor.encode(record))


def head(log, record, at, root=None):
    if root is None:
        return [1, log, record[1], hash_of(record), at]
    return [2, log, record[1], hash_of(record), root, at]


def leaf(record):
    return sha256(b"\x00" + cbor.encode(record)).digest()


def root(leaves):
    """MTH of RFC 6962 §2.1, over leaves that are hashed already."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    half = split(leaves)
    return sha256(b"\x01" + root(leaves[:half]) + root(leaves[half:])).digest()


def split(leaves):
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return half


def consistency(leaves, old, whole=True):
    """SUBPROOF of RFC 6962 §2.1.2."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    half = split(leaves)
    if old <= half:
        return [*consistency(leaves[:half], old, whole), root(leaves[half:])]
    return [*consistency(leaves[half:], old - half, False), root(leaves[:half])]


def inclusion(leaves, index):
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    half = split(leaves)
    if index < half:
        return [*inclusion(leaves[:half], index), root(leaves[half:])]
    return [*inclusion(leaves[half:], index - half), root(leaves[:half])]


def roots_of_consistency(old, new, proof, old_root):
    """The roots of both trees as a consistency proof has them, by descending as RFC 6962 does; `old_root` stands for the old tree where it
    is a subtree that is not sent."""
    rest = list(proof)

    def take():
        if not rest:
            raise Refused("the proof is too short")
        return rest.pop()

    def descend(old, new, whole):
        if old == new:
            mine = old_root if whole else take()
            return mine, mine
        half = split(range(new))
        if old <= half:
            right = take()
            before, left = descend(old, half, whole)
            return before, sha256(b"\x01" + left + right).digest()
        left = take()
        before, right = descend(old - half, new - half, False)
        return sha256(b"\x01" + left + before).digest(), sha256(b"\x01" + left + right).digest()

    roots = descend(old, new, True)
    if rest:
        raise Refused("the proof is too long")
    return roots


def check_consistency(old_size, old_root, new_size, new_root, proof):
    if not 1 <= old_size <= new_size:
        raise Refused("no older tree")
    if roots_of_consistency(old_size, new_size, proof, old_root) != (old_root, new_root):
        raise Refused("other trees")


def check_inclusion(leaf, index, size, root, proof):
    rest = list(proof)

    def descend(index, size):
        if size == 1:
            return leaf
        if not rest:
            raise Refused("the proof is too short")
        beside, half = rest.pop(), split(range(size))
        if index < half:
            return sha256(b"\x01" + descend(index, half) + beside).digest()
        return sha256(b"\x01" + beside + descend(index - half, size - half)).digest()

    if not 0 <= index < size or descend(index, size) != root or rest:
        raise Refused("not in the tree")


def sign_head(seed, head):
    return sign(seed, "audit-head", cbor.encode(head))


def text(value):
    """JSON in the one form that lines have."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def log_line(log):
    return text({"audit": {"version": 1, "log": log}})


def record_line(record, hash=None):
    _, sequence, at, by, kind, subject, details, previous = record
    return text({"record": {
        "sequence": sequence, "at": at, "by": by, "kind": kind, "subject": subject, "details": dict(details),
        "previous": previous.hex(), "hash": (hash or hash_of(record)).hex()}})


def head_line(head, signature):
    _, log, sequence, hash, *root, at = head
    root = {"root": root[0].hex()} if root else {}
    return text({"head": {"log": log, "sequence": sequence, "hash": hash.hex(), **root, "at": at, "signature": signature.hex()}})


def parse(line):
    """`("audit", log)`, `("record", record)` or `("head", head, signature)`."""
    try:
        ((kind, fields),) = json.loads(line).items()
        return _READ[kind](line, fields)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise form.Malformed(str(error)) from None


def _exactly(line, again):
    require(line == again, "another form of the line")


def _log(line, fields):
    require(fields["version"] == 1, "another version")
    _exactly(line, log_line(form.text(fields["log"], 64)))
    return "audit", fields["log"]


def _record(line, fields):
    by, subject, details = fields["by"], fields["subject"], fields["details"]
    form.name(by), form.text(subject, 128), form.uint(fields["sequence"]), form.seconds(fields["at"])
    require(not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in by), "control characters")
    require(fields["kind"] in KINDS, "no kind")
    require(isinstance(details, dict) and list(details) == sorted(details), "details out of order")
    for key, value in details.items():
        require(re.fullmatch("[a-z0-9_-]{1,32}", key) and isinstance(value, str), "no detail")
    require(sum(len((key + value).encode()) for key, value in details.items()) <= 60_000, "too much")
    previous = form.octets(bytes.fromhex(fields["previous"]), 32)
    made = record(fields["sequence"], fields["at"], by, fields["kind"], subject, details, previous)
    _exactly(line, record_line(made))
    return "record", made


def _head(line, fields):
    form.text(fields["log"], 64), form.uint(fields["sequence"]), form.seconds(fields["at"])
    hash, signature = bytes.fromhex(fields["hash"]), bytes.fromhex(fields["signature"])
    root = [form.octets(bytes.fromhex(fields["root"]), 32)] if "root" in fields else []
    made = [1 + len(root), fields["log"], fields["sequence"], form.octets(hash, 32), *root, fields["at"]]
    _exactly(line, head_line(made, form.octets(signature, 64)))
    return "head", made, signature


_READ = {"audit": _log, "record": _record, "head": _head}


def check(export, key, since):
    """Records and signed heads of an export that holds with the key, and that goes on from an older head if there is one."""
    records, heads, end = [], [], None
    if since is not None:
        _, since, signature = _only_head(since)
        _signed(key, since, signature)
    (first, log), *rest = (parse(line) for line in export[:1] or [""])
    require(first == "audit" and not rest, "no log is named")
    for kind, *parts in map(parse, export[1:]):
        if kind == "record":
            _follows(parts[0], records)
            records.append(parts[0])
            end = None
        elif kind == "head":
            end, signature = parts
            _signed(key, end, signature)
            over = root([leaf(record) for record in records]) if len(end) == 6 else None
            if not records or end[1] != log or end != head(log, records[-1], end[-1], over):
                raise Refused("a head of something else")
            heads.append((end, signature))
        else:
            raise Refused("the log is named again")
    if end is None:
        raise Refused("no head at the end")
    if since is not None and (since[1] != log or since[2] > len(records) or hash_of(records[since[2] - 1]) != since[3]):
        raise Refused("it does not go on from the older head")
    if since is not None and len(since) == 6 and root([leaf(record) for record in records[:since[2]]]) != since[4]:
        raise Refused("the older head is over another tree")
    return records, heads


def _only_head(line):
    parsed = parse(line)
    require(parsed[0] == "head", "no head")
    return parsed


def _signed(key, head, signature):
    if not verify(key, signature, "audit-head", cbor.encode(head)):
        raise Refused("not signed by the key")


def _follows(record, records):
    previous = hash_of(records[-1]) if records else bytes(32)
    if record[1] != len(records) + 1 or record[7] != previous:
        raise Refused("a record that does not follow")
