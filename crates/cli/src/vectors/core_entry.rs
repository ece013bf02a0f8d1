//! An entry of `core.json`: a class, an enrolment, a withdrawal with every value on the way, an owner tag, shows.
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::class::Class;
use specie_core::enrolment::{Proof, challenge as enrolment_challenge};
use specie_core::evidence::Revealed;
use specie_core::group::{Generators, RistrettoPoint, Scalar, encode_point};
use specie_core::issuance::{Blinded, Blinding, Commitment, IssuedNote, IssuerSession, IssuingKey};
use specie_core::note::owner_tag;
use specie_core::show::{Show, element_response, verify_compact_vartime, verify_extended_vartime};
use specie_core::signature::PublicKey;
use specie_core::transfer::{challenge, transfer_id};

use super::fields::Fields;

/// Computes everything from the entry's independent values and compares. What cannot be computed because a value
/// it needs is missing counts as a difference, which that value has recorded.
pub(super) fn check(generators: &Generators, fields: &mut Fields<'_>) {
    let class = check_class(fields);
    let u = check_enrolment(generators, fields);
    let (Some((class, key)), Some(u)) = (class, u) else {
        fields.differ("issue", "not checked: class or device is wrong");
        return;
    };
    let Some(withdrawal) = check_issue(generators, fields, &class, &key, &u) else {
        fields.differ("note", "not checked: the withdrawal is wrong");
        return;
    };
    check_note(fields, &withdrawal.issued);
    check_shows(generators, fields, &class, &u, &withdrawal);
}

struct Withdrawal {
    issued: IssuedNote,
    k3: Scalar,
    gamma: Scalar,
    rnd: Scalar,
}

fn check_class(fields: &mut Fields<'_>) -> Option<(Class, IssuingKey)> {
    let (x, info) = (fields.array("x"), fields.bytes("info"));
    let key = IssuingKey::from_bytes(&x?).map_err(|error| fields.differ("x", &error.to_string())).ok()?;
    let Y = encode_point(&key.public());
    fields.compare("Y", &Y);
    let class = Class::decode(&Y, &info?).map_err(|error| fields.differ("info", &error.to_string())).ok()?;
    fields.compare("info", class.info_bytes());
    fields.compare("class_id", &class.id().0);
    fields.compare("Z", &encode_point(class.Z()));
    Some((class, key))
}

fn check_enrolment(generators: &Generators, fields: &mut Fields<'_>) -> Option<Scalar> {
    let (u, w) = (fields.scalar("enrol.u"), fields.scalar("enrol.w"));
    let (A, nonce) = (fields.array("enrol.A").map(PublicKey), fields.array("enrol.nonce"));
    let info = fields.bytes("enrol.device_info");
    let (u, w, A, nonce, info) = (u?, w?, A?, nonce?, info?);
    let U = encode_point(&(u * generators.K));
    fields.compare("enrol.U", &U);
    let proof = Proof::prove(generators, &u, &w, &A, &nonce, &info);
    fields.compare("enrol.R", &proof.R);
    fields.compare("enrol.c", enrolment_challenge(&U, &proof.R, &A, &nonce, &info).as_bytes());
    fields.compare("enrol.s", &proof.s);
    let holds = proof.verify_vartime(generators, &U, &A, &nonce, &info).is_ok();
    fields.require("enrol", holds, "the proof does not verify");
    Some(u)
}

fn check_issue(
    generators: &Generators,
    fields: &mut Fields<'_>,
    class: &Class,
    key: &IssuingKey,
    u: &Scalar,
) -> Option<Withdrawal> {
    let U = u * generators.K;
    let (session, rnd) = (session(fields), fields.scalar("issue.rnd"));
    let blinding = blinding(fields);
    let k3 = fields.scalar("issue.k3");
    let (session, rnd, blinding, k3) = (session?, rnd?, blinding?, k3?);
    let commitment = session.commit_with(generators, class, &U, &rnd);
    let Some(commitment) = commitment else {
        fields.differ("issue.rnd", "makes a degenerate Z1");
        return None;
    };
    let Commitment { a, b1, b2, .. } = &commitment;
    [("issue.a", a), ("issue.b1", b1), ("issue.b2", b2)].iter().for_each(|(name, point)| fields.compare(name, *point));
    let K3: RistrettoPoint = k3 * generators.K;
    fields.compare("issue.K3", &encode_point(&K3));
    let refused = "a device must refuse this withdrawal";
    let blinded = Blinded::blind(generators, class, &U, &K3, &blinding, &commitment);
    let blinded = blinded.map_err(|_| fields.differ("issue", refused)).ok()?;
    fields.compare("issue.N0", &blinded.points().N0);
    fields.compare("issue.N1", &blinded.points().N1);
    fields.compare("issue.epsilon", (blinded.e() + blinding.t[1] + blinding.t[3]).as_bytes());
    fields.compare("issue.e", blinded.e().as_bytes());
    let response = session.answer(key, blinded.e());
    fields.compare("issue.r", response.r.as_bytes());
    let issued = blinded.unblind(generators, class, &U, &blinding, &commitment, &response);
    let issued = issued.map_err(|_| fields.differ("issue", refused)).ok()?;
    Some(Withdrawal { issued, k3, gamma: blinding.gamma, rnd })
}

fn session(fields: &mut Fields<'_>) -> Option<IssuerSession> {
    let secrets = ["issue.kappa", "issue.s1", "issue.s2", "issue.delta"].map(|name| fields.scalar(name));
    let mut bytes = [0; IssuerSession::LENGTH];
    for (chunk, secret) in bytes.chunks_exact_mut(32).zip(secrets) {
        chunk.copy_from_slice(secret?.as_bytes());
    }
    IssuerSession::from_bytes(&bytes).ok()
}

fn blinding(fields: &mut Fields<'_>) -> Option<Blinding> {
    let (gamma, tau) = (fields.scalar("issue.gamma"), fields.scalar("issue.tau"));
    let (k0, k1) = (fields.scalar("issue.k0"), fields.scalar("issue.k1"));
    let t: [Option<Scalar>; 5] = std::array::from_fn(|index| fields.scalar(&format!("issue.t.{index}")));
    let [t1, t2, t3, t4, t5] = t;
    Some(Blinding { gamma: gamma?, tau: tau?, t: [t1?, t2?, t3?, t4?, t5?], k0: k0?, k1: k1? })
}

fn check_note(fields: &mut Fields<'_>, issued: &IssuedNote) {
    fields.compare("note", &issued.note.0);
    fields.compare("note_id", &issued.id.0);
    if let Some(blind) = fields.array("owner.blind") {
        fields.compare("owner.tag", &owner_tag(&issued.id, &blind).0);
    }
}

fn check_shows(generators: &Generators, fields: &mut Fields<'_>, class: &Class, u: &Scalar, withdrawal: &Withdrawal) {
    let issued = &withdrawal.issued;
    let mut shown = Vec::new();
    for index in 0..fields.length("shows") {
        let at = |name: &str| format!("shows.{index}.{name}");
        let Some(preimage) = fields.bytes(&at("preimage")) else { continue };
        let d = challenge(&preimage);
        fields.compare(&at("d"), d.as_bytes());
        fields.compare(&at("transfer_id"), &transfer_id(&preimage).0);
        let z3 = element_response(&withdrawal.k3, &d, &issued.secrets.gamma, u);
        let show = Show::new(&issued.secrets, &d, z3);
        for (name, z) in [("z0", &show.z0), ("z1", &show.z1), ("z3", &show.z3)] {
            fields.compare(&at(name), z.as_bytes());
        }
        let points = verify_compact_vartime(generators, class, &issued.note, &d, &show);
        let extended = points.is_ok_and(|points| {
            points == issued.points
                && verify_extended_vartime(generators, class, &issued.note, &d, &show, &points).is_ok()
        });
        fields.require(&format!("shows.{index}"), extended, "does not verify");
        shown.push((d, show));
    }
    if let [(d1, first), (d2, second), ..] = &shown[..] {
        let differences = [d1 - d2, first.z0 - second.z0, first.z1 - second.z1, first.z3 - second.z3];
        let [d, z0, z1, z3] = &differences;
        let revealed = Revealed::from_differences(d, z0, z1, z3);
        let fits = revealed.is_some_and(|revealed| {
            revealed.u == *u && revealed.gamma == withdrawal.gamma && revealed.rnd == withdrawal.rnd
        });
        fields.require("shows", fits, "two shows do not reveal enrol.u");
    } else {
        fields.differ("shows", "fewer than two: nothing to reveal enrol.u from");
    }
}
