//! A request (§7), with or without a descriptor and a supervisory key.

use specie_core::OwnerTag;
use specie_core::amount::{Amount, Timestamp};
use specie_core::descriptor::Descriptor;
use specie_core::disclosure::SupervisoryKey;
use specie_core::encoding::{Decode, Encode};
use specie_core::group::Generators;
use specie_core::label;
use specie_core::request::{OwnerTags, Request, RequestBody};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Memo};

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let (request, psp) = (fields.bytes("request")?, PublicKey(fields.array("psp")?));
    Some(verdict(&request, &psp))
}

fn verdict(request: &[u8], psp: &PublicKey) -> Verdict {
    let request = Request::decode(request).map_err(|error| error.to_string())?;
    if let Some(descriptor) = &request.body.descriptor {
        descriptor.verify(psp).map_err(|error| format!("descriptor: {error}"))?;
    }
    request.verify_signature().map_err(|error| error.to_string())
}

pub(super) fn values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let psp = SigningKey::from_seed(&fields.array("psp_seed")?);
    fields.compare("psp", &psp.public().0);
    let payee = SigningKey::from_seed(&fields.array("payee_seed")?);
    fields.compare("payee", &payee.public().0);
    let tags = (0..fields.length("owner_tags")).map(|index| fields.array(&format!("owner_tags.{index}")).map(OwnerTag));
    let tags = OwnerTags::new(&tags.collect::<Option<Vec<_>>>()?);
    let currency = Currency::new(fields.text("currency")?);
    let (amount, expiry) = (Amount::new(fields.number("amount")?), Timestamp::new(fields.number("expiry")?));
    let body = RequestBody {
        currency: fields.good("currency", currency)?,
        amount: fields.good("amount", amount)?,
        payee_nonce: fields.array("payee_nonce")?,
        expiry: fields.good("expiry", expiry)?,
        owner_tags: fields.good("owner_tags", tags)?,
        receipt_hash: fields.array("receipt_hash")?,
        manifest_sequence: fields.number("manifest_sequence")?,
        revocation_sequence: fields.number("revocation_sequence")?,
        disclose_to: fields.optional_array("disclose_to")?.map(SupervisoryKey),
        descriptor: descriptor(fields, &psp)?,
        memo: memo(fields)?,
    };
    fields.compare("digest", &body.digest());
    let signature = body.descriptor.map(|_| payee.sign(label::PAYEE, &[&body.digest()]));
    let request = Request { body, signature };
    fields.compare("request", &request.to_vec());
    fields.compare("context", &request.context().0);
    Some(())
}

/// The descriptor, signed again; nothing where there is none.
fn descriptor(fields: &mut Fields<'_>, psp: &SigningKey) -> Option<Option<Descriptor>> {
    if fields.is_null("descriptor") {
        return Some(None);
    }
    let read = Descriptor::decode(&fields.bytes("descriptor")?);
    let read = read.map_err(|error| fields.differ("descriptor", &error.to_string())).ok()?;
    let signed = Descriptor::sign(read.body, psp);
    fields.compare("descriptor", &signed.to_vec());
    Some(Some(signed))
}

fn memo(fields: &mut Fields<'_>) -> Option<Option<Memo>> {
    if fields.is_null("memo") {
        return Some(None);
    }
    let memo = Memo::new(fields.text("memo").unwrap_or_default());
    fields.good("memo", memo).map(Some)
}
