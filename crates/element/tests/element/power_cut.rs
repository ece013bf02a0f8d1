//! The power is cut at every flash operation of every command, clean and torn, or the flash fails there. Afterwards the
//! element is as it was before, or as after the command; never answered but not journalled; and the command sent again
//! does what it would have done.
//!
//! On a chip, [`Sample`] picks some of these cuts; there, torn also means half of a page erased, word by word.

use specie_core::limits::LimitsBody;
use specie_core::mandate::MandateBody;
use specie_core::transfer::Preimage;
use specie_core::{Amount, Timestamp};
use specie_element::client::{self, ElementError, Keys, Wipe};
use specie_element::instruction::LifeCycle;
use specie_element::sim::Cut;
use specie_element::status::StatusWord;

use crate::mandates;
use crate::model::{Model, Op, Payment, Record};
use crate::sample::Sample;
use crate::support::*;

/// Cuts and failures that are tried for each command on a chip.
const TRIED: usize = 2;

/// More reads than any power-up takes.
const READS: u64 = 1_000;

/// What happens to the flash.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// The power is cut.
    Cut(Cut),
    /// One operation fails.
    Fails(Cut),
    /// From one operation on, all fail.
    Dies(Cut),
}

impl Trouble {
    const ALL: [Self; 4] =
        [Self::Cut(Cut::Clean), Self::Cut(Cut::Torn), Self::Fails(Cut::Torn), Self::Dies(Cut::Clean)];

    fn plan(self, flash: &mut Flash, after: u64) {
        match self {
            Self::Cut(cut) => flash.cut_power_after(after, cut),
            Self::Fails(cut) => flash.fail_after(after, cut, false),
            Self::Dies(cut) => flash.fail_after(after, cut, true),
        }
    }
}

/// What stays the same while the flash is cut again and again.
struct Scene {
    world: World,
    keys: Keys,
    coins: Vec<Coin>,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let (mut element, _, coins) = world.withdrawn();
        let keys = keys_of(&mut element);
        Self { world, keys, coins }
    }

    fn preimage(&self, payment: &Payment) -> Preimage {
        let own = payment.own.iter().map(|(blank, amount)| self.coins[*blank as usize].output(*amount, 1));
        let left = (payment.leaves > 0).then(|| stranger(payment.leaves, 1));
        let outputs: Vec<_> = left.into_iter().chain(own).collect();
        self.coins[payment.index as usize].preimage(&outputs, payment.context)
    }

    fn spend(&self, element: &mut TestElement, payment: &Payment) -> Result<Vec<u8>, StatusWord> {
        let first = u8::from(payment.leaves > 0);
        let own: Vec<_> =
            payment.own.iter().zip(first..).map(|((blank, _), at)| self.coins[*blank as usize].own(at, 1)).collect();
        let (coin, preimage) = (&self.coins[payment.index as usize], self.preimage(payment));
        let z3 = match payment.mandated_at {
            None => coin.spend(element, &preimage, &own),
            Some(now) => coin.spend_mandated(element, &preimage, &own, now),
        };
        status_of(z3.map(|z3| z3.to_vec()))
    }

    /// Carries out one command. The answer tells what the host learns.
    fn run(&self, element: &mut TestElement, op: &Op) -> Result<Vec<u8>, StatusWord> {
        let done = |()| Vec::new();
        match op {
            Op::Generate => {
                status_of(client::generate(element).map(|keys| [keys.identity, keys.authentication].concat()))
            }
            Op::Personalise => {
                let certificate = self.world.certify(self.world.certificate(&self.keys));
                let root = self.world.root.public().0;
                status_of(client::personalise(element, &root, &PUK, &certificate).map(done))
            }
            Op::Verify(pin) => status_of(client::verify(element, pin).map(done)),
            Op::ChangePin(old, new) => status_of(client::change_pin(element, old, new).map(done)),
            Op::Unblock(puk, new) => status_of(client::unblock(element, (*puk).try_into().unwrap(), new).map(done)),
            Op::Manifest { sequence, issued_at } => {
                status_of(self.world.manifest(*sequence, *issued_at).load(element).map(done))
            }
            Op::Limits { sequence, issued_at, max_payment, max_cumulative } => {
                let held = status_of(client::status(element))?.manifest_sequence;
                let body = LimitsBody {
                    issued_at: Timestamp::new(*issued_at).unwrap(),
                    max_payment: Amount::new(*max_payment).unwrap(),
                    max_cumulative: Amount::new(*max_cumulative).unwrap(),
                    ..self.world.limits(&self.keys, *sequence)
                };
                let manifest = self.world.manifest(held, ISSUED_AT);
                status_of(self.world.set_limits(element, &manifest, body).map(done))
            }
            Op::Mandate { sequence, max_per_period, max_total } => {
                let mandate = MandateBody {
                    max_per_period: Amount::new(*max_per_period).unwrap(),
                    max_total: Amount::new(*max_total).unwrap(),
                    ..mandates::body(&self.keys, *sequence)
                };
                status_of(mandates::give(element, &mandate).map(done))
            }
            Op::Nonces { expected, count } => {
                status_of(client::nonces(element, *expected, *count).map(|nonces| nonces.commitments().concat()))
            }
            Op::Register(index) => status_of(self.coins[*index as usize].register(element).map(|id| id.to_vec())),
            Op::OwnerTag(index, amount) => {
                status_of(client::owner_tag(element, *index, &[1; 32], *amount).map(|tag| tag.to_vec()))
            }
            Op::Release(index) => status_of(client::release(element, *index).map(done)),
            Op::Spend(payment) => self.spend(element, payment),
            Op::Forget(index) => status_of(client::forget(element, *index).map(done)),
            Op::Totals(nonce) => status_of(client::totals(element, &[*nonce; 32]).map(|totals| {
                let status = client::status(element).unwrap_or_else(|error| panic!("STATUS after TOTALS: {error}"));
                let said = (totals.limits_sequence, totals.held.total, totals.spent.total);
                assert_eq!(said, (status.limits_sequence, status.held, status.spent));
                [&totals.held.commitment[..], &totals.spent.commitment, &totals.signature].concat()
            })),
            Op::Wipe { even_so } => {
                status_of(client::wipe(element, if *even_so { Wipe::EvenSo } else { Wipe::IfEmpty }).map(done))
            }
        }
    }

    /// Powers the flash up and brings the element's volatile state to where a command may be sent.
    fn prepare(&self, flash: Flash, model: &Model) -> TestElement {
        let mut element = power_up(flash);
        if let Some(pin) = model.pin
            && model.status.pin_tries_left != Some(0)
        {
            client::verify(&mut element, pin).unwrap();
        }
        if model.status.life_cycle == LifeCycle::Personalised && model.status.manifest_sequence > 0 {
            let manifest = self.world.manifest(model.status.manifest_sequence, ISSUED_AT);
            self.world.load_classes(&mut element, &manifest);
        }
        element
    }

    /// Whether the element is in the state of `model`, by its own account and by what it does.
    fn is_in(&self, flash: &Flash, model: &Model) -> bool {
        let mut element = power_up(flash.clone());
        if client::status(&mut element).unwrap() != model.status {
            return false;
        }
        if model.status.life_cycle != LifeCycle::Personalised {
            return true;
        }
        if client::mandate_use(&mut element).unwrap() != model.used {
            return false;
        }
        let mut indices = 0..model.status.next_index;
        let records = indices.all(|index| {
            let released = match client::release(&mut element, index) {
                Ok(()) => None,
                Err(error) => error.status(),
            };
            released
                == match model.records.get(&index) {
                    Some(Record::Blank { holds: 0, .. }) => None,
                    Some(Record::Blank { .. }) => Some(StatusWord::WRONG_STATE),
                    Some(Record::Value) => Some(StatusWord::WRONG_DATA),
                    Some(Record::Spent(_)) => Some(StatusWord::ALREADY_SPENT),
                    Some(Record::Open) | None => Some(StatusWord::UNKNOWN_INDEX),
                }
        });
        let puk_left = refusal(client::unblock(&mut element, b"00000000", b"0000"));
        let pin = match model.pin {
            Some(_) if model.status.pin_tries_left == Some(0) => true,
            Some(pin) => client::verify(&mut element, pin).is_ok(),
            None => true,
        };
        records && pin && puk_left == StatusWord::wrong_pin(model.puk_tries - 1)
    }

    /// Cuts `op` at every operation; answers the flash after the whole of it.
    fn exhaust(&self, flash: &Flash, model: &Model, op: &Op, step: usize, sample: &mut Sample) -> (Flash, Model) {
        let (states, expected) = model.apply(op);
        let after = states.last().unwrap();
        let mut element = self.prepare(flash.clone(), model);
        // What VERIFY has to write first belongs to the state before.
        let start = element.into_flash();
        element = self.prepare(start.clone(), model);
        let whole = self.run(&mut element, op);
        assert_eq!(whole.as_ref().err().copied().unwrap_or(StatusWord::DONE), expected, "step {step}: {op:?}");
        let finished = element.into_flash();
        assert!(self.is_in(&finished, after), "step {step}: {op:?} leads to another state than the model's {after:?}");
        // The PIN and the classes of this power-up have to stay, so the cut is planned before they are brought there.
        let preparation = self.prepare(start.clone(), model).into_flash().operations() - start.operations();
        let operations = finished.operations() - start.operations() - preparation;
        let cuts = Trouble::ALL.iter().flat_map(|trouble| (0..=operations).map(move |n| (*trouble, n)));
        for (trouble, n) in sample.of(cuts, TRIED) {
            let context = format!("step {step}: {op:?}, {trouble:?} at operation {n}");
            let mut flash = start.clone();
            trouble.plan(&mut flash, preparation + n);
            let mut element = self.prepare(flash, model);
            let answer = self.run(&mut element, op);
            let mut flash = element.into_flash();
            assert_eq!(flash.failures() > start.failures(), n < operations, "{context}");
            flash.power_up();
            if n == operations {
                assert_eq!(answer, whole, "{context}");
                continue;
            }
            let found = states.iter().find(|state| self.is_in(&flash, state));
            let found = found.or_else(|| self.is_in(&flash, model).then_some(model));
            let found = found.unwrap_or_else(|| panic!("{context}: neither before nor after"));
            if answer.is_ok() || answer.as_ref().err().is_some_and(|status| *status != StatusWord::FLASH_FAILED) {
                assert_eq!(answer, whole, "{context}");
                assert_eq!(found, after, "{context}: answered but not journalled");
            }
            self.check_again(flash, found, op, &whole, &context);
        }
        (finished, after.clone())
    }

    /// After the cut: the same command gives the same answer; and a note that was not spent can be spent otherwise.
    fn check_again(&self, flash: Flash, found: &Model, op: &Op, whole: &Result<Vec<u8>, StatusWord>, context: &str) {
        if let Op::Spend(payment) = op
            && whole.is_ok()
        {
            let other = Payment { context: payment.context + 1, ..payment.clone() };
            let mut element = self.prepare(flash.clone(), found);
            let spent = matches!(found.records.get(&payment.index), Some(Record::Spent(_)));
            let expected = if spent { Err(StatusWord::ALREADY_SPENT) } else { Ok(()) };
            assert_eq!(self.spend(&mut element, &other).map(drop), expected, "{context}: another preimage");
        }
        let (states, expected) = found.apply(op);
        // Personalising is answered once; whether it was done is told by SELECT.
        let done = matches!(op, Op::Personalise) && found.status.life_cycle == LifeCycle::Personalised;
        let mut element = self.prepare(flash, found);
        let again = self.run(&mut element, op);
        if done {
            assert_eq!(again, Err(StatusWord::WRONG_STATE), "{context}: again");
            return;
        }
        if matches!(op, Op::Verify(_) | Op::ChangePin(..) | Op::Unblock(..) | Op::Limits { .. } | Op::Manifest { .. })
            || matches!(op, Op::Mandate { .. })
        {
            // These may find that they were done, or that a try is gone.
            let seen = again.as_ref().err().copied().unwrap_or(StatusWord::DONE);
            assert!(seen == expected || again == *whole, "{context}: again {seen:?}");
            return;
        }
        assert_eq!(again, *whole, "{context}: again");
        assert!(self.is_in(&element.into_flash(), states.last().unwrap()), "{context}: again");
    }

    fn play(&self, ops: &[Op]) {
        let mut sample = Sample::new();
        let mut flash = flash();
        let mut model = Model::new();
        for (step, op) in ops.iter().enumerate() {
            (flash, model) = self.exhaust(&flash, &model, op, step, &mut sample);
        }
    }
}

fn status_of<T, E>(answer: Result<T, ElementError<E>>) -> Result<T, StatusWord> {
    answer.map_err(|error| error.status().expect("an answer of the right shape"))
}

fn payment(index: u32, leaves: u64, own: &[(u32, u64)], context: u8) -> Op {
    Op::Spend(Payment { index, leaves, own: own.to_vec(), context, mandated_at: None })
}

fn mandated(index: u32, leaves: u64, own: &[(u32, u64)], now: u64) -> Op {
    Op::Spend(Payment { index, leaves, own: own.to_vec(), context: 1, mandated_at: Some(now) })
}

/// From the factory to limits, nonces and registered notes.
fn beginning() -> Vec<Op> {
    let mut ops = vec![
        Op::Generate,
        Op::Generate,
        Op::Personalise,
        Op::Manifest { sequence: 1, issued_at: ISSUED_AT },
        Op::Limits { sequence: 1, issued_at: ISSUED_AT, max_payment: 600, max_cumulative: 900 },
        Op::Nonces { expected: 0, count: 8 },
        Op::Nonces { expected: 0, count: 8 },
        Op::Nonces { expected: 1, count: 8 },
    ];
    ops.extend((0..6).map(Op::Register));
    ops
}

#[test]
fn survives_power_cuts_from_the_factory_to_the_last_payment() {
    let mut ops = beginning();
    ops.extend([
        Op::OwnerTag(2, 700),
        Op::OwnerTag(2, 700),
        Op::OwnerTag(3, CAP + 1),
        Op::Release(2),
        Op::OwnerTag(2, 0),
        payment(0, 400, &[(2, 100)], 1),
        payment(0, 400, &[(2, 100)], 1),
        payment(0, 400, &[(2, 100)], 7),
        payment(1, 500, &[], 1),
        Op::Totals(1),
        payment(2, 60, &[(3, 30), (4, 10)], 1),
        Op::Forget(0),
        Op::Forget(0),
        Op::Forget(7),
        Op::Limits { sequence: 2, issued_at: ISSUED_AT + 5, max_payment: 10, max_cumulative: 10 },
        Op::Limits { sequence: 2, issued_at: ISSUED_AT + 5, max_payment: 11, max_cumulative: 10 },
        payment(3, 11, &[], 1),
        payment(3, 10, &[(5, 20)], 1),
        Op::Manifest { sequence: 2, issued_at: ISSUED_AT + 9 },
        Op::Manifest { sequence: 1, issued_at: ISSUED_AT },
        Op::Forget(3),
        Op::Totals(1),
        Op::Wipe { even_so: false },
        Op::Wipe { even_so: true },
        Op::Totals(1),
        Op::Wipe { even_so: false },
    ]);
    Scene::new().play(&ops);
}

#[test]
fn survives_power_cuts_while_a_pin_is_tried() {
    let mut ops = beginning();
    ops.extend([
        Op::ChangePin(b"", b"1234"),
        Op::Verify(b"1234"),
        Op::ChangePin(b"1234", b"5678"),
        payment(0, 400, &[(2, 100)], 1),
        Op::Unblock(&PUK, b"1111"),
        Op::Verify(b"1111"),
    ]);
    Scene::new().play(&ops);
}

#[test]
fn survives_power_cuts_under_a_mandate() {
    let later = ISSUED_AT + mandates::PERIOD;
    let mut ops = beginning();
    ops.extend([
        Op::ChangePin(b"", mandates::PIN),
        mandated(0, 400, &[(2, 100)], ISSUED_AT),
        Op::Mandate { sequence: 1, max_per_period: 500, max_total: 600 },
        Op::Mandate { sequence: 1, max_per_period: 500, max_total: 600 },
        mandated(0, 400, &[(2, 100)], ISSUED_AT),
        mandated(0, 400, &[(2, 100)], ISSUED_AT),
        mandated(1, 101, &[(3, 399)], ISSUED_AT),
        mandated(1, 201, &[(3, 299)], later),
        mandated(1, 200, &[(3, 300)], later),
        mandated(3, 1, &[], later + mandates::PERIOD),
        Op::Mandate { sequence: 2, max_per_period: 1, max_total: 1 },
        Op::Mandate { sequence: 1, max_per_period: 500, max_total: 600 },
        mandated(3, 1, &[(4, 299)], later),
        Op::Wipe { even_so: true },
    ]);
    Scene::new().play(&ops);
}

/// Cuts one after the other, also while the element mounts and cleans up after the cut before. Whenever a show is
/// answered in between, it is the same answer.
#[test]
fn survives_many_power_cuts_in_a_row() {
    let scene = Scene::new();
    let mut sample = Sample::new();
    for seed in sample.of(0..6u64, 1) {
        println!("seed {seed}");
        let mut random = seed;
        let mut below = move |end: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % end
        };
        let mut flash = flash();
        let mut model = Model::new();
        let mut ops = beginning();
        let rounds = sample.of(0..60, 10).len() as u64;
        ops.extend((0..rounds).map(|round| Op::OwnerTag(5, 1 + round % 2)));
        ops.extend([
            payment(0, 400, &[(2, 100)], 1),
            payment(1, 500, &[], 1),
            Op::Totals(2),
            payment(2, 0, &[(3, 50), (4, 40)], 1),
            Op::Wipe { even_so: true },
        ]);
        for op in ops {
            let mut answers = Vec::new();
            // The last time without a cut.
            for cuts_left in (0..=below(8)).rev() {
                if cuts_left > 0 {
                    flash.cut_power_after(below(90), if below(2) == 0 { Cut::Clean } else { Cut::Torn });
                }
                let mut element = power_up(flash);
                if model.status.manifest_sequence > 0 {
                    // Refused where the cut comes before, or the element was wiped already.
                    let manifest = scene.world.manifest(model.status.manifest_sequence, ISSUED_AT);
                    let _ = manifest.load_class(&mut element, VALUE);
                    let _ = manifest.load_class(&mut element, BLANK);
                }
                answers.extend(scene.run(&mut element, &op));
                flash = element.into_flash();
                flash.power_up();
            }
            let after = model.apply(&op).0.pop().unwrap();
            assert!(scene.is_in(&flash, &after), "seed {seed}, {op:?}");
            assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}, {op:?}");
            model = after;
        }
    }
}

/// An operation fails once: the element says so, or did it all the same, and does it when asked again, with no restart
/// between.
#[test]
fn goes_on_after_a_failure_without_a_restart() {
    let scene = Scene::new();
    let mut flash = flash();
    let mut model = Model::new();
    let mut ops = beginning();
    ops.extend([Op::OwnerTag(2, 700), payment(0, 400, &[(2, 100)], 1), Op::Forget(0), Op::Wipe { even_so: true }]);
    let mut sample = Sample::new();
    for op in ops {
        let preparation = scene.prepare(flash.clone(), &model).into_flash().operations() - flash.operations();
        let mut element = scene.prepare(flash.clone(), &model);
        let whole = scene.run(&mut element, &op);
        let finished = element.into_flash();
        let operations = finished.operations() - flash.operations() - preparation;
        for n in sample.of(0..=operations, TRIED) {
            let mut failing = flash.clone();
            failing.fail_after(preparation + n, Cut::Torn, false);
            let mut element = scene.prepare(failing, &model);
            let answer = scene.run(&mut element, &op);
            if answer != whole {
                assert_eq!(answer, Err(StatusWord::FLASH_FAILED), "{op:?}, failure at operation {n}");
                let again = scene.run(&mut element, &op);
                let done = matches!(op, Op::Personalise) && again == Err(StatusWord::WRONG_STATE);
                assert!(again == whole || done, "{op:?}, failure at operation {n}: then {again:?}");
            }
            assert_eq!(element.into_flash().failures() > 0, n < operations, "{op:?}, failure at operation {n}");
        }
        flash = finished;
        model = model.apply(&op).0.pop().unwrap();
    }
}

/// One read fails while the element starts, whichever it is: it starts anew before it does anything else, and neither
/// draws other keys nor miscounts what it holds.
#[test]
fn a_read_that_fails_at_power_up_leaves_nothing_half_read() {
    let world = World::new();
    let (mut element, _, _) = world.registered();
    let (keys, status) = (keys_of(&mut element), client::status(&mut element).unwrap());
    let flash = element.into_flash();
    let mut failing = flash.clone();
    failing.fail_read_after(READS);
    client::select(&mut power_up(failing)).unwrap();
    for n in Sample::new().of(0..READS, 20) {
        let mut failing = flash.clone();
        failing.fail_read_after(n);
        let mut element = power_up(failing);
        // SELECT reads nothing but what every power-up reads.
        let Err(first) = client::select(&mut element) else { continue };
        assert_eq!(first.status(), Some(StatusWord::FLASH_FAILED), "read {n}");
        assert_eq!(refusal(client::generate(&mut element)), StatusWord::WRONG_STATE, "read {n}");
        assert_eq!(client::status(&mut element).unwrap(), status, "read {n}");
        assert_eq!(keys_of(&mut element), keys, "read {n}");
    }
}

/// Wrong tries are used up whatever the power does: three cut tries leave none.
#[test]
fn a_power_cut_gives_no_try_back() {
    let world = World::new();
    let mut element = world.personalised();
    client::change_pin(&mut element, &[], b"1234").unwrap();
    let flash = element.into_flash();
    let wrong_try = |flash: Flash| {
        let mut element = power_up(flash);
        let told = client::verify(&mut element, b"0000").unwrap_err().status().unwrap();
        (told, element.into_flash())
    };
    let (told, finished) = wrong_try(flash.clone());
    assert_eq!(told, StatusWord::wrong_pin(2));
    let operations = finished.operations() - flash.operations();
    let cuts = [Cut::Clean, Cut::Torn].into_iter().flat_map(|cut| (0..operations).map(move |n| (cut, n)));
    for (cut, n) in Sample::new().of(cuts, 10) {
        let mut flash = flash.clone();
        flash.cut_power_after(n, cut);
        let (told, mut flash) = wrong_try(flash);
        assert!(flash.is_off());
        flash.power_up();
        let left = client::status(&mut power_up(flash)).unwrap().pin_tries_left.unwrap();
        assert!(left == 2 || told == StatusWord::FLASH_FAILED, "told before the try was used up, cut at {n}");
    }
}

/// Compaction in the middle of payments: the same, with a journal that has turned over many times.
#[test]
fn survives_power_cuts_while_the_journal_is_compacted() {
    let scene = Scene::new();
    let mut flash = flash();
    let mut model = Model::new();
    for op in beginning() {
        let mut element = scene.prepare(flash, &model);
        scene.run(&mut element, &op).ok();
        flash = element.into_flash();
        model = model.apply(&op).0.pop().unwrap();
    }
    let erased = flash.erases();
    let mut sample = Sample::new();
    let mut compactions = 0;
    for round in 0..200u64 {
        let op = Op::OwnerTag(2, 1 + round % 2);
        let mut element = power_up(flash.clone());
        scene.run(&mut element, &op).unwrap();
        let after = element.into_flash();
        if after.erases() != flash.erases() {
            compactions += 1;
            scene.exhaust(&flash, &model, &payment(0, 400, &[(2, 100)], 1), 1_000, &mut sample);
            scene.exhaust(&flash, &model, &op, 2_000, &mut sample);
        }
        flash = after;
        model = model.apply(&op).0.pop().unwrap();
    }
    assert!(compactions > 3 && flash.erases() > erased);
}
