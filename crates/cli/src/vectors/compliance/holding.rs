//! What a device held (§8.1): that it is of the device, and that it owns an output.
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::chain::{Deadline, End, Immediately, verify_chain};
use specie_core::class::Class;
use specie_core::encoding::{Decode, Encode};
use specie_core::group::{Generators, RistrettoPoint, decode_point, encode_point};
use specie_core::holding::{Holding, Opening, Owned};
use specie_core::note::{Note, NoteSecrets, owner_tag};
use specie_core::{Amount, NoteId};

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(generators: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let (holding, U) = (fields.bytes("holding")?, fields.array("U")?);
    let class = class(fields, "Y", "info")?;
    Some(is_of(generators, &holding, &class, &U).map(|_| ()))
}

fn is_of(generators: &Generators, holding: &[u8], class: &Class, U: &[u8; 32]) -> Result<NoteId, String> {
    let holding = Holding::decode(holding).map_err(|error| error.to_string())?;
    let U = decode_point(U).map_err(|error| error.to_string())?;
    holding.verify_vartime(generators, class, &U).map_err(|failure| failure.to_string())
}

fn class(fields: &mut Fields<'_>, Y: &str, info: &str) -> Option<Class> {
    let class = Class::decode(&fields.array(Y)?, &fields.bytes(info)?);
    class.map_err(|error| fields.differ(info, &error.to_string())).ok()
}

pub(super) fn values(generators: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let class = class(fields, "Y", "info")?;
    let bytes = fields.bytes("holding")?;
    let read = Holding::decode(&bytes).ok()?;
    let [u, gamma, rnd, k0, k1, k3] = ["u", "gamma", "rnd", "k0", "k1", "k3"].map(|name| fields.scalar(name));
    let (gamma, rnd, k0, k1, K3) = (gamma?, rnd?, k0?, k1?, k3? * generators.K);
    let U = encode_point(&(u? * generators.K));
    fields.compare("U", &U);
    let N0 = encode_point(&(k0 * class.Z()));
    let N1 = encode_point(&(RistrettoPoint::mul_base(&k1) + K3));
    fields.compare("N0", &N0);
    fields.compare("N1", &N1);
    let opening = Opening::of(&NoteSecrets { gamma, gamma_rnd: gamma * rnd, k0, k1 });
    let note = Note(fields.array("note")?);
    let made = Holding { class_id: class.id(), note, N0, N1, opening, owned: read.owned };
    fields.compare("holding", &made.to_vec());
    let name = is_of(generators, &bytes, &class, &U).ok()?;
    fields.compare("note_id", &name.0);
    read.owned.map_or(Some(()), |owned| owned_values(generators, fields, class, &name, &owned))
}

fn owned_values(
    generators: &Generators,
    fields: &mut Fields<'_>,
    blank: Class,
    name: &NoteId,
    owned: &Owned<'_>,
) -> Option<()> {
    let cap = blank.info().amount;
    let classes = [class(fields, "chain_Y", "chain_info")?, blank];
    let mut shows = Immediately(generators);
    let summary = verify_chain(&classes[..], &owned.chain, Deadline::Never, End::Outputs, &mut shows, |_| ());
    let summary = summary.map_err(|error| fields.differ("holding", &error.to_string())).ok()?;
    let output = summary.outputs.as_slice().get(usize::from(owned.index))?;
    fields.require("holding", output.owner == owner_tag(name, &owned.blind), "the blank does not own the output");
    fields.require("holding", output.amount <= cap, "the output is over the blank's cap");
    let amount = fields.number("amount").and_then(Amount::new);
    fields.require("amount", amount == Some(output.amount), "another amount");
    Some(())
}
