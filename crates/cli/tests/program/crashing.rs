//! Wallets, elements and servers are killed at random moments; in the end every cent is where it should be.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::world::World;

/// How often something is done and cut off.
const ROUNDS: usize = 30;
const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// SplitMix64: the same seed, the same story, as far as the clock allows.
struct Chance(u64);

impl Chance {
    /// From `SPECIE_SEED`, or from the clock; printed, to be used again.
    fn seeded() -> Self {
        let given = std::env::var("SPECIE_SEED").ok().and_then(|seed| seed.parse().ok());
        let clock = || u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos());
        let seed = given.unwrap_or_else(clock);
        println!("SPECIE_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn moment(&mut self, milliseconds: u64) -> Duration {
        Duration::from_micros(self.below(milliseconds * 1_000))
    }

    fn person(&mut self) -> &'static str {
        PEOPLE[usize::try_from(self.below(3)).unwrap()]
    }
}

struct Story {
    world: World,
    chance: Chance,
    /// Commands that were cut off before they were done.
    cuts: usize,
}

#[test]
fn nothing_is_lost_or_paid_twice_whoever_is_killed_when() {
    let chance = Chance::seeded();
    let world = World::new();
    for person in PEOPLE {
        world.person(person, "100");
    }
    for person in ["alice", "bob"] {
        world.json(&["device", "withdraw", person, "30"]);
    }
    let mut story = Story { world, chance, cuts: 0 };
    for round in 0..ROUNDS {
        match story.chance.below(10) {
            0..=5 => story.pay(round),
            6 | 7 => story.synchronise(),
            8 => story.withdraw(),
            _ => story.kill_a_server(),
        }
    }
    println!("{} of the commands were cut off before they were done", story.cuts);
    assert!(story.cuts > 0, "the story was not cut once");
    story.settle();
}

impl Story {
    fn cut(&mut self, arguments: &[&str], milliseconds: u64) {
        let patience = self.chance.moment(milliseconds);
        if !self.world.cut(arguments, patience) {
            self.cuts += 1;
        }
    }

    /// One person pays another; wallets and elements die on the way, messages are lost.
    fn pay(&mut self, round: usize) {
        let (payer, payee) = (self.chance.person(), self.chance.person());
        if payer == payee {
            return;
        }
        let name = |what: &str| format!("{round}.{what}");
        let (request, payment, receipt) = (name("request"), name("payment"), name("receipt"));
        let amount = format!("{}.{:02}", self.chance.below(3), 1 + self.chance.below(99));
        let asked = self.world.run(&["--json", "device", "request", payee, &amount, "--out", &request]);
        if asked.status != 0 {
            // No blank is left until the next synchronisation.
            assert!(asked.stderr.contains("no-blank"), "{asked:?}");
            return;
        }
        let pay = ["device", "pay", payer, &request, "--yes", "--out", &payment];
        self.cut(&pay, 25);
        let paid = self.world.run(&[&["--json"], &pay[..]].concat());
        if paid.status != 0 {
            // Not enough money at hand: nothing is under way, so the request may go.
            let code = paid.json()["error"]["code"].as_str().unwrap().to_owned();
            let fitting = ["not-enough-money", "change-kept", "no-blank", "too-many-notes", "redeem-only"];
            assert!(fitting.contains(&code.as_str()), "{paid:?}");
            let id = asked.json()["id"].as_str().unwrap().to_owned();
            self.world.json(&["device", "cancel", payee, &id]);
            return;
        }
        let first = fs::read(self.world.path(&payment)).unwrap();
        self.world.json(&pay);
        assert_eq!(first, fs::read(self.world.path(&payment)).unwrap(), "the same payment has the same bytes");
        if self.chance.below(4) == 0 {
            return; // Lost: the payer uploads it, the payee asks for it.
        }
        let receive = ["device", "receive", payee, &payment, "--receipt", &receipt];
        self.cut(&receive, 25);
        self.world.json(&receive);
        if self.chance.below(4) == 0 {
            return; // The receipt is lost.
        }
        let take = ["device", "receive", payer, &receipt];
        self.cut(&take, 20);
        self.world.json(&take);
    }

    fn synchronise(&mut self) {
        let device = self.chance.person();
        self.cut(&["device", "sync", device], 120);
    }

    fn withdraw(&mut self) {
        let device = self.chance.person();
        self.cut(&["device", "withdraw", device, "5"], 80);
    }

    /// A server dies while a device synchronises, and comes back.
    fn kill_a_server(&mut self) {
        let device = self.chance.person();
        let mut child = self.world.command(&["--json", "device", "sync", device]);
        let mut child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(self.chance.moment(100));
        let which = self.chance.below(3);
        if which == 0 {
            // Its signer: it is started again.
            self.world.bank.as_ref().unwrap().kill_children();
        } else if which == 1 {
            self.world.bank.take().unwrap().kill();
            self.world.start_bank();
        } else {
            self.world.psp.take().unwrap().kill();
            self.world.start_psp();
        }
        self.cuts += usize::from(child.try_wait().unwrap().is_none());
        child.wait().unwrap();
    }

    /// Everybody synchronises until nothing is under way; then everything must add up.
    fn settle(&self) {
        let world = &self.world;
        for _ in 0..3 {
            for person in PEOPLE {
                let run = world.run(&["--json", "device", "sync", person]);
                assert_eq!(run.json()["failures"], serde_json::json!([]), "{run:?}");
            }
        }
        let held: Vec<(u64, u64)> = PEOPLE.iter().map(|person| (world.account(person), world.total(person))).collect();
        let sum: u64 = held.iter().map(|(account, total)| account + total).sum();
        assert_eq!(sum, 30_000, "{held:?}");
        world.books_hold();
        let bank = world.json(&["bank", "status", "bank"]);
        assert_eq!((bank["status"]["double_spends"].as_u64(), bank["status"]["alarms"].as_u64()), (Some(0), Some(0)));
        let outstanding: i64 = bank["conservation"]["classes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|class| class["outstanding"].as_i64().unwrap())
            .sum();
        let in_devices: u64 = held.iter().map(|(_, total)| total).sum();
        assert_eq!(outstanding, i64::try_from(in_devices).unwrap(), "what the bank owes is what the devices hold");
    }
}
