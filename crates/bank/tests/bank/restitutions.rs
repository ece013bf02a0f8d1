//! What a lost device held and nobody redeems goes to its owner, once, whatever the finder does meanwhile.

use specie_bank::device::DeviceError;
use specie_bank::payout::Destination;
use specie_bank::redemption::{Redeemed, Refusal as NotRedeemed};
use specie_bank::restitution::{Refusal, RestitutionError, RestitutionRecord, RestitutionState, claims_of, give_up};
use specie_bank::storage::Storage;
use specie_bank::sweep::Swept;
use specie_core::chain::ChainError;

use crate::world::{Asset, DAY, Device, START, World, account, amount, at, context};

const LAST: u64 = START + 180 * DAY;
const LATE: u64 = LAST + 1;

type Answer = Result<Vec<Result<RestitutionRecord, Refusal>>, RestitutionError>;

/// A device that was lost with one note of 100.
pub(crate) struct Lost {
    pub(crate) world: World,
    pub(crate) device: Device,
    pub(crate) note: Asset,
}

pub(crate) fn lost(seed: u64) -> Lost {
    let mut world = World::new(seed);
    let device = world.device("alpha");
    let note = world.note(&device, 100);
    Lost { world, device, note }
}

pub(crate) fn home() -> Destination {
    account("alpha", "owner")
}

impl Lost {
    fn claim_for(&mut self, device: &Device, to: Destination, holdings: &[Vec<u8>]) -> Answer {
        let (seed, now) = (self.world.random.bytes(), self.world.now);
        let checked = self.world.bank().check_restitution(&device.identity, to, holdings, now, &seed)?;
        self.world.transact(|tx| self.world.bank().claim(tx, &checked, now))
    }

    pub(crate) fn claim(&mut self, to: Destination, holdings: &[Vec<u8>]) -> Vec<Result<RestitutionRecord, Refusal>> {
        self.claim_for(&self.device.clone(), to, holdings).unwrap()
    }

    #[track_caller]
    pub(crate) fn claimed(&mut self, asset: &Asset) -> RestitutionRecord {
        self.claim(home(), &[asset.holding()]).remove(0).unwrap()
    }

    #[track_caller]
    fn refused(&mut self, asset: &Asset) -> Refusal {
        self.claim(home(), &[asset.holding()]).remove(0).unwrap_err()
    }

    pub(crate) fn sweep(&mut self, seconds: u64) -> Swept {
        self.world.restart();
        self.world.now = at(seconds);
        let swept = self.world.bank().sweep(at(seconds)).unwrap();
        self.world.assert_conserved();
        swept
    }

    fn states(&self) -> Vec<RestitutionState> {
        let read = self.world.bank().storage().read(|view| claims_of(view, &self.device.psp, &self.device.identity));
        read.unwrap().into_iter().map(|claim| claim.state).collect()
    }

    /// (paid for lost devices, expired) by the sweep after the deadline; a second one does nothing.
    #[track_caller]
    pub(crate) fn settled(&mut self) -> (u64, u64) {
        let swept = self.sweep(LATE);
        assert_eq!(self.sweep(LATE + DAY), Swept::default());
        (swept.restitutions.minor(), swept.expired.minor())
    }
}

#[test]
fn what_nobody_redeems_comes_back_once() {
    let mut lost = lost(200);
    let note = lost.note.clone();
    let claim = lost.claimed(&note);
    assert_eq!((claim.amount, claim.deadline, claim.state), (amount(100), at(LAST), RestitutionState::Open));
    // Again, and through another process: the same claim.
    assert_eq!(lost.claimed(&note), claim);
    lost.world.restart();
    assert_eq!(lost.claimed(&note), claim);
    assert_eq!(lost.sweep(LAST), Swept::default(), "not on the last day");
    assert_eq!(lost.settled(), (100, 0));
    assert_eq!((lost.states(), lost.world.reserve("alpha")), (vec![RestitutionState::Paid], 1_000_000));
    let credits = lost.world.transact(|tx| tx.credits_after(&crate::world::name("alpha"), 0, 9)).unwrap();
    assert_eq!((credits.len(), credits[0].account.as_str(), credits[0].amount), (1, "owner", amount(100)));
    // Neither the finder nor a late repeat gets anything after that, whatever their clocks say.
    lost.world.now = at(START);
    let redeemed = lost.world.redeem_asset(&note, account("beta", "finder"));
    assert_eq!(redeemed, Redeemed::Refused(NotRedeemed::Lapsed));
    assert_eq!(lost.claimed(&note).state, RestitutionState::Paid);
    assert_eq!(lost.sweep(LATE).restitutions, amount(0));
    assert_eq!(lost.world.reserve("alpha"), 1_000_000);
}

#[test]
fn a_clock_behind_redeems_nothing_that_was_paid_back() {
    let mut lost = lost(201);
    let (note, other) = (lost.note.clone(), lost.world.device("beta"));
    lost.claimed(&note);
    // Claims were paid, and the process died before it closed the class.
    let claim = lost.world.transact(|tx| tx.due_restitutions(at(LATE), 9)).unwrap().remove(0);
    let tag = lost.world.tags(&other, 1).remove(0);
    let paid = note.pay(&[(100, &tag)], context(1)).remove(0);
    assert!(lost.world.transact(|tx| tx.settle_restitution_if_open(&claim.note_id, RestitutionState::Paid)).unwrap());
    for asset in [&note, &paid] {
        let redeemed = lost.world.redeem_asset(asset, account("beta", "finder"));
        assert_eq!(redeemed, Redeemed::Refused(NotRedeemed::Lapsed));
    }
    let (seed, now) = (lost.world.random.bytes(), lost.world.now);
    let checked = lost.world.bank().check_payment(&paid.payment(), now, &seed).unwrap();
    assert!(lost.world.transact(|tx| lost.world.bank().keep_payment(tx, &checked, now)).is_err());
}

#[test]
fn whoever_redeems_in_time_is_paid_and_the_claim_is_void() {
    for (seed, finder_first) in [(202, true), (203, false)] {
        let mut lost = lost(seed);
        let note = lost.note.clone();
        if !finder_first {
            lost.claimed(&note);
        }
        // On the last day.
        lost.world.now = at(LAST);
        let redeemed = lost.world.redeem_asset(&note, account("beta", "finder"));
        assert_eq!(redeemed, Redeemed::Credited(amount(100)));
        if finder_first {
            assert_eq!(lost.refused(&note), Refusal::Shown);
        } else {
            assert_eq!(lost.states(), [RestitutionState::Void], "the owner is told before the deadline");
        }
        assert_eq!(lost.settled(), (0, 0));
        assert_eq!(lost.world.reserve("beta"), 1_000_100);
    }
}

#[test]
fn what_the_finder_pays_with_is_not_paid_back_even_if_the_payee_never_comes() {
    let mut lost = lost(204);
    let (note, bob) = (lost.note.clone(), lost.world.device("beta"));
    lost.claimed(&note);
    let (tags, own) = (lost.world.tags(&bob, 1), lost.world.tags(&lost.device.clone(), 1));
    let paid = note.pay(&[(60, &tags[0]), (40, &own[0])], context(1));
    let redeemed = lost.world.redeem_asset(&paid[0], account("beta", "bob"));
    assert_eq!(redeemed, Redeemed::Credited(amount(60)));
    assert_eq!(lost.settled(), (0, 40));
}

#[test]
fn no_other_device_account_or_psp_gets_it() {
    let mut lost = lost(205);
    let note = lost.note.clone();
    let thief = lost.world.device("alpha");
    let answer = lost.claim_for(&thief, account("alpha", "thief"), &[note.holding()]).unwrap().remove(0);
    assert_eq!(answer, Err(Refusal::NotIssued));
    // Another PSP cannot speak for the device at all.
    let device = lost.device.clone();
    let answer = lost.claim_for(&device, account("beta", "thief"), &[note.holding()]);
    assert!(matches!(answer, Err(RestitutionError::Device(DeviceError::Unregistered))));
    lost.claimed(&note);
    let answer = lost.claim(account("alpha", "other"), &[note.holding()]).remove(0);
    assert_eq!(answer, Err(Refusal::Claimed));
    assert_eq!(lost.settled(), (100, 0));
}

#[test]
fn damaged_strange_and_late_holdings_are_refused_and_the_others_claimed() {
    let mut lost = lost(206);
    let (device, note) = (lost.device.clone(), lost.note.clone());
    let blank = lost.world.tags(&device, 1).remove(0).blank;
    let free = Asset { held: blank, ..note.clone() };
    let forged = lost.world.forge(100);
    let mut damaged = note.holding();
    let last = damaged.len() - 40;
    damaged[last] ^= 1;
    let holdings = [b"nothing".to_vec(), free.holding(), forged.holding(), damaged, note.holding()];
    let answers: Vec<_> = lost.claim(home(), &holdings).into_iter().map(Result::err).collect();
    let kind = Refusal::Chain(ChainError::WrongKind);
    assert_eq!(
        answers,
        [Some(Refusal::Malformed), Some(kind), Some(Refusal::NotIssued), Some(Refusal::NotIssued), None]
    );
    let nothing: [Vec<u8>; 0] = [];
    assert!(matches!(lost.claim_for(&device, home(), &nothing), Err(RestitutionError::Size)));
    let other = lost.world.note(&device, 100);
    lost.world.now = at(LATE);
    let class = other.held.class.id();
    assert_eq!(lost.refused(&other), Refusal::Chain(ChainError::Expired(class)));
    assert_eq!(lost.settled(), (100, 100));
    // The class is closed, and a clock behind changes nothing.
    lost.world.now = at(START);
    assert_eq!(lost.refused(&other), Refusal::Lapsed);
}

#[test]
fn a_device_that_was_found_keeps_its_money_and_may_be_lost_again() {
    let mut lost = lost(207);
    let note = lost.note.clone();
    lost.claimed(&note);
    let (psp, identity) = (lost.device.psp, lost.device.identity);
    assert_eq!(lost.world.transact(|tx| give_up(tx, &psp, &identity, at(START))).unwrap(), 1);
    assert_eq!(lost.world.transact(|tx| give_up(tx, &psp, &identity, at(START))).unwrap(), 0);
    assert!(lost.states().is_empty());
    let answer = lost.claim(account("alpha", "savings"), &[note.holding()]).remove(0);
    assert_eq!(answer.unwrap().to, account("alpha", "savings"));
    assert_eq!(lost.settled(), (100, 0));
    // What was paid cannot be given up.
    assert_eq!(lost.world.transact(|tx| give_up(tx, &psp, &identity, at(START))).unwrap(), 0);
    assert_eq!(lost.states(), [RestitutionState::Paid]);
}

#[test]
fn what_was_received_comes_back_instead_of_falling_to_the_payer() {
    let mut lost = lost(208);
    let payer = lost.world.device("beta");
    let (own, change) = (lost.world.tags(&lost.device.clone(), 2), lost.world.tags(&payer, 1).remove(0));
    let received = lost.world.note(&payer, 100).pay(&[(50, &own[0]), (10, &own[1]), (40, &change)], context(1));
    let claim = lost.claimed(&received[0]);
    assert_eq!((claim.amount, claim.output), (amount(50), Some((received[0].chain[0].id(), 0))));
    // The finder redeems the other output; the payer its change, and would get what is left over.
    let redeemed = lost.world.redeem_asset(&received[1], account("beta", "finder"));
    assert_eq!(redeemed, Redeemed::Credited(amount(10)));
    assert_eq!(lost.refused(&received[1]), Refusal::Shown);
    assert_eq!(lost.world.redeem_asset(&received[2], account("beta", "payer")), Redeemed::Credited(amount(40)));
    let swept = lost.sweep(LATE);
    assert_eq!((swept.restitutions, swept.leftovers, swept.expired), (amount(50), amount(0), amount(100)));
    // Too late for the finder, by any clock.
    lost.world.now = at(START);
    let redeemed = lost.world.redeem_asset(&received[0], account("beta", "finder"));
    assert_eq!(redeemed, Redeemed::Refused(NotRedeemed::Lapsed));
    lost.world.assert_conserved();
}

#[test]
fn outputs_are_claimed_by_the_blank_that_owns_them() {
    let mut lost = lost(209);
    let payer = lost.world.device("beta");
    let (device, payers) = (lost.device.clone(), lost.world.tags(&payer, 1).remove(0));
    let own = lost.world.tags(&device, 2);
    let outputs = lost.world.note(&payer, 100).pay(&[(50, &own[0]), (50, &payers)], context(1));
    let swapped = Asset { held: own[1].blank.clone(), ..outputs[0].clone() };
    assert_eq!(lost.refused(&swapped), Refusal::Chain(ChainError::WrongOwner));
    let strangers = Asset { held: own[0].blank.clone(), ..outputs[1].clone() };
    assert_eq!(lost.refused(&strangers), Refusal::Chain(ChainError::WrongOwner));
    assert_eq!(lost.refused(&outputs[1]), Refusal::NotIssued);
    let mut cut = outputs[0].clone();
    cut.chain[0].show.z3 += specie_core::group::Scalar::ONE;
    assert_eq!(lost.refused(&cut).code(), "forged");
    // A blank that was paid twice owns one output: the other falls to its payer.
    let other = lost.world.note(&payer, 100).pay(&[(30, &own[0]), (70, &payers)], context(2));
    lost.claimed(&outputs[0]);
    assert_eq!(lost.refused(&other[0]), Refusal::Claimed);
}

#[test]
fn the_owner_of_claimed_change_gets_what_payees_left_over() {
    let mut lost = lost(210);
    let bob = lost.world.device("beta");
    let (tag, change) = (lost.world.tags(&bob, 1).remove(0), lost.world.tags(&lost.device.clone(), 1).remove(0));
    // Paid exactly before it was lost: the change of nothing names who gets what Bob never redeems.
    let outputs = lost.note.pay(&[(100, &tag), (0, &change)], context(1));
    assert_eq!(lost.claimed(&outputs[1]).amount, amount(0));
    let swept = lost.sweep(LATE);
    assert_eq!((swept.restitutions, swept.leftovers, swept.expired), (amount(0), amount(100), amount(0)));
    assert_eq!(lost.world.reserve("alpha"), 1_000_000);
}

#[test]
fn a_finder_that_breaks_the_element_takes_what_it_spends_and_no_more() {
    let mut lost = lost(211);
    let (device, bob) = (lost.device.clone(), lost.world.device("beta"));
    let (tags, own) = (lost.world.tags(&bob, 2), lost.world.tags(&device, 1).remove(0));
    let other = lost.world.note(&device, 200);
    // Change of the owner's own payment, a note that nobody touches, and one that the finder spends a second time.
    let outputs = lost.note.pay(&[(60, &tags[0]), (40, &own)], context(1));
    lost.claimed(&other);
    lost.claimed(&outputs[1]);
    let again = lost.note.pay(&[(100, &tags[1])], context(2)).remove(0);
    assert_eq!(lost.world.redeem_asset(&again, account("beta", "bob")), Redeemed::Credited(amount(100)));
    // The device is struck off; what was not shown is its owner's all the same, also when it is claimed only now.
    let late = lost.world.transact(|tx| tx.device(&device.identity)).unwrap().unwrap();
    assert!(late.struck_off.is_some());
    lost.claimed(&other);
    // The bank pays no share of the note that was spent twice to the device that did it.
    assert_eq!(lost.states(), [RestitutionState::Void, RestitutionState::Open]);
    assert_eq!(lost.settled(), (200, 0));
    assert_eq!((lost.world.balance("fraud-loss"), lost.world.reserve("beta")), (0, 1_000_100));
}
