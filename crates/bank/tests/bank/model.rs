//! Random histories of honest and dishonest devices, against a model that only adds and subtracts.

use std::collections::{BTreeMap, BTreeSet};

use specie_bank::redemption::{Redeemed, Refusal};
use specie_bank::storage::{Storage, StorageError};
use specie_core::bytes::{NoteId, TransferId};
use specie_core::class::Kind;

use crate::world::{Asset, DAY, Device, Held, START, World, account, amount, at, context};

/// A bank in a few maps: what was shown and what was paid, nothing else.
#[derive(Default)]
struct Model {
    issued: u64,
    paid: u64,
    loss: u64,
    expired: u64,
    roots: BTreeMap<NoteId, u64>,
    shown: BTreeMap<NoteId, TransferId>,
    twice: BTreeSet<NoteId>,
    done: BTreeMap<TransferId, u64>,
}

/// An asset with its issued note.
#[derive(Clone)]
struct Owned {
    asset: Asset,
    root: NoteId,
    face: u64,
    /// Names of the notes shown so far, for the model.
    names: Vec<(NoteId, TransferId)>,
    hops: usize,
}

struct History {
    world: World,
    devices: Vec<Device>,
    blanks: Vec<Vec<Held>>,
    assets: Vec<Owned>,
    model: Model,
}

impl Model {
    fn show(&mut self, note: NoteId, transfer: TransferId) -> bool {
        let first = *self.shown.entry(note).or_insert(transfer);
        if first != transfer {
            self.twice.insert(note);
        }
        first == transfer
    }

    /// What the bank should say to a redemption.
    fn redeem(&mut self, owned: &Owned, redeeming: TransferId) -> Option<u64> {
        if let Some(paid) = self.done.get(&redeeming) {
            return Some(*paid);
        }
        for (note, transfer) in &owned.names {
            self.show(*note, *transfer);
        }
        if !self.show(owned.asset.held.id, redeeming) {
            return None;
        }
        let value = owned.asset.value.minor();
        let root = self.roots.entry(owned.root).or_insert(0);
        let from_class = value.min(owned.face - *root);
        *root += from_class;
        self.paid += from_class;
        self.loss += value - from_class;
        self.done.insert(redeeming, value);
        Some(value)
    }
}

impl History {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let devices: Vec<_> = ["alpha", "beta", "alpha"].into_iter().map(|psp| world.device(psp)).collect();
        let blank = world.class(Kind::Blank, 1_000).id();
        let blanks = devices.iter().map(|device| world.withdraw(device, &[(blank, 40)]).unwrap()).collect();
        Self { world, devices, blanks, assets: Vec::new(), model: Model::default() }
    }

    fn step(&mut self) {
        match self.world.random.below(10) {
            0..=2 => self.withdraw(),
            3..=6 => self.pay(),
            7 | 8 => self.redeem(),
            _ => self.world.restart(),
        }
        self.compare();
    }

    fn withdraw(&mut self) {
        let device = self.devices[self.world.random.below(self.devices.len())].clone();
        let struck_off = self.world.transact(|tx| tx.device(&device.identity)).unwrap().unwrap().struck_off.is_some();
        let face = [10, 20, 50, 100][self.world.random.below(4)];
        let class = self.world.class(Kind::Value, face).id();
        let issued = self.world.withdraw(&device, &[(class, 1)]);
        assert_eq!(issued.is_err(), struck_off);
        let Ok(mut issued) = issued else { return };
        self.model.issued += face;
        let held = issued.remove(0);
        let root = held.id;
        let input = specie_core::transfer::Input::Issued;
        let asset = Asset { chain: Vec::new(), input, held, value: amount(face) };
        self.assets.push(Owned { asset, root, face, names: Vec::new(), hops: 0 });
    }

    /// Somebody pays, and one time in four keeps what was spent, to spend it again.
    fn pay(&mut self) {
        if self.assets.is_empty() {
            return;
        }
        let index = self.world.random.below(self.assets.len());
        let owned = self.assets[index].clone();
        if owned.hops == 4 || owned.asset.value.minor() < 2 {
            return;
        }
        let mut tags = Vec::new();
        for _ in 0..2 {
            let device = self.world.random.below(self.devices.len());
            let Some(blank) = self.blanks[device].pop() else { return };
            tags.push(self.world.tag(blank));
        }
        let value = owned.asset.value.minor();
        let first = 1 + self.world.random.below(value as usize - 1) as u64;
        let byte = self.world.random.bytes()[0];
        let paid = owned.asset.pay(&[(first, &tags[0]), (value - first, &tags[1])], context(byte));
        let mut names = owned.names.clone();
        names.push((owned.asset.held.id, paid[0].chain.last().unwrap().id()));
        for asset in paid {
            self.assets.push(Owned { asset, names: names.clone(), hops: owned.hops + 1, ..owned.clone() });
        }
        if self.world.random.below(4) != 0 {
            self.assets.swap_remove(index);
        }
    }

    /// A batch of redemptions, among them repeats and things that were spent.
    fn redeem(&mut self) {
        if self.assets.is_empty() {
            return;
        }
        let to = account(["alpha", "beta"][self.world.random.below(2)], "somebody");
        let count = 1 + self.world.random.below(4);
        let chosen: Vec<_> =
            (0..count).map(|_| self.assets[self.world.random.below(self.assets.len())].clone()).collect();
        let chains: Vec<_> = chosen.iter().map(|owned| owned.asset.redeem(to)).collect();
        let results = self.world.redeem(to, &chains).unwrap();
        for (owned, result) in chosen.iter().zip(results) {
            let redeeming = owned.asset.held.show(owned.asset.input, &[], to.context()).id();
            let expected = match self.model.redeem(owned, redeeming) {
                Some(value) => Redeemed::Credited(amount(value)),
                None => Redeemed::Refused(Refusal::DoubleSpent),
            };
            assert_eq!(result, expected);
        }
    }

    /// The database says what the model says.
    fn compare(&self) {
        self.world.assert_conserved();
        let conservation = self.world.conservation();
        let sum = |part: fn(&specie_bank::conservation::ClassLine) -> u128| {
            conservation.classes.iter().map(part).sum::<u128>()
        };
        assert_eq!(sum(|line| line.issued), self.model.issued.into());
        assert_eq!(sum(|line| line.redeemed), self.model.paid.into());
        assert_eq!(sum(|line| line.expired), self.model.expired.into());
        assert_eq!(conservation.fraud_loss, self.model.loss.into());
        let (found, alarms) = self
            .world
            .bank()
            .storage()
            .read(|view| Ok::<_, StorageError>((view.double_spends_after(0, 9_999)?, view.alarm_count()?)))
            .unwrap();
        assert_eq!(found.iter().map(|one| one.note_id).collect::<BTreeSet<_>>(), self.model.twice);
        // Only those who did it, and each device that did.
        assert!(found.iter().all(|one| self.devices.iter().any(|device| one.culprit == Some(device.identity))));
        assert_eq!(alarms, 0);
    }

    /// When all is over, everything issued was redeemed or has expired.
    fn end(mut self) {
        self.world.now = at(START + 180 * DAY + 1);
        self.world.bank().sweep(self.world.now).unwrap();
        self.world.assert_conserved();
        let conservation = self.world.conservation();
        assert!(conservation.classes.iter().all(|line| line.ledger == 0));
        let books: i128 = ["alpha", "beta"].iter().map(|psp| i128::from(self.world.reserve(psp))).sum();
        let expired = i128::from(self.world.balance("expired"));
        let loss = i128::try_from(conservation.fraud_loss).unwrap();
        assert_eq!(books + expired, 2_000_000 + loss);
    }
}

#[test]
fn random_histories_agree_with_the_model() {
    for seed in 1_000..1_006 {
        let mut history = History::new(seed);
        for _ in 0..60 {
            history.step();
        }
        assert!(history.model.issued > 0 && history.model.paid > 0, "seed {seed} did nothing");
        history.end();
    }
}
