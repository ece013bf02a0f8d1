//! A device that pays by itself inside its mandate: one unit over each amount, told to stop, and cut off at each write.

use specie_core::encoding::{Decode, Encode};
use specie_core::mandate::{Mandate, MandateBody, PayeeRule, Payees, Terms};
use specie_core::signature::SigningKey;
use specie_core::text::Currency;
use specie_embedded::device::{self, MandateHeld};
use specie_embedded::owner::{Command, Event, Reply};
use specie_embedded::peer::kind;

use crate::bank::{NOW, amount, at, xts};
use crate::houses::{House, Image, VALUE, images, terms};

const PIN: &[u8] = b"2468";

fn owner() -> SigningKey {
    SigningKey::from_seed(&[77; 32])
}

/// A mandate of anybody for 7 at a time, 10 in a period and 12 in all, changed.
fn mandate(house: &mut House, sequence: u64, change: impl FnOnce(&mut MandateBody, &mut Terms)) -> Vec<u8> {
    let mut body = MandateBody {
        owner: owner().public(),
        device: held(house).device,
        sequence,
        valid_until: at(NOW + 10_000),
        max_payment: amount(7),
        period_seconds: 1_000,
        max_per_period: amount(10),
        max_total: amount(12),
        redeem_to: None,
        terms: [0; 32],
    };
    let payees = Payees::new(&[PayeeRule::Anyone]).unwrap();
    let mut terms = Terms { currency: xts(), person_above: amount(7), payees };
    change(&mut body, &mut terms);
    Mandate::sign(body, terms, &owner()).to_vec()
}

fn held(house: &mut House) -> MandateHeld {
    match house.tell(&Command::MandateHeld) {
        Reply::Mandate(held) => held,
        other => panic!("{other:?}"),
    }
}

fn spent(house: &mut House) -> u64 {
    held(house).used.expect("a mandate").spent
}

/// A device with this mandate, a PIN that nobody entered since it has power, and the time.
fn unattended(change: impl FnOnce(&mut MandateBody, &mut Terms)) -> Image {
    let mut house = images()[0].open();
    assert_eq!(house.tell(&Command::ChangePin { old: Vec::new(), new: PIN.to_vec() }), Reply::Done);
    let mandate = mandate(&mut house, 1, change);
    assert_eq!(house.tell(&Command::Mandate(mandate)), Reply::Done);
    house.image()
}

/// What it says to the other device about a request: the payment, or nothing and the code that its owner hears.
fn ask(meter: &mut House, request: &[u8]) -> Result<Vec<u8>, String> {
    meter.events();
    meter.peer_frame(kind::MESSAGE, request);
    let mut frames = meter.peer_frames();
    match frames.pop() {
        Some(frame) if frame.kind == kind::MESSAGE => Ok(frame.message),
        frame => {
            assert!(frame.is_none_or(|frame| frame.message == b"not-paid"), "a payee learns no rule");
            let events = meter.events();
            let code = events.iter().find_map(|event| match event {
                Event::Failed(told) if !told.money_moved => Some(told.code.clone()),
                _ => None,
            });
            Err(code.unwrap_or_else(|| format!("{events:?}")))
        }
    }
}

/// Pays `minor` by itself, as far as the receipt.
fn pay(meter: &mut House, payee: &mut House, minor: u64) -> Result<(), String> {
    let asked = payee.tell(&Command::Request(device::Terms { notes_max: 1, ..terms(minor) }));
    let Reply::Made(request) = asked else { panic!("{asked:?}") };
    let payment = ask(meter, &request)?;
    payee.peer_frame(kind::MESSAGE, &payment);
    let receipt = payee.peer_frames().pop().unwrap();
    meter.peer_frame(kind::MESSAGE, &receipt.message);
    assert_eq!(meter.peer_frames().pop().unwrap().kind, kind::DONE);
    Ok(())
}

/// What a device with this mandate says to a request for 7.
fn told(change: impl FnOnce(&mut MandateBody, &mut Terms)) -> Result<(), String> {
    let mut meter = unattended(change).open();
    let request = images()[1].open().request(7);
    let before = meter.stored();
    let told = ask(&mut meter, &request).map(drop);
    if told.is_err() {
        assert_eq!((meter.stored(), meter.total(), spent(&mut meter)), (before, VALUE, 0));
    }
    told
}

#[test]
fn each_rule_refuses_by_its_name_one_unit_over_it() {
    let refused = |code: &str| Err(code.to_owned());
    assert_eq!(told(|_, _| ()), Ok(()));
    assert_eq!(told(|body, _| body.max_payment = amount(6)), refused("mandate-per-payment"));
    assert_eq!(told(|body, _| body.max_per_period = amount(6)), refused("mandate-per-period"));
    assert_eq!(told(|body, _| body.max_total = amount(6)), refused("mandate-total"));
    assert_eq!(told(|_, terms| terms.person_above = amount(6)), refused("person-needed"));
    assert_eq!(told(|body, _| body.valid_until = at(NOW)), Ok(()));
    assert_eq!(told(|body, _| body.valid_until = at(NOW - 1)), refused("mandate-expired"));
    let fuel = Payees::new(&[PayeeRule::Category(5541)]).unwrap();
    assert_eq!(told(|_, terms| terms.payees = fuel), refused("mandate-payee"));
    let euro = Currency::new("EUR").unwrap();
    assert_eq!(told(|_, terms| terms.currency = euro), refused("mandate-currency"));
}

#[test]
fn many_small_payments_use_it_up_and_its_owner_makes_another() {
    let mut meter = unattended(|_, _| ()).open();
    let mut payee = images()[1].open();
    assert_eq!(pay(&mut meter, &mut payee, 6), Ok(()));
    let mut meter = meter.image().open();
    assert_eq!(pay(&mut meter, &mut payee, 5), Err("mandate-per-period".into()));
    assert_eq!(pay(&mut meter, &mut payee, 4), Ok(()));
    assert_eq!(pay(&mut meter, &mut payee, 1), Err("mandate-per-period".into()));
    // The period after.
    for house in [&mut meter, &mut payee] {
        house.terminal.set_time(at(NOW + 1_000), 0);
    }
    assert_eq!(pay(&mut meter, &mut payee, 3), Err("mandate-total".into()));
    assert_eq!(pay(&mut meter, &mut payee, 2), Ok(()));
    assert_eq!(pay(&mut meter, &mut payee, 1), Err("mandate-total".into()));
    assert_eq!((meter.total(), spent(&mut meter)), (VALUE - 12, 12));
    // Another one of the same owner, with no PIN; one that allows nothing ends it. None of them comes back.
    let another = mandate(&mut meter, 2, |_, _| ());
    assert_eq!(meter.tell(&Command::Mandate(another.clone())), Reply::Done);
    assert_eq!(pay(&mut meter, &mut payee, 1), Ok(()));
    let end = mandate(&mut meter, 3, |body, _| body.max_payment = amount(0));
    assert_eq!(meter.tell(&Command::Mandate(end)), Reply::Done);
    assert_eq!(meter.refusal(&Command::Mandate(another)), "element-holds-newer");
    assert_eq!(pay(&mut meter, &mut payee, 1), Err("mandate-per-payment".into()));
    let kept = Mandate::decode(&held(&mut meter).mandate.unwrap()).unwrap();
    assert_eq!((kept.body.sequence, spent(&mut meter)), (3, 0));
}

#[test]
fn nobody_else_makes_a_mandate_and_without_one_nothing_is_paid() {
    let mut house = images()[0].open();
    let request = images()[1].open().request(7);
    assert_eq!(held(&mut house).mandate, None);
    house.peer_frame(kind::MESSAGE, &request);
    assert_eq!(house.peer_frames(), []);
    let good = mandate(&mut house, 1, |_, _| ());
    let before = house.stored();
    assert_eq!(house.refusal(&Command::Mandate(good.clone())), "no-pin");
    assert_eq!(house.tell(&Command::ChangePin { old: Vec::new(), new: PIN.to_vec() }), Reply::Done);
    assert_eq!(house.refusal(&Command::ChangePin { old: b"0000".to_vec(), new: PIN.to_vec() }), "element-refused");
    // Whoever has the line and not the PIN.
    let mut house = house.image().open();
    assert_eq!(house.refusal(&Command::Mandate(good.clone())), "pin-needed");
    let other = mandate(&mut house, 1, |body, _| body.device = owner().public());
    assert_eq!(house.refusal(&Command::Mandate(other)), "other-device");
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(house.refusal(&Command::Mandate(forged)), "bad-signature");
    assert_eq!(house.refusal(&Command::Mandate(good[..good.len() - 1].to_vec())), "malformed");
    assert_eq!(house.refusal(&Command::Mandate(request)), "unexpected-message");
    assert_eq!((house.stored(), held(&mut house).mandate), (before, None));
    assert_eq!(house.tell(&Command::Pin(PIN.to_vec())), Reply::Done);
    assert_eq!(house.tell(&Command::Mandate(good.clone())), Reply::Done);
    assert_eq!(held(&mut house).mandate, Some(good));
}

/// Told to stop, it pays nothing; what it was told to pay is not by itself, and wants the PIN; without the time it cannot tell
/// whether its mandate has ended.
#[test]
fn it_stops_where_it_is_told_to_and_knows_no_end_without_the_time() {
    let mut meter = unattended(|_, _| ()).open();
    let mut payee = images()[1].open();
    let request = payee.request(7);
    assert_eq!(meter.tell(&Command::Stop), Reply::Done);
    meter.peer_frame(kind::MESSAGE, &request);
    assert_eq!(meter.peer_frames(), []);
    meter.pay_next(7);
    assert_eq!(ask(&mut meter, &request), Err("pin-needed".into()));
    meter.tell(&Command::Stop);
    let mut unset = meter.image().open_without_time();
    assert_eq!(ask(&mut unset, &request), Err("time-unknown".into()));
    let again = held(&mut meter).mandate.unwrap();
    assert_eq!(meter.tell(&Command::Mandate(again)), Reply::Done);
    let payment = ask(&mut meter, &request).unwrap();
    assert_eq!(ask(&mut meter, &request), Ok(payment.clone()), "the same again, and nothing more is paid");
    payee.peer_frame(kind::MESSAGE, &payment);
    assert_eq!((meter.total(), payee.total(), spent(&mut meter)), (VALUE - 7, VALUE + 7, 7));
}

/// The power goes at each write of either flash while it takes a mandate: the same again, and it is held.
#[test]
fn survives_power_cuts_while_it_takes_a_mandate() {
    let image = unattended(|_, _| ());
    let cut = |of_element, after| {
        let mut house = image.open();
        let next = mandate(&mut house, 2, |body, _| body.max_payment = amount(3));
        house.cut_after(of_element, after);
        house.try_tell(&Command::Mandate(next.clone()));
        let off = house.is_off();
        let mut house = house.image().open();
        // Whichever it holds: never more than one of the two allows.
        let request = images()[1].open().request(7);
        let code = ask(&mut house, &request).err();
        assert!(code.is_none() || ["no-mandate", "mandate-per-payment"].contains(&&*code.unwrap()));
        assert_eq!(house.tell(&Command::Mandate(next.clone())), Reply::Done);
        assert_eq!(held(&mut house).mandate, Some(next));
        off
    };
    for of_element in [false, true] {
        let cuts = (0..400).take_while(|after| cut(of_element, *after)).count();
        println!("{cuts} writes");
        assert!((2..400).contains(&cuts), "{cuts}");
    }
}

/// The power goes at each write of either flash while it pays by itself: it is paid once, and counted once.
#[test]
fn survives_power_cuts_while_it_pays_by_itself() {
    let image = unattended(|_, _| ());
    let request = images()[1].open().request(7);
    let cut = |of_element, after| {
        let mut meter = image.open();
        meter.cut_after(of_element, after);
        meter.peer_frame(kind::MESSAGE, &request);
        let off = meter.is_off();
        let mut meter = meter.image().open();
        // Planned before the cut, it is made at once when the power comes back, and offered.
        let payment = ask(&mut meter, &request).unwrap();
        assert_eq!((meter.total(), spent(&mut meter)), (VALUE - 7, 7), "cut after {after}");
        // The payee takes it; that is slow, so not each time.
        if after % 16 == 0 {
            let mut payee = images()[1].open();
            assert_eq!(payee.request(7), request);
            payee.peer_frame(kind::MESSAGE, &payment);
            assert_eq!(payee.total(), VALUE + 7);
        }
        off
    };
    for of_element in [false, true] {
        let cuts = (0..1_500).take_while(|after| cut(of_element, *after)).count();
        println!("{cuts} writes");
        assert!((2..1_500).contains(&cuts), "{cuts}");
    }
}
