//! Writing XML: elements within elements, every text escaped, nothing in it that XML 1.0 does not have.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use specie_core::Amount;

use crate::money::decimal_of;

/// A document that grows.
pub(crate) struct Xml(Writer<Vec<u8>>);

impl Xml {
    /// A document with this root element and these attributes of it.
    pub(crate) fn document(root: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) -> String {
        let mut xml = Self(Writer::new_with_indent(Vec::new(), b' ', 2));
        infallible(xml.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))));
        xml.with(root, attributes, content);
        let mut bytes = xml.0.into_inner();
        bytes.push(b'\n');
        String::from_utf8(bytes).expect("made from texts")
    }

    /// An element with elements in it.
    pub(crate) fn within(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.with(name, &[], content);
    }

    /// An element with text in it; no longer than `length_max` characters.
    pub(crate) fn text(&mut self, name: &str, text: &str, length_max: usize) {
        self.text_with(name, &[], &printable(text, length_max));
    }

    /// An amount in a currency: `<Amt Ccy="EUR">12.34</Amt>`.
    pub(crate) fn amount_in(&mut self, name: &str, amount: Amount, money: Money<'_>) {
        self.text_with(name, &[("Ccy", money.currency)], &money.decimal(amount));
    }

    fn text_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        let element = self.0.create_element(name).with_attributes(attributes.iter().copied());
        infallible(element.write_text_content(BytesText::new(text)).map(drop));
    }

    fn with(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) {
        let start = quick_xml::events::BytesStart::new(name).with_attributes(attributes.iter().copied());
        infallible(self.0.write_event(Event::Start(start)));
        content(self);
        infallible(self.0.write_event(Event::End(quick_xml::events::BytesEnd::new(name))));
    }
}

/// A currency, and how many digits its amounts have after the point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Money<'a> {
    /// ISO 4217 code.
    pub currency: &'a str,
    /// Digits after the point.
    pub exponent: u32,
}

impl Money<'_> {
    /// `12.34`.
    pub(crate) fn decimal(&self, amount: Amount) -> String {
        decimal_of(amount, self.exponent)
    }
}

/// `text` as XML 1.0 can have it: characters that it has not become U+FFFD, and what is too long ends in an ellipsis.
fn printable(text: &str, length_max: usize) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    let mut printed: String = text.chars().take(length_max).map(|c| if allowed(c) { c } else { '\u{FFFD}' }).collect();
    if text.chars().nth(length_max).is_some() {
        printed.pop();
        printed.push('…');
    }
    printed
}

/// Writing to memory does not fail.
fn infallible(written: io::Result<()>) {
    written.expect("memory takes every byte");
}
