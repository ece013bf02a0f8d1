//! As much of JSON (RFC 8259) as the PSP's interface has: objects of texts, whole numbers and hexadecimal, read in one pass.
//!
//! The general libraries take more of a microcontroller's flash than the whole protocol does: they read numbers with points
//! and carry a reader for each type. The tests hold this against `specie-api`'s types.

use alloc::string::String;
use alloc::vec::Vec;

/// Objects and arrays within each other, at most.
const DEPTH_MAX: u32 = 8;

/// The bytes are not the JSON that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotJson;

type Read<T> = Result<T, NotJson>;

/// What is left to be read.
pub(crate) struct Json<'a> {
    rest: &'a [u8],
    depth: u32,
}

/// Writes an object.
pub(crate) struct Object(Vec<u8>);

impl<'a> Json<'a> {
    /// Reads `bytes`, all of them.
    pub(crate) fn read<T>(bytes: &'a [u8], read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let mut json = Self { rest: bytes, depth: 0 };
        let value = read(&mut json)?;
        json.space();
        if json.rest.is_empty() { Ok(value) } else { Err(NotJson) }
    }

    /// Reads an object; `member` reads the value of each member that it knows, and skips the others.
    pub(crate) fn object(&mut self, member: &mut dyn FnMut(&str, &mut Self) -> Read<()>) -> Read<()> {
        self.enter(b'{')?;
        if self.take(b'}') {
            return self.leave();
        }
        loop {
            let name = self.text()?;
            self.expect(b':')?;
            member(&name, self)?;
            if self.take(b'}') {
                return self.leave();
            }
            self.expect(b',')?;
        }
    }

    /// Reads an array, an item at a time.
    pub(crate) fn array(&mut self, item: &mut dyn FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.enter(b'[')?;
        if self.take(b']') {
            return self.leave();
        }
        loop {
            item(self)?;
            if self.take(b']') {
                return self.leave();
            }
            self.expect(b',')?;
        }
    }

    /// Reads a text.
    pub(crate) fn text(&mut self) -> Read<String> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            match self.byte()? {
                b'"' => return String::from_utf8(text).map_err(|_| NotJson),
                b'\\' => {
                    let character = self.escaped()?;
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                control if control < 0x20 => return Err(NotJson),
                byte => text.push(byte),
            }
        }
    }

    /// Reads a text of lower-case hexadecimal.
    pub(crate) fn hex(&mut self) -> Read<Vec<u8>> {
        self.expect(b'"')?;
        let length = self.rest.iter().position(|byte| *byte == b'"').ok_or(NotJson)?;
        let (digits, rest) = self.rest.split_at(length);
        self.rest = &rest[1..];
        let (pairs, []) = digits.as_chunks::<2>() else { return Err(NotJson) };
        pairs.iter().map(|[high, low]| Ok(digit(*high)? << 4 | digit(*low)?)).collect()
    }

    /// Reads hexadecimal of `N` bytes.
    pub(crate) fn hex_array<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.hex()?.try_into().map_err(|_| NotJson)
    }

    /// Reads a whole number.
    pub(crate) fn uint(&mut self) -> Read<u64> {
        self.space();
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(length);
        let leading_zero = digits.len() > 1 && digits[0] == b'0';
        if digits.is_empty() || leading_zero || matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
            return Err(NotJson);
        }
        self.rest = rest;
        digits.iter().try_fold(0u64, |number, digit| {
            number.checked_mul(10).and_then(|number| number.checked_add(u64::from(digit - b'0'))).ok_or(NotJson)
        })
    }

    /// Reads true or false.
    pub(crate) fn flag(&mut self) -> Read<bool> {
        self.space();
        for (word, value) in [(&b"true"[..], true), (b"false", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(NotJson)
    }

    /// Reads null, if that is what comes.
    pub(crate) fn null(&mut self) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(b"null");
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Passes over whatever comes.
    pub(crate) fn skip(&mut self) -> Read<()> {
        self.space();
        match self.rest.first() {
            Some(b'{') => self.object(&mut |_, value| value.skip()),
            Some(b'[') => self.array(&mut Self::skip),
            Some(b'"') => self.text().map(drop),
            _ if self.null() => Ok(()),
            Some(b't' | b'f') => self.flag().map(drop),
            // A number of any form.
            _ => {
                let of_number = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = self.rest.iter().take_while(of_number).count();
                self.rest = &self.rest[length..];
                if length > 0 { Ok(()) } else { Err(NotJson) }
            }
        }
    }

    fn enter(&mut self, bracket: u8) -> Read<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(NotJson) } else { self.expect(bracket) }
    }

    fn leave(&mut self) -> Read<()> {
        self.depth -= 1;
        Ok(())
    }

    fn escaped(&mut self) -> Read<char> {
        Ok(match self.byte()? {
            plain @ (b'"' | b'\\' | b'/') => char::from(plain),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                if !(0xD800..0xDC00).contains(&first) {
                    return char::from_u32(first).ok_or(NotJson);
                }
                let escape = [self.byte()?, self.byte()?];
                let second = self.unit()?;
                if escape != *b"\\u" || !(0xDC00..0xE000).contains(&second) {
                    return Err(NotJson);
                }
                char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(NotJson)?
            }
            _ => return Err(NotJson),
        })
    }

    /// Four hexadecimal digits, upper or lower case.
    fn unit(&mut self) -> Read<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | u32::from(digit(self.byte()?.to_ascii_lowercase())?);
        }
        Ok(unit)
    }

    fn byte(&mut self) -> Read<u8> {
        let (first, rest) = self.rest.split_first().ok_or(NotJson)?;
        self.rest = rest;
        Ok(*first)
    }

    fn space(&mut self) {
        let length = self.rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
        self.rest = &self.rest[length..];
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let taken = self.rest.first() == Some(&byte);
        self.rest = &self.rest[usize::from(taken)..];
        taken
    }

    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err(NotJson) }
    }
}

impl Object {
    pub(crate) fn new() -> Self {
        Self(Vec::from(*b"{"))
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.member(name, |out| write_text(text, out))
    }

    pub(crate) fn hex(self, name: &str, bytes: &[u8]) -> Self {
        self.member(name, |out| write_hex(bytes, out))
    }

    pub(crate) fn hexes<'b>(self, name: &str, items: impl Iterator<Item = &'b [u8]>) -> Self {
        self.array(name, items, write_hex)
    }

    pub(crate) fn uint(self, name: &str, number: u64) -> Self {
        self.member(name, |out| write_uint(number, out))
    }

    pub(crate) fn object(self, name: &str, object: Self) -> Self {
        self.member(name, |out| out.extend_from_slice(&object.done()))
    }

    pub(crate) fn objects(self, name: &str, items: impl Iterator<Item = Self>) -> Self {
        self.array(name, items, |object, out| out.extend_from_slice(&object.done()))
    }

    /// The object.
    pub(crate) fn done(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    fn array<T>(self, name: &str, items: impl Iterator<Item = T>, write: impl Fn(T, &mut Vec<u8>)) -> Self {
        self.member(name, |out| {
            out.push(b'[');
            for (number, item) in items.enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        })
    }

    fn member(mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        write_text(name, &mut self.0);
        self.0.push(b':');
        write(&mut self.0);
        self
    }
}

fn digit(byte: u8) -> Read<u8> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(NotJson),
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    // Exactly, with room for what closes it: memory is short.
    out.reserve_exact(2 * bytes.len() + 8);
    out.push(b'"');
    for byte in bytes {
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out.push(b'"');
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            0..0x20 => {
                out.extend_from_slice(b"\\u00");
                out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

fn write_uint(number: u64, out: &mut Vec<u8>) {
    if number >= 10 {
        write_uint(number / 10, out);
    }
    out.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    #[test]
    fn rejects_what_is_not_json() {
        let skip = |text: &str| Json::read(text.as_bytes(), Json::skip);
        for good in ["{}", " [1, -2.5e3, null, true, \"\\u00e9\\ud83d\\ude00\"] ", "{\"a\":{\"b\":[]}}"] {
            assert_eq!(skip(good), Ok(()), "{good}");
        }
        for wrong in [
            "",
            "{",
            "{}}",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\n\"",
            "nul",
            "[[[[[[[[[1]]]]]]]]]",
        ] {
            assert_eq!(skip(wrong), Err(NotJson), "{wrong}");
        }
        let uint = |text: &str| Json::read(text.as_bytes(), Json::uint);
        assert_eq!(uint("18446744073709551615"), Ok(u64::MAX));
        for wrong in ["18446744073709551616", "01", "-1", "1.0", "1e3", "\"1\"", "x"] {
            assert_eq!(uint(wrong), Err(NotJson), "{wrong}");
        }
        let hex = |text: &str| Json::read(text.as_bytes(), Json::hex);
        assert_eq!(hex("\"00ff\""), Ok(vec![0, 255]));
        for wrong in ["\"0\"", "\"0G\"", "\"FF\"", "\"ff", "ff"] {
            assert_eq!(hex(wrong), Err(NotJson), "{wrong}");
        }
    }

    proptest! {
        /// What is written is what another implementation reads.
        #[test]
        fn another_reader_reads_it(text in any::<String>(), number in any::<u64>(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let inner = (0..2).map(|item| Object::new().uint("n", item));
            let json = Object::new().text("t\"", &text).uint("n", number).hexes("h", [&bytes[..], b""].into_iter()).objects("o", inner).done();
            let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(read["t\""].as_str(), Some(&*text));
            prop_assert_eq!(read["n"].as_u64(), Some(number));
            prop_assert_eq!(read["h"][0].as_str().map(str::len), Some(2 * bytes.len()));
            prop_assert_eq!(read["o"][1]["n"].as_u64(), Some(1));
            let mut found = (String::new(), 0, Vec::new());
            let own = Json::read(&json, |json| json.object(&mut |name, value| {
                match name {
                    "t\"" => found.0 = value.text()?,
                    "n" => found.1 = value.uint()?,
                    "h" => value.array(&mut |item| { found.2.push(item.hex()?); Ok(()) })?,
                    _ => value.skip()?,
                }
                Ok(())
            }));
            prop_assert_eq!(own, Ok(()));
            prop_assert_eq!(found, (text, number, vec![bytes, vec![]]));
        }

        /// Texts that another implementation escapes in its way.
        #[test]
        fn it_reads_another_writers_texts(text in any::<String>()) {
            let json = serde_json::to_vec(&text).unwrap();
            prop_assert_eq!(Json::read(&json, Json::text), Ok(text));
        }

        #[test]
        fn noise_does_no_harm(noise in "[\\[\\]{}:,\"0-9a-f\\\\u nul-]{0,60}") {
            let ours = Json::read(noise.as_bytes(), Json::skip).is_ok();
            let theirs = serde_json::from_str::<serde_json::Value>(&noise).is_ok();
            // It passes over numbers of any form, and over nothing else that others refuse.
            let deep = noise.matches(['[', '{']).count() > DEPTH_MAX as usize;
            prop_assert!(ours || !theirs || deep);
        }
    }
}
