//! `specie psp shown`.

use serde_json::json;
use specie_core::signature::PublicKey;
use specie_server::psp::{Provider, UploadedPayment, Verdict};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::printable::printable;
use crate::{moment, money};

/// What a device showed: that its totals held, and the payments that it uploaded.
pub(super) fn shown(provider: &Provider, device: &PublicKey) -> Result<Answer, Failure> {
    let unreadable = |error| Failure::refused("store", error, "look after the database");
    let setting = provider.psp.setting(device, provider.clock.now());
    let setting = setting.map_err(|error| {
        Failure::refused("device-unknown", error, "give the key of a device that is enrolled with this PSP")
    })?;
    let verdicts = provider.psp.verdicts(device).map_err(unreadable)?;
    let payments = provider.psp.uploaded(device).map_err(unreadable)?;
    let (tier, setting) = (setting.name, setting.setting.as_str());
    let mut human = format!("Tier {tier}, setting {setting}.\n");
    for Verdict { limits_sequence, at } in &verdicts {
        human.push_str(&format!("  {}  within limits {limits_sequence}\n", moment::show(*at)));
    }
    for UploadedPayment { direction, at, amount, currency, counterparty, .. } in &payments {
        let counterparty = counterparty.map(|name| printable(name.as_str())).unwrap_or_default();
        let (at, amount) = (moment::show(*at), money::show(*amount, *currency));
        human.push_str(&format!("  {at}  {:<8} {amount:>16}  {counterparty}\n", direction.as_str()));
    }
    let verdicts =
        verdicts.iter().map(|kept| json!({ "limits_sequence": kept.limits_sequence, "at": kept.at.seconds() }));
    let payments = payments.iter().map(|payment| {
        json!({
            "direction": payment.direction.as_str(),
            "request": hex::encode(payment.request),
            "at": payment.at.seconds(),
            "amount": payment.amount.minor(),
            "currency": payment.currency.as_str(),
            "counterparty": payment.counterparty.map(|name| name.as_str().to_owned()),
        })
    });
    let (verdicts, payments) = (verdicts.collect::<Vec<_>>(), payments.collect::<Vec<_>>());
    let tier = tier.as_str();
    Ok(Answer::new(human, json!({ "tier": tier, "setting": setting, "verdicts": verdicts, "payments": payments })))
}
