//! Mandates: whose, how new, each rule exceeded by one unit, and what a host without the PIN gets out of one.

use specie_core::encoding::Buffer;
use specie_core::mandate::MandateBody;
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::transfer::Preimage;
use specie_core::{Amount, Context, Timestamp, label};
use specie_element::client::{self, Answer, MandateUse};
use specie_element::instruction::Purpose;
use specie_element::status::StatusWord;

use crate::support::*;

pub(crate) const PIN: &[u8] = b"1234";
const NOW: u64 = ISSUED_AT + 10;
pub(crate) const PERIOD: u64 = 1_000;

pub(crate) fn owner() -> SigningKey {
    SigningKey::from_seed(&[6; 32])
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

/// A mandate that allows more than all other limits do.
pub(crate) fn body(keys: &client::Keys, sequence: u64) -> MandateBody {
    MandateBody {
        owner: owner().public(),
        device: PublicKey(keys.authentication),
        sequence,
        valid_until: Timestamp::new(VALID_UNTIL).unwrap(),
        max_payment: amount(600),
        period_seconds: PERIOD,
        max_per_period: amount(600),
        max_total: amount(900),
        redeem_to: Some(Context([9; 32])),
        terms: [0; 32],
    }
}

pub(crate) fn give(element: &mut TestElement, body: &MandateBody) -> Answer<(), TestElement> {
    give_by(element, body, &owner())
}

fn give_by(element: &mut TestElement, body: &MandateBody, key: &SigningKey) -> Answer<(), TestElement> {
    let encoded = encoded(body);
    client::mandate(element, &encoded, &key.sign(label::MANDATE, &[&encoded]))
}

/// An element with notes, limits and a PIN that was not verified since it was powered up, and its mandate.
fn mandated(change: impl FnOnce(&mut MandateBody)) -> (TestElement, Vec<Coin>) {
    let (mut element, _, coins) = World::new().registered();
    client::change_pin(&mut element, &[], PIN).unwrap();
    let mut mandate = body(&keys_of(&mut element), 1);
    change(&mut mandate);
    give(&mut element, &mandate).unwrap();
    (restart(element), coins)
}

impl Coin {
    pub(crate) fn spend_mandated(
        &self,
        element: &mut TestElement,
        preimage: &Preimage,
        own: &[client::OwnOutput],
        now: u64,
    ) -> Answer<[u8; 32], TestElement> {
        let (gamma, preimage) = (self.issued.secrets.gamma.to_bytes(), preimage.to_bytes());
        let spend = client::Spend { index: self.index, gamma: &gamma, own, preimage: preimage.as_slice() };
        client::spend_mandated(element, &spend, now)
    }

    /// Pays so much, and keeps nothing.
    fn let_go(&self, element: &mut TestElement, minor: u64, now: u64) -> Answer<[u8; 32], TestElement> {
        self.spend_mandated(element, &self.preimage(&[stranger(minor, 1)], 1), &[], now)
    }

    /// Redeems with this context.
    fn redeem(&self, element: &mut TestElement, context: u8) -> Answer<[u8; 32], TestElement> {
        self.spend_mandated(element, &self.preimage(&[], context), &[], NOW)
    }

    /// Pays so much of its face, and keeps the rest in `change`.
    fn pay(&self, element: &mut TestElement, minor: u64, change: &Coin, now: u64) -> Answer<[u8; 32], TestElement> {
        let preimage = self.preimage(&[stranger(minor, 1), change.output(FACE - minor, 5)], 1);
        self.spend_mandated(element, &preimage, &[change.own(1, 5)], now)
    }
}

#[test]
fn the_first_mandate_takes_the_pin_and_later_ones_its_owner() {
    let (mut element, _, _) = World::new().registered();
    let first = body(&keys_of(&mut element), 5);
    assert_eq!(refusal(give(&mut element, &first)), StatusWord::WRONG_STATE, "no PIN is set");
    client::change_pin(&mut element, &[], PIN).unwrap();
    let mut element = restart(element);
    assert_eq!(refusal(give(&mut element, &first)), StatusWord::PIN_NEEDED);
    client::verify(&mut element, PIN).unwrap();
    let thief = SigningKey::from_seed(&[66; 32]);
    assert_eq!(refusal(give_by(&mut element, &first, &thief)), StatusWord::WRONG_PROOF);
    let elsewhere = MandateBody { device: thief.public(), ..first };
    assert_eq!(refusal(give(&mut element, &elsewhere)), StatusWord::WRONG_DATA);
    give(&mut element, &first).unwrap();

    let mut element = restart(element);
    give(&mut element, &first).unwrap();
    let newer = MandateBody { sequence: 6, ..first };
    give(&mut element, &newer).unwrap();
    assert_eq!(client::mandate_use(&mut element).unwrap().sequence, 6);
    for sequence in [5, 6] {
        let older = MandateBody { sequence, max_total: amount(5_000), ..first };
        assert_eq!(refusal(give(&mut element, &older)), StatusWord::STALE);
    }
    let others = MandateBody { owner: thief.public(), sequence: 99, ..first };
    assert_eq!(refusal(give_by(&mut element, &others, &thief)), StatusWord::PIN_NEEDED, "a thief has no PIN");
    client::verify(&mut element, PIN).unwrap();
    give_by(&mut element, &others, &thief).unwrap();
}

#[test]
fn nothing_but_a_mandate_opens_what_the_pin_closes() {
    let (mut element, _, coins) = World::new().registered();
    client::change_pin(&mut element, &[], PIN).unwrap();
    let mut element = restart(element);
    let unmandated = Purpose::MandatedRequest;
    assert_eq!(refusal(coins[0].pay(&mut element, 100, &coins[2], NOW)), StatusWord::MANDATE_ENDED);
    assert_eq!(refusal(client::sign_request(&mut element, unmandated, &[1; 32])), StatusWord::MANDATE_ENDED);

    let (mut element, coins) = mandated(|_| ());
    let pay = coins[0].preimage(&[stranger(FACE, 1)], 1);
    assert_eq!(refusal(coins[0].spend(&mut element, &pay, &[])), StatusWord::PIN_NEEDED);
    for purpose in [Purpose::DeviceRequest, Purpose::Payee] {
        assert_eq!(refusal(client::sign_request(&mut element, purpose, &[1; 32])), StatusWord::PIN_NEEDED);
    }
    let signature = client::sign_request(&mut element, Purpose::MandatedRequest, &[1; 32]).unwrap();
    let key = PublicKey(keys_of(&mut element).authentication);
    assert!(key.verify(label::MANDATED_REQUEST, &[&[1; 32]], &signature).is_ok());
    assert!(key.verify(label::DEVICE_REQUEST, &[&[1; 32]], &signature).is_err(), "nobody takes it for a person's");
    let z3 = coins[0].pay(&mut element, 100, &coins[2], NOW).unwrap();
    // What was done is told again, also when the mandate would not allow it any more.
    assert_eq!(coins[0].pay(&mut element, 100, &coins[2], VALID_UNTIL + 1).unwrap(), z3);
}

#[test]
fn each_amount_holds_to_the_unit_also_after_a_restart() {
    let (mut element, coins) = mandated(|body| body.max_payment = amount(99));
    assert_eq!(refusal(coins[0].pay(&mut element, 100, &coins[2], NOW)), StatusWord::OVER_MANDATE_PAYMENT);
    coins[0].pay(&mut element, 99, &coins[2], NOW).unwrap();

    let (mut element, coins) = mandated(|body| body.max_per_period = amount(199));
    coins[0].pay(&mut element, 100, &coins[2], NOW).unwrap();
    let mut element = restart(element);
    assert_eq!(refusal(coins[1].pay(&mut element, 100, &coins[3], NOW)), StatusWord::OVER_MANDATE_PERIOD);
    coins[1].pay(&mut element, 99, &coins[3], NOW).unwrap();

    let (mut element, coins) = mandated(|body| body.max_total = amount(199));
    coins[0].pay(&mut element, 100, &coins[2], NOW).unwrap();
    let mut element = restart(element);
    let later = NOW + 5 * PERIOD;
    assert_eq!(refusal(coins[1].pay(&mut element, 100, &coins[3], later)), StatusWord::OVER_MANDATE_TOTAL);
    coins[1].pay(&mut element, 99, &coins[3], later).unwrap();
    let used = client::mandate_use(&mut element).unwrap();
    assert_eq!(used, MandateUse { sequence: 1, period_began: later, in_period: 99, spent: 199 });
}

#[test]
fn a_clock_that_is_set_gives_no_period_back() {
    let (mut element, coins) = mandated(|body| body.max_per_period = amount(100));
    coins[0].pay(&mut element, 100, &coins[2], NOW).unwrap();
    for told in [0, NOW, NOW + PERIOD - 1] {
        let refused = refusal(coins[1].pay(&mut element, 1, &coins[3], told));
        assert_eq!(refused, StatusWord::OVER_MANDATE_PERIOD, "{told}");
    }
    // Told a later time, it begins a period; which was lent from the end.
    coins[1].pay(&mut element, 60, &coins[3], VALID_UNTIL).unwrap();
    for told in [0, NOW, VALID_UNTIL] {
        let refused = refusal(coins[3].let_go(&mut element, 41, told));
        assert_eq!(refused, StatusWord::OVER_MANDATE_PERIOD, "{told}");
    }
    assert_eq!(refusal(coins[3].let_go(&mut element, 1, VALID_UNTIL + PERIOD)), StatusWord::MANDATE_ENDED);
    assert_eq!(client::status(&mut element).unwrap().time_floor, ISSUED_AT, "what a host tells is no floor for limits");
}

#[test]
fn it_ends_by_the_hosts_clock_or_by_what_is_signed() {
    let until = |end| move |body: &mut MandateBody| body.valid_until = Timestamp::new(end).unwrap();
    let (mut element, coins) = mandated(until(NOW));
    assert_eq!(refusal(coins[0].pay(&mut element, 1, &coins[2], NOW + 1)), StatusWord::MANDATE_ENDED);
    coins[0].pay(&mut element, 1, &coins[2], NOW).unwrap();
    let (mut element, coins) = mandated(until(ISSUED_AT - 1));
    assert_eq!(refusal(coins[0].pay(&mut element, 1, &coins[2], 0)), StatusWord::MANDATE_ENDED);
    let signed = client::sign_request(&mut element, Purpose::MandatedRequest, &[1; 32]);
    assert_eq!(refusal(signed), StatusWord::MANDATE_ENDED);
}

#[test]
fn it_redeems_only_to_where_the_owner_says() {
    let (mut element, coins) = mandated(|_| ());
    assert_eq!(refusal(coins[0].redeem(&mut element, 8)), StatusWord::OUTSIDE_MANDATE);
    coins[0].redeem(&mut element, 9).unwrap();
    assert_eq!(client::mandate_use(&mut element).unwrap().spent, 0, "what is redeemed leaves nothing that counts");
    let (mut element, coins) = mandated(|body| body.redeem_to = None);
    assert_eq!(refusal(coins[0].redeem(&mut element, 9)), StatusWord::OUTSIDE_MANDATE);
}

#[test]
fn the_psps_limits_hold_under_a_mandate_too() {
    let (mut element, coins) = mandated(|body| {
        body.max_payment = Amount::MAX;
        body.max_per_period = Amount::MAX;
        body.max_total = Amount::MAX;
    });
    coins[0].let_go(&mut element, FACE, NOW).unwrap();
    let over = coins[1].let_go(&mut element, FACE, NOW);
    assert_eq!(refusal(over), StatusWord::OVER_CUMULATIVE);
    assert_eq!(client::mandate_use(&mut element).unwrap().spent, FACE, "what is refused uses nothing up");
}

#[test]
fn a_malformed_mandate_changes_nothing() {
    let (mut element, _) = mandated(|_| ());
    let good = body(&keys_of(&mut element), 2);
    let bytes = Buffer::<256>::of(&good);
    let signature = owner().sign(label::MANDATE, &[bytes.as_slice()]);
    let longer = [bytes.as_slice(), &[0]].concat();
    for wrong in [&[][..], &bytes.as_slice()[1..], &longer] {
        assert_eq!(refusal(client::mandate(&mut element, wrong, &signature)), StatusWord::WRONG_DATA);
    }
    let endless = MandateBody { period_seconds: 0, ..good };
    assert_eq!(refusal(give(&mut element, &endless)), StatusWord::WRONG_DATA);
    assert_eq!(client::mandate_use(&mut restart(element)).unwrap().sequence, 1);
}
