"""Exports of audit logs (audit.md)."""

from specie import audit, cbor
from specie.ed25519 import public_key
from specie.hashes import sign

from .draw import Draw
from .entries import NOBODY, NOBODYS_SIGNATURE, accepted, malleable, refused
from .world import BEGIN

DRAW = Draw("audit")
SEED = DRAW.bytes("psp")
KEY = public_key(SEED)
LOG = "psp/psp-one"

DECIDED = [
    (BEGIN, "service", "tiers-published", "1", {"in_force_from": "1767225600", "tiers": "[basic]\n\tlimit = \"150\"\r\n"}),
    (BEGIN + 60, "anna", "customer-added", "alice", {"account": "alice", "tier": "basic"}),
    (BEGIN + 40, "bjørn", "hit-decided", "zoë \"z\" \\ 雪 \x7f\u2028", {
        "decision": "another-person", "entry": "QDi.001", "reason": "\x01\x08\x0c\x1f/ born in another year"}),
    (BEGIN + 90, "a" * 32, "tier-changed", "s" * 128, {"from": "", "to": "standard"}),
    (2**63 - 1, "service", "identity-erased", "alice", {}),
]


def chain(decided, begin=1, previous=bytes(32)):
    records = []
    for sequence, decision in enumerate(decided, begin):
        records.append(audit.record(sequence, *decision, previous))
        previous = audit.hash_of(records[-1])
    return records


def head(record, at=BEGIN + 100, seed=SEED, log=LOG, over=None):
    """Over the tree of the records `over`, or in the form without a root."""
    made = audit.head(log, record, at, over and audit.root(leaves(over)))
    return audit.head_line(made, audit.sign_head(seed, made))


def export(records, heads=None, log=LOG):
    """All records, and heads at the end, or where `heads` says."""
    heads = {len(records): [head(records[-1])]} if heads is None else heads
    lines = [audit.log_line(log)]
    for at, record in enumerate(records, 1):
        lines += [audit.record_line(record), *heads.get(at, [])]
    return lines


def leaves(records):
    return [audit.leaf(record) for record in records]


RECORDS = chain(DECIDED)


def entries():
    heads = {2: [head(RECORDS[1])], 5: [head(RECORDS[4]), head(RECORDS[4], BEGIN)]}
    whole = export(RECORDS, heads)
    for why, lines, since in (
        ("one record and a head", export(RECORDS[:1]), None),
        ("five records with every escape that JSON demands, three heads, and clocks set back", whole, None),
        ("it goes on from an older head", whole, head(RECORDS[1])),
        ("it ends where the older head did", export(RECORDS[:2]), head(RECORDS[1], BEGIN + 5)),
        ("heads with the root of the tree over all records before them",
         export(RECORDS, {count: [head(RECORDS[count - 1], over=RECORDS[:count])] for count in range(1, 6)}),
         head(RECORDS[2], over=RECORDS[:3])),
    ):
        records, signed = audit.check(lines, KEY, since)
        yield accepted("audit", why, {
            "seed": SEED, "key": KEY, "export": lines, "since": since,
            "records": [cbor.encode(record) for record in records], "hashes": [audit.hash_of(record) for record in records],
            "heads": [cbor.encode(head) for head, _ in signed],
        })
    yield from _broken(export(RECORDS))
    yield from _other_lines()
    yield from _other_roots()
    yield from _proofs()


def _entry(why, lines, key=KEY, since=None):
    return refused("audit", audit.check, why, {"export": lines, "key": key, "since": since})


def _broken(good):
    yield _entry("a record is missing", good[:2] + good[3:])
    yield _entry("two records exchanged", [*good[:2], good[3], good[2], *good[4:]])
    yield _entry("a record twice", [*good[:3], *good[2:]])
    inserted = audit.record(3, *DECIDED[3], audit.hash_of(RECORDS[1]))
    yield _entry("a record put in", [*good[:3], audit.record_line(inserted), *good[3:]])
    yield _entry("the first records are missing", [good[0], *good[3:]])
    yield _entry("the first records are missing, and the rest was numbered anew",
                 export(chain(DECIDED[2:]), {3: [head(RECORDS[4])]}))
    yield _entry("the first record follows another", export(chain(DECIDED, previous=DRAW.bytes("previous"))))
    yield _entry("records begin with 0", export(chain(DECIDED, begin=0)))
    changed = audit.record(2, *DECIDED[1][:4], {"account": "alice", "tier": "full"}, audit.hash_of(RECORDS[0]))
    yield _entry("a record was changed", [*good[:2], audit.record_line(changed, audit.hash_of(RECORDS[1])), *good[3:]])
    yield _entry("a record and its hash were changed", [*good[:2], audit.record_line(changed), *good[3:]])
    rewritten = chain([*DECIDED[:4], (BEGIN + 91, "service", "customer-frozen", "alice", {})])
    yield _entry("the last record was changed, and the head is that of the other", export(rewritten, {5: [head(RECORDS[4])]}))
    yield _entry("there is no head", good[:-1])
    yield _entry("the head is of an earlier record", export(RECORDS, {2: [head(RECORDS[1])]}))
    yield _entry("an earlier head stands at the end", [*good[:-1], head(RECORDS[1])])
    yield _entry("a later head stands earlier", [*good[:3], good[-1], *good[3:]])
    yield _entry("a head before any record", [good[0], head(RECORDS[0])])
    yield _entry("there is nothing in it", good[:1])
    yield _entry("the log is not named", good[1:])
    yield _entry("the log is named twice", [good[0], *good])
    yield _entry("the head is of another log of the same key", [*good[:-1], head(RECORDS[4], log="psp/psp-two")])
    yield _entry("the export is of another log than the head", export(RECORDS, log="psp/psp-two"))
    yield _entry("the head is signed by another key", export(RECORDS, {5: [head(RECORDS[4], seed=DRAW.bytes("thief"))]}))
    yield _entry("the log has another key", good, key=public_key(DRAW.bytes("another")))
    made = audit.head(LOG, RECORDS[4], BEGIN)
    signature = audit.sign_head(SEED, made)
    yield _entry("the head's signature with s + l", [*good[:-1], audit.head_line(made, malleable(signature))])
    yield _entry("a head signed under another label",
                 [*good[:-1], audit.head_line(made, sign(SEED, "limits", cbor.encode(made)))])
    yield _entry("a key of small order, which signs everything", [*good[:-1], audit.head_line(made, NOBODYS_SIGNATURE)], NOBODY)
    later = [*made[:4], BEGIN + 1]
    yield _entry("the head's time was changed", [*good[:-1], audit.head_line(later, signature)])
    yield _entry("it was cut back behind an older head", export(RECORDS[:3]), since=good[-1])
    yield _entry("it is another history than the older head's", export(rewritten), since=good[-1])
    yield _entry("the older head is of another log", good, since=head(RECORDS[1], log="psp/psp-two"))
    yield _entry("the older head is not signed by the key", good, since=head(RECORDS[1], seed=DRAW.bytes("thief")))


def _other_lines():
    """Records that no log has, and other forms of those that one has; heads and hashes fit."""

    def recorded(why, *decision):
        return _entry(why, export(chain([decision])))

    at, by, kind, subject, details = DECIDED[1]
    yield recorded("a kind that there is not", at, by, "customer-bribed", subject, details)
    yield recorded("nobody decided", at, "", kind, subject, details)
    yield recorded("a name of 33 bytes", at, "ø" * 16 + "x", kind, subject, details)
    yield recorded("a name with a line feed", at, "an\nna", kind, subject, details)
    yield recorded("a name with a control character above ASCII", at, "anna\x85", kind, subject, details)
    yield recorded("nothing that it is about", at, by, kind, "", details)
    yield recorded("129 bytes that it is about", at, by, kind, "s" * 129, details)
    yield recorded("a time above 2^63 - 1", 2**63, by, kind, subject, details)
    yield recorded("a key with a capital", at, by, kind, subject, {"Tier": "basic"})
    yield recorded("a key of 33 bytes", at, by, kind, subject, {"t" * 33: "basic"})
    yield recorded("a key without a letter", at, by, kind, subject, {"": "basic"})
    good = export(RECORDS[:2])
    first, second = good[1], good[2]

    def formed(why, line):
        assert line not in (first, second)
        return _entry(why, [*good[:2], line, *good[3:]])

    yield formed("white space after a colon", second.replace('"sequence":2', '"sequence": 2'))
    yield formed("white space at the end of a line", second + " ")
    yield formed("a carriage return at the end of a line", second + "\r")
    yield formed("fields in another order", second.replace('"sequence":2,"at":1767225660', '"at":1767225660,"sequence":2'))
    account, tier = '"account":"alice"', '"tier":"basic"'
    yield formed("details in another order", second.replace(f"{account},{tier}", f"{tier},{account}"))
    yield formed("a detail twice", second.replace(account, f"{account},{account}"))
    yield formed("a field twice", second.replace('"by":"anna"', '"by":"anna","by":"anna"'))
    yield formed("a field that there is not", second.replace('"by":"anna"', '"by":"anna","why":"asked"'))
    yield formed("a field is missing", second.replace('"by":"anna",', ""))
    yield formed("a letter escaped that need not be", second.replace("anna", "\\u0061nna"))
    yield formed("a slash escaped in the reason", audit.record_line(
        audit.record(2, at, by, kind, "a/b", details, audit.hash_of(RECORDS[0]))).replace("a/b", "a\\/b"))
    yield formed("a number with a fraction", second.replace('"sequence":2', '"sequence":2.0'))
    yield formed("a number as a text", second.replace('"sequence":2', '"sequence":"2"'))
    previous = RECORDS[1][7].hex()
    yield formed("hexadecimal in capitals", second.replace(previous, previous.upper()))
    yield formed("a hash of 31 bytes", second.replace(previous, previous[2:]))
    yield formed("an empty line", "")
    yield _entry("version 2", [good[0].replace('"version":1', '"version":2'), *good[1:]])


def _other_roots():
    yield _entry("the root of a head is that of the records before the last", export(RECORDS, {5: [head(RECORDS[4], over=RECORDS[:4])]}))
    exchanged = [*RECORDS[:3], RECORDS[4], RECORDS[3]]
    yield _entry("the root of a head is that of other records", export(RECORDS, {5: [head(RECORDS[4], over=exchanged)]}))
    whole = export(RECORDS, {5: [head(RECORDS[4], over=RECORDS)]})
    yield _entry("the root of a head was changed", [*whole[:-1], whole[-1].replace('"root":"', '"root":"0')])
    yield _entry("the older head has the root of another tree", whole, since=head(RECORDS[2], over=exchanged[1:4]))


def _proofs():
    """Consistency and inclusion in trees of one to nine leaves."""
    all_leaves = [DRAW.bytes(f"leaf {number}") for number in range(9)]
    roots = [audit.root(all_leaves[:size]) for size in range(10)]
    for old, new in [(1, 1), (1, 2), (2, 3), (3, 7), (4, 7), (6, 8), (7, 8), (8, 9), (5, 9)]:
        fields = {"old_size": old, "old_root": roots[old], "new_size": new, "new_root": roots[new]}
        proof = audit.consistency(all_leaves[:new], old)
        audit.check_consistency(**fields, proof=proof)
        yield accepted("audit-consistency", f"{new} leaves go on from {old}", {**fields, "proof": proof, "leaves": all_leaves[:new]})
    fields = {"old_size": 3, "old_root": roots[3], "new_size": 7, "new_root": roots[7]}
    proof = audit.consistency(all_leaves[:7], 3)

    def inconsistent(why, **other):
        return refused("audit-consistency", audit.check_consistency, why, {**fields, "proof": proof, **other})

    yield inconsistent("another old root", old_root=roots[2])
    yield inconsistent("another new root", new_root=roots[6])
    yield inconsistent("another old size", old_size=4)
    yield inconsistent("the newer tree is smaller", new_size=2)
    yield inconsistent("there is no older tree", old_size=0)
    yield inconsistent("a hash is missing", proof=proof[:-1])
    yield inconsistent("a hash too many", proof=[*proof, proof[0]])
    yield inconsistent("two hashes exchanged", proof=[proof[1], proof[0], *proof[2:]])
    yield inconsistent("hashes between equal trees", new_size=3, new_root=roots[3], proof=proof[:1])
    for index, size in [(0, 1), (1, 2), (2, 3), (0, 7), (6, 7), (5, 8), (8, 9)]:
        fields = {"leaf": all_leaves[index], "index": index, "size": size, "root": roots[size]}
        proof = audit.inclusion(all_leaves[:size], index)
        audit.check_inclusion(**fields, proof=proof)
        yield accepted("audit-inclusion", f"leaf {index} of {size}", {**fields, "proof": proof, "leaves": all_leaves[:size]})
    fields = {"leaf": all_leaves[5], "index": 5, "size": 8, "root": roots[8]}
    proof = audit.inclusion(all_leaves[:8], 5)

    def elsewhere(why, **other):
        return refused("audit-inclusion", audit.check_inclusion, why, {**fields, "proof": proof, **other})

    yield elsewhere("another leaf", leaf=all_leaves[4])
    yield elsewhere("another place", index=4)
    yield elsewhere("a place beyond the end", index=8)
    yield elsewhere("another root", root=roots[7])
    yield elsewhere("a hash is missing", proof=proof[:-1])
    yield elsewhere("a hash too many", proof=[*proof, proof[0]])
