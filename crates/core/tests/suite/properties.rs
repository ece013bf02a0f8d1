//! For all inputs: what is written is read back, and whatever bytes come, nothing panics and nothing is read that
//! would be written otherwise.
//!
//! Cases are drawn from one seed, which is printed; `SPECIE_TEST_SEED` sets another.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{ClassId, Context, ManifestId, OwnerTag, TransferId};
use specie_core::class::{Info, Kind};
use specie_core::descriptor::{Descriptor, DescriptorBody};
use specie_core::disclosure::{Disclosure, DisclosureId, SupervisoryKey};
use specie_core::encoding::{Decode, Encode};
use specie_core::group::Scalar;
use specie_core::limits::{Limits, LimitsBody};
use specie_core::manifest::ManifestHeader;
use specie_core::note::Note;
use specie_core::receipt::Receipt;
use specie_core::request::{OwnerTags, Request, RequestBody};
use specie_core::show::{Points, Show};
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Memo, Name};
use specie_core::transfer::{Input, Output, Outputs, Preimage, Transfer};

use crate::fixture::{World, encoded};
use crate::messages;

fn config(cases: u32) -> Config {
    let seed = std::env::var("SPECIE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("SPECIE_TEST_SEED={seed}");
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..Config::default() }
}

fn amounts() -> impl Strategy<Value = Amount> {
    (0..64u32, 0..=Amount::MAX.minor()).prop_map(|(shift, minor)| Amount::new(minor >> shift).unwrap())
}

fn times() -> impl Strategy<Value = Timestamp> {
    amounts().prop_map(|amount| Timestamp::new(amount.minor()).unwrap())
}

fn names() -> impl Strategy<Value = Name> {
    "[a-zä ]{1,16}".prop_map(|text| Name::new(&text).unwrap())
}

fn currencies() -> impl Strategy<Value = Currency> {
    "[A-Z]{3}".prop_map(|code| Currency::new(&code).unwrap())
}

fn infos() -> impl Strategy<Value = Info> {
    let dates = [times(), times(), times()].prop_map(|mut dates| {
        dates.sort();
        dates
    });
    let hops = prop_oneof![Just(0), 1..=u8::MAX];
    (names(), currencies(), amounts(), any::<u32>(), dates, hops).prop_map(
        |(issuer, currency, amount, epoch, [issue_from, spend_until, redeem_until], max_hops)| Info {
            issuer,
            currency,
            kind: if max_hops == 0 { Kind::Blank } else { Kind::Value },
            amount: if amount.is_zero() { Amount::MAX } else { amount },
            epoch,
            issue_from,
            spend_until,
            redeem_until,
            max_hops,
        },
    )
}

fn inputs() -> impl Strategy<Value = Input> {
    let received = (any::<[u8; 32]>(), any::<u8>(), any::<[u8; 32]>());
    prop_oneof![
        Just(Input::Issued),
        received.prop_map(|(previous, index, blind)| Input::Received { previous: TransferId(previous), index, blind }),
    ]
}

fn outputs() -> impl Strategy<Value = Outputs> {
    vec((1..=Amount::MAX.minor() / 8, any::<[u8; 32]>()), 0..=8).prop_map(|outputs| {
        let outputs: Vec<Output> = outputs
            .into_iter()
            .map(|(minor, owner)| Output { amount: Amount::new(minor).unwrap(), owner: OwnerTag(owner) })
            .collect();
        Outputs::new(&outputs).unwrap()
    })
}

fn preimages() -> impl Strategy<Value = Preimage> {
    let disclosure = proptest::option::of(any::<[u8; 32]>());
    (any::<[u8; 16]>(), vec(any::<u8>(), 256), inputs(), outputs(), any::<[u8; 32]>(), disclosure).prop_map(
        |(class_id, note, input, outputs, context, disclosure)| Preimage {
            class_id: ClassId(class_id),
            note: Note(note.try_into().unwrap()),
            input,
            outputs,
            context: Context(context),
            disclosure: disclosure.filter(|_| !outputs.is_redemption()).map(DisclosureId),
        },
    )
}

fn scalars() -> impl Strategy<Value = Scalar> {
    any::<[u8; 32]>().prop_map(Scalar::from_bytes_mod_order)
}

fn transfers() -> impl Strategy<Value = Transfer> {
    let points = proptest::option::of(vec(any::<u8>(), 192));
    let encrypted = [any::<[u8; 32]>(), any::<[u8; 32]>()];
    (preimages(), [scalars(), scalars(), scalars(), scalars()], encrypted, points).prop_map(
        |(preimage, [z0, z1, z3, z4], [E1, E2], points)| Transfer {
            preimage,
            show: Show { z0, z1, z3 },
            disclosure: preimage.disclosure.map(|_| Disclosure { E1, E2, z4 }),
            points: points.map(|bytes| Points::from_bytes(&bytes.try_into().unwrap())),
        },
    )
}

fn signatures() -> impl Strategy<Value = [u8; 64]> {
    vec(any::<u8>(), 64).prop_map(|bytes| bytes.try_into().unwrap())
}

fn descriptors() -> impl Strategy<Value = Descriptor> {
    ([names(), names(), names()], any::<u16>(), any::<[u8; 32]>(), times(), signatures()).prop_map(
        |([psp, payee, account], category, key, valid_until, signature)| Descriptor {
            body: DescriptorBody { psp, payee, account, category, key: PublicKey(key), valid_until },
            signature,
        },
    )
}

fn requests() -> impl Strategy<Value = Request> {
    let tags = vec(any::<[u8; 32]>().prop_map(OwnerTag), 1..=8).prop_map(|tags| OwnerTags::new(&tags).unwrap());
    let memo = proptest::option::of("[a-z ß]{1,70}".prop_map(|memo| Memo::new(&memo).unwrap()));
    let signed = proptest::option::of((descriptors(), signatures()));
    let key = proptest::option::of(any::<[u8; 32]>());
    let head = (currencies(), amounts(), any::<[u8; 16]>(), times(), tags, key);
    (head, any::<[u8; 32]>(), any::<[u64; 2]>(), signed, memo).prop_map(
        |((currency, amount, payee_nonce, expiry, owner_tags, key), receipt_hash, sequences, signed, memo)| Request {
            body: RequestBody {
                currency,
                amount: if amount.is_zero() { Amount::MAX } else { amount },
                payee_nonce,
                expiry,
                owner_tags,
                receipt_hash,
                manifest_sequence: sequences[0],
                revocation_sequence: sequences[1],
                disclose_to: key.map(SupervisoryKey),
                descriptor: signed.map(|(descriptor, _)| descriptor),
                memo,
            },
            signature: signed.map(|(_, signature)| signature),
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let times = [times(), times()];
    let amounts = [amounts(), amounts(), amounts()];
    (names(), any::<[u8; 32]>(), any::<u64>(), times, amounts, signatures()).prop_map(
        |(psp, device, sequence, [issued_at, valid_until], [max_payment, max_cumulative, max_holding], signature)| {
            let device = PublicKey(device);
            let body =
                LimitsBody { psp, device, sequence, issued_at, valid_until, max_payment, max_cumulative, max_holding };
            Limits { body, signature }
        },
    )
}

fn headers() -> impl Strategy<Value = ManifestHeader> {
    (names(), any::<u64>(), any::<[u8; 32]>(), times(), any::<[u8; 32]>(), any::<u32>()).prop_map(
        |(issuer, sequence, previous, issued_at, entries_root, entry_count)| ManifestHeader {
            issuer,
            sequence,
            previous: ManifestId(previous),
            issued_at,
            entries_root,
            entry_count,
        },
    )
}

/// Written, read back, and written again: nothing is lost, nothing is added.
fn there_and_back<T: Encode + for<'b> Decode<'b> + PartialEq + core::fmt::Debug>(
    value: &T,
) -> Result<(), TestCaseError> {
    let bytes = encoded(value);
    let read = T::decode(&bytes);
    prop_assert_eq!(read.as_ref(), Ok(value));
    prop_assert_eq!(encoded(&read.unwrap()), bytes);
    Ok(())
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn infos_come_back(info in infos()) { there_and_back(&info)?; }

    #[test]
    fn preimages_come_back(preimage in preimages()) { there_and_back(&preimage)?; }

    #[test]
    fn transfers_come_back(transfer in transfers()) { there_and_back(&transfer)?; }

    #[test]
    fn requests_come_back(request in requests()) { there_and_back(&request)?; }

    #[test]
    fn descriptors_come_back(descriptor in descriptors()) { there_and_back(&descriptor)?; }

    #[test]
    fn limits_come_back(limits in limits()) { there_and_back(&limits)?; }

    #[test]
    fn headers_come_back(header in headers()) { there_and_back(&header)?; }

    #[test]
    fn receipts_come_back(request in any::<[u8; 32]>(), preimage in any::<[u8; 32]>()) {
        there_and_back(&Receipt { request: Context(request), preimage })?;
    }

    /// Different requests have different contexts, so that a payment answers one of them.
    #[test]
    fn requests_have_their_own_contexts(first in requests(), second in requests()) {
        prop_assert_eq!(first == second, first.context() == second.context());
    }
}

proptest! {
    #![proptest_config(config(48))]

    /// Messages with a few bytes changed, added or taken away: refused, or read as exactly what they say.
    #[test]
    fn damaged_messages_never_panic(
        changes in vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3u8), 1..4),
    ) {
        for example in messages::all(&World::new()) {
            let mut bytes = example.bytes.clone();
            for (index, byte, what) in &changes {
                let at = index.index(bytes.len());
                match what {
                    0 => bytes[at] = *byte,
                    1 => bytes.insert(at, *byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            if let Ok(again) = (example.again)(&bytes) {
                prop_assert_eq!(again, bytes, "{}", example.name);
            }
        }
    }

    /// Bytes of no meaning.
    #[test]
    fn noise_never_panics(noise in vec(any::<u8>(), 0..400)) {
        for example in messages::all(&World::new()) {
            let forged = [&example.bytes[..3.min(noise.len())], &noise].concat();
            for bytes in [&noise, &forged] {
                if let Ok(again) = (example.again)(bytes) {
                    prop_assert_eq!(&again, bytes, "{}", example.name);
                }
            }
        }
    }
}
