//! Withdrawal (§5): a device takes nothing from a bank that lies, and a bank keeps its key.

use specie_core::encoding::DecodeError;
use specie_core::group::{RistrettoPoint, Scalar};
use specie_core::issuance::{Blinded, Blinding, Commitment, IssuerSession, IssuingKey, Response};
use specie_core::note::NoteSecrets;
use specie_core::show::VerificationFailure;

use crate::fixture::{Device, Withdrawal, World, scalar, seed};

fn blind(world: &World, device: &Device, commitment: &Commitment) -> Result<Blinded, VerificationFailure> {
    let K3 = device.k3(0) * world.generators.K;
    let blinding = Blinding::derive(&seed("blinding", 0));
    Blinded::blind(&world.generators, &world.value.class, &device.U, &K3, &blinding, commitment)
}

#[test]
fn the_device_rejects_degenerate_commitments() {
    let world = World::new();
    let (Withdrawal { commitment, .. }, rnd) =
        (Withdrawal::begin(&world.generators, &world.value, &world.alice, 0), scalar("rnd", 0));
    assert!(blind(&world, &world.alice, &commitment).is_ok());
    assert!(blind(&world, &world.alice, &Commitment { rnd: [0; 32], ..commitment }).is_err(), "rnd = 0");
    let commitment = Commitment { rnd: rnd.to_bytes(), ..commitment };
    let masking = RistrettoPoint::mul_base(&rnd);
    for U in [-masking, world.value.class.Z() - masking] {
        let device = Device { U, ..Device::new(&world.generators, 1) };
        assert!(blind(&world, &device, &commitment).is_err(), "Z1 is the identity, or Z");
    }
}

#[test]
fn the_device_rejects_commitments_that_are_not_canonical() {
    let world = World::new();
    let good = Withdrawal::begin(&world.generators, &world.value, &world.alice, 0).commitment;
    let high = |mut bytes: [u8; 32]| {
        bytes[31] |= 0x80;
        bytes
    };
    for wrong in [
        Commitment { rnd: high(good.rnd), ..good },
        Commitment { a: high(good.a), ..good },
        Commitment { b1: high(good.b1), ..good },
        Commitment { b2: high(good.b2), ..good },
    ] {
        assert!(blind(&world, &world.alice, &wrong).is_err());
        assert_eq!(Commitment::from_bytes(&wrong.to_bytes()), wrong);
    }
}

#[test]
fn the_device_rejects_a_zero_blinding() {
    let world = World::new();
    let Withdrawal { commitment, .. } = Withdrawal::begin(&world.generators, &world.value, &world.alice, 0);
    let blinding = Blinding { gamma: Scalar::ZERO, ..Blinding::derive(&seed("blinding", 0)) };
    let (class, U) = (&world.value.class, &world.alice.U);
    assert!(Blinded::blind(&world.generators, class, U, U, &blinding, &commitment).is_err());
}

/// Every way in which an answer can be wrong, alone and in pairs that would cancel with equal weights.
#[test]
fn the_device_rejects_wrong_answers() {
    let world = World::new();
    let (generators, mint, device) = (&world.generators, &world.value, &world.alice);
    let Withdrawal { session, commitment, blinding, blinded } = Withdrawal::begin(generators, mint, device, 0);
    let good = session.answer(&mint.key, blinded.e());
    let unblind = |commitment: &Commitment, response: &Response| {
        blinded.unblind(generators, &mint.class, &device.U, &blinding, commitment, response).map(|note| note.id)
    };
    assert!(unblind(&commitment, &good).is_ok());
    let one = Scalar::ONE;
    for wrong in [
        Response { r: good.r + one, ..good },
        Response { s1: good.s1 + one, ..good },
        Response { s2: good.s2 + one, ..good },
        Response { delta: good.delta + one, ..good },
        Response { r: good.r + one, s1: good.s1 - one, ..good },
        Response { r: Scalar::ZERO, s1: Scalar::ZERO, s2: Scalar::ZERO, delta: Scalar::ZERO },
    ] {
        assert!(unblind(&commitment, &wrong).is_err());
    }
    let other = Withdrawal::begin(generators, mint, device, 1);
    let others = other.session.answer(&mint.key, other.blinded.e());
    assert!(unblind(&commitment, &others).is_err(), "the answer to another session");
    assert!(unblind(&other.commitment, &good).is_err(), "to a commitment that was not blinded");
    let rnd = Commitment { rnd: scalar("rnd", 0).to_bytes(), ..commitment };
    assert!(unblind(&rnd, &good).is_err(), "with a mask that was not blinded");
}

#[test]
fn the_device_rejects_an_answer_made_with_another_key() {
    let world = World::new();
    let (generators, mint, device) = (&world.generators, &world.value, &world.alice);
    let Withdrawal { session, commitment, blinding, blinded } = Withdrawal::begin(generators, mint, device, 0);
    let response = session.answer(&IssuingKey::derive(&seed("another", 0)), blinded.e());
    assert!(blinded.unblind(generators, &mint.class, &device.U, &blinding, &commitment, &response).is_err());
}

#[test]
fn a_device_cannot_take_what_was_issued_to_another() {
    let world = World::new();
    let (generators, mint) = (&world.generators, &world.value);
    let Withdrawal { session, commitment, blinding, .. } = Withdrawal::begin(generators, mint, &world.alice, 0);
    let K3 = world.bob.k3(0) * generators.K;
    let bobs = Blinded::blind(generators, &mint.class, &world.bob.U, &K3, &blinding, &commitment).unwrap();
    let response = session.answer(&mint.key, bobs.e());
    assert!(bobs.unblind(generators, &mint.class, &world.bob.U, &blinding, &commitment, &response).is_err());
}

/// Nothing that the bank sees at issuance is in the note.
#[test]
fn the_note_holds_nothing_that_the_bank_saw() {
    let world = World::new();
    let begun = Withdrawal::begin(&world.generators, &world.value, &world.alice, 0);
    let mut seen: Vec<[u8; 32]> = Vec::new();
    let Commitment { rnd, a, b1, b2 } = begun.commitment;
    seen.extend([rnd, a, b1, b2, begun.blinded.e().to_bytes()]);
    let response = begun.session.clone().answer(&world.value.key, begun.blinded.e());
    seen.extend([response.r, response.s1, response.s2, response.delta].map(|scalar| scalar.to_bytes()));
    let issued = begun.finish(&world.generators, &world.value, &world.alice);
    let shown = [&issued.note.0[..], &issued.points.to_bytes()].concat();
    assert!(shown.chunks_exact(32).all(|part| seen.iter().all(|other| part != other)));
}

#[test]
fn what_is_stored_comes_back() {
    let world = World::new();
    let begun = Withdrawal::begin(&world.generators, &world.value, &world.alice, 0);
    let blinded = Blinded::from_bytes(&begun.blinded.to_bytes()).unwrap();
    assert_eq!(blinded.to_bytes(), begun.blinded.to_bytes());
    let session = IssuerSession::from_bytes(&begun.session.expose_secret_bytes()).unwrap();
    let response = session.answer(&world.value.key, blinded.e());
    assert_eq!(Response::from_bytes(&response.to_bytes()).unwrap(), response);
    let restored = Withdrawal { blinded, ..begun };
    let issued = restored.finish(&world.generators, &world.value, &world.alice);
    let secrets = issued.secrets.expose_secret_bytes();
    assert_eq!(NoteSecrets::from_bytes(&secrets).unwrap().expose_secret_bytes(), secrets);
}

#[test]
fn damaged_storage_is_noticed() {
    assert_eq!(IssuerSession::from_bytes(&[0xff; 128]).err(), Some(DecodeError::BadScalar));
    assert_eq!(NoteSecrets::from_bytes(&[0xff; 128]).err(), Some(DecodeError::BadScalar));
    assert_eq!(Response::from_bytes(&[0xff; 128]).err(), Some(DecodeError::BadScalar));
    assert_eq!(Blinded::from_bytes(&[0xff; 288]).err(), Some(DecodeError::BadScalar));
    assert_eq!(IssuingKey::from_bytes(&[0; 32]).err(), Some(DecodeError::BadScalar));
}
