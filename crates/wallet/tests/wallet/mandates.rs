//! Mandates: a device that pays by itself, one unit over each rule, and cut off anywhere.

use specie_core::encoding::Encode;
use specie_core::mandate::{self, Mandate, MandateBody, PayeeRule, Payees};
use specie_core::signature::SigningKey;
use specie_core::text::Currency;
use specie_core::transfer::redemption_context;
use specie_element::client;
use specie_wallet::WalletError;
use specie_wallet::payment::Execution;
use specie_wallet::publication::Update;
use specie_wallet::request::Terms;

use crate::bank::{Bank, NOW, SPEND_UNTIL, amount, at, xts};
use crate::device::{Device, Halt, refused};
use crate::payments::holding;

const PIN: &[u8] = b"1234";
const GROCER: u16 = 5411;
const PERIOD: u64 = 1_000;

fn owner() -> SigningKey {
    SigningKey::from_seed(&[77; 32])
}

/// A mandate that nothing of the tests exceeds, changed.
fn mandate_for(device: &Device, sequence: u64, change: impl FnOnce(&mut MandateBody, &mut mandate::Terms)) -> Vec<u8> {
    let mut body = MandateBody {
        owner: owner().public(),
        device: device.wallet.device(),
        sequence,
        valid_until: at(NOW + 10_000),
        max_payment: amount(500),
        period_seconds: PERIOD,
        max_per_period: amount(500),
        max_total: amount(500),
        redeem_to: Some(redemption_context(&device.account.psp, &device.account.account)),
        terms: [0; 32],
    };
    let payees = Payees::new(&[PayeeRule::Anyone]).unwrap();
    let mut terms = mandate::Terms { currency: xts(), person_above: amount(500), payees };
    change(&mut body, &mut terms);
    Mandate::sign(body, terms, &owner()).to_vec()
}

impl Device {
    fn accept(&mut self, mandate: &[u8]) -> Result<Update, Halt> {
        let step = self.wallet.accept_mandate(mandate, &mut self.port).map_err(|error| refused(&error))?;
        self.commit(step)
    }

    fn pay_by_itself(&mut self, request: &[u8], now: u64) -> Result<Vec<u8>, Halt> {
        let seed = self.seed();
        let step = self.wallet.plan_mandated_payment(request, at(now), &seed, &mut self.port);
        let id = self.commit(step.map_err(|error| refused(&error))?)?;
        let step = self.wallet.execute_payment(&id, at(now), &mut self.port).map_err(|error| refused(&error))?;
        match self.commit(step)? {
            Execution::Paid(ready) => Ok(ready.message),
            Execution::Refused(error) => Err(refused(&error)),
        }
    }

    /// Who pays by itself: with a PIN that nobody verified since the power came.
    fn unattended(bank: &mut Bank, change: impl FnOnce(&mut MandateBody, &mut mandate::Terms)) -> Self {
        let mut device = holding(bank, "meter", &[50, 20, 20, 10], 12);
        client::change_pin(&mut device.port, &[], PIN).unwrap();
        let mandate = mandate_for(&device, 1, change);
        assert_eq!(device.accept(&mandate), Ok(Update::Newer));
        device.restart();
        device
    }
}

/// A payee that its PSP vouches for as a grocer.
fn grocer(bank: &mut Bank) -> Device {
    let mut grocer = holding(bank, "grocer", &[], 8);
    let descriptor = bank.descriptor(grocer.wallet.device(), "grocer");
    let step = grocer.wallet.accept_descriptor(&descriptor, at(NOW)).unwrap();
    grocer.commit(step).unwrap();
    grocer
}

/// What a mandate with this change says to a request for 30.
fn told(payee_named: bool, change: impl FnOnce(&mut MandateBody, &mut mandate::Terms)) -> Result<(), Halt> {
    let mut bank = Bank::new();
    let mut payee = if payee_named { grocer(&mut bank) } else { holding(&mut bank, "stranger", &[], 8) };
    let mut meter = Device::unattended(&mut bank, change);
    let (_, request) = payee.request(30).unwrap();
    let (before, total) = (meter.store.clone(), meter.balance().total());
    let told = meter.pay_by_itself(&request, NOW).map(drop);
    if told.is_err() {
        meter.assert_unchanged(&before, total);
        assert_eq!(client::mandate_use(&mut meter.port).unwrap().spent, 0);
    }
    told
}

#[test]
fn each_rule_refuses_by_its_name_one_unit_over_it() {
    let payees = |rules: &[PayeeRule]| Payees::new(rules).unwrap();
    let somebody = PayeeRule::Key(SigningKey::from_seed(&[5; 32]).public());
    let refused = |code| Err(Halt::Refused(code));
    assert_eq!(told(false, |_, _| ()), Ok(()));
    assert_eq!(told(true, |_, terms| terms.payees = payees(&[PayeeRule::Category(GROCER)])), Ok(()));
    let fuel = |terms: &mut mandate::Terms| terms.payees = payees(&[PayeeRule::Category(5541)]);
    assert_eq!(told(true, |_, terms| fuel(terms)), refused("mandate-category"));
    assert_eq!(told(true, |_, terms| terms.payees = payees(&[somebody])), refused("mandate-payee"));
    let grocers = |terms: &mut mandate::Terms| terms.payees = payees(&[PayeeRule::Category(GROCER), somebody]);
    assert_eq!(told(false, |_, terms| grocers(terms)), refused("mandate-payee"), "who says nothing is nobody");
    let euro = Currency::new("EUR").unwrap();
    assert_eq!(told(true, |_, terms| terms.currency = euro), refused("mandate-currency"));
    assert_eq!(told(true, |_, terms| terms.person_above = amount(29)), refused("person-needed"));
    assert_eq!(told(true, |_, terms| terms.person_above = amount(30)), Ok(()));
    assert_eq!(told(true, |body, _| body.max_payment = amount(29)), refused("mandate-per-payment"));
    assert_eq!(told(true, |body, _| body.max_payment = amount(30)), Ok(()));
    assert_eq!(told(true, |body, _| body.max_per_period = amount(29)), refused("mandate-per-period"));
    assert_eq!(told(true, |body, _| body.max_total = amount(29)), refused("mandate-total"));
    assert_eq!(told(true, |body, _| body.valid_until = at(NOW - 1)), refused("mandate-expired"));
    assert_eq!(told(true, |body, _| body.valid_until = at(NOW)), Ok(()));
}

#[test]
fn many_small_payments_use_up_a_period_and_then_the_mandate() {
    let mut bank = Bank::new();
    let mut payee = grocer(&mut bank);
    let mut meter = Device::unattended(&mut bank, |body, _| {
        body.max_per_period = amount(30);
        body.max_total = amount(39);
    });
    let mut pay = |meter: &mut Device, minor, now| {
        let (_, request) = payee.request_on(&Terms { notes_max: 1, ..Device::terms(minor) }).unwrap();
        meter.pay_by_itself(&request, now)
    };
    pay(&mut meter, 20, NOW).unwrap();
    meter.restart();
    assert_eq!(pay(&mut meter, 11, NOW), Err(Halt::Refused("mandate-per-period")));
    pay(&mut meter, 10, NOW).unwrap();
    // The clock goes back: the period goes on.
    assert_eq!(pay(&mut meter, 1, NOW - 500), Err(Halt::Refused("mandate-per-period")));
    assert_eq!(pay(&mut meter, 1, NOW + PERIOD - 401), Err(Halt::Refused("mandate-per-period")));
}

#[test]
fn without_a_mandate_or_a_pin_nothing_is_paid_by_itself() {
    let mut bank = Bank::new();
    let mut payee = holding(&mut bank, "payee", &[], 4);
    let mut meter = holding(&mut bank, "meter", &[50], 4);
    let (_, request) = payee.request(30).unwrap();
    assert_eq!(meter.pay_by_itself(&request, NOW), Err(Halt::Refused("no-mandate")));
    let good = mandate_for(&meter, 1, |_, _| ());
    assert_eq!(meter.accept(&good), Err(Halt::Refused("no-pin")));
    client::change_pin(&mut meter.port, &[], PIN).unwrap();
    meter.restart();
    assert_eq!(meter.accept(&good), Err(Halt::Refused("pin-needed")));
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(meter.accept(&forged), Err(Halt::Refused("bad-signature")));
    let other = mandate_for(&payee, 1, |_, _| ());
    assert_eq!(meter.accept(&other), Err(Halt::Refused("other-device")));
    assert_eq!(meter.accept(&good[1..]), Err(Halt::Refused("malformed")));
    client::verify(&mut meter.port, PIN).unwrap();
    assert_eq!(meter.accept(&good), Ok(Update::Newer));
    meter.restart();
    assert_eq!(meter.accept(&good), Ok(Update::NotNewer));
    // The owner ends it from afar: no PIN is asked for.
    let ended = mandate_for(&meter, 2, |body, _| body.max_total = amount(0));
    assert_eq!(meter.accept(&ended), Ok(Update::Newer));
    assert_eq!(meter.accept(&good), Err(Halt::Refused("element-holds-newer")));
    assert_eq!(meter.pay_by_itself(&request, NOW), Err(Halt::Refused("mandate-total")));
    assert_eq!(meter.pay(&request), Err(Halt::Refused("pin-needed")));
}

/// A main wallet funds its device, with no network; the device pays on by itself, and redeems what is left to its own account.
#[test]
fn a_main_wallet_funds_its_device_offline_and_the_device_pays_on() {
    let mut bank = Bank::new();
    let mut main = holding(&mut bank, "main", &[50], 4);
    let mut meter = Device::unattended(&mut bank, |_, _| ());
    let terms = Terms { notes_max: 1, ..Device::terms(30) };
    let (_, request) = meter.request_on(&terms).unwrap();
    let payment = main.pay(&request).unwrap();
    let received = meter.receive(&payment).unwrap();
    main.settle(&received.receipt).unwrap();
    assert_eq!((main.total(), meter.total()), (20, 130));

    let mut payee = grocer(&mut bank);
    let (_, request) = payee.request_on(&Terms { notes_max: 2, ..Device::terms(80) }).unwrap();
    let payment = meter.pay_by_itself(&request, NOW).unwrap();
    let received = payee.receive(&payment).unwrap();
    meter.settle(&received.receipt).unwrap();
    assert_eq!((meter.total(), payee.total()), (50, 80));

    let mut meter = Device::unattended(&mut bank, |_, _| ());
    let (_, request) = payee.request_on(&Terms { notes_max: 1, ..Device::terms(15) }).unwrap();
    meter.pay_by_itself(&request, NOW).unwrap();
    let before = bank.credited_in_all();
    meter.redeem_everything(&mut bank, NOW).unwrap();
    assert_eq!(bank.credited_in_all() - before, 85, "with nobody there, to where the mandate says");
    let mut meter = Device::unattended(&mut bank, |body, _| body.redeem_to = None);
    assert_eq!(meter.redeem_everything(&mut bank, NOW), Err(Halt::Refused("mandate-account")));
    client::verify(&mut meter.port, PIN).unwrap();
    meter.send_redemptions(&mut bank, NOW).unwrap();
}

/// Cut at every point of a payment of several notes: afterwards it is paid in full, or not at all, and counted once.
#[test]
fn a_payment_by_itself_survives_cuts_with_nobody_there() {
    let mut bank = Bank::new();
    let mut payee = grocer(&mut bank);
    let (_, request) = payee.request(95).unwrap();
    let image = Device::unattended(&mut bank, |_, _| ()).image();
    for fuel in 0.. {
        let mut meter = image.boot();
        meter.port.fuel = Some(fuel);
        let done = meter.pay_by_itself(&request, NOW).is_ok();
        meter.restart();
        meter.resume(NOW).unwrap();
        let spent = client::mandate_use(&mut meter.port).unwrap().spent;
        let paid = 100 - meter.total();
        assert!(paid == spent && [0, 95].contains(&paid), "cut at {fuel}: {paid} paid, {spent} counted");
        meter.pay_by_itself(&request, NOW).unwrap();
        assert_eq!(client::mandate_use(&mut meter.port).unwrap().spent, 95, "cut at {fuel}");
        if done {
            return;
        }
        // Too late: what was shown falls back, without the PIN.
        let mut meter = image.boot();
        meter.port.fuel = Some(fuel);
        let _ = meter.pay_by_itself(&request, NOW);
        meter.restart();
        meter.resume(SPEND_UNTIL - 1).unwrap();
    }
}

#[test]
fn what_a_person_needs_is_said_with_advice() {
    use specie_wallet::mandate::OutsideMandate::*;
    for rule in [Missing, Ended, Payee, Category(1), PersonNeeded(amount(1)), PerPeriod { left: amount(0) }] {
        assert!(!rule.money_moved() && !rule.advice().is_empty() && !rule.code().is_empty());
    }
    assert_eq!(Category(742).to_string(), "the mandate does not name payees of category 0742");
}

/// Who gives a device away may have kept the key of its mandates.
#[test]
fn an_owner_of_before_gives_no_mandate_once_it_was_ended() {
    let mut bank = Bank::new();
    let mut payee = grocer(&mut bank);
    let mut meter = Device::unattended(&mut bank, |_, _| ());
    let end = |meter: &mut Device| {
        let step = meter.wallet.end_mandate(&[8; 32], &mut meter.port).map_err(|fault| refused(&fault))?;
        meter.commit(step)
    };
    assert_eq!(end(&mut meter), Err(Halt::Refused("pin-needed")));
    assert!(meter.wallet.mandate().is_some());
    client::verify(&mut meter.port, PIN).unwrap();
    end(&mut meter).unwrap();
    end(&mut meter).unwrap();
    meter.restart();
    assert!(meter.wallet.mandate().is_none());
    let again = mandate_for(&meter, u64::MAX, |_, _| ());
    assert_eq!(meter.accept(&again), Err(Halt::Refused("pin-needed")));
    let (_, request) = payee.request(30).unwrap();
    assert_eq!(meter.pay_by_itself(&request, NOW).map(drop), Err(Halt::Refused("no-mandate")));
    // Whoever has the PIN is the owner.
    client::verify(&mut meter.port, PIN).unwrap();
    assert_eq!(meter.accept(&again), Ok(Update::Newer));
    meter.restart();
    meter.pay_by_itself(&request, NOW).unwrap();
}

/// A machine whose mandate names no account synchronises by itself: what it would redeem stays good for paying.
#[test]
fn what_a_mandate_does_not_let_redeem_can_still_be_paid_with() {
    let mut bank = Bank::new();
    let mut payee = grocer(&mut bank);
    let mut meter = Device::unattended(&mut bank, |body, _| body.redeem_to = None);
    let total = meter.total();
    assert_eq!(meter.redeem_everything(&mut bank, NOW), Err(Halt::Refused("mandate-account")));
    let (_, request) = payee.request(30).unwrap();
    assert_eq!(meter.pay_by_itself(&request, NOW), Err(Halt::Refused("not-enough-money")));
    let put_back = |meter: &mut Device| {
        let step = meter.wallet.put_back_redemptions(&mut meter.port).map_err(|error| refused(&error))?;
        meter.commit(step)
    };
    assert_eq!(put_back(&mut meter), Ok(4));
    assert_eq!(put_back(&mut meter), Ok(0));
    meter.restart();
    assert_eq!(meter.total(), total);
    meter.pay_by_itself(&request, NOW).unwrap();
    // What the element showed already is the account's.
    let mut meter = Device::unattended(&mut bank, |body, _| body.redeem_to = None);
    client::verify(&mut meter.port, PIN).unwrap();
    let step = meter.wallet.plan_redemption_of_everything(at(NOW)).unwrap();
    meter.commit(step).unwrap();
    drop(meter.wallet.execute_redemptions(1, &mut meter.port).unwrap());
    meter.restart();
    assert_eq!(put_back(&mut meter), Ok(3));
    client::verify(&mut meter.port, PIN).unwrap();
    meter.send_redemptions(&mut bank, NOW).unwrap();
    assert_eq!(bank.credited_in_all() + meter.total(), total);
}
