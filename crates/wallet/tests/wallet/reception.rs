//! Every rule of §9, broken by a payer who may make any transfer it likes.

use specie_core::bytes::Context;
use specie_core::chain::Deadline;
use specie_core::class::{Info, Kind};
use specie_core::encoding::{Decode, Encode};
use specie_core::evidence::Evidence;
use specie_core::request::Request;
use specie_core::text::Currency;
use specie_core::transfer::{Input, Output, Transfer};
use specie_core::{OwnerTag, hash};
use specie_wallet::reception::{Reception, Route};
use specie_wallet::request::{RequestState, Terms};
use specie_wallet::withdrawal::Item;

use crate::bank::{Bank, CAP, MAX_HOPS, NOW, SMALL_CAP, amount, at, info, name, xts};
use crate::device::{Device, Halt};
use crate::ledger::Ledger;
use crate::payments::{hand_over, holding};
use crate::raw::{Raw, RawNote, payment};

struct Scene {
    bank: Bank,
    ben: Device,
    raw: Raw,
    request: Request,
}

fn scene() -> Scene {
    scene_on(&Device::terms(30))
}

fn scene_on(terms: &Terms) -> Scene {
    let mut bank = Bank::new();
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let (_, request) = ben.request_on(terms).unwrap();
    let request = Request::decode(&request).unwrap();
    Scene { bank, ben, raw: Raw::new("mallory"), request }
}

impl Scene {
    /// What the payee says, having changed nothing.
    #[track_caller]
    fn refusal(&mut self, payment: &[u8]) -> &'static str {
        self.refusal_at(payment, NOW)
    }

    #[track_caller]
    fn refusal_at(&mut self, payment: &[u8], now: u64) -> &'static str {
        let (store, total) = (self.ben.store.clone(), self.ben.balance().total());
        let halt = self.ben.receive_by(payment, Route::Payer, now).unwrap_err();
        self.ben.assert_unchanged(&store, total);
        let Halt::Refused(code) = halt else { panic!("{halt:?}") };
        code
    }

    fn note(&mut self, face: u64) -> RawNote {
        self.raw.value(&mut self.bank, face)
    }

    fn tag(&self, number: usize) -> OwnerTag {
        self.request.body.owner_tags.as_slice()[number]
    }

    fn spend(&self, note: &RawNote, outputs: &[(u64, OwnerTag)]) -> Transfer {
        self.raw.spend(note, Input::Issued, &made(outputs), self.request.context())
    }
}

fn made(outputs: &[(u64, OwnerTag)]) -> Vec<Output> {
    outputs.iter().map(|(minor, owner)| Output { amount: amount(*minor), owner: *owner }).collect()
}

const ELSEWHERE: OwnerTag = OwnerTag([0xEE; 32]);

#[test]
fn a_good_payment_is_accepted() {
    let mut scene = scene();
    let note = scene.note(50);
    let payment = scene.raw.pay(&note, &scene.request);
    assert_eq!(scene.ben.receive(&payment).unwrap().amount, amount(30));
    assert_eq!(scene.ben.spendable(), 30);
}

#[test]
fn rejects_what_is_no_payment() {
    let mut scene = scene();
    assert_eq!(scene.refusal(&[]), "malformed");
    assert_eq!(scene.refusal(&scene.request.to_vec()), "malformed");
    let note = scene.note(50);
    let mut payment = scene.raw.pay(&note, &scene.request);
    payment.push(0);
    assert_eq!(scene.refusal(&payment), "malformed");
}

#[test]
fn rejects_after_expiry_but_takes_it_from_the_bank() {
    let mut scene = scene();
    let note = scene.note(50);
    let payment = scene.raw.pay(&note, &scene.request);
    assert_eq!(scene.refusal_at(&payment, NOW + 601), "request-expired");
    scene.ben.resume(NOW + 601).unwrap();
    let id = scene.ben.wallet.claimable_requests(at(NOW + 601)).next().unwrap();
    assert_eq!(scene.ben.wallet.request_state(&id, at(NOW + 601)), Some(RequestState::Lapsed));
    assert_eq!(scene.refusal_at(&payment, NOW + 602), "request-expired");
    scene.ben.reload();
    scene.ben.receive_by(&payment, Route::Bank, NOW + 700).unwrap();
    assert_eq!(scene.ben.total(), 30);
    assert_eq!(scene.ben.wallet.claimable_requests(at(NOW + 700)).count(), 0);
}

#[test]
fn rejects_from_the_bank_when_the_blank_was_used_since() {
    let terms = Terms { notes_max: 1, ..Device::terms(30) };
    let mut bank = Bank::new();
    let mut ben = holding(&mut bank, "ben", &[], 1);
    let (_, request) = ben.request_on(&terms).unwrap();
    let request = Request::decode(&request).unwrap();
    let mut raw = Raw::new("mallory");
    let note = raw.value(&mut bank, 50);
    let payment = raw.pay(&note, &request);
    ben.resume(NOW + 601).unwrap();
    let step = ben.wallet.plan_request(&Terms { expiry: at(NOW + 2_000), ..terms }, at(NOW + 601), &[1; 32]).unwrap();
    ben.commit(step).unwrap();
    let halt = ben.receive_by(&payment, Route::Bank, NOW + 700).unwrap_err();
    assert_eq!(halt, Halt::Refused("blank-used"));
}

#[test]
fn rejects_other_requests_and_mixtures() {
    let mut scene = scene();
    let (note, other) = (scene.note(50), scene.note(50));
    let tags = [(30, scene.tag(0)), (20, ELSEWHERE)];
    let unknown = scene.raw.spend(&note, Input::Issued, &made(&tags), Context([1; 32]));
    assert_eq!(scene.refusal(&payment(&[&[unknown]])), "unknown-request");
    let good = scene.spend(&other, &[(30, scene.tag(1)), (20, ELSEWHERE)]);
    assert_eq!(scene.refusal(&payment(&[&[good], &[unknown]])), "mixed-contexts");
}

#[test]
fn rejects_wrong_amounts() {
    let mut scene = scene();
    for minor in [29, 31, 50] {
        let note = scene.note(50);
        let rest = [(50 - minor, ELSEWHERE)];
        let rest = if minor == 50 { &[][..] } else { &rest };
        let transfer = scene.spend(&note, &[&[(minor, scene.tag(0))], rest].concat());
        assert_eq!(scene.refusal(&payment(&[&[transfer]])), "wrong-total");
    }
    // An output of nothing would use a blank up.
    let note = scene.note(20);
    let other = scene.note(10);
    let transfers = [
        scene.spend(&note, &[(20, scene.tag(0)), (0, scene.tag(1))]),
        scene.spend(&other, &[(10, scene.tag(2)), (0, ELSEWHERE)]),
    ];
    assert_eq!(scene.refusal(&payment(&[&transfers[..1], &transfers[1..]])), "wrong-total");
}

#[test]
fn rejects_tags_that_are_not_its_own_or_used_twice() {
    let mut scene = scene();
    let note = scene.note(50);
    let transfer = scene.spend(&note, &[(30, OwnerTag([1; 32])), (20, ELSEWHERE)]);
    assert_eq!(scene.refusal(&payment(&[&[transfer]])), "tag-not-own");
    let (note, other) = (scene.note(20), scene.note(10));
    let first = scene.spend(&note, &[(20, scene.tag(0)), (0, ELSEWHERE)]);
    let second = scene.spend(&other, &[(10, scene.tag(0)), (0, ELSEWHERE)]);
    assert_eq!(scene.refusal(&payment(&[&[first], &[second]])), "tag-used-twice");
    assert_eq!(scene.refusal(&payment(&[&[first], &[first]])), "tag-used-twice");
}

#[test]
fn rejects_tags_of_another_request_of_its_own() {
    let mut scene = scene();
    let (_, other) = scene.ben.request(30).unwrap();
    let other = Request::decode(&other).unwrap();
    let note = scene.note(50);
    let transfer = scene.spend(&note, &[(30, other.body.owner_tags.as_slice()[0]), (20, ELSEWHERE)]);
    assert_eq!(scene.refusal(&payment(&[&[transfer]])), "tag-not-own");
}

#[test]
fn rejects_a_second_payment_of_one_request() {
    let mut scene = scene();
    let (note, other) = (scene.note(50), scene.note(50));
    let first = scene.raw.pay(&note, &scene.request);
    scene.ben.receive(&first).unwrap();
    let second = scene.raw.pay(&other, &scene.request);
    assert_eq!(scene.refusal(&second), "already-paid");
    assert!(scene.ben.receive(&first).unwrap().repeated);
}

#[test]
fn rejects_forged_shows_and_notes() {
    let mut scene = scene();
    let note = scene.note(50);
    let good = scene.spend(&note, &[(30, scene.tag(0)), (20, ELSEWHERE)]);
    for extended in [true, false] {
        let mut forged = good;
        forged.show.z0 += specie_core::group::Scalar::ONE;
        forged = if extended { forged } else { forged.compact() };
        assert_eq!(scene.refusal(&payment(&[&[forged]])), "forged");
        let mut forged = good;
        forged.preimage.note.0[64] ^= 1;
        forged = if extended { forged } else { forged.compact() };
        assert_eq!(scene.refusal(&payment(&[&[forged]])), "forged");
    }
    let stranger = Raw::new("stranger");
    let not_mine = stranger.spend(&note, Input::Issued, good.preimage.outputs.as_slice(), scene.request.context());
    assert_eq!(scene.refusal(&payment(&[&[not_mine]])), "forged");
}

#[test]
fn rejects_classes_that_it_does_not_know_and_dates_that_passed() {
    let mut scene = scene();
    let unknown = Info { epoch: 9, ..info(Kind::Value, 50) };
    scene.bank.add_class(unknown);
    let class = scene.bank.classes.last().unwrap().clone();
    let note = scene.raw.issue(&mut scene.bank, &class);
    let transfer = scene.spend(&note, &[(30, scene.tag(0)), (20, ELSEWHERE)]);
    assert_eq!(scene.refusal(&payment(&[&[transfer]])), "unknown-class");
    // The next manifest has it: what the payer may send along.
    let manifest = scene.bank.publish(NOW + 1);
    let step = scene.ben.wallet.accept_manifest(&[], &manifest).unwrap();
    scene.ben.commit(step).unwrap();
    scene.ben.receive(&payment(&[&[transfer]])).unwrap();
}

#[test]
fn rejects_money_past_its_date() {
    let mut bank = Bank::new();
    bank.add_class(Info { epoch: 9, spend_until: at(NOW + 100), ..info(Kind::Value, 50) });
    let class = bank.classes.last().unwrap().clone();
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let (_, request) = ben.request(30).unwrap();
    let request = Request::decode(&request).unwrap();
    let mut raw = Raw::new("mallory");
    let note = raw.issue(&mut bank, &class);
    let mut scene = Scene { bank, ben, raw, request };
    let payment = scene.raw.pay(&note, &scene.request);
    assert_eq!(scene.refusal_at(&payment, NOW + 101), "expired");
    assert_eq!(Deadline::Spend(at(NOW + 100)), Deadline::Spend(class.info().spend_until));
    scene.ben.receive_by(&payment, Route::Payer, NOW + 100).unwrap();
}

#[test]
fn a_clock_wound_back_does_not_help() {
    let mut scene = scene();
    let mut ledger = Ledger::of(&scene.bank);
    ledger.sign(NOW + 601, &[]);
    ledger.tell(&mut scene.ben).unwrap();
    let note = scene.note(50);
    let payment = scene.raw.pay(&note, &scene.request);
    assert_eq!(scene.refusal_at(&payment, NOW), "request-expired");
}

#[test]
fn rejects_other_currencies_and_issuers() {
    for (other, code) in [
        (Info { currency: Currency::new("EUR").unwrap(), ..info(Kind::Value, 30) }, "wrong-currency"),
        (Info { issuer: name("another bank"), ..info(Kind::Value, 30) }, "wrong-issuer"),
    ] {
        let mut bank = Bank::new();
        bank.add_class(other);
        let class = bank.classes.last().unwrap().clone();
        let mut ben = holding(&mut bank, "ben", &[], 16);
        let (_, request) = ben.request(30).unwrap();
        let request = Request::decode(&request).unwrap();
        let mut raw = Raw::new("mallory");
        let note = raw.issue(&mut bank, &class);
        let mut scene = Scene { bank, ben, raw, request };
        let transfer = scene.spend(&note, &[(30, scene.tag(0)), (0, ELSEWHERE)]);
        assert_eq!(scene.refusal(&payment(&[&[transfer]])), code);
    }
}

#[test]
fn rejects_chains_that_do_not_hold_together() {
    let mut scene = scene();
    let blind = hash::h32("test/blind", &[]);
    let blank = scene.raw.blank(&mut scene.bank, CAP);
    let note = scene.note(50);
    let first =
        scene.raw.spend(&note, Input::Issued, &made(&[(50, blank.owner(&blind)), (0, ELSEWHERE)]), Context([1; 32]));
    let good = [(30, scene.tag(0)), (20, ELSEWHERE)];
    let received = |index, blind| Input::Received { previous: first.id(), index, blind };
    let second = |scene: &Scene, input, outputs: &[(u64, OwnerTag)]| {
        scene.raw.spend(&blank, input, &made(outputs), scene.request.context())
    };
    let cases = [
        (second(&scene, received(2, blind), &good), "broken-link"),
        (second(&scene, received(1, blind), &good), "wrong-owner"),
        (second(&scene, received(0, [9; 32]), &good), "wrong-owner"),
        (second(&scene, Input::Issued, &good), "wrong-kind"),
        (second(&scene, received(0, blind), &[(30, scene.tag(0)), (21, ELSEWHERE)]), "wrong-amount"),
    ];
    for (transfer, code) in cases {
        assert_eq!(scene.refusal(&payment(&[&[first, transfer]])), code);
    }
    let whole = second(&scene, received(0, blind), &good);
    assert_eq!(scene.refusal(&payment(&[&[whole]])), "broken-link");
    assert_eq!(scene.refusal(&payment(&[&[first, first]])), "unknown-request");
    let other = scene.note(50);
    let over = scene.spend(&other, &[(31, scene.tag(0)), (20, ELSEWHERE)]);
    assert_eq!(scene.refusal(&payment(&[&[over]])), "wrong-amount");
    scene.ben.receive(&payment(&[&[first, whole]])).unwrap();
}

#[test]
fn rejects_more_than_a_blank_may_own() {
    let mut scene = scene();
    let blind = [7; 32];
    let small = scene.raw.blank(&mut scene.bank, SMALL_CAP);
    let note = scene.note(500);
    let first =
        scene.raw.spend(&note, Input::Issued, &made(&[(400, small.owner(&blind)), (100, ELSEWHERE)]), Context([1; 32]));
    let input = Input::Received { previous: first.id(), index: 0, blind };
    let second =
        scene.raw.spend(&small, input, &made(&[(30, scene.tag(0)), (370, ELSEWHERE)]), scene.request.context());
    assert_eq!(scene.refusal(&payment(&[&[first, second]])), "over-cap");
}

#[test]
fn rejects_more_than_its_own_blank_may_own() {
    let mut bank = Bank::new();
    let mut ben = Device::new(&mut bank, "ben");
    let class_id = bank.class_of(Kind::Blank, SMALL_CAP).id();
    ben.withdraw_items(&mut bank, &[Item { class_id, count: 4 }]).unwrap();
    assert_eq!(ben.request(SMALL_CAP + 1).unwrap_err(), Halt::Refused("no-blank"));
    let (_, request) = ben.request(30).unwrap();
    let request = Request::decode(&request).unwrap();
    let mut scene = Scene { bank, ben, raw: Raw::new("mallory"), request };
    let note = scene.note(200);
    let over = scene.spend(&note, &[(SMALL_CAP + 1, scene.tag(0)), (99, ELSEWHERE)]);
    assert_eq!(scene.refusal(&payment(&[&[over]])), "over-cap");
}

#[test]
fn rejects_one_hop_too_many() {
    let mut scene = scene();
    let note = scene.note(50);
    let mut transfers: Vec<Transfer> = Vec::new();
    let (mut shown, mut input) = (note, Input::Issued);
    for hop in 0..MAX_HOPS {
        let blank = scene.raw.blank(&mut scene.bank, CAP);
        let blind = [hop; 32];
        let outputs = made(&[(50, blank.owner(&blind)), (0, ELSEWHERE)]);
        let transfer = scene.raw.spend(&shown, input, &outputs, Context([hop; 32]));
        input = Input::Received { previous: transfer.id(), index: 0, blind };
        transfers.push(transfer);
        shown = blank;
    }
    let outputs = made(&[(30, scene.tag(0)), (20, ELSEWHERE)]);
    transfers.push(scene.raw.spend(&shown, input, &outputs, scene.request.context()));
    assert_eq!(scene.refusal(&payment(&[&transfers])), "too-many-hops");
}

#[test]
fn rejects_revoked_notes_and_keeps_its_own_for_the_bank() {
    let mut scene = scene();
    let (note, other) = (scene.note(50), scene.note(50));
    let before = scene.raw.pay(&other, &scene.request);
    scene.ben.receive(&before).unwrap();
    let mut ledger = Ledger::of(&scene.bank);
    ledger.sign(NOW, &[note.id, other.id]);
    ledger.tell(&mut scene.ben).unwrap();
    for _ in 0..2 {
        assert_eq!((scene.ben.spendable(), scene.ben.balance().redeem_only), (0, amount(30)));
        scene.ben.reload();
    }
    let (_, request) = scene.ben.request(30).unwrap();
    scene.request = Request::decode(&request).unwrap();
    let revoked = scene.raw.pay(&note, &scene.request);
    assert_eq!(scene.refusal(&revoked), "revoked");
}

#[test]
fn keeps_evidence_of_a_note_spent_twice_with_it() {
    let mut scene = scene();
    let note = scene.note(50);
    let first = scene.raw.pay(&note, &scene.request);
    scene.ben.receive(&first).unwrap();
    let (_, request) = scene.ben.request(20).unwrap();
    let request = Request::decode(&request).unwrap();
    let second = scene.raw.pay(&note, &request);
    scene.ben.reload();
    let step = scene.ben.wallet.receive(&second, Route::Payer, at(NOW)).unwrap();
    let Reception::DoubleSpend { note_id, evidence } = scene.ben.commit(step).unwrap() else { panic!("accepted") };
    assert_eq!(note_id, note.id);
    let culprit = Evidence::decode(&evidence).unwrap().verify_vartime(&scene.bank.generators).unwrap();
    assert_eq!(culprit.note_id, note.id);
    assert_eq!(scene.ben.total(), 30);
    scene.ben.reload();
    assert_eq!(scene.ben.wallet.evidence().collect::<Vec<_>>(), [evidence.as_slice()]);
}

#[test]
fn keeps_evidence_of_a_note_spent_twice_in_one_payment() {
    let mut scene = scene();
    let note = scene.note(20);
    let first = scene.spend(&note, &[(20, scene.tag(0)), (0, ELSEWHERE)]);
    let second = scene.spend(&note, &[(10, scene.tag(1)), (10, ELSEWHERE)]);
    let halt = scene.ben.receive(&payment(&[&[first], &[second]])).unwrap_err();
    assert_eq!(halt, Halt::Refused("double-spend"));
    assert_eq!((scene.ben.total(), scene.ben.wallet.evidence().count()), (0, 1));
}

#[test]
fn two_outputs_of_one_transfer_are_no_double_spend() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[100], 4);
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let mut cora = holding(&mut bank, "cora", &[], 16);
    let settings = specie_wallet::settings::Settings { spend_change_offline: true, ..anna.wallet.settings() };
    let step = anna.wallet.change_settings(settings);
    anna.commit(step).unwrap();
    hand_over(&mut anna, &mut ben, 60).unwrap();
    hand_over(&mut anna, &mut ben, 30).unwrap();
    // Both come of one note, by the same first transfer.
    let payment = hand_over(&mut ben, &mut cora, 90).unwrap();
    assert_eq!(specie_core::payment::Payment::decode(&payment).unwrap().chains().count(), 2);
    assert_eq!((cora.total(), ben.total(), anna.total()), (90, 0, 10));
    // What went through the change has used up its hops.
    let balance = cora.wallet.balance(xts(), at(NOW));
    assert_eq!((balance.received, balance.redeem_only), (amount(60), amount(30)));
}

#[test]
fn a_cloned_element_is_named_by_whom_it_pays_twice() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let identity = specie_element::client::identity(&mut anna.port).unwrap();
    let identity = specie_core::enrolment::Certificate::decode(identity.as_bytes()).unwrap().body.U;
    let image = anna.image();
    let payments = [10, 20].map(|minor| {
        let (_, request) = ben.request(minor).unwrap();
        image.boot().pay(&request).unwrap()
    });
    ben.receive(&payments[0]).unwrap();
    assert_eq!(ben.receive(&payments[1]).unwrap_err(), Halt::Refused("double-spend"));
    let evidence = Evidence::decode(ben.wallet.evidence().next().unwrap()).unwrap();
    assert_eq!(evidence.verify_vartime(&bank.generators).unwrap().U, identity);
}
