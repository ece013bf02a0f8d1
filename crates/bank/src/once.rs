//! Requests that may be repeated: the answer is kept, byte for byte, in the transaction of the effect.

use specie_core::Timestamp;
use thiserror::Error;

use crate::bank::Bank;
use crate::signer::Signer;
use crate::storage::{Answered, Storage, StorageError, Tx, View};

/// A request with an idempotency key.
#[derive(Clone, Copy, Debug)]
pub struct Keyed<'a> {
    /// Who asks: keys of others are others.
    pub scope: &'a str,
    /// The key.
    pub key: &'a str,
    /// Hash of all that the request says.
    pub request_hash: &'a [u8; 32],
    /// When.
    pub now: Timestamp,
}

/// The key was used for another request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the idempotency key was used for another request: use a new key for a new request")]
pub struct KeyReused;

impl<S: Storage, K: Signer> Bank<S, K> {
    /// The answer to the same request, if it came before. Ask before doing anything that costs time.
    ///
    /// # Errors
    /// When the key was used for another request, or the storage fails.
    pub fn answered<E>(&self, request: &Keyed<'_>) -> Result<Option<Vec<u8>>, E>
    where
        E: From<StorageError> + From<KeyReused>,
    {
        self.storage().read(|view| known(view, request))
    }

    /// Does `work` once for each key, and answers what `render` makes of its result; later the same again. When `work`
    /// fails nothing is kept, and the key may be used again for the same request.
    ///
    /// # Errors
    /// Those of `work`, [`KeyReused`], and those of the storage.
    pub fn once<T, E>(
        &self,
        request: &Keyed<'_>,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, E>,
        render: impl Fn(&T) -> Vec<u8>,
    ) -> Result<Vec<u8>, E>
    where
        E: From<StorageError> + From<KeyReused>,
    {
        self.storage().transact(|tx| {
            if let Some(response) = known::<E>(tx, request)? {
                return Ok(response);
            }
            let response = render(&work(tx)?);
            let answered = Answered { request_hash: *request.request_hash, response };
            tx.insert_answer(request.scope, request.key, &answered, request.now)?;
            Ok(answered.response)
        })
    }
}

/// Ties the key to the request without keeping an answer: for requests whose answer is secret and kept, until it is
/// erased, with what it is about.
///
/// # Errors
/// When the key was used for another request, or the storage fails.
pub fn tie_key<E>(tx: &mut dyn Tx, request: &Keyed<'_>) -> Result<(), E>
where
    E: From<StorageError> + From<KeyReused>,
{
    if known::<E>(tx, request)?.is_none() {
        let answered = Answered { request_hash: *request.request_hash, response: Vec::new() };
        tx.insert_answer(request.scope, request.key, &answered, request.now)?;
    }
    Ok(())
}

fn known<E>(view: &mut (impl View + ?Sized), request: &Keyed<'_>) -> Result<Option<Vec<u8>>, E>
where
    E: From<StorageError> + From<KeyReused>,
{
    match view.answered(request.scope, request.key)? {
        None => Ok(None),
        Some(answered) if answered.request_hash == *request.request_hash => Ok(Some(answered.response)),
        Some(_) => Err(KeyReused.into()),
    }
}
