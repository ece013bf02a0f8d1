//! Key binding (RFC 9901 §4.3): the holder of a credential signs for whom, for which question and when it presents it.

use serde_json::Value;

use crate::demand::Demand;
use crate::jws::{self, Jws};
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::sd_jwt::Presentation;
use specie_core::Timestamp;

/// How far clocks may be apart, in seconds.
pub(crate) const SKEW_SECONDS: u64 = 60;

/// Checks that `holder` made this presentation for this demand.
pub(crate) fn verify(
    presentation: &Presentation<'_>,
    holder: &PublicKey,
    demand: &Demand,
    now: Timestamp,
) -> Result<(), Refusal> {
    if presentation.key_binding.is_empty() {
        return Err(Refusal::NoKeyBinding);
    }
    let jws = Jws::parse(presentation.key_binding, "the key binding")?;
    if jws.header("typ") != Some("kb+jwt") {
        return Err(Refusal::Malformed("the key binding's header `typ` is not `kb+jwt`".into()));
    }
    jws.verify(holder).map_err(|_| Refusal::WrongHolder)?;
    let text = |name: &str| jws.payload.get(name).and_then(Value::as_str);
    if text("nonce") != Some(demand.nonce.as_str()) {
        return Err(Refusal::OtherDemand("nonce"));
    }
    if text("aud") != Some(demand.audience.as_str()) {
        return Err(Refusal::OtherDemand("aud"));
    }
    let made = jws::seconds(&jws.payload, "iat")?.ok_or(Refusal::NoTime("iat"))?;
    let earliest = demand.asked_at.seconds().saturating_sub(SKEW_SECONDS);
    if made < earliest || made > now.seconds().saturating_add(SKEW_SECONDS) {
        return Err(Refusal::NotFresh { made });
    }
    if text("sd_hash") != Some(presentation.sd_hash().as_str()) {
        return Err(Refusal::OtherDisclosures);
    }
    Ok(())
}
