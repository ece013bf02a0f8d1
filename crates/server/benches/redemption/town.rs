//! A bank that serves, a PSP that asks, and coins: each paid once, by a payer to a payee, who redeems it.

use std::sync::Arc;

use specie_api::authorization::Psp;
use specie_api::bank::{Client, RedemptionItem, RedemptionRequest};
use specie_api::client::{Http, Timeouts};
use specie_api::idempotency::Key;
use specie_bank::Bank;
use specie_bank::issuance::SESSIONS_MAX;
use specie_bank::payout::Destination;
use specie_bank::psp::{self, PspRecord};
use specie_core::Timestamp;
use specie_core::class::Kind;
use specie_core::signature::SigningKey;
use specie_server::bank::{AnySigner, CentralBank, Redemptions, SignerFolder, router};
use specie_server::clock::Clock;
use specie_server::service::{Service, Serving};
use specie_store::Cost;
use specie_store::bank::BankStore;

use crate::world::{Device, World, account, amount, context, name};

/// Coins of one request.
pub(crate) const BATCH: usize = 128;

/// Transfers of one coin: the payment, and the one that redeems it.
pub(crate) const TRANSFERS: usize = 2;

const PSP: &str = "gamma";

pub(crate) struct Town {
    pub(crate) world: World,
    pub(crate) central: Arc<CentralBank>,
    pub(crate) now: Timestamp,
    service: Service,
    payer: Device,
    payee: Device,
    _signer: tempfile::TempDir,
}

/// The PSP in one thread.
pub(crate) struct Asker {
    client: Client,
    key: SigningKey,
    now: Timestamp,
}

impl Town {
    pub(crate) fn new() -> Self {
        let mut world = World::new(1);
        let key = psp_key();
        let record = PspRecord { name: name(PSP), key: key.public() };
        let now = world.now;
        world.transact(|tx| psp::register(tx, &record)).unwrap();
        world.transact(|tx| psp::fund(tx, &record.name, amount(1_000_000_000), b"all", now)).unwrap();
        let (payer, payee) = (world.device(PSP), world.device(PSP));
        let signer = tempfile::tempdir().unwrap();
        let ledger = SigningKey::from_seed(&crate::world::LEDGER_SEED);
        let keeper = SignerFolder(signer.path().join("signer")).create(ledger, move || now).unwrap();
        let bank = Bank::open(BankStore(world.database()), AnySigner::Here(Box::new(keeper))).unwrap();
        let central =
            Arc::new(CentralBank { bank, clock: Clock::new(move || now), redemptions: Redemptions::default() });
        let service =
            Service::start(Serving::new(router(Arc::clone(&central))), "127.0.0.1:0".parse().unwrap()).unwrap();
        Self { world, central, now, service, payer, payee, _signer: signer }
    }

    /// So many new coins, as chains to be redeemed.
    pub(crate) fn coins(&mut self, count: usize) -> Vec<Vec<u8>> {
        let value = self.world.class(Kind::Value, 10).id();
        let mut coins = Vec::with_capacity(count);
        while coins.len() < count {
            let few = SESSIONS_MAX.min((count - coins.len()) as u64);
            let (payer, payee) = (self.payer.clone(), self.payee.clone());
            let notes = self.world.withdraw(&payer, &[(value, few)]).unwrap();
            let tags = self.world.tags(&payee, few);
            let assets = notes.into_iter().map(|held| crate::world::Asset {
                chain: Vec::new(),
                input: specie_core::transfer::Input::Issued,
                held,
                value: amount(10),
            });
            let pay = |(asset, tag): (crate::world::Asset, _)| asset.pay(&[(10, tag)], context(1)).remove(0);
            coins.extend(assets.zip(&tags).map(pay).map(|coin| coin.redeem(Self::to())));
        }
        coins
    }

    pub(crate) fn to() -> Destination {
        account(PSP, "shop")
    }

    pub(crate) fn asker(&self) -> Asker {
        let client =
            Client::new(Http::new(&format!("http://{}", self.service.address()), Timeouts::default()).unwrap());
        Asker { client, key: psp_key(), now: self.now }
    }

    /// What the database has cost the bank until now.
    pub(crate) fn cost(&self) -> Cost {
        self.central.bank.storage().0.cost()
    }
}

fn psp_key() -> SigningKey {
    SigningKey::from_seed(&[9; 32])
}

impl Asker {
    /// Redeems coins in one request, and expects that all are paid.
    pub(crate) fn redeem(&self, coins: &[Vec<u8>]) {
        let chains = coins.iter().map(|chain| chain.clone().into()).collect();
        let request = RedemptionRequest { psp: PSP.into(), account: "shop".into(), chains };
        let mut key = [0; 16];
        key.copy_from_slice(&specie_core::hash::h32("test", &[&coins[0]])[..16]);
        let mut psp = Psp { name: name(PSP), key: &self.key, now: self.now };
        let answer = self.client.redeem(&mut psp, &Key::from_bytes(&key), &request).unwrap();
        assert!(answer.items.iter().all(|item| *item == RedemptionItem::Credited { amount: 10 }));
    }
}
