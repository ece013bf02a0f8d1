//! What is measured of the core.

use std::hint::black_box;

use specie_core::bytes::Context;
use specie_core::chain::{Deadline, End, Immediately, verify_chain};
use specie_core::encoding::Decode;
use specie_core::group::{Scalar, encode_point};
use specie_core::issuance::{Blinded, Blinding, IssuerSession};
use specie_core::payment::Chain;
use specie_core::show::{Batch, verify_compact_vartime, verify_extended_vartime};
use specie_core::transfer::{Input, Transfer};

use crate::fixture::{Held, Withdrawal, World, chain, encoded, output, seed, stranger};
use crate::work::Work;

/// Transfers in a batch, notes in a withdrawal.
const BATCH: u64 = 128;
const NOTES: u64 = 100;

/// Everything that is measured.
pub(crate) fn all(world: &World) -> Vec<Work<'_>> {
    let mut works = verification(world);
    works.extend(paying(world));
    works.extend(issuance(world));
    works
}

fn work<'w>(name: &'static str, bar: Option<u32>, units: u64, run: impl Fn() + 'w) -> Work<'w> {
    Work::whole(name, bar, u32::try_from(units).expect("a small number"), run)
}

/// A payment with change out of `note`.
fn pay(note: &Held) -> Transfer {
    let outputs = [output(123, stranger(1)), output(377, stranger(2))];
    note.transfer(Input::Issued, &outputs, Context([7; 32]))
}

fn verification(world: &World) -> Vec<Work<'_>> {
    let transfer = pay(&world.note(&world.alice, 0));
    let (compact, extended) = (chain(&[transfer.compact()]), chain(&[transfer]));
    let classes = world.classes();
    let whole = move |bytes: &[u8]| {
        let chain = Chain::decode(bytes).expect("well-formed");
        let mut shows = Immediately(&world.generators);
        let deadline = Deadline::Never;
        black_box(verify_chain(&classes[..], &chain, deadline, End::Outputs, &mut shows, |_| {}).expect("valid"));
    };
    let again = whole.clone();
    let d = transfer.d();
    let class = &world.value.class;
    let batch: Vec<Transfer> = (0..BATCH).map(|index| pay(&world.note(&world.alice, 100 + index))).collect();
    vec![
        work("verify one transfer, compact, decoding included", Some(9), 1, move || whole(&compact)),
        work("verify one transfer, extended, decoding included", Some(6), 1, move || again(&extended)),
        work("— compact, equations alone", None, 1, move || {
            let note = &transfer.preimage.note;
            black_box(verify_compact_vartime(&world.generators, class, note, &d, &transfer.show).expect("valid"));
        }),
        work("— extended, equations alone", None, 1, move || {
            let (note, points) = (&transfer.preimage.note, transfer.points.expect("extended"));
            verify_extended_vartime(&world.generators, class, note, &d, &transfer.show, &points).expect("valid");
        }),
        work("batch of 128, extended, per transfer", Some(3), BATCH, move || {
            let mut all = Batch::new(world.generators, seed("batch", 0));
            for transfer in &batch {
                let (note, points) = (&transfer.preimage.note, transfer.points.expect("extended"));
                all.push(class, note, &transfer.d(), &transfer.show, &points).expect("well-formed");
            }
            all.verify_vartime().expect("valid");
        }),
    ]
}

fn paying(world: &World) -> Vec<Work<'_>> {
    let note = world.note(&world.alice, 1);
    vec![work("payer: challenge, show and encoding, the core's share", Some(1), 1, move || {
        black_box(encoded(&pay(black_box(&note))));
    })]
}

fn issuance(world: &World) -> Vec<Work<'_>> {
    let (generators, class, device) = (&world.generators, &world.value.class, &world.alice);
    let begun: Vec<Withdrawal> =
        (0..NOTES).map(|index| Withdrawal::begin(generators, &world.value, device, 1_000 + index)).collect();
    let (index, total) = (1_000, Some(30));
    let first = &*Box::leak(Box::new(Withdrawal::begin(generators, &world.value, device, index)));
    let response = first.session.clone().answer(&world.value.key, first.blinded.e());
    let K3 = device.k3(index) * generators.K;
    vec![
        work("withdrawal of 100 notes, device and bank, per note", total, NOTES, move || {
            (0..NOTES).for_each(|index| withdrawal(world, 1_000 + index));
        }),
        work("— bank: commit (W2)", None, 1, move || {
            black_box(IssuerSession::commit(generators, class, &device.U, &seed("session", index)));
        }),
        work("— element: K3", None, 1, move || {
            black_box(encode_point(&(black_box(device.k3(index)) * generators.K)));
        }),
        work("— device: blind (W3)", None, 1, move || {
            let blinding = Blinding::derive(&seed("blinding", index));
            black_box(Blinded::blind(generators, class, &device.U, &K3, &blinding, &first.commitment).expect("valid"));
        }),
        work("— bank: answer (W4)", None, NOTES, move || {
            for withdrawal in &begun {
                black_box(withdrawal.session.clone().answer(&world.value.key, withdrawal.blinded.e()));
            }
        }),
        work("— device: check and unblind (W5)", None, 1, move || {
            let Withdrawal { commitment, blinding, blinded, .. } = first;
            black_box(blinded.unblind(generators, class, &device.U, blinding, commitment, &response).expect("valid"));
        }),
        work("— element: ζ, N0 and N1 to register", None, 1, move || {
            register(world, &first.blinding, &device.k3(index));
        }),
    ]
}

/// One note from commitment to registration: the bank, the host and the arithmetic of the element.
fn withdrawal(world: &World, index: u64) {
    let begun = Withdrawal::begin(&world.generators, &world.value, &world.alice, index);
    let blinding = begun.blinding.clone();
    black_box(begun.finish(&world.generators, &world.value, &world.alice));
    register(world, &blinding, &world.alice.k3(index));
}

/// What the element computes when a note is registered: `ζ = γ·Z`, `N0 = k0·Z`, `N1 = k1·G + k3·K`.
fn register(world: &World, blinding: &Blinding, k3: &Scalar) {
    let Z = world.value.class.Z();
    let (zeta, N0) = (blinding.gamma * Z, blinding.k0 * Z);
    let N1 = specie_core::group::RistrettoPoint::mul_base(&blinding.k1) + k3 * world.generators.K;
    black_box((encode_point(&zeta), encode_point(&N0), encode_point(&N1)));
}
