//! Payments that did not reach their payee wait for whoever shows the request.

use specie_bank::payment::PaymentError;
use specie_bank::redemption::Redeemed;
use specie_bank::storage::{Storage, StorageError};
use specie_bank::supervision::SupervisionRecord;
use specie_core::chain::ChainError;
use specie_core::disclosure::{Disclosure, SupervisoryKey};
use specie_core::encoding::Encode;
use specie_core::group::{RistrettoPoint, Scalar, encode_point};
use specie_core::request::{OwnerTags, Request, RequestBody};
use specie_core::text::Currency;

use crate::world::{Asset, DAY, START, Tag, World, account, amount, at, context, encode_chain, encode_payment};

fn request(minor: u64, tags: &[&Tag]) -> Request {
    let owner_tags: Vec<_> = tags.iter().map(|tag| tag.owner).collect();
    let body = RequestBody {
        currency: Currency::new("XTS").unwrap(),
        amount: amount(minor),
        payee_nonce: [1; 16],
        expiry: at(START + DAY),
        owner_tags: OwnerTags::new(&owner_tags).unwrap(),
        receipt_hash: [2; 32],
        manifest_sequence: 1,
        revocation_sequence: 0,
        disclose_to: None,
        descriptor: None,
        memo: None,
    };
    Request { body, signature: None }
}

fn upload(world: &mut World, payment: &[u8]) -> Result<(), PaymentError> {
    let (seed, now) = (world.random.bytes(), world.now);
    let checked = world.bank().check_payment(payment, now, &seed)?;
    world.transact(|tx| world.bank().keep_payment(tx, &checked, now))
}

fn claim(world: &World, request: &Request) -> Result<Vec<u8>, PaymentError> {
    world.bank().storage().read(|view| world.bank().find_payment(view, &request.to_vec()))
}

fn joined(assets: &[&Asset]) -> Vec<u8> {
    let chains: Vec<_> = assets.iter().map(|asset| encode_chain(&asset.chain)).collect();
    encode_payment(&chains.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn a_payment_waits_for_its_request() {
    let mut world = World::new(90);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let (tags, change) = (world.tags(&bob, 2), world.tags(&alice, 1));
    let request = request(130, &[&tags[0], &tags[1]]);
    assert!(matches!(claim(&world, &request), Err(PaymentError::NotFound)));
    let context = request.context();
    let one = world.note(&alice, 100).pay(&[(100, &tags[0])], context).remove(0);
    let two = world.note(&alice, 50).pay(&[(30, &tags[1]), (20, &change[0])], context);
    let payment = joined(&[&one, &two[0]]);
    upload(&mut world, &payment).unwrap();
    upload(&mut world, &payment).unwrap();
    world.restart();
    assert_eq!(claim(&world, &request).unwrap(), payment);
    // Nothing that pays less, or somebody else, takes its place.
    let other = world.note(&alice, 1).pay(&[(1, &change[0])], context).remove(0);
    upload(&mut world, &joined(&[&other])).unwrap();
    assert_eq!(claim(&world, &request).unwrap(), payment);
    assert_eq!(world.redeem_asset(&one, account("beta", "bob")), Redeemed::Credited(amount(100)));
    assert_eq!(world.redeem_asset(&two[0], account("beta", "bob")), Redeemed::Credited(amount(30)));
    world.assert_conserved();
    // It is kept until it cannot be redeemed any more.
    world.bank().sweep(at(START + 180 * DAY)).unwrap();
    assert!(claim(&world, &request).is_ok());
    world.bank().sweep(at(START + 180 * DAY + 1)).unwrap();
    assert!(matches!(claim(&world, &request), Err(PaymentError::NotFound)));
}

#[test]
fn what_does_not_pay_the_request_is_not_found() {
    let mut world = World::new(91);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let tags = world.tags(&bob, 2);
    let asked = request(100, &[&tags[0], &tags[1]]);
    let context = asked.context();
    // Too little, and the same tag in two chains.
    let little = world.note(&alice, 50).pay(&[(50, &tags[0])], context).remove(0);
    upload(&mut world, &joined(&[&little])).unwrap();
    let again = world.note(&alice, 50).pay(&[(50, &tags[0])], context).remove(0);
    upload(&mut world, &joined(&[&little, &again])).unwrap();
    assert!(matches!(claim(&world, &asked), Err(PaymentError::NotFound)));
    // Whoever changes a word of the request does not know it.
    let good = world.note(&alice, 100).pay(&[(100, &tags[1])], context).remove(0);
    upload(&mut world, &joined(&[&good])).unwrap();
    assert!(claim(&world, &asked).is_ok());
    let mut other = asked;
    other.body.payee_nonce[0] ^= 1;
    assert!(matches!(claim(&world, &other), Err(PaymentError::NotFound)));
    other = asked;
    other.body.currency = Currency::new("EUR").unwrap();
    assert!(matches!(claim(&world, &other), Err(PaymentError::NotFound)));
    let garbage = world.bank().storage().read(|view| world.bank().find_payment(view, b"garbage"));
    assert!(matches!(garbage, Err(PaymentError::Malformed(_))));
}

#[test]
fn bad_payments_are_not_kept() {
    let mut world = World::new(92);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let tags = world.tags(&bob, 3);
    let one = world.note(&alice, 10).pay(&[(10, &tags[0])], context(1)).remove(0);
    let two = world.note(&alice, 10).pay(&[(10, &tags[1])], context(2)).remove(0);
    assert!(matches!(upload(&mut world, &joined(&[&one, &two])), Err(PaymentError::MixedContexts)));
    assert!(matches!(upload(&mut world, &[1, 2, 3]), Err(PaymentError::Malformed(_))));
    let note = world.note(&alice, 10);
    let inflated = note.pay(&[(11, &tags[2])], context(1)).remove(0);
    let refused = upload(&mut world, &joined(&[&one, &inflated]));
    assert!(matches!(refused, Err(PaymentError::Chain(ChainError::WrongAmount))));
    assert!(refused.unwrap_err().to_string().starts_with("wrong-amount: "));
    let redemption = encode_payment(&[&note.redeem(account("alpha", "alice"))]);
    assert!(matches!(upload(&mut world, &redemption), Err(PaymentError::Chain(ChainError::WrongEnd))));
    world.now = at(START + 180 * DAY + 1);
    assert!(matches!(upload(&mut world, &one.payment()), Err(PaymentError::Chain(ChainError::Expired(_)))));
}

#[test]
fn a_payment_in_other_words_is_not_kept_again() {
    let mut world = World::new(94);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let tags = world.tags(&bob, 3);
    let request = request(150, &[&tags[0], &tags[1], &tags[2]]);
    let context = request.context();
    let paid: Vec<_> = tags.iter().map(|tag| world.note(&alice, 50).pay(&[(50, tag)], context).remove(0)).collect();
    let payment = joined(&[&paid[0], &paid[1], &paid[2]]);
    upload(&mut world, &payment).unwrap();
    // In another order, and with the points left out here and there: whoever claims would have to read them all.
    upload(&mut world, &joined(&[&paid[2], &paid[0], &paid[1]])).unwrap();
    for which in 0..3 {
        let mut compact = paid.clone();
        for transfer in &mut compact[which].chain {
            *transfer = transfer.compact();
        }
        upload(&mut world, &joined(&compact.iter().collect::<Vec<_>>())).unwrap();
    }
    let kept = world.bank().storage().read(|view| view.payments(&context)).unwrap();
    assert_eq!(kept, std::slice::from_ref(&payment));
    assert_eq!(claim(&world, &request).unwrap(), payment);
}

/// A transfer's name says nothing of `z4`. Who pays, or a friend of theirs, may bring the transfer first, with a `z4` that opens nothing.
#[test]
fn a_disclosure_that_was_spoilt_on_its_way_is_replaced_by_the_payees() {
    let mut world = World::new(95);
    let key = SupervisoryKey(encode_point(&RistrettoPoint::mul_base(&Scalar::from(7u8))));
    let record = SupervisionRecord::new(amount(20), vec![key]).unwrap();
    world.bank().storage().transact::<_, StorageError>(|tx| tx.set_supervision(Some(&record))).unwrap();
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let tags = world.tags(&bob, 1);
    let request = request(100, &[&tags[0]]);
    let good = world.note(&alice, 100).pay_disclosed(&world, &alice, &key, &tags[0], request.context());
    let mut spoilt = good.clone();
    let said = spoilt.chain[0].disclosure.unwrap();
    spoilt.chain[0].disclosure = Some(Disclosure { z4: said.z4 + Scalar::ONE, ..said });
    let id = good.chain[0].id();
    assert_eq!(spoilt.chain[0].id(), id);

    upload(&mut world, &joined(&[&spoilt])).unwrap();
    let kept =
        |world: &World| world.bank().storage().read(|view| view.transfer(&id)).unwrap().unwrap().decode().unwrap();
    assert!(kept(&world).verify_disclosure_vartime(&world.generators, &key).is_err());
    assert_eq!(claim(&world, &request).unwrap(), joined(&[&spoilt]));
    // Its payer, who is honest, leaves it too: the payee can claim what it accepts.
    upload(&mut world, &joined(&[&good])).unwrap();
    assert_eq!(claim(&world, &request).unwrap(), joined(&[&good]));
    assert_eq!(kept(&world).verify_disclosure_vartime(&world.generators, &key), Ok(()));
    upload(&mut world, &joined(&[&spoilt])).unwrap();
    assert_eq!(claim(&world, &request).unwrap(), joined(&[&good]));
    assert_eq!(kept(&world).verify_disclosure_vartime(&world.generators, &key), Ok(()));

    // Or the payee redeems it.
    let tags = world.tags(&bob, 1);
    let mut spoilt = world.note(&alice, 50).pay_disclosed(&world, &alice, &key, &tags[0], context(1));
    let good = spoilt.clone();
    spoilt.chain[0].disclosure = good.chain[0].disclosure.map(|said| Disclosure { E1: said.E2, ..said });
    upload(&mut world, &joined(&[&spoilt])).unwrap();
    assert_eq!(world.redeem_asset(&good, account("beta", "bob")), Redeemed::Credited(amount(50)));
    let id = good.chain[0].id();
    let kept = world.bank().storage().read(|view| view.transfer(&id)).unwrap().unwrap().decode().unwrap();
    assert_eq!(kept.verify_disclosure_vartime(&world.generators, &key), Ok(()));
    world.assert_conserved();
}
