//! A device changes hands: what its former owner let it do ends with it.

use specie_core::encoding::Encode;
use specie_core::mandate::{Mandate, MandateBody, PayeeRule, Payees, Terms};
use specie_core::signature::SigningKey;
use specie_core::{Amount, Timestamp};
use specie_device::Device;

use crate::town::{Town, currency, name, terms};

const PIN: &[u8] = b"2468";

fn mandate(device: &Device, sequence: u64) -> Vec<u8> {
    let body = MandateBody {
        owner: device.wallet().device(),
        device: device.wallet().device(),
        sequence,
        valid_until: Timestamp::new(1 << 40).unwrap(),
        max_payment: Amount::MAX,
        period_seconds: 1,
        max_per_period: Amount::MAX,
        max_total: Amount::MAX,
        redeem_to: None,
        terms: [0; 32],
    };
    let payees = Payees::new(&[PayeeRule::Anyone]).unwrap();
    let terms = Terms { currency: currency(), person_above: Amount::MAX, payees };
    Mandate::sign(body, terms, &SigningKey::from_seed(&[4; 32])).to_vec()
}

/// The key of the mandates, the recovery code and the consent to uploads are the former owner's.
pub(crate) fn what_a_former_owner_allowed_ends() {
    let town = Town::new();
    let mut phone = town.enrol("alice", 20_000, "standard");
    town.customer("bob", 0, "standard");
    let mut watch = town.device("watch", &format!("http://{}", town.psp_address()));
    // The phone has all of her limits, so that the watch may go at once.
    phone.synchronise(&mut |_| {}).unwrap();
    watch.enrol("alice", &town.claim_code(&name("alice"))).unwrap();
    watch.change_pin(&[], PIN).unwrap();
    watch.take_mandate(&mandate(&watch, 1)).unwrap();
    watch.make_recovery_code().unwrap();
    watch.accept_uploads().unwrap();
    let open_again = |watch: Device| {
        drop(watch);
        Device::open(&town.path("watch")).unwrap()
    };
    watch = open_again(watch);
    let psp = &town.provider.psp;
    psp.release_device(&watch.wallet().device(), town.provider.clock.now()).unwrap();

    // The PIN is the new owner's to know.
    let code = town.claim_code(&name("bob"));
    assert_eq!(watch.enrol_for_new_owner("bob", &code).unwrap_err().code(), "pin-needed");
    watch.enter_pin(PIN).unwrap();
    let enrolled = watch.enrol_for_new_owner("bob", &code).unwrap();
    assert_eq!(enrolled.account.account, name("bob"));
    assert!(watch.mandate().unwrap().is_none() && !watch.has_recovery_code() && !watch.uploads_accepted().unwrap());

    watch = open_again(watch);
    assert_eq!(watch.take_mandate(&mandate(&watch, 2)).unwrap_err().code(), "pin-needed");
    let asked = phone.request(&terms(100)).unwrap();
    assert_eq!(watch.pay_by_itself(&asked.message).unwrap_err().code(), "no-mandate");
}
