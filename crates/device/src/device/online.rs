//! Calls of the PSP: signed by the element, repeated with the same key while that may help.

use std::time::Duration;

use specie_api::authorization::{Authorize, Device as Signer, SigningError};
use specie_api::client::CallError;
use specie_api::idempotency::Key;
use specie_api::{problem, psp};
use specie_core::Timestamp;

use super::{Device, Done};
use crate::{clock, entropy};

/// Pauses before a call is repeated.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(1000)];

impl Device {
    /// A call that anybody may make.
    pub(super) fn call<T>(&self, call: impl Fn(&psp::Client) -> Result<T, CallError>) -> Result<T, CallError> {
        persistently(|| call(&self.psp))
    }

    /// A call that the element signs.
    pub(super) fn signed_call<T>(
        &mut self,
        call: impl Fn(&psp::Client, &mut dyn Authorize) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let first = persistently(|| self.sign_and_call(&call));
        match first {
            Err(error) if error.is(&problem::REQUEST_TIME) && self.clock_offset == 0 => {
                // Whoever is right: the request is judged by the PSP's clock.
                let there = self.call(psp::Client::time)?.seconds;
                self.clock_offset =
                    i128::from(there).saturating_sub(i128::from(clock::now().seconds())).try_into().unwrap_or_default();
                persistently(|| self.sign_and_call(&call))
            }
            first => first,
        }
    }

    fn sign_and_call<T>(
        &mut self,
        call: &impl Fn(&psp::Client, &mut dyn Authorize) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let seconds = clock::now().seconds().saturating_add_signed(self.clock_offset);
        let (key, now) = (self.wallet.device(), Timestamp::new(seconds).unwrap_or_default());
        let (wallet, element) = (&self.wallet, &mut self.element);
        let sign = |digest: &[u8; 32]| wallet.sign_device_request(digest, &mut *element).map_err(SigningError::from);
        call(&self.psp, &mut Signer { key, now, sign })
    }
}

/// A key for something that may be done twice, but need not.
pub(super) fn fresh_key() -> Done<Key> {
    Ok(Key::from_bytes(&entropy::bytes()?))
}

/// Calls again while there is no answer or the server has trouble of its own.
fn persistently<T>(mut call: impl FnMut() -> Result<T, CallError>) -> Result<T, CallError> {
    let mut sent = false;
    for pause in PAUSES {
        match call() {
            Err(CallError::NoAnswer { .. }) => sent = true,
            Err(CallError::Refused(problem)) if problem.retry && problem.status >= 500 => sent = true,
            decided => return known(decided, sent),
        }
        std::thread::sleep(pause);
    }
    known(call(), sent)
}

/// That the last attempt sent nothing says nothing about those before.
fn known<T>(result: Result<T, CallError>, sent: bool) -> Result<T, CallError> {
    match result {
        Err(CallError::Unreachable { reason }) if sent => Err(CallError::NoAnswer { reason }),
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable() -> CallError {
        CallError::Unreachable { reason: "refused".into() }
    }

    #[test]
    fn what_was_sent_once_stays_sent() {
        let mut attempts = 0;
        let result: Result<(), _> = persistently(|| {
            attempts += 1;
            Err(if attempts == 1 { CallError::NoAnswer { reason: "cut".into() } } else { unreachable() })
        });
        assert!(matches!(result, Err(CallError::NoAnswer { .. })));
        let result: Result<(), _> = persistently(|| Err(unreachable()));
        assert!(matches!(result, Err(CallError::Unreachable { .. })));
    }
}
