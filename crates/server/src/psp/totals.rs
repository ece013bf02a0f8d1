//! The handlers for what devices show before their limits are renewed.

use std::sync::Arc;

use axum::extract::State;
use specie_api::problem;
use specie_api::psp::setting as api;
use specie_api::psp::{Empty, path};
use specie_core::text::{Currency, Name};
use specie_core::{Amount, Timestamp};
use specie_psp::setting::{Direction, UploadedPayment};
use specie_psp::totals::Shown;
use specie_totals::{Opening, RangeProof, Statement};

use super::routes::{Asked, Shared};
use super::setup::Provider;
use crate::call::Call;
use crate::clock::random_seed;
use crate::interface::{Interface, Operation};
use crate::reply::{Refusal, Reply, blocking};

/// Settings, nonces, totals, uploads.
pub(super) fn serve(interface: Interface<Arc<Provider>>) -> Interface<Arc<Provider>> {
    let device = Operation::device;
    interface
        .get(path::SETTING, setting, device("setting", "What is shown before limits are renewed"))
        .post(path::TOTALS_NONCE, nonce, device("totalsNonce", "A nonce for totals").takes::<Empty>())
        .post(path::TOTALS, totals, device("totals", "Totals, proven or opened").takes::<api::Totals>())
        .post(path::UPLOADS, upload, device("upload", "Payments, for totals that are opened").takes::<api::Upload>())
        .post(
            path::UPLOADS_CONSENT,
            consent,
            device("uploadsConsent", "Gives or withdraws the consent to uploads").takes::<api::Consent>(),
        )
}

async fn setting(State(provider): Shared, call: Call) -> Reply<api::Setting> {
    blocking(move || {
        let now = provider.clock.now();
        let tier = provider.psp.setting(&call.device(now)?, now)?;
        Ok::<_, Refusal>(api::Setting {
            tier: tier.name.as_str().into(),
            setting: tier.setting.as_str().into(),
            max_holding: tier.max_holding.minor(),
            max_cumulative: tier.max_cumulative.minor(),
        })
    })
    .await
}

async fn nonce(State(provider): Shared, call: Call) -> Reply<api::TotalsNonce> {
    blocking(move || {
        let asked = Asked::<Empty>::new(&call, provider.clock.now())?;
        let seed = random_seed().map_err(Refusal::internal)?;
        let nonce = provider.psp.totals_nonce(&asked.request(), &seed, asked.now)?;
        Ok::<_, Refusal>(api::TotalsNonce { nonce: nonce.nonce.into(), valid_until: nonce.valid_until.seconds() })
    })
    .await
}

async fn totals(State(provider): Shared, call: Call) -> Reply<Empty> {
    blocking(move || {
        let asked = Asked::<api::Totals>::new(&call, provider.clock.now())?;
        let api::Totals { nonce, limits_sequence, held, spent, signature, ref shown } = asked.body;
        let statement = statement(&api::Said { nonce, limits_sequence, held, spent, signature });
        let opening = |opening: &api::Opening| Opening { total: opening.total, blinding: opening.blinding.0 };
        let shown = match shown {
            api::Shown::Proof(bytes) => {
                let proof = RangeProof::from_bytes(&bytes.0);
                Shown::Proof(Box::new(
                    proof.map_err(|error| Refusal::new(&specie_api::psp::TOTALS_INVALID, error.to_string()))?,
                ))
            }
            api::Shown::Opened { held, spent } => Shown::Opened { held: opening(held), spent: opening(spent) },
        };
        provider.psp.accept_totals(&asked.request(), &statement, &shown, asked.now)?;
        Ok::<_, Refusal>(Empty {})
    })
    .await
}

/// What an element says.
pub(super) fn statement(said: &api::Said) -> Statement {
    Statement {
        nonce: said.nonce.0,
        limits_sequence: said.limits_sequence,
        held: said.held.0,
        spent: said.spent.0,
        signature: said.signature.0,
    }
}

async fn upload(State(provider): Shared, call: Call) -> Reply<Empty> {
    blocking(move || {
        let asked = Asked::<api::Upload>::new(&call, provider.clock.now())?;
        let payments = asked.body.payments.iter().map(payment).collect::<Result<Vec<_>, _>>()?;
        provider.psp.upload(&asked.request(), asked.body.limits_sequence, &payments, asked.now)?;
        Ok::<_, Refusal>(Empty {})
    })
    .await
}

async fn consent(State(provider): Shared, call: Call) -> Reply<Empty> {
    blocking(move || {
        let asked = Asked::<api::Consent>::new(&call, provider.clock.now())?;
        provider.psp.agree_to_uploads(&asked.request(), asked.body.uploads, asked.now)?;
        Ok::<_, Refusal>(Empty {})
    })
    .await
}

fn payment(told: &api::UploadedPayment) -> Result<UploadedPayment, Refusal> {
    let wrong = |what: &str| Refusal::new(&problem::MALFORMED, format!("a payment: {what}"));
    let name = |text: &String| Name::new(text).ok_or_else(|| wrong("the counterparty has 1 to 32 bytes"));
    Ok(UploadedPayment {
        direction: Direction::parse(&told.direction).ok_or_else(|| wrong("the direction is `paid` or `received`"))?,
        request: told.request.0,
        at: Timestamp::new(told.at).ok_or_else(|| wrong("the time is too large"))?,
        amount: Amount::new(told.amount).ok_or_else(|| wrong("the amount is too large"))?,
        currency: Currency::new(&told.currency).ok_or_else(|| wrong("the currency is no ISO 4217 code"))?,
        counterparty: told.counterparty.as_ref().map(name).transpose()?,
    })
}
