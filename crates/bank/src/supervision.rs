//! From which amount on payers disclose themselves, and to which keys (§7.1). It stands in the manifest from the next one on.

use specie_core::Amount;
use specie_core::disclosure::{Supervision, SupervisoryKey};
use specie_core::transfer::Transfer;
use thiserror::Error;

use crate::bank::Bank;
use crate::settings::Settings;
use crate::signer::Signer;
use crate::storage::{Storage, StorageError, View};

/// The most supervisory keys of one manifest: the current one, and those before it while devices hear of it.
pub const KEYS_MAX: usize = 4;

/// What the bank has decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SupervisionRecord {
    /// The largest payment without a disclosure.
    pub threshold: Amount,
    /// The current key first.
    pub keys: Vec<SupervisoryKey>,
}

/// What makes no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum SupervisionError {
    /// No key.
    #[error("name at least one supervisory key")]
    NoKey,
    /// Too many keys.
    #[error("{0} supervisory keys are too many: at most {KEYS_MAX}; leave out the oldest ones")]
    TooMany(usize),
    /// Not a point, or the identity.
    #[error("supervisory key number {0} is not one: use the key that the ceremony gave")]
    BadKey(usize),
    /// One key twice.
    #[error("supervisory key number {0} is there twice")]
    Twice(usize),
}

impl SupervisionRecord {
    /// `keys`, the current one first, if they make sense.
    ///
    /// # Errors
    /// Which does not.
    pub fn new(threshold: Amount, keys: Vec<SupervisoryKey>) -> Result<Self, SupervisionError> {
        if keys.is_empty() {
            return Err(SupervisionError::NoKey);
        }
        if keys.len() > KEYS_MAX {
            return Err(SupervisionError::TooMany(keys.len()));
        }
        for (index, key) in keys.iter().enumerate() {
            key.point().map_err(|_| SupervisionError::BadKey(index + 1))?;
            if keys[..index].contains(key) {
                return Err(SupervisionError::Twice(index + 1));
            }
        }
        Ok(Self { threshold, keys })
    }
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Whether a transfer, of which the show holds, names its payer to one of the keys: of all copies of it, which differ in what they
    /// disclose only, one does.
    pub(crate) fn is_disclosed(
        &self,
        view: &mut (impl View + ?Sized),
        transfer: &Transfer,
    ) -> Result<bool, StorageError> {
        if transfer.disclosure.is_none() {
            return Ok(false);
        }
        let keys = view.supervision()?.map_or_else(Vec::new, |record| record.keys);
        Ok(keys.iter().any(|key| transfer.verify_disclosure_vartime(self.generators(), key).is_ok()))
    }
}

/// The entries of the manifest, the current key first.
pub(crate) fn entries(view: &mut (impl View + ?Sized), settings: &Settings) -> Result<Vec<Supervision>, StorageError> {
    let Some(SupervisionRecord { threshold, keys }) = view.supervision()? else { return Ok(Vec::new()) };
    let entry = |key| Supervision { currency: settings.currency, threshold, key };
    Ok(keys.into_iter().map(entry).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use specie_core::group::{RistrettoPoint, Scalar, encode_point};

    use super::*;

    fn key(number: u8) -> SupervisoryKey {
        SupervisoryKey(encode_point(&RistrettoPoint::mul_base(&Scalar::from(number))))
    }

    #[test]
    fn rejects_keys_that_make_no_sense() {
        let record = |keys: &[SupervisoryKey]| SupervisionRecord::new(Amount::ZERO, keys.to_vec());
        assert_eq!(record(&[key(2), key(1)]).unwrap().keys, [key(2), key(1)]);
        assert!(record(&[1, 2, 3, 4].map(key)).is_ok());
        assert_eq!(record(&[]), Err(SupervisionError::NoKey));
        assert_eq!(record(&[1, 2, 3, 4, 5].map(key)), Err(SupervisionError::TooMany(5)));
        assert_eq!(record(&[1, 2, 1].map(key)), Err(SupervisionError::Twice(3)));
        for none in [[0; 32], [0xff; 32]] {
            assert_eq!(record(&[key(1), SupervisoryKey(none)]), Err(SupervisionError::BadKey(2)));
        }
    }
}
