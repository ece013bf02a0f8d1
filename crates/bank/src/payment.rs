//! Payments that did not reach their payee (§7): their payer leaves them here, for whoever shows the request.

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::Context;
use specie_core::chain::{ChainError, End};
use specie_core::encoding::{Decode, DecodeError};
use specie_core::payment::{Chain, Payment};
use specie_core::request::Request;
use thiserror::Error;

use crate::bank::Bank;
use crate::detection::DetectionError;
use crate::signer::Signer;
use crate::spent::lapsed;
use crate::storage::{Storage, StorageError, Tx, View};
use crate::verification::CheckedChain;

/// A payment that holds, and is not yet kept.
pub struct CheckedPayment {
    context: Context,
    payment: Vec<u8>,
    chains: Vec<CheckedChain>,
}

/// Why a payment is not kept, or none is found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PaymentError {
    /// The bytes are no payment, or no request.
    #[error("malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// A chain breaks a rule of the protocol.
    #[error("{code}: {0}", code = .0.code())]
    Chain(ChainError),
    /// Its chains are for different requests.
    #[error("mixed-contexts: the chains are for different requests")]
    MixedContexts,
    /// It comes too late.
    #[error("lapsed: what remained of a transfer in it was given to its payer already")]
    Lapsed,
    /// Nothing that pays the request was left here.
    #[error("nothing that pays this request was uploaded: ask the payer, or ask later")]
    NotFound,
    /// A double spend could not be recorded.
    #[error(transparent)]
    Detection(#[from] DetectionError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Checks a payment, outside any transaction. `seed` is 32 random bytes that whoever made it cannot foresee.
    ///
    /// # Errors
    /// When it breaks a rule.
    pub fn check_payment(&self, bytes: &[u8], now: Timestamp, seed: &[u8; 32]) -> Result<CheckedPayment, PaymentError> {
        let payment = Payment::decode(bytes)?;
        let chains: Vec<_> = payment.chains().collect();
        let mut contexts = chains.iter().map(|chain| chain.last().preimage.context);
        let context = contexts.next().expect("a payment has at least one chain");
        if contexts.any(|other| other != context) {
            return Err(PaymentError::MixedContexts);
        }
        let classes = self.storage().read(|view| Ok::<_, PaymentError>(self.class_table(view)?))?;
        let checked = self.check_chains(&classes, &chains, now, End::Outputs, seed);
        let chains = checked.into_iter().collect::<Result<_, _>>().map_err(PaymentError::Chain)?;
        Ok(CheckedPayment { context, payment: bytes.to_vec(), chains })
    }

    /// Records a checked payment and keeps it for its payee, until it cannot be redeemed any more. The same payment again,
    /// in whatever form and order, changes nothing, but that a copy which names its payer replaces one that may not.
    ///
    /// # Errors
    /// When it comes too late, or something fails; nothing is kept then.
    pub fn keep_payment(&self, tx: &mut dyn Tx, checked: &CheckedPayment, now: Timestamp) -> Result<(), PaymentError> {
        let CheckedPayment { context, payment, chains } = checked;
        let all: Vec<_> = chains.iter().collect();
        if !lapsed(tx, &all)?.is_empty() {
            return Err(PaymentError::Lapsed);
        }
        let twice = self.record(tx, &all)?;
        self.convict(tx, &twice, now)?;
        let deadline = chains.iter().map(|chain| chain.summary.redeem_until).min().unwrap_or(now);
        // A payment has many encodings, and its chains many orders: one is enough, named by a transfer that is in all.
        if let Some(name) = chains.iter().map(|chain| chain.last().id).min() {
            let is_new = tx.insert_payment(context, &name, payment, deadline)?;
            // The name does not cover what is disclosed: whoever left it first may have spoilt that, and no payee would take it.
            if !is_new && self.is_disclosed_throughout(tx, chains)? {
                tx.replace_payment(context, &name, payment)?;
            }
        }
        Ok(())
    }

    fn is_disclosed_throughout(&self, tx: &mut dyn Tx, chains: &[CheckedChain]) -> Result<bool, StorageError> {
        for chain in chains {
            if !self.is_disclosed(tx, &chain.last().transfer)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A payment that was left for `request` and pays it: its amount exactly, to its owner tags, each at most once. Whoever
    /// shows the request is the payee, or was told by it.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_payment(&self, view: &mut dyn View, request: &[u8]) -> Result<Vec<u8>, PaymentError> {
        let request = Request::decode(request)?;
        if request.body.currency != self.settings().currency {
            return Err(PaymentError::NotFound);
        }
        let kept = view.payments(&request.context())?;
        kept.into_iter().find(|payment| pays(payment, &request)).ok_or(PaymentError::NotFound)
    }
}

fn pays(payment: &[u8], request: &Request) -> bool {
    let Ok(payment) = Payment::decode(payment) else { return false };
    let tags = request.body.owner_tags.as_slice();
    let mut owned = Vec::new();
    for chain in payment.chains() {
        let outputs = Chain::last(&chain).preimage.outputs;
        owned.extend(outputs.as_slice().iter().filter(|output| tags.contains(&output.owner)).copied());
    }
    let twice = owned.iter().enumerate().any(|(i, output)| owned[..i].iter().any(|other| other.owner == output.owner));
    let sum = Amount::checked_sum(owned.iter().map(|output| output.amount));
    !twice && sum == Some(request.body.amount)
}
