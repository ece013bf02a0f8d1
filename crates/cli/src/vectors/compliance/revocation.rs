//! A page of the revocation list, and two of them (§8.2).

use specie_core::amount::Timestamp;
use specie_core::bytes::RevokedNote;
use specie_core::encoding::{Decode, Encode};
use specie_core::group::Generators;
use specie_core::revocation::{PAGE_LENGTH_MAX, RevocationBody, RevocationPage};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::Name;

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge_page(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let (page, ledger) = (fields.bytes("page")?, PublicKey(fields.array("ledger")?));
    let page = RevocationPage::decode(&page).map_err(|error| error.to_string());
    Some(page.and_then(|page| page.verify(&ledger).map_err(|error| error.to_string())))
}

pub(super) fn page_values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let (key, issuer) = (SigningKey::from_seed(&fields.array("seed")?), Name::new(fields.text("issuer")?));
    let issued_at = Timestamp::new(fields.number("issued_at")?);
    let notes = (0..fields.length("notes")).map(|index| fields.array(&format!("notes.{index}")).map(RevokedNote));
    let notes: Vec<RevokedNote> = notes.collect::<Option<_>>()?;
    let body = RevocationBody {
        issuer: fields.good("issuer", issuer)?,
        page: fields.number("number")?,
        sequence: fields.number("sequence")?,
        previous: fields.array("previous")?,
        oldest: fields.number("oldest")?,
        issued_at: fields.good("issued_at", issued_at)?,
        notes: &notes,
    };
    fields.compare("ledger", &key.public().0);
    fields.compare("page", &body.sign(&key, &mut [0; PAGE_LENGTH_MAX]).ok()?.to_vec());
    let page = fields.bytes("page")?;
    let read = RevocationPage::decode(&page).ok()?;
    fields.compare("name", &read.id());
    fields.require("notes", read.notes().eq(notes.iter().copied()), "other notes than were read");
    Some(())
}

/// Whether two pages can be of one list; the signatures are not looked at.
pub(super) fn judge_pair(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let (held, page) = (fields.bytes("held")?, fields.bytes("page")?);
    let pages = RevocationPage::decode(&held).and_then(|held| Ok((held, RevocationPage::decode(&page)?)));
    let Ok((held, page)) = pages else { return Some(Err("one of them is no page".to_owned())) };
    let contradiction = page.contradicts(&held);
    fields.require("held", contradiction == held.contradicts(&page), "who is asked matters");
    Some(if contradiction { Err("they contradict each other".to_owned()) } else { Ok(()) })
}

pub(super) fn pair_values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let (held, page) = (fields.bytes("held")?, fields.bytes("page")?);
    let (held, page) = (RevocationPage::decode(&held).ok()?, RevocationPage::decode(&page).ok()?);
    let follows = fields.flag("follows")?;
    fields.require("follows", page.connects(&held) == follows, "otherwise");
    Some(())
}
