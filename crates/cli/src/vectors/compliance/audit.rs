//! An export of an audit log (docs/spec/audit.md).

use specie_audit::{Line, SignedHead, Verifier};
use specie_core::encoding::Encode;
use specie_core::group::Generators;
use specie_core::signature::{PublicKey, SigningKey};

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let key = PublicKey(fields.array("key")?);
    let since = if fields.is_null("since") { None } else { Some(fields.text("since")?) };
    let lines = lines(fields)?;
    Some(verify(key, since, &lines))
}

fn lines<'v>(fields: &mut Fields<'v>) -> Option<Vec<&'v str>> {
    (0..fields.length("export")).map(|index| fields.text(&format!("export.{index}"))).collect()
}

fn verify(key: PublicKey, since: Option<&str>, lines: &[&str]) -> Verdict {
    let mut verifier = Verifier::new(key);
    if let Some(since) = since {
        let head = Line::parse(since).map_err(|error| error.to_string())?;
        let Line::Head(head) = head else { return Err("the older head is none".to_owned()) };
        verifier = verifier.since(head).map_err(|error| error.to_string())?;
    }
    lines.iter().try_for_each(|line| verifier.line(line)).map_err(|error| error.to_string())?;
    verifier.finish().map(|_| ()).map_err(|error| error.to_string())
}

pub(super) fn values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let key = SigningKey::from_seed(&fields.array("seed")?);
    fields.compare("key", &key.public().0);
    let (mut records, mut heads) = (0, 0);
    for (index, text) in lines(fields)?.into_iter().enumerate() {
        let line = Line::parse(text).ok()?;
        fields.require(&format!("export.{index}"), line.to_text() == text, "another form");
        match line {
            Line::Log(_) | Line::Key(_) | Line::Consistency(_) => {}
            Line::Record(record) => {
                fields.compare(&format!("records.{records}"), &record.to_vec());
                fields.compare(&format!("hashes.{records}"), &record.hash());
                records += 1;
            }
            Line::Head(SignedHead { head, signature }) => {
                fields.compare(&format!("heads.{heads}"), &head.to_vec());
                let again = head.sign(&key).signature == signature;
                fields.require(&format!("export.{index}"), again, "another signature");
                heads += 1;
            }
        }
    }
    Some(())
}
