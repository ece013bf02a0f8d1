//! Known ways to make notes out of nothing, and what stands against each.

use specie_core::class::Class;
use specie_core::group::{Generators, RistrettoPoint, Scalar, decode_point, decode_scalar, encode_point};
use specie_core::hash;
use specie_core::issuance::{Blinded, Blinding, IssuerSession};
use specie_core::note::{Note, note_id};
use specie_core::show::{Batch, Points, Show, verify_compact_vartime, verify_extended_vartime};

use crate::fixture::{World, scalar, seed};

/// §6, formula by formula and with any `Z`, without the checks on degenerate points: the six points if `ε` is right.
fn lenient(class: &Class, Z: &RistrettoPoint, note: &Note, d: &Scalar, show: &Show) -> Option<Points> {
    let Generators { H, K } = Generators::new();
    let point = |index: usize| decode_point(note.0[index * 32..][..32].try_into().unwrap()).unwrap();
    let scalar = |index: usize| decode_scalar(note.0[index * 32..][..32].try_into().unwrap()).unwrap();
    let (zeta, zeta1) = (point(0), point(1));
    let [rho, omega, rho1, rho2, omega_prime, mu] = core::array::from_fn(|index| scalar(index + 2));
    let G = RistrettoPoint::mul_base(&Scalar::ONE);
    let points = Points {
        alpha: encode_point(&(rho * G + omega * class.Y())),
        beta1: encode_point(&(rho1 * G + omega_prime * zeta1)),
        beta2: encode_point(&(rho2 * H + omega_prime * (zeta - zeta1))),
        eta: encode_point(&(mu * Z + omega_prime * zeta)),
        N0: encode_point(&(show.z0 * Z - d * zeta)),
        N1: encode_point(&(show.z1 * G + show.z3 * K - d * zeta1)),
    };
    (omega + omega_prime == epsilon(class, note, &points)).then_some(points)
}

fn epsilon(class: &Class, note: &Note, points: &Points) -> Scalar {
    let Points { alpha, beta1, beta2, eta, N0, N1 } = points;
    let (zeta, zeta1) = (note.zeta(), note.zeta1());
    let parts = [class.info_bytes(), class.Y_bytes(), zeta, zeta1, alpha, beta1, beta2, eta, N0, N1];
    hash::hs("specie/v1/issue", &parts)
}

fn note(points: [[u8; 32]; 2], scalars: [Scalar; 6]) -> Note {
    let parts: Vec<u8> = points.into_iter().chain(scalars.map(|scalar| scalar.to_bytes())).flatten().collect();
    Note(parts.try_into().unwrap())
}

/// Asserts that no form of the check accepts the show.
fn refused(class: &Class, note: &Note, d: &Scalar, show: &Show, points: &Points) {
    let generators = Generators::new();
    assert!(verify_compact_vartime(&generators, class, note, d, show).is_err(), "compact");
    assert!(verify_extended_vartime(&generators, class, note, d, show, points).is_err(), "extended");
    let mut batch = Batch::new(generators, seed("batch", 0));
    let pushed = batch.push(class, note, d, show, points);
    assert!(pushed.is_err() || batch.verify_vartime().is_err(), "batch");
}

#[test]
fn the_formulas_agree_with_the_core_on_an_honest_note() {
    let world = World::new();
    let held = world.note(&world.alice, 0);
    let d = scalar("d", 0);
    let show = held.show_at(&d);
    let points = lenient(&held.class, held.class.Z(), &held.note.note, &d, &show).unwrap();
    assert_eq!(points, held.note.points);
    assert_eq!(verify_compact_vartime(&world.generators, &held.class, &held.note.note, &d, &show), Ok(points));
}

/// With `ζ = ζ1 = 0` the challenge `ω'` multiplies nothing, so it can be chosen last.
#[test]
fn rejects_a_note_made_of_the_identity_without_any_key() {
    let world = World::new();
    let (class, d) = (&world.value.class, scalar("d", 0));
    let [rho, omega, rho1, rho2, mu] = core::array::from_fn(|index| scalar("identity", index as u64));
    let show = Show { z0: scalar("z0", 0), z1: scalar("z1", 0), z3: scalar("z3", 0) };
    let identity = [[0; 32]; 2];
    let before = note(identity, [rho, omega, rho1, rho2, Scalar::ZERO, mu]);
    let Generators { H, K } = world.generators;
    let points = Points {
        alpha: encode_point(&(RistrettoPoint::mul_base(&rho) + omega * class.Y())),
        beta1: encode_point(&RistrettoPoint::mul_base(&rho1)),
        beta2: encode_point(&(rho2 * H)),
        eta: encode_point(&(mu * class.Z())),
        N0: encode_point(&(show.z0 * class.Z())),
        N1: encode_point(&(RistrettoPoint::mul_base(&show.z1) + show.z3 * K)),
    };
    let omega_prime = epsilon(class, &before, &points) - omega;
    let forged = note(identity, [rho, omega, rho1, rho2, omega_prime, mu]);
    assert_eq!(lenient(class, class.Z(), &forged, &d, &show), Some(points), "the equations alone accept it");
    refused(class, &forged, &d, &show, &points);
}

/// Whoever knows `Z = z·G + h·H` makes notes that answer to no device: here `u = 0`.
#[test]
fn rejects_a_note_for_a_class_point_of_known_logarithms() {
    let world = World::new();
    let (class, d) = (&world.value.class, scalar("d", 0));
    let Generators { H, K } = world.generators;
    let (z, h) = (scalar("trapdoor", 0), scalar("trapdoor", 1));
    let Z = RistrettoPoint::mul_base(&z) + h * H;
    let [gamma, rho, omega, a1, a2, a3, k0, k1, k3] = core::array::from_fn(|index| scalar("forger", index as u64));
    let (zeta, zeta1) = (gamma * Z, RistrettoPoint::mul_base(&(gamma * z)));
    let encoded = [encode_point(&zeta), encode_point(&zeta1)];
    let points = Points {
        alpha: encode_point(&(RistrettoPoint::mul_base(&rho) + omega * class.Y())),
        beta1: encode_point(&RistrettoPoint::mul_base(&a1)),
        beta2: encode_point(&(a2 * H)),
        eta: encode_point(&(a3 * Z)),
        N0: encode_point(&(k0 * Z)),
        N1: encode_point(&(RistrettoPoint::mul_base(&k1) + k3 * K)),
    };
    let omega_prime = epsilon(class, &note(encoded, [Scalar::ZERO; 6]), &points) - omega;
    let [rho1, rho2, mu] = [a1 - omega_prime * gamma * z, a2 - omega_prime * gamma * h, a3 - omega_prime * gamma];
    let forged = note(encoded, [rho, omega, rho1, rho2, omega_prime, mu]);
    let show = Show { z0: k0 + d * gamma, z1: k1 + d * gamma * z, z3: k3 };
    assert_eq!(lenient(class, &Z, &forged, &d, &show), Some(points), "with that Z the equations accept it");
    assert_eq!(lenient(class, class.Z(), &forged, &d, &show), None);
    refused(class, &forged, &d, &show, &points);
}

/// A class is made of `Y` and `info`; there is no way to bring a `Z` along.
#[test]
fn a_class_derives_its_point_from_key_and_info() {
    let world = World::new();
    let class = &world.value.class;
    let again = Class::decode(class.Y_bytes(), class.info_bytes()).unwrap();
    assert_eq!(again.Z(), class.Z());
    assert_eq!(*class.Z(), hash::hg("specie/v1/class", &[class.Y_bytes(), class.info_bytes()]));
}

/// Two devices that share `k0`, `k1` and `k3` have notes with equal `N0` and `N1`: still two notes.
#[test]
fn notes_that_share_their_nonces_are_two_notes() {
    let world = World::new();
    let (mint, generators) = (&world.value, &world.generators);
    let k3 = world.alice.k3(0);
    let shared = Blinding::derive(&seed("shared", 0));
    let issue = |device: &crate::fixture::Device, number| {
        let own = Blinding::derive(&seed("own", number));
        let blinding = Blinding { k0: shared.k0, k1: shared.k1, ..own.clone() };
        let (session, commitment) = IssuerSession::commit(generators, &mint.class, &device.U, &seed("session", number));
        let blinded =
            Blinded::blind(generators, &mint.class, &device.U, &(k3 * generators.K), &blinding, &commitment).unwrap();
        let response = session.answer(&mint.key, blinded.e());
        blinded.unblind(generators, &mint.class, &device.U, &blinding, &commitment, &response).unwrap()
    };
    let (first, second) = (issue(&world.alice, 1), issue(&world.bob, 2));
    assert_eq!((first.points.N0, first.points.N1), (second.points.N0, second.points.N1));
    assert_ne!(first.id, second.id);
}

#[test]
fn a_note_id_names_points_and_nonces() {
    let parts = [[1; 32], [2; 32], [3; 32], [4; 32]];
    let id = |parts: [[u8; 32]; 4]| note_id(&parts[0], &parts[1], &parts[2], &parts[3]);
    for index in 0..4 {
        let mut other = parts;
        other[index][0] ^= 1;
        assert_ne!(id(other), id(parts));
    }
}
