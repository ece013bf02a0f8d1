//! Screening against a list that is made up: nobody on it exists.

#![allow(clippy::unwrap_used)]

use specie_identity::screening::{Birth, Kind, ListError, SanctionsList, Subject, THRESHOLD};

const XML: &str = include_str!("data/made-up-list.xml");
const JSON: &str = include_str!("data/made-up-list.json");

fn list() -> SanctionsList {
    SanctionsList::read(XML.as_bytes()).unwrap()
}

/// References and scores of the hits.
fn hits(name: &str, birth: &str) -> Vec<(String, u16)> {
    let subject = Subject { name: name.into(), birth: Birth::parse(birth) };
    let hits = list().screen(&subject, THRESHOLD).unwrap();
    hits.into_iter().map(|hit| (hit.reference, hit.score)).collect()
}

#[test]
fn reads_the_list_of_the_united_nations() {
    let list = list();
    assert_eq!(list.published, "2026-11-01T00:00:00.000Z");
    let [first, second, entity] = list.entries() else { panic!("three entries") };
    assert_eq!(first.reference, "XXi.001");
    let names: Vec<_> = first.names().collect();
    assert_eq!(names, ["BALTHASAR IMAGINARY NIMMERWAHR", "Бальтазар Ниммервар", "Balduin Némerval"]);
    assert_eq!(first.births, [Birth::parse("1961-04-01").unwrap(), Birth::parse("1958/1960").unwrap()]);
    assert_eq!(second.births, [Birth::parse("1978/1982").unwrap()], "approximately means two years to each side");
    assert_eq!(entity.kind, Kind::Entity);
    assert_eq!(entity.names().collect::<Vec<_>>(), ["NOWHERE SHIPPING & TRADING COMPANY", "Nirgendwo Reederei"]);
}

#[test]
fn finds_names_aliases_and_other_scripts() {
    for name in
        ["Nimmerwahr, Balthasar", "Baltasar Nimerwahr", "BALDUIN NÉMERVAL", "Бальтазар Ниммервар", "Baltazar Nimmervar"]
    {
        assert_eq!(hits(name, "").first().map(|hit| hit.0.as_str()), Some("XXi.001"), "{name}");
    }
    assert_eq!(hits("Nowhere Shipping and Trading Co", "")[0].0, "XXe.001");
    assert_eq!(hits("Iris Exempel", ""), []);
    let nobody = Subject { name: "-".into(), birth: None };
    assert!(list().screen(&nobody, THRESHOLD).is_err(), "what cannot be compared is not clean");
}

#[test]
fn a_date_of_birth_decides_what_a_name_leaves_open() {
    let score = |birth| hits("Balthasar Nimmerwahr", birth)[0].1;
    assert_eq!(score("1961-04-01"), 1000);
    assert_eq!(score("1959"), 1000);
    assert_eq!(score("1961-01-04"), score(""), "a slip of the pen says nothing");
    assert!(score("") < 1000 && score("") >= THRESHOLD);
    assert_eq!(
        hits("Undine Wasserfern", "2001-01-01"),
        [("XXi.002".into(), 900)],
        "an equal name is asked about all the same"
    );
    assert_eq!(hits("Undine Wasserfarn", "2001-01-01"), [], "one that is only like it is not");
    assert_eq!(hits("Undine Wasserfarn", "1981-01-01")[0].0, "XXi.002");
}

#[test]
fn reads_the_neutral_format() {
    let list = SanctionsList::read(JSON.as_bytes()).unwrap();
    assert_eq!((list.published.as_str(), list.entries().len()), ("2026-11-01", 2));
    assert_ne!(list.hash, self::list().hash);
    let subject = Subject { name: "Nimmerwahr Balthasar".into(), birth: None };
    assert_eq!(list.screen(&subject, THRESHOLD).unwrap()[0].reference, "MADE-UP-1");
}

#[test]
fn nothing_panics_on_bytes_that_are_changed_and_a_list_that_is_cut_is_none() {
    for text in [XML, JSON] {
        let whole = text.trim_end().len();
        for at in 0..whole {
            assert!(SanctionsList::read(&text.as_bytes()[..at]).is_err(), "cut at {at}");
            for byte in [b'<', b'&', b'"', 0, 0xff] {
                let mut changed = text.as_bytes().to_vec();
                changed[at] = byte;
                drop(SanctionsList::read(&changed));
            }
        }
    }
}

#[test]
fn rejects_malformed_lists_whole() {
    let read = |text: &str| SanctionsList::read(text.as_bytes()).unwrap_err();
    let xml = |from: &str, to: &str| read(&XML.replacen(from, to, 1));
    let json = |from: &str, to: &str| read(&JSON.replacen(from, to, 1));
    let doctype = "<!DOCTYPE CONSOLIDATED_LIST [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><CONSOLIDATED_LIST ";
    assert_eq!(xml("<CONSOLIDATED_LIST ", doctype), ListError::Entities);
    assert_eq!(xml("&amp;", "&b;"), ListError::Entities);
    for (from, to) in [
        ("</CONSOLIDATED_LIST>", ""),
        ("</INDIVIDUAL>", "</ENTITY>"),
        ("</CONSOLIDATED_LIST>", "</CONSOLIDATED_LIST><CONSOLIDATED_LIST dateGenerated=\"\"></CONSOLIDATED_LIST>"),
        ("<CONSOLIDATED_LIST ", "<sdnList "),
        ("dateGenerated", "generated"),
        ("<ENTITY>", "<VESSEL></VESSEL><ENTITY>"),
        ("<QUALITY/>", &"<A>".repeat(12)),
        ("&amp;", "&#xFFFFFF;"),
        ("&amp;", "& "),
    ] {
        assert!(matches!(xml(from, to), ListError::Malformed(_)), "{to}");
    }
    let cut = XML.find("<ENTITIES>").unwrap();
    assert!(matches!(read(&XML[..cut]), ListError::Malformed(_)), "half a list would let the other half pass");
    let no_name = xml("<FIRST_NAME>Undine</FIRST_NAME>\n      <SECOND_NAME>Wasserfern</SECOND_NAME>", "");
    assert!(matches!(no_name, ListError::Entry { reference, .. } if reference == "XXi.002"));
    let twice = xml("XXi.002", "XXi.001");
    assert!(matches!(twice, ListError::Entry { reference, why } if reference == "XXi.001" && why.contains("twice")));
    let nameless = json("\"MADE-UP-1\"", "\" \"");
    assert!(matches!(nameless, ListError::Entry { why, .. } if why.contains("no reference")));
    assert_eq!(read("<CONSOLIDATED_LIST dateGenerated=\"x\"></CONSOLIDATED_LIST>"), ListError::Empty);
    assert_eq!(read(""), ListError::UnknownFormat);
    assert_eq!(read("name,born"), ListError::UnknownFormat);
    assert!(matches!(SanctionsList::read(b"<\xff>").unwrap_err(), ListError::Malformed(_)));

    assert!(matches!(json("1961-04-01", "01.04.1961"), ListError::Entry { .. }));
    assert!(matches!(
        json("\"names\": [\"Nowhere Shipping and Trading Company\"]", "\"names\": []"),
        ListError::Entry { .. }
    ));
    assert!(matches!(json("\"entity\"", "\"vessel\""), ListError::Malformed(_)));
    assert!(matches!(json("\"born\"", "\"birth\""), ListError::Malformed(_)));
    assert!(matches!(json("\"MADE-UP-1\",", "\"MADE-UP-1\", \"reference\": \"x\","), ListError::Malformed(_)));
}
