//! Manifests, limits, descriptors: newer ones only, in one chain, and loud when there are two.

use specie_core::bytes::ManifestId;
use specie_core::encoding::Encode;
use specie_core::limits::{Limits, LimitsBody};
use specie_core::manifest::SignedHeader;
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::{Timestamp, descriptor::Descriptor};
use specie_element::client;
use specie_wallet::WalletError;
use specie_wallet::publication::{PublicationError, Update};

use crate::bank::{Bank, NOW, SPEND_UNTIL, amount, at, name};
use crate::device::Device;

fn accept(device: &mut Device, headers: &[SignedHeader], manifest: &[u8]) -> Result<Update, PublicationError> {
    let store = device.store.clone();
    match device.wallet.accept_manifest(headers, manifest) {
        Ok(step) => Ok(device.commit(step).unwrap()),
        Err(error) => {
            assert_eq!(device.store, store);
            assert!(!error.money_moved());
            Err(error)
        }
    }
}

fn scene() -> (Bank, Device) {
    let mut bank = Bank::new();
    let device = Device::new(&mut bank, "anna");
    (bank, device)
}

#[test]
fn newer_manifests_only() {
    let (mut bank, mut device) = scene();
    let first = bank.manifest_under(&bank.headers[0]);
    let second = bank.publish(NOW + 5);
    assert_eq!(accept(&mut device, &[], &second), Ok(Update::Newer));
    assert_eq!(accept(&mut device, &[], &second), Ok(Update::NotNewer));
    assert_eq!(accept(&mut device, &[], &first), Ok(Update::NotNewer));
    assert_eq!((device.wallet.manifest_sequence(), device.wallet.manifest_followed()), (2, 2));
    assert_eq!(device.wallet.time_floor(), at(NOW + 5));
    device.reload();
    assert_eq!((device.wallet.manifest_sequence(), device.wallet.manifest_followed()), (2, 2));
}

#[test]
fn a_gap_is_closed_at_the_next_synchronisation() {
    let (mut bank, mut device) = scene();
    (2..=4).for_each(|round| drop(bank.publish(NOW + round)));
    let newest = bank.manifest_under(&bank.headers[3]);
    assert_eq!(accept(&mut device, &[], &newest), Ok(Update::Newer));
    assert_eq!((device.wallet.manifest_sequence(), device.wallet.manifest_followed()), (4, 1));
    device.reload();
    assert_eq!(device.wallet.manifest_followed(), 1);
    assert_eq!(accept(&mut device, &bank.headers[2..], &newest), Err(PublicationError::BrokenChain(1)));
    assert_eq!(accept(&mut device, &bank.headers[1..], &newest), Ok(Update::NotNewer));
    assert_eq!(device.wallet.manifest_followed(), 4);
    device.reload();
    assert_eq!(device.wallet.manifest_followed(), 4);
}

#[test]
fn a_fork_is_reported() {
    let (mut bank, mut device) = scene();
    let root = ManifestId([0; 32]);
    let other_first = bank.header(1, root, NOW + 1);
    let manifest = bank.manifest_under(&other_first);
    assert_eq!(accept(&mut device, &[], &manifest), Err(PublicationError::ManifestFork(1)));
    // Another history that goes through another number 2.
    let second = bank.publish(NOW + 2);
    accept(&mut device, &[], &second).unwrap();
    let other_second = bank.header(2, bank.headers[0].header.id(), NOW + 3);
    let third = bank.header(3, other_second.header.id(), NOW + 4);
    let manifest = bank.manifest_under(&third);
    assert_eq!(accept(&mut device, &[], &manifest), Err(PublicationError::ManifestFork(3)));
    assert_eq!(accept(&mut device, &[other_second], &manifest), Err(PublicationError::ManifestFork(2)));
    let backdated = bank.header(3, bank.headers[1].header.id(), NOW);
    let manifest = bank.manifest_under(&backdated);
    assert_eq!(accept(&mut device, &[], &manifest), Err(PublicationError::ManifestFork(3)));
}

#[test]
fn a_fork_in_a_gap_is_reported_when_it_closes() {
    let (mut bank, mut device) = scene();
    let _ = (bank.publish(NOW + 2), bank.publish(NOW + 3));
    let other = bank.header(3, ManifestId([7; 32]), NOW + 3);
    let manifest = bank.manifest_under(&other);
    accept(&mut device, &[], &manifest).unwrap();
    let newest = bank.manifest_under(&bank.headers[2]);
    assert_eq!(accept(&mut device, &bank.headers[1..], &newest), Err(PublicationError::ManifestFork(3)));
    assert!(device.wallet.accept_manifest(&bank.headers[1..2], &manifest).is_err());
}

#[test]
fn other_roots_are_not_obeyed() {
    let (mut bank, mut device) = scene();
    bank.root = SigningKey::from_seed(&[0xBB; 32]);
    let manifest = bank.publish(NOW + 2);
    assert_eq!(accept(&mut device, &[], &manifest), Err(PublicationError::BadSignature));
    let mut entries_changed = bank.manifest_under(&bank.headers[0]);
    *entries_changed.last_mut().unwrap() ^= 1;
    assert!(accept(&mut device, &[], &entries_changed).is_err());
}

#[test]
fn limits_are_the_own_psps_for_this_device() {
    let (mut bank, mut device) = scene();
    let body = bank.limits_body(device.wallet.device());
    let mut take = |body: LimitsBody, key: &SigningKey| {
        let limits = Limits::sign(body, key).to_vec();
        match device.wallet.accept_limits(&limits, &mut device.port) {
            Ok(step) => Ok(device.commit(step).unwrap()),
            Err(error) => Err(error.code()),
        }
    };
    let stranger = SigningKey::from_seed(&[0xBB; 32]);
    assert_eq!(take(body, &stranger), Err("bad-signature"));
    assert_eq!(take(LimitsBody { psp: name("nobody"), ..body }, &bank.psp), Err("unknown-signer"));
    assert_eq!(take(LimitsBody { device: PublicKey([1; 32]), ..body }, &bank.psp), Err("other-device"));
    assert_eq!(take(body, &bank.psp), Ok(Update::Newer));
    assert_eq!(take(body, &bank.psp), Ok(Update::NotNewer));
    assert_eq!(take(LimitsBody { sequence: 1, ..body }, &bank.psp), Ok(Update::NotNewer));
    let higher = LimitsBody { sequence: body.sequence + 1, max_payment: amount(7), ..body };
    assert_eq!(take(higher, &bank.psp), Ok(Update::Newer));
    assert_eq!(client::status(&mut device.port).unwrap().max_payment, 7);
    device.reload();
    assert_eq!(device.wallet.limits_sequence(), higher.sequence);
}

#[test]
fn descriptors_are_by_a_known_psp_about_this_device_and_in_date() {
    let (bank, mut device) = scene();
    let good = bank.descriptor(device.wallet.device(), "Anna");
    let mut take = |descriptor: &[u8], now: Timestamp| match device.wallet.accept_descriptor(descriptor, now) {
        Ok(step) => device.commit(step).map_err(|_| "crash"),
        Err(error) => Err(error.code()),
    };
    assert_eq!(take(&bank.descriptor(PublicKey([1; 32]), "Anna"), at(NOW)), Err("other-device"));
    assert_eq!(take(&good, at(SPEND_UNTIL + 1)), Err("expired"));
    let body = <Descriptor as specie_core::encoding::Decode>::decode(&good).unwrap().body;
    let forged = Descriptor::sign(body, &SigningKey::from_seed(&[0xBB; 32])).to_vec();
    assert_eq!(take(&forged, at(NOW)), Err("bad-signature"));
    take(&good, at(NOW)).unwrap();
    device.reload();
    assert!(device.wallet.descriptor().is_some());
}
