"""The reference against vectors that others made: those of the RFCs, and those beside it."""

import json

from specie import aead, ed25519
from specie.curve import G, L, Point, Undecodable, decode_scalar, inverse
from specie.hashes import H, H32, Hs, K
from specie.notes import Class, Refused, verify_show
from specie.cbor import Malformed


def check(folder):
    """Fails on the first difference."""
    _rfc_9496()
    _rfc_8032()
    _rfc_8439()
    _core(json.loads((folder / "core.json").read_text("utf-8")))
    _reject(json.loads((folder / "reject.json").read_text("utf-8")))


def _rfc_9496():
    """Appendix A.1 and A.2, in part."""
    assert (0 * G).encode() == bytes(32)
    assert G.encode().hex() == "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"
    assert (15 * G).encode().hex() == "e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e"
    for bad in (
        "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
        "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ):
        try:
            Point.decode(bytes.fromhex(bad))
        except Undecodable:
            continue
        raise AssertionError(f"{bad} decodes")


def _rfc_8032():
    """§7.1, tests 1 and 2."""
    for seed, key, message, signature in (
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ):
        seed, key, message, signature = map(bytes.fromhex, (seed, key, message, signature))
        assert ed25519.public_key(seed) == key and ed25519.sign(seed, message) == signature
        assert ed25519.verify(key, message, signature) and not ed25519.verify(key, message + b"x", signature)


def _rfc_8439():
    """§2.8.2; and §2.2.1 of draft-irtf-cfrg-xchacha."""
    text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
    nonce, associated = bytes.fromhex("070000004041424344454647"), bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    sealed = aead.seal_short(bytes(range(0x80, 0xA0)), nonce, associated, text)
    assert sealed[:16].hex() == "d31a8d34648e60db7b86afbc53ef7ec2"
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"
    derived = aead.hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927"))
    assert derived.hex() == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"


def _core(file):
    assert [point.encode().hex() for point in (G, H, K)] == [file["generators"][name] for name in "GHK"]
    for entry in file["vectors"]:
        of = Class(bytes.fromhex(entry["Y"]), bytes.fromhex(entry["info"]))
        assert (of.id.hex(), of.Z.encode().hex()) == (entry["class_id"], entry["Z"])
        shows = []
        for shown in entry["shows"]:
            preimage, *responses = (bytes.fromhex(shown[name]) for name in ("preimage", "z0", "z1", "z3"))
            d = Hs("spend", preimage)
            assert d == decode_scalar(bytes.fromhex(shown["d"]))
            points = verify_show(of, bytes.fromhex(entry["note"]), d, b"".join(responses))
            assert [point.hex() for point in points[4:]] == [entry["issue"][name] for name in ("N0", "N1")]
            shows.append([d, *map(decode_scalar, responses)])
        d, z0, z1, z3 = (first - second for first, second in zip(*shows))
        assert z3 * inverse(z0) % L == decode_scalar(bytes.fromhex(entry["enrol"]["u"]))
        assert bytes.fromhex(entry["owner"]["tag"]) == H32(
            "owner", bytes.fromhex(entry["note_id"]), bytes.fromhex(entry["owner"]["blind"]))


def _reject(file):
    for entry in file["vectors"]:
        Y, info, note, preimage, z0, z1, z3 = (
            bytes.fromhex(entry[name]) for name in ("Y", "info", "note", "preimage", "z0", "z1", "z3"))
        try:
            verify_show(Class(Y, info), note, Hs("spend", preimage), z0 + z1 + z3)
            verdict = True
        except (Malformed, Undecodable, Refused):
            verdict = False
        assert verdict == entry["accept"], entry["why"]
