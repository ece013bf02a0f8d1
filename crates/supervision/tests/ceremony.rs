//! Ceremonies and openings from end to end, with officers, dealers and combiners that cheat.
#![allow(clippy::unwrap_used, missing_docs, non_snake_case, reason = "tests")]

#[path = "../../core/tests/suite/fixture.rs"]
mod fixture;

use fixture::{Held, World, output, seed, stranger};
use proptest::prelude::*;
use specie_core::Context;
use specie_core::disclosure::{DisclosedTransfer, Prepared, SupervisoryKey};
use specie_core::encoding::{Decode, Encode};
use specie_core::group::encode_point;
use specie_core::text::{Memo, Name};
use specie_core::transfer::{Input, Outputs, Preimage, Transfer};
use specie_supervision::complaint::{Complaint, ComplaintError, Verdict};
use specie_supervision::dealing::{Dealing, DealingError};
use specie_supervision::invitation::{Invitation, InvitationError};
use specie_supervision::officer::{Card, Officer};
use specie_supervision::opening::{Opening, OpeningError, Partial};
use specie_supervision::outcome::{Approval, Outcome, OutcomeError, Transcript};

fn officer(number: u8) -> Officer {
    Officer::new(seed("officer", number.into()).into())
}

fn cards(officers: &[Officer]) -> Vec<Card> {
    let name = |number| Name::new(&format!("officer-{number}")).unwrap();
    (1..).zip(officers).map(|(number, officer)| officer.card(name(number))).collect()
}

fn officers(count: u8) -> Vec<Officer> {
    (1..=count).map(officer).collect()
}

fn invite(officers: &[Officer], threshold: u8) -> Invitation {
    Invitation::new(Name::new("first ceremony").unwrap(), threshold, cards(officers)).unwrap()
}

fn dealings(officers: &[Officer], invitation: &Invitation) -> Vec<Dealing> {
    officers.iter().map(|officer| Dealing::new(officer, invitation).unwrap()).collect()
}

fn outcome(officers: &[Officer], threshold: u8) -> Outcome {
    let invitation = invite(officers, threshold);
    let transcript = Transcript::new(invitation.clone(), &dealings(officers, &invitation)).unwrap();
    let approvals: Vec<Approval> = officers.iter().map(|officer| transcript.approve(officer).unwrap()).collect();
    Outcome::new(transcript, &approvals).unwrap()
}

/// `bytes` with one of them changed, for each of them.
fn changed_everywhere(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len()).map(|position| {
        let mut changed = bytes.to_vec();
        changed[position] ^= 1;
        (position, changed)
    })
}

fn case(text: &str) -> Memo {
    Memo::new(text).unwrap()
}

/// A transfer of alice's that is disclosed to `key`.
fn disclosed(world: &World, key: SupervisoryKey, note: u64) -> DisclosedTransfer {
    let held: Held = world.note(&world.alice, note);
    let plain = Preimage {
        class_id: held.class.id(),
        note: held.note.note,
        input: Input::Issued,
        outputs: Outputs::new(&[output(500, stranger(0))]).unwrap(),
        context: Context([1; 32]),
        disclosure: None,
    };
    let secrets = &held.note.secrets;
    let prepared = Prepared::new(&key, &world.alice.U, secrets, &held.note.points.N1, &plain).unwrap();
    let shown = held.show(Preimage { disclosure: Some(prepared.id()), ..plain });
    let transfer = Transfer { disclosure: Some(prepared.answer(secrets, &shown.d())), ..shown };
    DisclosedTransfer { class: world.value.class.clone(), key, transfer }
}

fn partials(officers: &[Officer], who: &[usize], outcome: &Outcome, disclosed: &DisclosedTransfer) -> Vec<Partial> {
    who.iter().map(|at| Partial::new(&officers[*at], outcome, case("case 7"), disclosed).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever the k are, they read the payer; fewer do not, nor does their sum give it away.
    #[test]
    fn any_quorum_opens_and_fewer_do_not((n, k, order) in (2u8..=7).prop_flat_map(|n| {
        (Just(n), 2..=n, Just((0..usize::from(n)).collect::<Vec<_>>()).prop_shuffle())
    })) {
        let (world, officers) = (World::new(), officers(n));
        let outcome = outcome(&officers, k);
        let disclosed = disclosed(&world, outcome.transcript().key(), 0);
        let parts = partials(&officers, &order[..usize::from(k)], &outcome, &disclosed);
        let opening = Opening::new(&outcome, &disclosed, &parts).unwrap();
        let payer = opening.verify(&outcome, &disclosed).unwrap();
        prop_assert_eq!(payer.U, encode_point(&world.alice.U));
        let few = Opening::new(&outcome, &disclosed, &parts[1..]);
        prop_assert_eq!(few.unwrap_err(), OpeningError::Count { got: usize::from(k) - 1, needed: k });
        // Every encoding comes back, and the opening is the same for whoever reads it.
        let again = Opening::decode(&opening.to_vec()).unwrap();
        prop_assert_eq!(again.verify(&Outcome::decode(&outcome.to_vec()).unwrap(), &disclosed), Ok(payer));
    }
}

#[test]
fn a_quorum_reads_one_transfer_and_no_other() {
    let (world, officers) = (World::new(), officers(3));
    let outcome = outcome(&officers, 2);
    let (one, other) =
        (disclosed(&world, outcome.transcript().key(), 0), disclosed(&world, outcome.transcript().key(), 1));
    let parts = partials(&officers, &[0, 2], &outcome, &one);
    assert_eq!(Opening::new(&outcome, &other, &parts).unwrap_err(), OpeningError::OtherTransfer(1));
    let of_other = Partial::new(&officers[2], &outcome, case("case 7"), &other).unwrap();
    let mixed = [parts[0].clone(), of_other];
    assert_eq!(Opening::new(&outcome, &one, &mixed).unwrap_err(), OpeningError::OtherTransfer(3));
    let another_case = Partial::new(&officers[2], &outcome, case("case 8"), &one).unwrap();
    let mixed = [parts[0].clone(), another_case];
    assert_eq!(Opening::new(&outcome, &one, &mixed).unwrap_err(), OpeningError::OtherCase(3));
    let twice = [parts[0].clone(), parts[0].clone()];
    assert_eq!(Opening::new(&outcome, &one, &twice).unwrap_err(), OpeningError::Twice(1));
    let three = partials(&officers, &[0, 1, 2], &outcome, &one);
    assert_eq!(Opening::new(&outcome, &one, &three).unwrap_err(), OpeningError::Count { got: 3, needed: 2 });
}

#[test]
fn rejects_a_transfer_that_is_disclosed_to_others_or_not_at_all() {
    let (world, officers) = (World::new(), officers(2));
    let outcome = outcome(&officers, 2);
    let foreign = disclosed(&world, SupervisoryKey(encode_point(&world.bob.U)), 0);
    let part = |disclosed: &DisclosedTransfer| Partial::new(&officers[0], &outcome, case("case 7"), disclosed);
    assert_eq!(part(&foreign).unwrap_err(), OpeningError::OtherKey);
    let claimed = DisclosedTransfer { key: outcome.transcript().key(), ..foreign.clone() };
    assert_eq!(part(&claimed).unwrap_err(), OpeningError::NotDisclosed);
    let mut forged = disclosed(&world, outcome.transcript().key(), 0);
    forged.transfer.show.z1 = -forged.transfer.show.z1;
    assert_eq!(part(&forged).unwrap_err(), OpeningError::NotDisclosed);
    let stranger = Officer::new([9; 32].into());
    let good = disclosed(&world, outcome.transcript().key(), 0);
    let refused = Partial::new(&stranger, &outcome, case("case 7"), &good).unwrap_err();
    assert_eq!(refused, OpeningError::Share(DealingError::NotInvited));
}

/// Whatever byte of a part changes, it opens nothing else: it does not decode, or the officer's proof fails.
#[test]
fn rejects_every_part_with_a_byte_changed() {
    let (world, officers) = (World::new(), officers(2));
    let outcome = outcome(&officers, 2);
    let disclosed = disclosed(&world, outcome.transcript().key(), 0);
    let parts = partials(&officers, &[0, 1], &outcome, &disclosed);
    for (position, changed) in changed_everywhere(&parts[0].to_vec()) {
        if let Ok(part) = Partial::decode(&changed) {
            assert!(Opening::new(&outcome, &disclosed, &[part, parts[1].clone()]).is_err(), "byte {position}");
        }
    }
}

#[test]
fn rejects_every_outcome_with_a_byte_changed() {
    let outcome = outcome(&officers(2), 2);
    let bytes = outcome.to_vec();
    assert_eq!(Outcome::decode(&bytes), Ok(outcome));
    for (position, changed) in changed_everywhere(&bytes) {
        assert!(Outcome::decode(&changed).is_err(), "byte {position}");
    }
}

#[test]
fn rejects_invitations_that_make_no_sense() {
    let cards = |count| cards(&officers(count));
    let invite = |threshold, cards| Invitation::new(Name::new("x").unwrap(), threshold, cards);
    assert_eq!(invite(2, cards(1)).unwrap_err(), InvitationError::Officers(1));
    assert_eq!(invite(2, cards(17)).unwrap_err(), InvitationError::Officers(17));
    for threshold in [0, 1, 4] {
        assert_eq!(invite(threshold, cards(3)).unwrap_err(), InvitationError::Threshold { threshold, officers: 3 });
    }
    let mut twice = cards(3);
    twice[2] = twice[0];
    assert_eq!(invite(2, twice).unwrap_err(), InvitationError::Twice(Name::new("officer-1").unwrap()));
    assert!(invite(16, cards(16)).is_ok());
}

#[test]
fn a_dealing_is_of_one_dealer_and_one_ceremony() {
    let officers = officers(3);
    let invitation = invite(&officers, 2);
    let other = invite(&officers, 3);
    let stranger = Officer::new([9; 32].into());
    assert_eq!(Dealing::new(&stranger, &invitation).unwrap_err(), DealingError::NotInvited);
    let dealing = Dealing::new(&officers[0], &invitation).unwrap();
    assert_eq!(Dealing::new(&officers[0], &invitation).unwrap(), dealing, "sent again, it is the same");
    assert_eq!(dealing.verify(&invitation), Ok(()));
    assert_eq!(dealing.verify(&other), Err(DealingError::OtherCeremony(1)));
    for (position, changed) in changed_everywhere(&dealing.to_vec()) {
        if let Ok(changed) = Dealing::decode(&changed) {
            assert!(changed.verify(&invitation).is_err(), "byte {position}");
        }
    }
    let mut all = dealings(&officers, &invitation);
    let missing = Transcript::new(invitation.clone(), &all[1..]).unwrap_err();
    assert_eq!(missing, OutcomeError::Dealing(DealingError::NotOneEach(1)));
    all.push(dealing);
    let twice = Transcript::new(invitation, &all).unwrap_err();
    assert_eq!(twice, OutcomeError::Dealing(DealingError::NotOneEach(1)));
}

#[test]
fn all_must_approve_of_the_same_dealings() {
    let officers = officers(3);
    let invitation = invite(&officers, 2);
    let transcript = Transcript::new(invitation.clone(), &dealings(&officers, &invitation)).unwrap();
    let approvals: Vec<Approval> = officers.iter().map(|officer| transcript.approve(officer).unwrap()).collect();
    let missing = Outcome::new(transcript.clone(), &approvals[..2]).unwrap_err();
    assert_eq!(missing, OutcomeError::NotOneEach(3));
    let other_ceremony = invite(&officers, 3);
    let other = Transcript::new(other_ceremony.clone(), &dealings(&officers, &other_ceremony)).unwrap();
    let mixed = [approvals[0], approvals[1], other.approve(&officers[2]).unwrap()];
    assert_eq!(Outcome::new(transcript.clone(), &mixed).unwrap_err(), OutcomeError::OtherTranscript(3));
    for (position, changed) in changed_everywhere(&approvals[0].to_vec()) {
        if let Ok(changed) = Approval::decode(&changed) {
            let mixed = [changed, approvals[1], approvals[2]];
            assert!(Outcome::new(transcript.clone(), &mixed).is_err(), "byte {position}");
        }
    }
}

#[test]
fn a_complaint_without_reason_shows_who_complains_falsely() {
    let officers = officers(3);
    let invitation = invite(&officers, 2);
    let dealing = Dealing::new(&officers[0], &invitation).unwrap();
    let complaint = Complaint::new(&officers[1], &invitation, &dealing).unwrap();
    assert_eq!(complaint.judge(&invitation, &dealing), Ok(Verdict::Complainer(2)));
    let other = Dealing::new(&officers[2], &invitation).unwrap();
    assert_eq!(complaint.judge(&invitation, &other), Err(ComplaintError::Other));
    for (position, changed) in changed_everywhere(&complaint.to_vec()) {
        if let Ok(changed) = Complaint::decode(&changed) {
            assert!(changed.judge(&invitation, &dealing).is_err(), "byte {position}");
        }
    }
}

#[test]
fn an_officer_does_not_print_its_secret() {
    assert_eq!(format!("{:?}", officer(1)), "Officer(..)");
}
