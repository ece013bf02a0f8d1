"""XChaCha20-Poly1305: RFC 8439, with the longer nonce of draft-irtf-cfrg-xchacha."""

from struct import pack, unpack

_CONSTANTS = unpack("<4I", b"expand 32-byte k")
_QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
             (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def _rotate(word, by):
    return (word << by | word >> 32 - by) & 0xFFFFFFFF


def _rounds(state):
    words = list(state)
    for _ in range(10):
        for a, b, c, d in _QUARTERS:
            for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                words[x] = words[x] + words[y] & 0xFFFFFFFF
                words[z] = _rotate(words[z] ^ words[x], by)
    return words


def _block(key, counter, nonce):
    state = (*_CONSTANTS, *unpack("<8I", key), counter, *unpack("<3I", nonce))
    return pack("<16I", *(a + b & 0xFFFFFFFF for a, b in zip(_rounds(state), state)))


def _stream(key, nonce, data):
    keystream = b"".join(_block(key, counter, nonce) for counter in range(1, len(data) // 64 + 2))
    return bytes(a ^ b for a, b in zip(data, keystream))


def hchacha20(key, nonce):
    words = _rounds((*_CONSTANTS, *unpack("<8I", key), *unpack("<4I", nonce)))
    return pack("<8I", *words[:4], *words[12:])


def _tag(key, nonce, associated, sealed):
    once = _block(key, 0, nonce)
    r = int.from_bytes(once[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    padded = [part + bytes(-len(part) % 16) for part in (associated, sealed)]
    message, total = b"".join(padded) + pack("<QQ", len(associated), len(sealed)), 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return (total + int.from_bytes(once[16:32], "little") & 2**128 - 1).to_bytes(16, "little")


def seal_short(key, nonce, associated, data):
    """With a nonce of 12 bytes: ChaCha20-Poly1305."""
    sealed = _stream(key, nonce, data)
    return sealed + _tag(key, nonce, associated, sealed)


def seal(key, nonce, associated, data):
    """With a nonce of 24 bytes."""
    return seal_short(hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], associated, data)


def open(key, nonce, associated, sealed):
    """The data, or None."""
    key, nonce = hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]
    if len(sealed) < 16 or _tag(key, nonce, associated, sealed[:-16]) != sealed[-16:]:
        return None
    return _stream(key, nonce, sealed[:-16])
