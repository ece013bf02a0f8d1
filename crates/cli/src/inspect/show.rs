//! Checks of one show, value by value, so that a bad one is told apart from another (protocol §6).
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::class::{Class, Info};
use specie_core::encoding::Decode;
use specie_core::group::{Generators, Scalar, decode_point, decode_scalar};
use specie_core::note::Note;
use specie_core::show::{Points, Show, verify_compact_vartime, verify_extended_vartime};

use super::checks::Checks;

/// Where the parts of a note lie.
const NOTE_POINTS: [&str; 2] = ["ζ", "ζ1"];
const NOTE_SCALARS: [&str; 6] = ["ρ", "ω", "ρ1", "ρ2", "ω'", "μ"];

/// The class of key `Y` and `info`, both as they came.
pub(crate) fn check_class(Y: &[u8], info: &[u8], checks: &mut Checks) -> Option<Class> {
    let Ok(Y) = <[u8; 32]>::try_from(Y) else {
        checks.fail("class", "malformed", format!("Y has {} bytes instead of 32", Y.len()));
        return None;
    };
    if let Err(error) = decode_point(&Y) {
        checks.fail("class", "not-canonical", format!("Y: {error}"));
        return None;
    }
    if let Err(error) = Info::decode(info) {
        checks.fail("class", "malformed", format!("info: {error}"));
        return None;
    }
    let class = Class::decode(&Y, info).ok()?;
    checks.hold("class", format!("{}: Y and info are canonical, Z derived from them", class.id()));
    Some(class)
}

/// 256 bytes with canonical, not degenerate points and canonical scalars.
pub(crate) fn check_note(note: &[u8], checks: &mut Checks) -> Option<Note> {
    let Ok(bytes) = <[u8; 256]>::try_from(note) else {
        checks.fail("note", "malformed", format!("{} bytes instead of 256", note.len()));
        return None;
    };
    let part = |index: usize| -> &[u8; 32] { bytes[index * 32..][..32].try_into().expect("eight parts of 32 bytes") };
    for (index, name) in NOTE_POINTS.into_iter().enumerate() {
        if decode_point(part(index)).is_err() {
            checks.fail("note", "not-canonical", format!("{name} is not the canonical encoding of a point"));
            return None;
        }
        if *part(index) == [0; 32] {
            checks.fail("note", "degenerate", format!("{name} is the identity: anybody can make such a note"));
            return None;
        }
    }
    if part(0) == part(1) {
        checks.fail("note", "degenerate", "ζ and ζ1 are the same: anybody can make such a note");
        return None;
    }
    for (index, name) in NOTE_SCALARS.into_iter().enumerate() {
        if decode_scalar(part(NOTE_POINTS.len() + index)).is_err() {
            checks.fail("note", "not-canonical", format!("{name} is not the canonical encoding of a scalar"));
            return None;
        }
    }
    checks.hold("note", "ζ, ζ1 and six scalars are canonical, neither point is degenerate");
    Some(Note(bytes))
}

/// `z0`, `z1`, `z3`, all canonical.
pub(crate) fn check_responses(z: [&[u8]; 3], checks: &mut Checks) -> Option<Show> {
    let mut scalars = [Scalar::ZERO; 3];
    for ((name, bytes), scalar) in ["z0", "z1", "z3"].into_iter().zip(z).zip(&mut scalars) {
        let Ok(bytes) = <[u8; 32]>::try_from(bytes) else {
            checks.fail("responses", "malformed", format!("{name} has {} bytes instead of 32", bytes.len()));
            return None;
        };
        match decode_scalar(&bytes) {
            Ok(value) => *scalar = value,
            Err(_) => {
                let reason = format!("{name} is not the canonical encoding of a scalar");
                checks.fail("responses", "not-canonical", reason);
                return None;
            }
        }
    }
    checks.hold("responses", "z0, z1, z3 are canonical");
    let [z0, z1, z3] = scalars;
    Some(Show { z0, z1, z3 })
}

/// The equations, over the points that come along or those recomputed. Gives the points.
pub(crate) fn check_equations(
    generators: &Generators,
    class: &Class,
    note: &Note,
    d: &Scalar,
    show: &Show,
    points: Option<&Points>,
    checks: &mut Checks,
) -> Option<Points> {
    let recomputed = verify_compact_vartime(generators, class, note, d, show);
    let (Some(carried), Ok(recomputed)) = (points, &recomputed) else {
        let reason = "ω + ω' is not the hash over the points recomputed from note, show and preimage: \
                      one of them, or the class, is not what was issued and signed for";
        checks.decide(
            "show",
            recomputed.is_ok(),
            "ω + ω' is the hash over the six points recomputed",
            "forged",
            reason,
        );
        return recomputed.ok();
    };
    if let Some(name) = first_difference(carried, recomputed) {
        checks.fail("show", "forged", format!("the point {name} carried along is not the one that the show makes"));
        return None;
    }
    let extended = verify_extended_vartime(generators, class, note, d, show, carried).is_ok();
    let detail = "ω + ω' is the hash over the six points carried along, and the six equations hold";
    checks.decide("show", extended, detail, "forged", "the six equations do not hold");
    extended.then_some(*carried)
}

fn first_difference(carried: &Points, recomputed: &Points) -> Option<&'static str> {
    let names = ["α", "β1", "β2", "η", "N0", "N1"];
    let (carried, recomputed) = (carried.to_bytes(), recomputed.to_bytes());
    let pairs = carried.chunks_exact(32).zip(recomputed.chunks_exact(32));
    names.into_iter().zip(pairs).find(|(_, (carried, recomputed))| carried != recomputed).map(|(name, _)| name)
}
