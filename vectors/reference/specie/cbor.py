"""CBOR in the deterministic form of RFC 8949 §4.2.1: what Specie's encodings use of it."""

from dataclasses import dataclass


class Malformed(ValueError):
    """Bytes that are no structure of the specification in its one form."""


@dataclass(frozen=True)
class Tag:
    number: int
    value: object


def encode(value):
    match value:
        case None:
            return b"\xf6"
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            pairs = sorted((encode(key), encode(item)) for key, item in value.items())
            return head(5, len(value)) + b"".join(key + item for key, item in pairs)
        case Tag():
            return head(6, value.number) + encode(value.value)
    raise TypeError(value)


def head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for additional, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 256**size:
            return bytes([major << 5 | additional]) + number.to_bytes(size, "big")
    raise ValueError(number)


def decode(data):
    """The value of `data`, whose encoding it must be."""
    value, end = _item(data, 0)
    if end != len(data):
        raise Malformed("bytes after the end")
    if encode(value) != data:
        raise Malformed("not the deterministic form")
    return value


def _item(data, at):
    first, at = _take(data, at, 1)
    major, additional = first[0] >> 5, first[0] & 31
    if first == b"\xf6":
        return None, at
    if additional < 24:
        number = additional
    elif additional < 28:
        argument, at = _take(data, at, 1 << additional - 24)
        number = int.from_bytes(argument, "big")
    else:
        raise Malformed("indefinite or reserved length")
    match major:
        case 0:
            return number, at
        case 1:
            return -1 - number, at
        case 2:
            return _take(data, at, number)
        case 3:
            text, at = _take(data, at, number)
            try:
                return text.decode(), at
            except UnicodeDecodeError:
                raise Malformed("no UTF-8") from None
        case 4:
            items = []
            for _ in range(number):
                item, at = _item(data, at)
                items.append(item)
            return items, at
        case 5:
            items = {}
            for _ in range(number):
                key, at = _item(data, at)
                items[key], at = _item(data, at)
            return items, at
        case 6:
            value, at = _item(data, at)
            return Tag(number, value), at
    raise Malformed("a kind of value that no structure has")


def _take(data, at, length):
    if at + length > len(data):
        raise Malformed("cut off")
    return data[at : at + length], at + length
