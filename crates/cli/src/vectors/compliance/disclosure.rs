//! A disclosed transfer (§7.1), and opening it.
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::class::Class;
use specie_core::disclosure::{DisclosedTransfer, Disclosure, Prepared, SupervisoryKey};
use specie_core::encoding::{Decode, Encode};
use specie_core::group::{Generators, RistrettoPoint, Scalar, decode_point, encode_point};
use specie_core::note::{Note, NoteSecrets, note_id};
use specie_core::show::{Points, Show, element_response};
use specie_core::transfer::{Preimage, Transfer};

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(generators: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let bytes = fields.bytes("disclosed")?;
    Some(verdict(generators, &bytes))
}

fn verdict(generators: &Generators, bytes: &[u8]) -> Verdict {
    let disclosed = DisclosedTransfer::decode(bytes).map_err(|error| error.to_string())?;
    disclosed.verify_vartime(generators).map_err(|failure| failure.to_string())
}

pub(super) fn values(generators: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let disclosed = fields.bytes("disclosed")?;
    let preimage = DisclosedTransfer::decode(&disclosed).ok()?.transfer.preimage;
    let (Y, info) = (fields.array("Y")?, fields.bytes("info")?);
    let class = Class::decode(&Y, &info).map_err(|error| fields.differ("info", &error.to_string())).ok()?;
    let device = Device::read(fields)?;
    let (s, t, w4) = (fields.scalar("s")?, fields.scalar("t")?, fields.scalar("w4")?);
    let (key, U) = (SupervisoryKey(encode_point(&RistrettoPoint::mul_base(&s))), device.u * generators.K);
    fields.compare("U", &encode_point(&U));
    fields.compare("S", &key.0);
    let points = Points::from_bytes(&fields.array("points")?);
    let prepared = Prepared::with(&key, &U, &device.secrets, &points.N1, [t, w4]);
    let prepared = prepared.map_err(|error| fields.differ("S", &error.to_string())).ok()?;
    fields.compare("name", &prepared.id().0);
    let note = Note(fields.array("note")?);
    fields.compare("note_id", &note_id(note.zeta(), note.zeta1(), &points.N0, &points.N1).0);
    let preimage = Preimage { class_id: class.id(), note, disclosure: Some(prepared.id()), ..preimage };
    fields.compare("preimage", preimage.to_bytes().as_slice());
    let transfer = device.transfer(preimage, &prepared);
    fields.compare("d", transfer.d().as_bytes());
    fields.compare("transfer_id", &transfer.id().0);
    compare_responses(generators, fields, &key, &transfer)?;
    let E1 = transfer.disclosure.map(|disclosure| decode_point(&disclosure.E1))?.ok()?;
    let E2 = transfer.disclosure.map(|disclosure| decode_point(&disclosure.E2))?.ok()?;
    fields.require("U", E2 - s * E1 == U, "s opens something else");
    let made = DisclosedTransfer { class, key, transfer };
    fields.compare("disclosed", &made.to_vec());
    let made = DisclosedTransfer { transfer: Transfer { points: Some(points), ..made.transfer }, ..made };
    let made = made.to_vec();
    fields.compare("disclosed_extended", &made);
    let extended = verdict(generators, &made);
    fields.require("disclosed_extended", extended.is_ok(), "must be accepted");
    Some(())
}

struct Device {
    u: Scalar,
    k3: Scalar,
    secrets: NoteSecrets,
}

impl Device {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let [u, gamma, rnd, k0, k1, k3] = ["u", "gamma", "rnd", "k0", "k1", "k3"].map(|name| fields.scalar(name));
        let (gamma, rnd) = (gamma?, rnd?);
        Some(Self { u: u?, k3: k3?, secrets: NoteSecrets { gamma, gamma_rnd: gamma * rnd, k0: k0?, k1: k1? } })
    }

    fn transfer(&self, preimage: Preimage, prepared: &Prepared) -> Transfer {
        let d = specie_core::transfer::challenge(preimage.to_bytes().as_slice());
        let z3 = element_response(&self.k3, &d, &self.secrets.gamma, &self.u);
        let (show, disclosure) = (Show::new(&self.secrets, &d, z3), prepared.answer(&self.secrets, &d));
        Transfer { preimage, show, disclosure: Some(disclosure), points: None }
    }
}

/// The show, the disclosure, and the two points that its name is of.
fn compare_responses(
    generators: &Generators,
    fields: &mut Fields<'_>,
    key: &SupervisoryKey,
    transfer: &Transfer,
) -> Option<()> {
    let (Show { z0, z1, z3 }, Disclosure { E1, E2, z4 }) = (&transfer.show, transfer.disclosure.as_ref()?);
    for (name, z) in [("z0", z0), ("z1", z1), ("z3", z3), ("z4", z4)] {
        fields.compare(name, z.as_bytes());
    }
    fields.compare("E1", E1);
    fields.compare("E2", E2);
    let [E1, E2, S] = [decode_point(E1).ok()?, decode_point(E2).ok()?, key.point().ok()?];
    fields.compare("A1", &encode_point(&(RistrettoPoint::mul_base(z4) - z0 * E1)));
    fields.compare("A2", &encode_point(&(z3 * generators.K + z4 * S - z0 * E2)));
    Some(())
}
