//! The consolidated list of the United Nations Security Council, in the XML in which it is published.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::birth::Birth;
use super::list::{Entry, Kind, ListError, SanctionsList};

/// How deep elements may lie in each other.
const DEPTH_MAX: usize = 12;
/// How far from a year that is said to be approximate a person may have been born.
const APPROXIMATELY_YEARS: u16 = 2;

/// An element that is not closed yet, or belongs to a record that is not.
#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

pub(super) fn read(text: &str) -> Result<SanctionsList, ListError> {
    let mut reader = Reader::from_str(text);
    let (mut open, mut entries, mut published) = (Vec::<Element>::new(), Vec::new(), None);
    loop {
        match reader.read_event().map_err(|error| malformed(&error.to_string()))? {
            Event::Start(start) => {
                if open.is_empty() {
                    if published.is_some() {
                        return Err(malformed("there is something after the list"));
                    }
                    published = Some(root(&start)?);
                }
                if open.len() == DEPTH_MAX {
                    return Err(malformed("its elements lie too deep in each other"));
                }
                open.push(Element { name: start.name().as_ref().to_owned(), ..Element::default() });
            }
            // An empty element says nothing that is read here.
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Text(piece) => add_text(&mut open, &piece.xml10_content()),
            Event::CData(piece) => add_text(&mut open, &piece.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(sign)) => add_text(&mut open, sign.encode_utf8(&mut [0; 4])),
                Ok(None) => match resolve_predefined_entity(&reference) {
                    Some(known) => add_text(&mut open, known),
                    None => return Err(ListError::Entities),
                },
                Err(error) => return Err(malformed(&error.to_string())),
            },
            Event::End(_) => close(&mut open, &mut entries)?,
            Event::DocType(_) => return Err(ListError::Entities),
            Event::Eof => break,
        }
    }
    match published {
        Some(published) if open.is_empty() => {
            SanctionsList::new("United Nations Security Council consolidated list".into(), published, entries)
        }
        _ => Err(malformed("it ends in the middle")),
    }
}

/// The date of the list, if this begins one.
fn root(start: &BytesStart<'_>) -> Result<String, ListError> {
    if start.name().as_ref() != "CONSOLIDATED_LIST" {
        return Err(malformed("its root is not `CONSOLIDATED_LIST`"));
    }
    match start.try_get_attribute("dateGenerated") {
        Ok(Some(attribute)) => {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            value.map(Into::into).map_err(|error| malformed(&error.to_string()))
        }
        Ok(None) => Err(malformed("it does not say when it was made (`dateGenerated`)")),
        Err(error) => Err(malformed(&error.to_string())),
    }
}

fn add_text(open: &mut [Element], piece: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(piece);
    }
}

/// Closes the innermost element: a record becomes an entry, what lies in one a part of it.
fn close(open: &mut Vec<Element>, entries: &mut Vec<Entry>) -> Result<(), ListError> {
    let Some(element) = open.pop() else { return Err(malformed("an element ends that did not begin")) };
    let Some(parent) = open.last_mut() else { return Ok(()) };
    match (parent.name.as_str(), element.name.as_str()) {
        ("INDIVIDUALS", "INDIVIDUAL") => entries.push(element.entry(Kind::Person)?),
        ("ENTITIES", "ENTITY") => entries.push(element.entry(Kind::Entity)?),
        ("INDIVIDUALS" | "ENTITIES", _) => {
            return Err(malformed("it has a record that is neither individual nor entity"));
        }
        _ => parent.children.push(element),
    }
    Ok(())
}

impl Element {
    fn entry(&self, kind: Kind) -> Result<Entry, ListError> {
        let reference = self.text_of("REFERENCE_NUMBER").or_else(|| self.text_of("DATAID")).unwrap_or_default();
        let parts = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"].map(|name| self.text_of(name));
        let main = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let original = self.text_of("NAME_ORIGINAL_SCRIPT");
        let aliases = self.all(&["INDIVIDUAL_ALIAS", "ENTITY_ALIAS"]).filter_map(|alias| alias.text_of("ALIAS_NAME"));
        let births = self.all(&["INDIVIDUAL_DATE_OF_BIRTH"]).filter_map(Self::birth).collect();
        Entry::new(reference, kind, [main].into_iter().chain(original).chain(aliases), births)
    }

    /// A date of birth; one that cannot be read counts as not known, which finds more, not less.
    fn birth(&self) -> Option<Birth> {
        if let (Some(from), Some(to)) = (self.text_of("FROM_YEAR"), self.text_of("TO_YEAR")) {
            return Birth::parse(&format!("{from}/{to}"));
        }
        let date = self.text_of("DATE").or_else(|| self.text_of("YEAR"))?;
        let birth = Birth::parse(date.get(..10).unwrap_or(&date))?;
        match (self.text_of("TYPE_OF_DATE").as_deref(), birth) {
            (Some("EXACT") | None, birth) => Some(birth),
            (_, Birth::Day { year, .. } | Birth::Years { from: year, .. }) => {
                Some(Birth::Years { from: year - APPROXIMATELY_YEARS, to: year + APPROXIMATELY_YEARS })
            }
        }
    }

    fn all(&self, names: &[&str]) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| names.contains(&child.name.as_str()))
    }

    fn text_of(&self, name: &str) -> Option<String> {
        let text = self.all(&[name]).next()?.text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    }
}

fn malformed(why: &str) -> ListError {
    ListError::Malformed(why.into())
}
