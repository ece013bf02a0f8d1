//! Every rule for chains (§6, §9) with a chain that breaks it.

use specie_core::amount::Timestamp;
use specie_core::bytes::{Context, TransferId};
use specie_core::chain::{ChainError, ChainSummary, Deadline, End, Immediately, verify_chain};
use specie_core::class::{Class, Info, Kind};
use specie_core::encoding::Decode;
use specie_core::group::Scalar;
use specie_core::payment::Chain;
use specie_core::show::VerificationFailure;
use specie_core::text::Currency;
use specie_core::transfer::{Input, Transfer};

use crate::fixture::{Held, Mint, NOW, World, amount, chain, info, name, output, received, stranger, time, withdraw};

const CONTEXT: Context = Context([1; 32]);
const BLIND: [u8; 32] = [7; 32];

fn verify(
    world: &World,
    classes: &[Class],
    transfers: &[Transfer],
    deadline: Deadline,
    end: End,
) -> Result<ChainSummary, ChainError> {
    let bytes = chain(transfers);
    let chain = Chain::decode(&bytes).unwrap();
    verify_chain(classes, &chain, deadline, end, &mut Immediately(&world.generators), |_| {})
}

fn payable(world: &World, transfers: &[Transfer]) -> Result<ChainSummary, ChainError> {
    verify(world, &world.classes(), transfers, Deadline::Spend(NOW), End::Outputs)
}

fn redeemable(world: &World, transfers: &[Transfer]) -> Result<ChainSummary, ChainError> {
    verify(world, &world.classes(), transfers, Deadline::Redeem(NOW), End::Redemption)
}

/// A note of Alice's that pays all it is worth to `owner`.
fn pays(world: &World, owner: &Held) -> Transfer {
    world.note(&world.alice, 0).transfer(Input::Issued, &[output(500, owner.tag(&BLIND))], CONTEXT)
}

/// `blank` passes on what output 0 of `previous` gave it.
fn passes_on(blank: &Held, previous: &Transfer, minor: u64, owner: &Held) -> Transfer {
    blank.transfer(received(previous, 0, BLIND), &[output(minor, owner.tag(&BLIND))], CONTEXT)
}

/// Alice's note goes through as many blanks as it takes for `hops` transfers.
fn long(world: &World, hops: u64) -> Vec<Transfer> {
    let blanks: Vec<Held> = (0..hops).map(|index| world.blank(&world.bob, index)).collect();
    let mut transfers = vec![pays(world, &blanks[0])];
    for pair in blanks.windows(2) {
        let next = passes_on(&pair[0], transfers.last().unwrap(), 500, &pair[1]);
        transfers.push(next);
    }
    transfers
}

#[test]
fn accepts_a_payment_with_change_and_sums_it_up() {
    let world = World::new();
    let note = world.note(&world.alice, 0);
    let transfer = note.transfer(Input::Issued, &[output(123, stranger(1)), output(377, stranger(2))], CONTEXT);
    let summary = payable(&world, &[transfer]).unwrap();
    assert_eq!(payable(&world, &[transfer.compact()]), Ok(summary));
    let info = world.value.class.info();
    assert_eq!((summary.issuer, summary.currency), (info.issuer, info.currency));
    assert_eq!((summary.root, summary.root_class), (note.note.id, world.value.class.id()));
    assert_eq!((summary.hops, summary.max_hops), (1, 3));
    assert_eq!((summary.last, summary.value), (transfer.id(), amount(500)));
    assert_eq!((summary.spend_until, summary.redeem_until), (info.spend_until, info.redeem_until));
    assert_eq!(summary.outputs.as_slice().len(), 2);
}

#[test]
fn accepts_as_many_hops_as_the_class_allows_and_a_redemption_after_them() {
    let world = World::new();
    let mut transfers = long(&world, 3);
    let summary = payable(&world, &transfers).unwrap();
    assert_eq!(summary.hops, 3);
    assert_eq!(summary.root, world.note(&world.alice, 0).note.id);
    let last = transfers[2];
    transfers.push(world.blank(&world.bob, 2).transfer(received(&last, 0, BLIND), &[], CONTEXT));
    let redeemed = redeemable(&world, &transfers).unwrap();
    assert_eq!((redeemed.hops, redeemed.value), (3, amount(500)));
    assert!(redeemed.outputs.is_redemption());
}

#[test]
fn visits_every_link_in_order() {
    let world = World::new();
    let transfers = long(&world, 3);
    let bytes = chain(&transfers.iter().map(|transfer| transfer.compact()).collect::<Vec<_>>());
    let mut seen = Vec::new();
    verify_chain(
        &world.classes()[..],
        &Chain::decode(&bytes).unwrap(),
        Deadline::Never,
        End::Outputs,
        &mut Immediately(&world.generators),
        |link| seen.push((*link.transfer, link.id, link.d, link.value)),
    )
    .unwrap();
    let expected: Vec<_> =
        transfers.iter().map(|transfer| (*transfer, transfer.id(), transfer.d(), amount(500))).collect();
    assert_eq!(seen, expected, "in extended form, though they came in compact form");
}

#[test]
fn rejects_unknown_classes() {
    let world = World::new();
    let transfers = long(&world, 2);
    for (position, class) in [&world.value.class, &world.blank.class].into_iter().enumerate() {
        let others: Vec<Class> = world.classes().into_iter().filter(|other| other.id() != class.id()).collect();
        let verdict = verify(&world, &others, &transfers, Deadline::Never, End::Outputs);
        assert_eq!(verdict, Err(ChainError::UnknownClass(class.id())), "link {position}");
    }
}

#[test]
fn rejects_classes_past_their_dates() {
    let world = World::new();
    // The blank's class runs out before the note's: the earliest date counts.
    let early = Mint::new(3, Info { spend_until: time(1_600), redeem_until: time(1_700), ..info(Kind::Blank, 1_000) });
    let blank = withdraw(&world.generators, &early, &world.bob, 0);
    let paid = pays(&world, &blank);
    let passed = passes_on(&blank, &paid, 500, &world.blank(&world.carol, 0));
    let redeemed = blank.transfer(received(&paid, 0, BLIND), &[], CONTEXT);
    let classes = [world.value.class.clone(), early.class.clone()];
    let spend = |now: u64| verify(&world, &classes, &[paid, passed], Deadline::Spend(time(now)), End::Outputs);
    let redeem = |now: u64| verify(&world, &classes, &[paid, redeemed], Deadline::Redeem(time(now)), End::Redemption);
    let expired = Err(ChainError::Expired(early.class.id()));
    assert_eq!(spend(1_600).map(|summary| (summary.spend_until, summary.redeem_until)), Ok((time(1_600), time(1_700))));
    assert_eq!(spend(1_601), expired);
    assert!(redeem(1_700).is_ok());
    assert_eq!(redeem(1_701), expired);
    assert_eq!(redeem(3_001), Err(ChainError::Expired(world.value.class.id())));
    let latest = Timestamp::EPOCH.saturating_add(u64::MAX);
    assert!(verify(&world, &classes, &[paid, passed], Deadline::Never, End::Outputs).is_ok());
    assert!(verify(&world, &classes, &[paid, passed], Deadline::Spend(latest), End::Outputs).is_err());
}

#[test]
fn rejects_the_wrong_kind() {
    let world = World::new();
    let (note, blank) = (world.note(&world.alice, 0), world.blank(&world.alice, 1));
    let outputs = [output(1_000, stranger(0))];
    let as_money = blank.transfer(Input::Issued, &outputs, CONTEXT);
    assert_eq!(payable(&world, &[as_money]), Err(ChainError::WrongKind), "a blank is not worth its cap");
    let first = pays(&world, &note);
    let as_owner = note.transfer(received(&first, 0, BLIND), &[output(500, stranger(0))], CONTEXT);
    assert_eq!(payable(&world, &[first, as_owner]), Err(ChainError::WrongKind), "a value note owns nothing");
    let second = world.note(&world.alice, 2).transfer(Input::Issued, &[output(500, stranger(1))], CONTEXT);
    assert_eq!(payable(&world, &[first, second]), Err(ChainError::WrongKind), "two roots");
}

#[test]
fn rejects_a_mix_of_issuers_or_currencies() {
    let world = World::new();
    let good = info(Kind::Blank, 1_000);
    for other in [Info { issuer: name("other-bank"), ..good }, Info { currency: Currency::new("EUR").unwrap(), ..good }]
    {
        let mint = Mint::new(4, other);
        let blank = withdraw(&world.generators, &mint, &world.bob, 0);
        let paid = pays(&world, &blank);
        let passed = passes_on(&blank, &paid, 500, &world.blank(&world.carol, 0));
        let classes = [world.value.class.clone(), mint.class.clone()];
        let verdict = verify(&world, &classes, &[paid, passed], Deadline::Never, End::Outputs);
        assert_eq!(verdict, Err(ChainError::MixedClasses));
    }
}

#[test]
fn rejects_broken_links() {
    let world = World::new();
    let (blank, next) = (world.blank(&world.bob, 0), world.blank(&world.carol, 0));
    let first = pays(&world, &blank);
    let spends = |input| blank.transfer(input, &[output(500, next.tag(&BLIND))], CONTEXT);
    let elsewhere = Input::Received { previous: TransferId([9; 32]), index: 0, blind: BLIND };
    assert_eq!(payable(&world, &[first, spends(elsewhere)]), Err(ChainError::BrokenLink), "another transfer");
    for index in [1, 255] {
        let beyond = spends(received(&first, index, BLIND));
        assert_eq!(payable(&world, &[first, beyond]), Err(ChainError::BrokenLink), "no such output");
    }
    let orphan = spends(received(&first, 0, BLIND));
    assert_eq!(payable(&world, &[orphan]), Err(ChainError::BrokenLink), "nothing before it");
}

#[test]
fn rejects_who_does_not_own_the_output() {
    let world = World::new();
    let (blank, thief) = (world.blank(&world.bob, 0), world.blank(&world.carol, 0));
    let first = pays(&world, &blank);
    let steal = thief.transfer(received(&first, 0, BLIND), &[output(500, stranger(0))], CONTEXT);
    assert_eq!(payable(&world, &[first, steal]), Err(ChainError::WrongOwner));
    let wrong_blind = blank.transfer(received(&first, 0, [8; 32]), &[output(500, stranger(0))], CONTEXT);
    assert_eq!(payable(&world, &[first, wrong_blind]), Err(ChainError::WrongOwner));
}

#[test]
fn rejects_outputs_that_do_not_add_up() {
    let world = World::new();
    let (note, blank) = (world.note(&world.alice, 0), world.blank(&world.bob, 0));
    for minor in [499, 501, 0] {
        let transfer = note.transfer(Input::Issued, &[output(minor, stranger(0))], CONTEXT);
        assert_eq!(payable(&world, &[transfer]), Err(ChainError::WrongAmount), "{minor} of 500");
    }
    let first = pays(&world, &blank);
    for minor in [499, 501, 1_000] {
        let more = passes_on(&blank, &first, minor, &world.blank(&world.carol, 0));
        assert_eq!(payable(&world, &[first, more]), Err(ChainError::WrongAmount), "{minor} of 500");
    }
}

#[test]
fn rejects_more_than_a_blank_may_own() {
    let world = World::new();
    let small = Mint::new(5, info(Kind::Blank, 499));
    let exact = Mint::new(6, info(Kind::Blank, 500));
    for (mint, allowed) in [(&small, false), (&exact, true)] {
        let blank = withdraw(&world.generators, mint, &world.bob, 0);
        let paid = pays(&world, &blank);
        let passed = passes_on(&blank, &paid, 500, &world.blank(&world.carol, 0));
        let redeemed = blank.transfer(received(&paid, 0, BLIND), &[], CONTEXT);
        let classes = [world.value.class.clone(), mint.class.clone()];
        for (last, end) in [(passed, End::Outputs), (redeemed, End::Redemption)] {
            let verdict = verify(&world, &classes, &[paid, last], Deadline::Never, end);
            assert_eq!(verdict.map(|_| ()), if allowed { Ok(()) } else { Err(ChainError::OverCap) });
        }
    }
}

#[test]
fn rejects_more_hops_than_the_class_allows() {
    let world = World::new();
    assert_eq!(payable(&world, &long(&world, 4)), Err(ChainError::TooManyHops));
}

#[test]
fn rejects_the_wrong_end() {
    let world = World::new();
    let blank = world.blank(&world.bob, 0);
    let first = pays(&world, &blank);
    let redeems = blank.transfer(received(&first, 0, BLIND), &[], CONTEXT);
    assert_eq!(payable(&world, &[first, redeems]), Err(ChainError::WrongEnd), "nothing to hand over");
    assert_eq!(redeemable(&world, &[first]), Err(ChainError::WrongEnd), "nothing redeemed");
    let after = blank.transfer(received(&redeems, 0, BLIND), &[], CONTEXT);
    assert_eq!(redeemable(&world, &[first, redeems, after]), Err(ChainError::WrongEnd), "redeemed half-way");
    let at_once = world.note(&world.alice, 1).transfer(Input::Issued, &[], CONTEXT);
    assert_eq!(redeemable(&world, &[at_once]).map(|summary| (summary.hops, summary.value)), Ok((0, amount(500))));
}

#[test]
fn rejects_a_forged_show_in_every_link() {
    let world = World::new();
    let good = long(&world, 3);
    for position in 0..3 {
        for extended in [true, false] {
            let mut transfers = good.clone();
            transfers[position].show.z3 += Scalar::ONE;
            if !extended {
                transfers[position] = transfers[position].compact();
            }
            assert_eq!(payable(&world, &transfers), Err(ChainError::Forged(VerificationFailure)));
        }
    }
}

#[test]
fn every_refusal_has_its_own_code() {
    let id = World::new().value.class.id();
    let all = [
        ChainError::UnknownClass(id),
        ChainError::Expired(id),
        ChainError::WrongKind,
        ChainError::MixedClasses,
        ChainError::BrokenLink,
        ChainError::WrongOwner,
        ChainError::WrongAmount,
        ChainError::OverCap,
        ChainError::TooManyHops,
        ChainError::WrongEnd,
        ChainError::Forged(VerificationFailure),
    ];
    let mut codes: Vec<&str> = all.iter().map(ChainError::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    assert!(all.iter().all(|error| !error.to_string().is_empty()));
}
