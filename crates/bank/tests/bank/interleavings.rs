//! Two operations on the same notes, transaction by transaction, in every order with few changes of turn: nothing is paid
//! twice, nothing that was accepted is lost, and the books hold.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};

use specie_bank::Bank;
use specie_bank::redemption::{Redeemed, Refusal};
use specie_bank::signer::KeyRing;
use specie_bank::storage::{Storage, StorageError, Tx, View};
use specie_store::AnyDatabase;
use specie_store::bank::BankStore;

use crate::restitutions::{Lost, lost};
use crate::world::{DAY, START, World, account, amount, at, context};

const LAST: u64 = START + 180 * DAY;

/// Whose turn it is.
struct Gate {
    turns: Mutex<Turns>,
    changed: Condvar,
}

struct Turns {
    /// Those to come, the last one first. After them the first actor goes on to its end, then the other.
    left: Vec<usize>,
    done: [bool; 2],
    taken: [usize; 2],
}

/// A storage whose transactions wait for their turns.
struct InTurn {
    store: BankStore<AnyDatabase>,
    actor: usize,
    gate: Arc<Gate>,
}

impl Gate {
    fn new(mut turns: Vec<usize>) -> Arc<Self> {
        turns.reverse();
        let turns = Mutex::new(Turns { left: turns, done: [false; 2], taken: [0; 2] });
        Arc::new(Self { turns, changed: Condvar::new() })
    }

    fn take_turn<T>(&self, actor: usize, work: impl FnOnce() -> T) -> T {
        let mut turns = self.turns.lock().unwrap();
        while turns.next() != actor {
            turns = self.changed.wait(turns).unwrap();
        }
        // The other waits while this one has the lock.
        let done = work();
        turns.left.pop();
        turns.taken[actor] += 1;
        self.changed.notify_all();
        done
    }

    fn leave(&self, actor: usize) {
        self.turns.lock().unwrap().done[actor] = true;
        self.changed.notify_all();
    }
}

impl Turns {
    fn next(&mut self) -> usize {
        while self.left.last().is_some_and(|actor| self.done[*actor]) {
            self.left.pop();
        }
        self.left.last().copied().unwrap_or(usize::from(self.done[0]))
    }
}

impl Storage for InTurn {
    fn transact<T, E: From<StorageError>>(&self, work: impl FnMut(&mut dyn Tx) -> Result<T, E>) -> Result<T, E> {
        self.gate.take_turn(self.actor, || self.store.transact(work))
    }

    fn read<T, E: From<StorageError>>(&self, work: impl FnMut(&mut dyn View) -> Result<T, E>) -> Result<T, E> {
        self.gate.take_turn(self.actor, || self.store.read(work))
    }
}

type BankInTurn = Bank<InTurn, KeyRing>;

/// Leaves the turns to the other, after a panic too.
struct Leaving {
    actor: usize,
    gate: Arc<Gate>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.gate.leave(self.actor);
    }
}

/// Runs two operations, each on a bank of its own, in these turns; gives what they answer, and how many turns each took, of
/// which the first opened the bank.
fn interleave<A: Send, B: Send>(
    world: &World,
    turns: Vec<usize>,
    one: &(impl Fn(&BankInTurn) -> A + Sync),
    other: &(impl Fn(&BankInTurn) -> B + Sync),
) -> (A, B, [usize; 2]) {
    let gate = Gate::new(turns);
    let bank = |actor| {
        let store = InTurn { store: BankStore(world.database()), actor, gate: Arc::clone(&gate) };
        Bank::open(store, world.keys()).unwrap()
    };
    let leaving = |actor| Leaving { actor, gate: Arc::clone(&gate) };
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| {
            let _leaving = leaving(0);
            one(&bank(0))
        });
        let other = scope.spawn(|| {
            let _leaving = leaving(1);
            other(&bank(1))
        });
        (one.join().unwrap(), other.join().unwrap())
    });
    let taken = gate.turns.lock().unwrap().taken;
    (one, other, taken)
}

/// Runs two operations in all orders in which the turn changes at most four times: on files in all of them, on a server in some,
/// where the world cannot be copied. `check` gets what was answered, the world, and whether the first one had
/// `accepted` turns before the other did anything.
fn in_every_order<A: Send, B: Send>(
    make: impl Fn() -> World,
    accepted: usize,
    one: impl Fn(&BankInTurn) -> A + Sync,
    other: impl Fn(&BankInTurn) -> B + Sync,
    check: impl Fn(A, B, &World, bool),
) {
    let original = make();
    let again = || if specie_testbed::on_server() { make() } else { original.copy() };
    let (_, _, taken) = interleave(&again(), Vec::new(), &one, &other);
    println!("turns: {taken:?}");
    assert!(taken[0] >= accepted);
    let mut seen = BTreeSet::new();
    for first in 0..=taken[0] {
        for second in 0..=taken[1] {
            for third in 0..=taken[0] - first {
                let turns = [vec![0; first], vec![1; second], vec![0; third], vec![1; 99]].concat();
                if !seen.insert(turns.clone()) || (specie_testbed::on_server() && (first + second + third) % 7 != 3) {
                    continue;
                }
                let world = again();
                let (a, b, _) = interleave(&world, turns, &one, &other);
                println!("{first} {second} {third}");
                world.assert_conserved();
                assert_eq!(world.transact(|tx| tx.redemptions_after(None, 9)).unwrap(), []);
                check(a, b, &world, first >= accepted);
            }
        }
    }
}

/// Turns of a redemption until it is accepted: opening, checking, accepting.
const ACCEPTED: usize = 3;

fn redeem(bank: &BankInTurn, chain: &[u8], psp: &str, seconds: u64) -> Redeemed {
    let checked = bank.check_redemption(account(psp, "bob"), &[chain], at(seconds), &[1; 32]).unwrap();
    bank.redeem(&checked, at(seconds)).unwrap().remove(0)
}

/// Redeems at the last moment what a sweep settles a second later: 60 of beta's money is paid there, or `otherwise` holds.
fn against_the_sweep(make: impl Fn() -> (World, Vec<u8>), minor: u64, otherwise: impl Fn(&World)) {
    let chain = make().1;
    in_every_order(
        || make().0,
        ACCEPTED,
        |bank| redeem(bank, &chain, "beta", LAST),
        |bank| bank.sweep(at(LAST + 1)).map(drop).unwrap(),
        |redeemed, (), world, accepted| {
            assert_eq!((world.balance("fraud-loss"), world.alarms()), (0, 0));
            if redeemed == Redeemed::Credited(amount(minor)) {
                assert_eq!(world.reserve("beta"), 1_000_000 + minor);
            } else {
                assert!(!accepted, "accepted in time, and {redeemed:?}");
                assert_eq!(redeemed, Redeemed::Refused(Refusal::Lapsed));
                assert_eq!(world.reserve("beta"), 1_000_000);
                otherwise(world);
            }
        },
    );
}

#[test]
fn a_redemption_and_the_sweep_of_the_leftover() {
    let make = || {
        let mut world = World::new(80);
        let (alice, bob) = (world.device("alpha"), world.device("beta"));
        let (tag, change) = (world.tags(&bob, 1).remove(0), world.tags(&alice, 1).remove(0));
        let outputs = world.note(&alice, 100).pay(&[(60, &tag), (40, &change)], context(1));
        world.redeem_asset(&outputs[1], account("alpha", "alice"));
        (world, outputs[0].redeem(account("beta", "bob")))
    };
    against_the_sweep(make, 60, |world| assert_eq!(world.reserve("alpha"), 1_000_000));
}

#[test]
fn a_redemption_and_the_sweep_of_a_claim_on_the_output() {
    let make = || {
        let Lost { mut world, device, .. } = lost(81);
        let payer = world.device("alpha");
        let (tag, change) = (world.tags(&device, 1).remove(0), world.tags(&payer, 1).remove(0));
        let outputs = world.note(&payer, 100).pay(&[(60, &tag), (40, &change)], context(1));
        let mut lost = Lost { note: outputs[0].clone(), world, device };
        lost.claimed(&outputs[0]);
        (lost.world, outputs[0].redeem(account("beta", "bob")))
    };
    // The lost device has a note of 100 as well, which nobody claimed.
    against_the_sweep(make, 60, |world| assert_eq!(world.reserve("alpha"), 1_000_000 - 200 + 60));
}

#[test]
fn a_redemption_and_the_sweep_of_a_claim_on_the_note() {
    let make = || {
        let mut lost = lost(82);
        let note = lost.note.clone();
        lost.claimed(&note);
        (lost.world, note.redeem(account("beta", "bob")))
    };
    against_the_sweep(make, 100, |world| assert_eq!(world.reserve("alpha"), 1_000_000));
}

#[test]
fn a_redemption_and_the_end_of_the_class() {
    let make = || {
        let Lost { world, note, .. } = lost(83);
        (world, note.redeem(account("beta", "bob")))
    };
    against_the_sweep(make, 100, |world| assert_eq!(world.balance("expired"), 100));
}

#[test]
fn a_redemption_and_the_same_one() {
    let make = || lost(84);
    let chain = make().note.redeem(account("beta", "bob"));
    let redeemed = |bank: &BankInTurn| redeem(bank, &chain, "beta", LAST);
    in_every_order(
        || make().world,
        ACCEPTED,
        redeemed,
        redeemed,
        |one, other, world, _| {
            assert_eq!((one, other), (Redeemed::Credited(amount(100)), Redeemed::Credited(amount(100))));
            assert_eq!((world.reserve("beta"), world.balance("fraud-loss")), (1_000_100, 0));
        },
    );
}

#[test]
fn both_payees_of_a_note_spent_twice() {
    let make = || {
        let mut world = World::new(85);
        let (culprit, honest) = (world.device("alpha"), world.device("beta"));
        let note = world.note(&culprit, 100);
        let tags = world.tags(&honest, 2);
        let to = account("beta", "bob");
        let paid = |tag: usize| note.pay(&[(100, &tags[tag])], context(tag as u8)).remove(0).redeem(to);
        let chains = [paid(0), paid(1)];
        (world, chains)
    };
    let (_, [first, second]) = make();
    in_every_order(
        || make().0,
        ACCEPTED,
        |bank| redeem(bank, &first, "beta", LAST),
        |bank| redeem(bank, &second, "beta", LAST),
        |one, other, world, _| {
            assert_eq!((one, other), (Redeemed::Credited(amount(100)), Redeemed::Credited(amount(100))));
            assert_eq!((world.reserve("beta"), world.balance("fraud-loss")), (1_000_200, -100));
            assert_eq!((world.transact(|tx| tx.double_spend_sequence()).unwrap(), world.alarms()), (1, 0));
        },
    );
}
