//! Which PSP signed a request, before the bank works on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use specie_bank::storage::Storage;
use specie_core::signature::PublicKey;
use specie_core::text::Name;

use super::setup::CentralBank;
use crate::call::Call;

/// Names that are not known are looked for no more often than this: until then a new PSP counts as a stranger.
const PAUSE: Duration = Duration::from_secs(1);

/// Keys of PSPs, as the database had them when it was asked last. A PSP keeps its key.
#[derive(Default)]
struct Known {
    keys: BTreeMap<Name, PublicKey>,
    asked: Option<Instant>,
}

/// Says who signed a request.
pub(super) fn callers(central: Arc<CentralBank>) -> impl Fn(&Call) -> Option<Name> + Send + Sync {
    let known = Mutex::new(Known::default());
    move |call| {
        let (signed, now) = (call.psp().ok()?, central.clock.now());
        signed.check_time(now).ok()?;
        let key = known.lock().unwrap_or_else(PoisonError::into_inner).key(&central, &signed.who)?;
        call.verify_psp(&signed, &key, now).ok()?;
        Some(signed.who)
    }
}

impl Known {
    fn key(&mut self, central: &CentralBank, name: &Name) -> Option<PublicKey> {
        let lately = self.asked.is_some_and(|asked| asked.elapsed() < PAUSE);
        if !self.keys.contains_key(name) && !lately {
            self.asked = Some(Instant::now());
            let psps = central.bank.storage().read(|view| view.psps()).ok()?;
            self.keys = psps.into_iter().map(|psp| (psp.name, psp.key)).collect();
        }
        self.keys.get(name).copied()
    }
}
