//! What one person's devices may hold together: shares that move from device to device, documents kept back, what was withdrawn. Hosts are
//! hostile: they load a document whenever it serves them, and their elements are paid after their documents ran out.

use std::cell::RefCell;

use specie_core::encoding::Decode;
use specie_core::limits::{Limits, LimitsBody};
use specie_psp::document::DocumentError;
use specie_psp::totals::ShowError;
use specie_psp::withdrawal::WithdrawalError;
use specie_totals::TotalsError;

use crate::faults::{Cut, Fuse};
use crate::totals::say;
use crate::world::{DAY, DEPOSIT, TestDevice, TestPsp, World, amount, at, enrol_for, name};

/// How long documents count in the tests' tiers.
const VALID: u64 = 14 * DAY;
/// When what is withdrawn now cannot be redeemed any more.
const GONE: u64 = 60 * DAY + 1;

/// An element with a host that loads what it likes when it likes.
struct Element {
    device: TestDevice,
    loaded: Option<LimitsBody>,
    kept: Vec<LimitsBody>,
    holding: u64,
    spent: u64,
    /// What it let go since it was cut off.
    let_go: u64,
    has_blanks: bool,
}

thread_local! {
    /// Makes idempotency keys.
    static COUNT: RefCell<u64> = const { RefCell::new(0) };
}

fn key(what: &str) -> String {
    COUNT.with_borrow_mut(|count| {
        *count += 1;
        format!("{what}-{count:014}")
    })
}

impl Element {
    fn new(device: TestDevice) -> Self {
        Self { device, loaded: None, kept: Vec::new(), holding: 0, spent: 0, let_go: 0, has_blanks: false }
    }

    /// As LIMITS: newer than the one that it holds, whenever it runs out, and allowing what it holds.
    fn load(&mut self, document: LimitsBody) {
        let is_newer = self.loaded.is_none_or(|loaded| loaded.sequence < document.sequence);
        if is_newer && self.holding <= document.max_holding.minor() {
            (self.loaded, self.spent) = (Some(document), 0);
        }
    }

    fn load_all(&mut self) {
        self.kept.sort_by_key(|document| (document.sequence, u64::MAX - document.max_holding.minor()));
        for document in std::mem::take(&mut self.kept) {
            self.load(document);
        }
    }

    /// As OWNER TAG: to the limit, though it may have run out.
    fn is_paid(&mut self, most: u64) {
        let limit = self.loaded.map_or(0, |loaded| loaded.max_holding.minor());
        if self.has_blanks && limit > self.holding {
            self.holding += (limit - self.holding).min(most);
        }
    }

    /// As SPEND, all that it may in any number of payments.
    fn pay_all(&mut self, seconds: u64) {
        let Some(loaded) = self.loaded.filter(|loaded| loaded.valid_until >= at(seconds)) else { return };
        let free = loaded.max_cumulative.minor() - self.spent;
        (self.spent, self.let_go) = (self.spent + free, self.let_go + free);
    }

    fn sequence(&self) -> u64 {
        self.loaded.map_or(0, |loaded| loaded.sequence)
    }

    /// Shows its totals if its tier asks for them, or says which document it holds, and is given the next one, which its host keeps.
    fn synchronise(&mut self, psp: &TestPsp, seconds: u64) -> Result<LimitsBody, String> {
        let now = at(seconds);
        let asked = psp.setting(&self.device.key.public(), now).unwrap();
        let nonce =
            psp.totals_nonce(&self.device.asks(&key("n"), 1), &seed(), now).map_err(|error| error.to_string())?;
        let said = say(&self.device, &nonce.nonce, self.sequence(), self.holding, self.spent);
        let request = key("l");
        let request = self.device.asks(&request, 1);
        let document = match asked.setting.as_str() {
            "proofs" | "uploads" => {
                let opened = asked.setting.as_str() == "uploads";
                let bounds = self
                    .loaded
                    .map_or((8_000, 15_000), |loaded| (loaded.max_holding.minor(), loaded.max_cumulative.minor()));
                if self.holding > bounds.0 {
                    return Err("over its limits: nothing can be proven".into());
                }
                let shown = if opened { said.opened() } else { said.proof(&self.device, bounds.0, bounds.1) };
                psp.accept_totals(&self.device.asks(&key("t"), 1), &said.statement, &shown, now)
                    .map_err(|error| error.to_string())?;
                psp.limits(&request, now)
            }
            _ => psp.next_limits(&request, &said.statement, now),
        };
        let document = Limits::decode(&document.map_err(|error| error.to_string())?).unwrap().body;
        self.kept.push(document);
        Ok(document)
    }

    /// The same of an honest host: what comes is loaded.
    fn renew(&mut self, psp: &TestPsp, seconds: u64) -> Result<(u64, u64), String> {
        let document = self.synchronise(psp, seconds)?;
        self.kept.clear();
        self.load(document);
        Ok((document.max_cumulative.minor(), document.max_holding.minor()))
    }

    fn withdraw_blank(&mut self, world: &World, psp: &TestPsp, seconds: u64) -> Result<(), WithdrawalError> {
        psp.withdraw(&self.device.asks(&key("b"), 1), &[(world.blank, 1)], at(seconds))?;
        self.has_blanks = true;
        Ok(())
    }

    /// Withdraws coins of 100 and takes them.
    fn withdraw(&mut self, world: &World, psp: &TestPsp, coins: u64, seconds: u64) -> Result<(), WithdrawalError> {
        let id = self.open(world, psp, coins, seconds)?;
        self.take(psp, &id, coins, seconds);
        Ok(())
    }

    fn open(&self, world: &World, psp: &TestPsp, coins: u64, seconds: u64) -> Result<[u8; 16], WithdrawalError> {
        Ok(psp.withdraw(&self.device.asks(&key("w"), 1), &[(world.coin, coins)], at(seconds))?.0)
    }

    fn take(&mut self, psp: &TestPsp, id: &[u8; 16], coins: u64, seconds: u64) {
        let challenges = vec![[1; 32]; coins as usize];
        psp.challenge(&self.device.asks(&key("c"), 1), id, &challenges, at(seconds)).unwrap();
        psp.acknowledge(&self.device.asks(&key("a"), 1), id, at(seconds)).unwrap();
        self.holding += coins * 100;
    }
}

fn seed() -> [u8; 32] {
    specie_core::hash::h32("specie/v1/test", &[key("seed").as_bytes()])
}

/// Alice in a tier, with two devices.
fn two(tier: &str) -> (World, TestPsp, Element, Element) {
    let world = World::new();
    let psp = world.psp();
    psp.set_tier(&name("alice"), &name(tier), at(0)).unwrap();
    let (first, second) = (TestDevice { u: world.device.u, key: world.device.key.clone() }, TestDevice::new(51));
    world.enrol(&psp, &second, "enrol-2222222222").unwrap();
    (world, psp, Element::new(first), Element::new(second))
}

fn weigh(psp: &TestPsp, weights: &[(&Element, u32)], seconds: u64) {
    let weights: Vec<_> = weights.iter().map(|(element, weight)| (element.device.key.public(), *weight)).collect();
    psp.set_weights(&name("alice"), &weights, at(seconds)).unwrap();
}

fn is_shared<T: std::fmt::Debug>(result: Result<T, String>) {
    assert!(matches!(&result, Err(why) if why.contains("shared out")), "{result:?}");
}

/// The first holds all that a person may, and its document runs out.
fn full(world: &World, psp: &TestPsp, first: &mut Element, second: &Element) {
    weigh(psp, &[(second, 0)], 1);
    assert_eq!(first.renew(psp, 2), Ok((15_000, 8_000)));
    first.withdraw_blank(world, psp, 3).unwrap();
    first.is_paid(8_000);
    weigh(psp, &[(second, 1), (first, 0)], VALID + 3);
}

#[test]
fn a_share_that_moves_on_when_its_document_ran_out_is_free_when_nothing_is_held_by_it() {
    for tier in ["proofs", "uploads"] {
        let (world, psp, mut first, mut second) = two(tier);
        full(&world, &psp, &mut first, &second);
        is_shared(second.renew(&psp, VALID + 4));
        let Err(DocumentError::Shared { free_at }) = ask(&psp, &mut second, VALID + 5) else { panic!("{tier}") };
        assert_eq!(free_at, Some(at(GONE - 1)));
        // It is still paid by what it has, and what was held back serves nobody. A wrong clock of the PSP gives nothing away.
        is_shared(second.renew(&psp, 5));
        // When it comes back it is given a document that lets it hold nothing, and has to redeem before it can say so.
        for time in [6, 7] {
            assert_eq!(first.renew(&psp, VALID + time), Ok((0, 0)));
        }
        is_shared(second.renew(&psp, VALID + 8));
        first.holding = 0;
        assert_eq!(first.renew(&psp, VALID + 9), Ok((0, 0)));
        is_shared(second.renew(&psp, VALID + 10));
        first.renew(&psp, VALID + 11).unwrap_err();
        assert_eq!(second.renew(&psp, VALID + 12), Ok((15_000, 8_000)), "{tier}");
    }
}

/// What a device is refused, with the reason as it is.
fn ask(psp: &TestPsp, element: &mut Element, seconds: u64) -> Result<Vec<u8>, DocumentError> {
    let (device, now) = (&element.device, at(seconds));
    let nonce = psp.totals_nonce(&device.asks(&key("n"), 1), &seed(), now).unwrap().nonce;
    let said = say(device, &nonce, element.sequence(), element.holding, 0);
    let shown = if psp.setting(&device.key.public(), now).unwrap().setting.as_str() == "uploads" {
        said.opened()
    } else {
        said.proof(device, 8_000, 15_000)
    };
    psp.accept_totals(&device.asks(&key("t"), 1), &said.statement, &shown, now).unwrap();
    psp.limits(&device.asks(&key("l"), 1), now)
}

#[test]
fn one_that_does_not_come_back_counts_until_what_it_withdrew_is_worth_nothing() {
    let (world, psp, mut first, mut second) = two("proofs");
    full(&world, &psp, &mut first, &second);
    is_shared(second.renew(&psp, GONE - 1));
    // The blank was withdrawn at 3, of a class that is redeemed until day 60.
    assert_eq!(second.renew(&psp, GONE), Ok((15_000, 8_000)));
    second.withdraw_blank(&world, &psp, GONE).unwrap_err();
}

#[test]
fn what_lapsed_does_not_come_to_life_again_with_new_blanks() {
    let (world, psp, mut first, mut second) = two("proofs");
    weigh(&psp, &[(&second, 0)], 1);
    first.renew(&psp, 2).unwrap();
    weigh(&psp, &[(&second, 9), (&first, 1)], 3);
    // It withdrew nothing, so it can hold nothing, and the other gets its part.
    assert_eq!(second.renew(&psp, VALID + 3), Ok((13_500, 7_200)));
    second.withdraw_blank(&world, &psp, VALID + 4).unwrap();
    let refused = first.withdraw_blank(&world, &psp, VALID + 5);
    let Err(WithdrawalError::Shared { free_at }) = refused else { panic!("{refused:?}") };
    assert_eq!(free_at, at(60 * DAY));
    // Back in use: both have half, and neither more.
    weigh(&psp, &[(&second, 1), (&first, 1)], VALID + 6);
    assert_eq!(first.renew(&psp, VALID + 7), Ok((1_500, 800)));
    assert_eq!(second.renew(&psp, VALID + 8), Ok((7_500, 4_000)));
    assert_eq!(second.renew(&psp, VALID + 9), Ok((7_500, 4_000)));
    // Its element has not said yet that it holds this one, not the old one.
    assert!(matches!(first.withdraw_blank(&world, &psp, VALID + 10), Err(WithdrawalError::Shared { .. })));
    assert_eq!(first.renew(&psp, VALID + 11), Ok((7_500, 4_000)));
    first.withdraw_blank(&world, &psp, VALID + 12).unwrap();
}

/// The setting does not say what is held: the element does, by not taking limits below it.
#[test]
fn where_nothing_is_shown_a_share_is_free_when_the_element_takes_the_smaller_document() {
    let (world, psp, mut first, mut second) = two("basic");
    full(&world, &psp, &mut first, &second);
    is_shared(second.renew(&psp, VALID + 4));
    for time in 5..9 {
        assert_eq!(first.renew(&psp, VALID + time), Ok((0, 0)));
        is_shared(second.renew(&psp, VALID + time));
    }
    // One unit is too much.
    first.holding = 1;
    first.load_all();
    assert_eq!(first.renew(&psp, VALID + 10), Ok((0, 0)));
    is_shared(second.renew(&psp, VALID + 11));
    first.holding = 0;
    assert_eq!(first.renew(&psp, VALID + 12), Ok((0, 0)));
    assert_eq!(first.renew(&psp, VALID + 13), Ok((0, 0)));
    assert_eq!(second.renew(&psp, VALID + 14), Ok((15_000, 8_000)));
    // What had its share can hold nothing more, and pay nothing.
    first.is_paid(1);
    first.pay_all(VALID + 14);
    assert_eq!((first.holding, first.let_go), (0, 0));
}

#[test]
fn a_lost_device_counts_until_its_document_runs_out_and_again_when_it_is_found() {
    let (world, psp, mut first, mut second) = two("proofs");
    full(&world, &psp, &mut first, &second);
    psp.report_lost(&first.device.key.public(), at(VALID + 4)).unwrap();
    assert_eq!(second.renew(&psp, VALID + 5), Ok((15_000, 8_000)));
    second.withdraw_blank(&world, &psp, VALID + 5).unwrap();
    psp.report_found(&first.device.key.public(), &[9; 16], at(VALID + 6)).unwrap();
    // Both may hold everything now: neither gets blanks, and both get smaller documents.
    weigh(&psp, &[(&first, 1), (&second, 1)], VALID + 6);
    for element in [&mut first, &mut second] {
        let refused = element.withdraw_blank(&world, &psp, VALID + 7);
        assert!(matches!(refused, Err(WithdrawalError::Shared { .. })), "{refused:?}");
        assert_eq!(element.renew(&psp, VALID + 8).map(|granted| granted.1), Ok(4_000));
    }
    first.holding = 4_000;
    for _ in 0..2 {
        assert_eq!(first.renew(&psp, VALID + 9), Ok((0, 4_000)));
    }
    for element in [&mut second, &mut first] {
        assert_eq!(element.renew(&psp, VALID + 9), Ok((7_500, 4_000)));
    }
    second.withdraw_blank(&world, &psp, VALID + 10).unwrap();
}

#[test]
fn a_device_that_is_given_up_counts_for_its_owner_and_then_for_the_next() {
    let (world, psp, mut first, mut second) = two("proofs");
    psp.set_tier(&name("bob"), &name("proofs"), at(0)).unwrap();
    full(&world, &psp, &mut first, &second);
    let id = world.bank.state().batches.keys().next().copied().unwrap();
    let blank = &first.device;
    psp.challenge(&blank.asks(&key("c"), 1), &id, &[[1; 32]], at(5)).unwrap();
    psp.acknowledge(&blank.asks(&key("a"), 1), &id, at(5)).unwrap();
    psp.release_device(&first.device.key.public(), at(VALID + 4)).unwrap();
    is_shared(second.renew(&psp, VALID + 5));
    let fleet = psp.fleet(&name("alice"), at(VALID + 5)).unwrap();
    let shown = fleet.iter().find(|shown| shown.device.key == first.device.key.public()).unwrap();
    assert_eq!((shown.counts_as_holding, shown.holding_until), (amount(8_000), Some(at(GONE - 1))));
    let mut own = Element::new(TestDevice::new(60));
    enrol_for(&world, &psp, &name("bob"), &own.device, &key("e"), at(VALID + 5)).unwrap();
    enrol_for(&world, &psp, &name("bob"), &first.device, &key("e"), at(VALID + 6)).unwrap();
    assert_eq!(second.renew(&psp, VALID + 7), Ok((15_000, 8_000)));
    is_shared(own.renew(&psp, VALID + 8));
    // Half of it is the new owner's, when it is redeemed down to that.
    assert_eq!(first.renew(&psp, VALID + 9), Ok((7_500, 4_000)));
    is_shared(own.renew(&psp, VALID + 10));
    first.holding = 4_000;
    for time in [11, 12] {
        assert_eq!(first.renew(&psp, VALID + time), Ok((7_500, 4_000)));
    }
    assert_eq!(own.renew(&psp, VALID + 13), Ok((7_500, 4_000)));
}

#[test]
fn what_is_withdrawn_counts_as_held_until_the_element_says_which_document_it_holds() {
    for tier in ["basic", "proofs"] {
        let (world, psp, mut first, mut second) = two(tier);
        weigh(&psp, &[(&second, 3)], 0);
        assert_eq!(first.renew(&psp, 1), Ok((3_750, 2_000)));
        let refused = |result: Result<(), WithdrawalError>, left: u64| {
            let why = matches!(&result, Err(WithdrawalError::Holding { allowed, .. }) if *allowed == amount(left));
            assert!(why, "{tier}: {result:?}");
        };
        first.withdraw(&world, &psp, 12, 2).unwrap();
        refused(first.withdraw(&world, &psp, 9, DAY + 3), 800);
        // What was said before a withdrawal says nothing of it.
        let nonce = psp.totals_nonce(&first.device.asks(&key("n"), 1), &seed(), at(DAY + 4)).unwrap().nonce;
        let early = say(&first.device, &nonce, 1, 0, 0);
        let id = first.open(&world, &psp, 8, DAY + 4).unwrap();
        let proof = early.proof(&first.device, 2_000, 3_750);
        if tier == "proofs" {
            let late = psp.accept_totals(&first.device.asks(&key("t"), 1), &early.statement, &proof, at(DAY + 5));
            assert!(matches!(late, Err(ShowError::Nonce)), "{late:?}");
        } else {
            let late = psp.next_limits(&first.device.asks(&key("l"), 1), &early.statement, at(DAY + 5));
            assert!(matches!(late, Err(DocumentError::Nonce)), "{late:?}");
        }
        // Neither does what is said before it is taken.
        first.renew(&psp, DAY + 6).unwrap();
        refused(first.withdraw(&world, &psp, 1, DAY + 7), 0);
        first.take(&psp, &id, 8, DAY + 8);
        assert_eq!(first.holding, 2_000);
        first.renew(&psp, 3 * DAY).unwrap();
        first.withdraw(&world, &psp, 10, 3 * DAY + 2).unwrap();
        // Whoever holds more than it may can prove nothing until it redeems.
        if tier == "proofs" {
            assert!(first.renew(&psp, 3 * DAY + 3).is_err());
        }
        // A cancelled one counts for nothing.
        first.holding = 0;
        first.renew(&psp, 5 * DAY).unwrap();
        let id = first.open(&world, &psp, 19, 5 * DAY).unwrap();
        refused(first.withdraw(&world, &psp, 2, 6 * DAY + 1), 100);
        psp.cancel(&first.device.asks(&key("c"), 1), &id, at(6 * DAY + 2)).unwrap();
        first.withdraw(&world, &psp, 20, 6 * DAY + 3).unwrap();
        // The other's share is its own all the while.
        assert_eq!(second.renew(&psp, 6 * DAY), Ok((11_250, 6_000)), "{tier}");
    }
}

/// A device without a document that withdraws holds something too.
#[test]
fn what_is_withdrawn_without_a_document_is_not_the_others_as_well() {
    let (world, psp, mut first, mut second) = two("basic");
    weigh(&psp, &[(&second, 0)], 0);
    first.withdraw(&world, &psp, 20, 1).unwrap();
    weigh(&psp, &[(&second, 1), (&first, 0)], 2);
    assert_eq!(second.renew(&psp, 3), Ok((15_000, 6_000)));
}

#[test]
fn whatever_changes_to_and_fro_a_device_that_is_cut_off_lets_go_one_document_more() {
    let (_world, psp, mut first, second) = two("standard");
    first.renew(&psp, 1).unwrap();
    let mut seconds = 2;
    for round in 0..6 {
        let tier = ["basic", "standard"][round % 2];
        psp.set_tier(&name("alice"), &name(tier), at(seconds)).unwrap();
        for weight in [0, 1, 3, 1, 0] {
            weigh(&psp, &[(&second, weight)], seconds);
            let document = first.synchronise(&psp, seconds).unwrap();
            assert_eq!(document.sequence, 2, "{round} {weight}");
            // The PSP's clock goes to and fro as well.
            seconds = if weight == 3 { seconds - 2 } else { seconds + 2 };
        }
    }
    let documents = std::mem::take(&mut first.kept);
    assert!(documents.len() >= 30);
    first.pay_all(seconds);
    for document in documents.into_iter().rev() {
        first.load(document);
        first.pay_all(seconds);
    }
    assert!(first.let_go <= 75_000 + 150_000, "{}", first.let_go);
}

#[test]
fn a_crash_between_signing_and_answering_gives_no_second_document() {
    for cut in [Cut::Before, Cut::After] {
        for step in 0.. {
            let (world, psp, mut first, second) = two("basic");
            first.renew(&psp, 1).unwrap();
            let fuse = Fuse::new(step, cut);
            let broken = first.synchronise(&world.psp_with(&fuse), 2);
            if !fuse.is_broken() {
                assert_eq!(broken.unwrap().sequence, 2);
                break;
            }
            weigh(&psp, &[(&second, 0)], 3);
            let document = first.synchronise(&psp, 4).unwrap();
            assert_eq!((document.sequence, document.max_holding), (2, amount(8_000)), "{cut:?} {step}");
            // The other gets what neither the lost one nor this one may hold.
            is_shared(Element::new(TestDevice { u: second.device.u, key: second.device.key.clone() }).renew(&psp, 5));
        }
    }
}

/// A document of a number is one of those that were signed under it: totals hold under that one.
#[test]
fn totals_are_compared_with_each_document_that_may_be_held() {
    let (_world, psp, mut first, second) = two("proofs");
    let older = first.synchronise(&psp, 1).unwrap();
    weigh(&psp, &[(&second, 0)], 2);
    let newer = first.synchronise(&psp, 3).unwrap();
    assert_eq!((older.sequence, newer.sequence), (1, 1));
    assert_eq!((older.max_holding, newer.max_holding), (amount(4_000), amount(8_000)));
    first.load(older);
    first.holding = 4_000;
    assert_eq!(first.synchronise(&psp, 4).unwrap().sequence, 2);
    // None of them allowed this.
    first.holding = 4_001;
    let nonce = psp.totals_nonce(&first.device.asks(&key("n"), 1), &seed(), at(5)).unwrap().nonce;
    let over = say(&first.device, &nonce, 1, 8_001, 0);
    let result = psp.accept_totals(
        &first.device.asks(&key("t"), 1),
        &over.statement,
        &over.proof(&first.device, 9_000, 15_000),
        at(5),
    );
    assert!(matches!(result, Err(ShowError::Totals(TotalsError::Proof))), "{result:?}");
}

/// Hostile hosts and elements that keep to their rules, in random histories of everything that moves shares.
#[test]
fn no_history_has_all_devices_together_hold_more_than_the_person_may() {
    for seed in 0..32_u64 {
        let tier = if seed % 2 == 0 { "uploads" } else { "basic" };
        println!("seed {seed}, tier {tier}");
        let (world, psp, first, second) = two(tier);
        let mut elements = [first, second];
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut now = 0;
        for _ in 0..150 {
            now += 1 + draw(4 * DAY);
            if now > 29 * DAY {
                // The coins' and blanks' class is spent until day 30: a new one in its time.
                break;
            }
            let element = &mut elements[draw(2) as usize];
            match draw(9) {
                0 => weigh_one(&psp, element, draw(3) as u32, now),
                1 => element.load_all(),
                2 | 3 => element.is_paid(1 + draw(8_000)),
                4 => element.holding -= draw(element.holding + 1),
                5 => drop(element.withdraw_blank(&world, &psp, now)),
                6 => drop(element.renew(&psp, now)),
                _ => drop(element.synchronise(&psp, now)),
            }
            let held: u64 = elements.iter().map(|element| element.holding).sum();
            assert!(held <= 8_000, "seed {seed}: {held} at {now}");
        }
    }
}

fn weigh_one(psp: &TestPsp, element: &Element, weight: u32, seconds: u64) {
    drop(psp.set_weights(&name("alice"), &[(element.device.key.public(), weight)], at(seconds)));
}

#[test]
fn an_honest_person_with_one_device_is_never_stopped() {
    for tiers in [["basic", "basic"], ["basic", "standard"], ["proofs", "standard"], ["uploads", "uploads"]] {
        let world = World::new();
        let psp = world.psp();
        psp.deposit(&name("alice"), amount(10 * DEPOSIT), "more", at(0)).unwrap();
        let mut element = Element::new(TestDevice { u: world.device.u, key: world.device.key.clone() });
        for day in 0..28 {
            let tier = tiers[day as usize / 4 % 2];
            let seconds = day * DAY + 1;
            psp.set_tier(&name("alice"), &name(tier), at(seconds)).unwrap();
            // It paid and redeemed down to what the smallest tier lets it hold.
            element.holding = element.holding.min(3_000);
            let granted = element.renew(&psp, seconds).unwrap();
            let all = if tier == "standard" { (150_000, 80_000) } else { (15_000, 8_000) };
            assert_eq!(granted, all, "{tiers:?} {day}");
            element.withdraw(&world, &psp, 2, seconds).unwrap();
            element
                .withdraw_blank(&world, &psp, seconds)
                .or_else(|error| match error {
                    WithdrawalError::Ration { .. } => Ok(()),
                    error => Err(error),
                })
                .unwrap();
        }
    }
}

#[test]
fn so_many_different_documents_of_one_number_and_no_more() {
    let (_world, psp, mut first, second) = two("basic");
    for weight in 1..=16 {
        weigh(&psp, &[(&second, weight)], 1);
        assert_eq!(first.synchronise(&psp, 2).unwrap().sequence, 1);
    }
    weigh(&psp, &[(&second, 17)], 3);
    let why = first.synchronise(&psp, 4).unwrap_err();
    assert!(why.contains("16 different limits"), "{why}");
    // Whichever it loads, it says so and goes on.
    let document = first.kept[7];
    first.load(document);
    assert_eq!(first.synchronise(&psp, 5).unwrap().sequence, 2);
}
