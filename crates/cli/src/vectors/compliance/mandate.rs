//! A mandate (§7.2).

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::Context;
use specie_core::encoding::{Decode, Encode};
use specie_core::group::Generators;
use specie_core::mandate::{Mandate, MandateBody, Terms};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::Currency;

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let mandate = Mandate::decode(&fields.bytes("mandate")?).map_err(|error| error.to_string());
    Some(mandate.and_then(|mandate| mandate.verify().map_err(|error| error.to_string())))
}

pub(super) fn values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let owner = SigningKey::from_seed(&fields.array("seed")?);
    fields.compare("owner", &owner.public().0);
    let terms =
        Terms::decode(&fields.bytes("terms")?).map_err(|error| fields.differ("terms", &error.to_string())).ok()?;
    let currency = Currency::new(fields.text("currency")?);
    let terms =
        Terms { currency: fields.good("currency", currency)?, person_above: amount(fields, "person_above")?, ..terms };
    fields.compare("terms", &terms.to_vec());
    fields.compare("terms_hash", &terms.id());
    let until = Timestamp::new(fields.number("valid_until")?);
    let body = MandateBody {
        owner: owner.public(),
        device: PublicKey(fields.array("device")?),
        sequence: fields.number("sequence")?,
        valid_until: fields.good("valid_until", until)?,
        max_payment: amount(fields, "max_payment")?,
        period_seconds: fields.number("period_seconds")?,
        max_per_period: amount(fields, "max_per_period")?,
        max_total: amount(fields, "max_total")?,
        redeem_to: fields.optional_array("redeem_to")?.map(Context),
        terms: terms.id(),
    };
    fields.compare("body", &body.to_vec());
    fields.compare("name", &body.id());
    fields.compare("mandate", &Mandate::sign(body, terms, &owner).to_vec());
    Some(())
}

fn amount(fields: &mut Fields<'_>, path: &str) -> Option<Amount> {
    let amount = Amount::new(fields.number(path)?);
    fields.good(path, amount)
}
