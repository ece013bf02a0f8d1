//! Short texts within structures.

use core::ffi::c_char;

use specie_core::text::{Currency, Memo, Name};

/// A name in UTF-8: of a payee, a PSP, an account. After the last of its bytes comes a zero.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct NameText {
    /// Bytes of the text; 0: there is none.
    pub length: u8,
    /// The text.
    pub text: [c_char; 33],
}

/// What a payment is for, in UTF-8. After the last of its bytes comes a zero.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct MemoText {
    /// Bytes of the text; 0: there is none.
    pub length: u8,
    /// The text.
    pub text: [c_char; 141],
}

/// An ISO 4217 currency code: three capital letters and a zero, or four zeros.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct CurrencyText {
    /// The code.
    pub text: [c_char; 4],
}

/// A code for machines: lower case with hyphens. After the last of its bytes comes a zero.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct CodeText {
    /// Bytes of the text; 0: there is none.
    pub length: u8,
    /// The text.
    pub text: [c_char; 65],
}

impl NameText {
    pub(crate) const NONE: Self = Self { length: 0, text: [0; 33] };

    pub(crate) fn new(name: Option<Name>) -> Self {
        let mut written = Self::NONE;
        if let Some(name) = name {
            written.length = write(name.as_str().as_bytes(), &mut written.text);
        }
        written
    }
}

impl MemoText {
    pub(crate) fn new(memo: Option<Memo>) -> Self {
        let mut written = Self { length: 0, text: [0; 141] };
        if let Some(memo) = memo {
            written.length = write(memo.as_str().as_bytes(), &mut written.text);
        }
        written
    }
}

impl CurrencyText {
    pub(crate) const NONE: Self = Self { text: [0; 4] };

    pub(crate) fn new(currency: Currency) -> Self {
        let mut written = Self::NONE;
        write(currency.as_str().as_bytes(), &mut written.text);
        written
    }
}

impl CodeText {
    pub(crate) const NONE: Self = Self { length: 0, text: [0; 65] };

    pub(crate) fn new(code: &[u8]) -> Self {
        let mut written = Self::NONE;
        written.length = write(code, &mut written.text);
        written
    }
}

/// Writes `text`, cut off where it does not fit, and leaves a zero after it.
fn write(text: &[u8], out: &mut [c_char]) -> u8 {
    let length = text.len().min(out.len() - 1).min(usize::from(u8::MAX));
    for (to, &byte) in out.iter_mut().zip(&text[..length]) {
        // The type of C's characters has a sign on some machines; its bits are the same.
        *to = c_char::from_ne_bytes([byte]);
    }
    length as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &[c_char]) -> std::vec::Vec<u8> {
        text.iter().map(|c| c.to_ne_bytes()[0]).collect()
    }

    #[test]
    fn texts_end_in_a_zero() {
        let longest = "é".repeat(16);
        let name = NameText::new(Name::new(&longest));
        assert_eq!((name.length, &bytes(&name.text)[..32], name.text[32]), (32, longest.as_bytes(), 0));
        assert_eq!(CodeText::new(&[b'x'; 100]).length, 64);
        assert_eq!(bytes(&CurrencyText::new(Currency::new("XTS").unwrap()).text), b"XTS\0");
        assert_eq!(MemoText::new(None).length, 0);
    }
}
