//! What every adapter of the bank's storage has to do. Each function gets an opener of one and the same database, and opens
//! it anew wherever what was written must have reached the disk.

use std::sync::atomic::{AtomicU64, Ordering};

use specie_audit::head::bank_log;
use specie_audit::{Actor, Decision, Head, Kind, Record, Tree};
use specie_bank::credit::{CreditKind, CreditRecord};
use specie_bank::detection::DoubleSpendRecord;
use specie_bank::device::DeviceRecord;
use specie_bank::issuance::{BatchKey, BatchRecord, BatchState, SessionRecord};
use specie_bank::payout::{Destination, ExpiryRecord, PayoutKind, PayoutRecord};
use specie_bank::psp::PspRecord;
use specie_bank::restitution::{RestitutionRecord, RestitutionState};
use specie_bank::revocation::{RevocableRecord, RevocationRecord};
use specie_bank::settings::Settings;
use specie_bank::spent::TransferRecord;
use specie_bank::storage::{Answered, MovementRow, PaidSum, PostingRow, Storage, StorageError, Tx};
use specie_bank::supervision::SupervisionRecord;
use specie_bank::transfer::TransferOrder;
use specie_core::bytes::{ManifestId, NoteId, TransferId};
use specie_core::disclosure::SupervisoryKey;
use specie_core::manifest::ManifestHeader;
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Memo, Name};
use specie_core::{Amount, ClassId, Context, Timestamp};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

fn write<S: Storage, T>(storage: &S, work: impl FnMut(&mut dyn Tx) -> Result<T, StorageError>) -> T {
    storage.transact(work).unwrap()
}

pub(crate) fn settings_are_settled_once<S: Storage>(open: impl Fn() -> S) {
    let settings = Settings {
        issuer: name("bank"),
        currency: Currency::new("XTS").unwrap(),
        root_key: PublicKey([1; 32]),
        ledger_key: PublicKey([2; 32]),
    };
    assert_eq!(open().read(|view| view.settings()).unwrap(), None);
    assert!(write(&open(), |tx| tx.insert_settings(&settings)));
    let other = Settings { issuer: name("other"), ..settings };
    assert!(!write(&open(), |tx| tx.insert_settings(&other)));
    assert_eq!(open().read(|view| view.settings()).unwrap(), Some(settings));
}

pub(crate) fn the_audit_log_only_grows<S: Storage>(open: impl Fn() -> S) {
    let decision = |time| Decision::new(Actor::service(), at(time), Kind::DeviceRegistered, "5f", &[]).unwrap();
    let first = Record::after(None, decision(1));
    let second = Record::after(Some(&first), decision(2));
    let log = bank_log(&name("bank"));
    let key = SigningKey::from_seed(&[1; 32]);
    let [one, two, three] =
        [(&first, 1), (&second, 2), (&second, 3)].map(|(record, time)| Head::new(log, record, at(time)).sign(&key));
    assert_eq!(open().read(|view| view.audit_newest()).unwrap(), None);
    assert!(write(&open(), |tx| tx.insert_audit(&first)));
    // In its place nothing else can stand.
    assert!(!write(&open(), |tx| tx.insert_audit(&Record::after(None, decision(9)))));
    assert!(write(&open(), |tx| tx.insert_audit(&second)));
    assert_eq!(open().read(|view| view.audit_tree()).unwrap(), Tree::default());
    let mut trees = vec![Tree::default()];
    for record in [&first, &second] {
        let mut tree = trees[trees.len() - 1].clone();
        tree.push(specie_audit::tree::leaf(record));
        trees.push(tree);
    }
    for (head, tree) in [(&three, &trees[2]), (&one, &trees[1]), (&two, &trees[2])] {
        assert!(write(&open(), |tx| tx.insert_audit_head(head, tree)));
        assert!(!write(&open(), |tx| tx.insert_audit_head(head, tree)));
        assert_eq!(open().read(|view| view.audit_tree()).unwrap(), trees[2]);
    }
    let read = |after, limit| open().read(|view| view.audit_after(after, limit)).unwrap();
    assert_eq!((read(0, 9), read(0, 1)), (vec![first.clone(), second.clone()], vec![first]));
    assert_eq!((read(1, 9), read(2, 9)), (vec![second.clone()], vec![]));
    assert_eq!(open().read(|view| view.audit_newest()).unwrap(), Some(second));
    let heads = |after, until| open().read(|view| view.audit_heads(after, until)).unwrap();
    assert_eq!((heads(0, 2), heads(0, 1), heads(1, 2)), (vec![one, two, three], vec![one], vec![two, three]));
}

pub(crate) fn answers_are_kept_once_and_forgotten_in_time<S: Storage>(open: impl Fn() -> S) {
    let answered = |byte| Answered { request_hash: [byte; 32], response: vec![byte; 3] };
    assert!(write(&open(), |tx| tx.insert_answer("alpha", "key", &answered(1), at(10))));
    assert!(!write(&open(), |tx| tx.insert_answer("alpha", "key", &answered(2), at(11))));
    assert!(write(&open(), |tx| tx.insert_answer("beta", "key", &answered(3), at(12))));
    let read = |scope: &'static str| open().read(|view| view.answered(scope, "key")).unwrap();
    assert_eq!((read("alpha"), read("beta"), read("gamma")), (Some(answered(1)), Some(answered(3)), None));
    assert_eq!(write(&open(), |tx| tx.delete_answers(at(12))), 1);
    assert_eq!((read("alpha"), read("beta")), (None, Some(answered(3))));
}

pub(crate) fn manifests_come_back_in_order<S: Storage>(open: impl Fn() -> S) {
    let root = SigningKey::from_seed(&[1; 32]);
    let signed = |sequence| {
        let issuer = name("bank");
        let (previous, issued_at) = (ManifestId([3; 32]), at(sequence));
        ManifestHeader { issuer, sequence, previous, issued_at, entries_root: [4; 32], entry_count: 2 }.sign(&root)
    };
    assert_eq!(open().read(|view| view.manifest_sequence()).unwrap(), 0);
    assert_eq!(open().read(|view| view.newest_manifest()).unwrap(), None);
    for sequence in [1, 2, 3] {
        assert!(write(&open(), |tx| tx.insert_manifest(&signed(sequence), &[sequence as u8])));
    }
    assert!(!write(&open(), |tx| tx.insert_manifest(&signed(2), &[9])));
    assert_eq!(open().read(|view| view.manifest_sequence()).unwrap(), 3);
    assert_eq!(open().read(|view| view.newest_manifest()).unwrap(), Some(vec![3]));
    assert_eq!(open().read(|view| view.headers_after(1)).unwrap(), [signed(2), signed(3)]);
    assert!(open().read(|view| view.headers_after(u64::MAX)).unwrap().is_empty());
    assert!(write(&open(), |tx| tx.insert_class(&ClassId([1; 16]), &[5; 32], &[6, 7])));
    assert!(!write(&open(), |tx| tx.insert_class(&ClassId([1; 16]), &[8; 32], &[9])));
    assert_eq!(open().read(|view| view.classes()).unwrap(), [([5; 32], vec![6, 7])]);
}

pub(crate) fn supervision_is_replaced_as_a_whole<S: Storage>(open: impl Fn() -> S) {
    let record = |threshold, keys: &[u8]| SupervisionRecord {
        threshold: amount(threshold),
        keys: keys.iter().map(|byte| SupervisoryKey([*byte; 32])).collect(),
    };
    let stored = || open().read(|view| view.supervision()).unwrap();
    assert_eq!(stored(), None);
    for next in [Some(record(500, &[2, 1])), Some(record(900, &[3])), None, Some(record(0, &[1, 2, 3, 4]))] {
        write(&open(), |tx| tx.set_supervision(next.as_ref()));
        assert_eq!(stored(), next);
    }
}

pub(crate) fn psps_and_devices_are_unique<S: Storage>(open: impl Fn() -> S) {
    let psp = |text, byte| PspRecord { name: name(text), key: PublicKey([byte; 32]) };
    let device =
        |byte, psp| DeviceRecord { identity: [byte; 32], psp: name(psp), registered_at: at(5), struck_off: None };
    let storage = open();
    assert!(
        write(&storage, |tx| tx.insert_psp(&psp("beta", 2))) && write(&storage, |tx| tx.insert_psp(&psp("alpha", 1)))
    );
    assert!(!write(&storage, |tx| tx.insert_psp(&psp("beta", 3))));
    assert_eq!(open().read(|view| view.psps()).unwrap(), [psp("alpha", 1), psp("beta", 2)]);
    assert_eq!(open().read(|view| view.psp(&name("gamma"))).unwrap(), None);
    for byte in 1..=3 {
        assert!(write(&storage, |tx| tx.insert_device(&device(byte, "alpha"))));
        assert!(!write(&storage, |tx| tx.insert_device(&device(byte, "beta"))));
    }
    assert!(write(&storage, |tx| tx.strike_off_if_registered(&[2; 32], at(9), 4)));
    assert!(write(&storage, |tx| tx.strike_off_if_registered(&[1; 32], at(10), 7)));
    assert!(!write(&storage, |tx| tx.strike_off_if_registered(&[1; 32], at(11), 8)), "once is for ever");
    assert!(!write(&storage, |tx| tx.strike_off_if_registered(&[9; 32], at(11), 8)));
    let struck_off = DeviceRecord { struck_off: Some((at(10), 7)), ..device(1, "alpha") };
    assert_eq!(open().read(|view| view.device(&[1; 32])).unwrap(), Some(struck_off));
    let after = |psp, sequence, limit| {
        let found = open().read(|view| view.struck_off_after(&name(psp), sequence, limit)).unwrap();
        found.into_iter().map(|device| device.identity[0]).collect::<Vec<_>>()
    };
    assert_eq!((after("alpha", 0, 9), after("alpha", 4, 9), after("alpha", 0, 1)), (vec![2, 1], vec![1], vec![2]));
    assert!(after("beta", 0, 9).is_empty());
    let counts = open().read(|view| view.device_counts()).unwrap();
    assert_eq!((counts.registered, counts.struck_off), (3, 2));
}

fn batch(psp: &str, byte: u8, opened: u64) -> BatchRecord {
    BatchRecord {
        key: BatchKey { psp: name(psp), id: [byte; 16] },
        device: [1; 32],
        request_hash: [2; 32],
        opened_at: at(opened),
        valid_until: at(opened + 10),
        erase_after: at(opened + 100),
        value: amount(7),
        state: BatchState::Open,
    }
}

pub(crate) fn a_batch_moves_as_it_may<S: Storage>(open: impl Fn() -> S) {
    let (one, other) = (batch("alpha", 1, 5), batch("beta", 1, 6));
    let session = SessionRecord {
        class_id: ClassId([3; 16]),
        commitment: Some([4; 128]),
        secrets: Some(vec![5; 168].into()),
        challenge_hash: None,
    };
    let storage = open();
    for record in [&one, &other] {
        assert!(write(&storage, |tx| tx.insert_batch(record)) && !write(&storage, |tx| tx.insert_batch(record)));
        for index in [1, 0] {
            assert!(write(&storage, |tx| tx.insert_session(&record.key, index, &session)));
        }
        assert!(!write(&storage, |tx| tx.insert_session(&record.key, 0, &session)));
    }
    let answer = |index| write(&open(), |tx| tx.answer_session_if_open(&one.key, index, &[6; 32], &[7; 128]));
    assert!(answer(1) && !answer(1) && !answer(2));
    let sessions = open().read(|view| view.sessions(&one.key)).unwrap();
    assert_eq!(sessions.iter().map(|one| one.challenge_hash).collect::<Vec<_>>(), [None, Some([6; 32])]);
    let kept: Vec<_> = sessions.iter().map(|one| one.secrets.as_ref().unwrap().to_vec()).collect();
    assert_eq!(kept, [vec![5; 168], vec![7; 128]]);
    assert_eq!(open().read(|view| view.issued_counts()).unwrap(), [(ClassId([3; 16]), 1)]);
    let moved = |from, to| write(&open(), |tx| tx.move_batch_if(&one.key, from, to));
    assert!(!moved(BatchState::Answered, BatchState::Erased));
    let before = |now| open().read(|view| view.batches_opened_before(at(now), 9)).unwrap();
    assert_eq!((before(5), before(7)), (vec![], vec![one.key, other.key]));
    assert!(moved(BatchState::Open, BatchState::Answered) && !moved(BatchState::Open, BatchState::Void));
    assert_eq!(before(7), [other.key]);
    let erasable = |now| open().read(|view| view.batches_to_erase(at(now), 9)).unwrap();
    assert_eq!((erasable(105), erasable(106)), (vec![], vec![one.key]));
    assert_eq!(write(&storage, |tx| tx.erase_sessions(&one.key)), 2);
    let erased = open().read(|view| view.sessions(&one.key)).unwrap();
    assert!(erased.iter().all(|session| session.commitment.is_none() && session.secrets.is_none()));
    assert_eq!(erased[1].challenge_hash, Some([6; 32]), "a tombstone stays");
    assert!(open().read(|view| view.sessions(&other.key)).unwrap()[0].secrets.is_some());
    let answered = BatchRecord { state: BatchState::Answered, ..one };
    assert_eq!(open().read(|view| view.batch(&one.key)).unwrap(), Some(answered));
    assert_eq!(open().read(|view| view.batch(&batch("gamma", 1, 1).key)).unwrap(), None);
}

fn transfer(byte: u8, deadline: u64, swept: bool) -> TransferRecord {
    TransferRecord {
        id: TransferId([byte; 32]),
        note_id: NoteId([byte; 32]),
        class_id: ClassId([1; 16]),
        root: NoteId([2; 32]),
        root_class: ClassId([3; 16]),
        deadline: at(deadline),
        swept,
        transfer: vec![byte; 5],
    }
}

pub(crate) fn the_spent_set_keeps_the_first<S: Storage>(open: impl Fn() -> S) {
    let (note, ids) = (NoteId([1; 32]), [TransferId([1; 32]), TransferId([2; 32])]);
    assert_eq!(open().read(|view| view.shown(&note)).unwrap(), None);
    assert!(write(&open(), |tx| tx.insert_shown(&note, &ids[0])));
    assert!(!write(&open(), |tx| tx.insert_shown(&note, &ids[1])));
    assert_eq!(open().read(|view| view.shown(&note)).unwrap(), Some(ids[0]));
    for index in [3, 0] {
        assert!(write(&open(), |tx| tx.insert_claim(&ids[0], index, &ids[1])));
        assert!(!write(&open(), |tx| tx.insert_claim(&ids[0], index, &ids[0])));
    }
    assert_eq!(open().read(|view| view.claims(&ids[0])).unwrap(), [(0, ids[1]), (3, ids[1])]);
    assert!(open().read(|view| view.claims(&ids[1])).unwrap().is_empty());
}

pub(crate) fn transfers_come_due_once<S: Storage>(open: impl Fn() -> S) {
    let records = [transfer(1, 30, false), transfer(2, 10, false), transfer(3, 10, true)];
    for record in &records {
        assert!(write(&open(), |tx| tx.insert_transfer(record)) && !write(&open(), |tx| tx.insert_transfer(record)));
        assert_eq!(open().read(|view| view.transfer(&record.id)).unwrap().as_ref(), Some(record));
    }
    write(&open(), |tx| tx.replace_transfer(&records[0].id, &[7]));
    let replaced = TransferRecord { transfer: vec![7], ..records[0].clone() };
    assert_eq!(open().read(|view| view.transfer(&records[0].id)).unwrap(), Some(replaced));
    assert_eq!(open().read(|view| view.transfer(&records[1].id)).unwrap().as_ref(), Some(&records[1]));
    let due = |now, limit| open().read(|view| view.due_transfers(at(now), limit)).unwrap();
    assert_eq!((due(10, 9), due(11, 9), due(31, 1)), (vec![], vec![records[1].id], vec![records[1].id]));
    let sweep = |record: &TransferRecord| write(&open(), |tx| tx.mark_swept_if_due(&record.id));
    assert!(sweep(&records[1]) && !sweep(&records[1]) && !sweep(&records[2]));
    assert_eq!(due(31, 9), [records[0].id]);
}

pub(crate) fn roots_add_up<S: Storage>(open: impl Fn() -> S) {
    let (root, class) = (NoteId([1; 32]), ClassId([2; 16]));
    let payout = |byte, minor, within| PayoutRecord {
        transfer: TransferId([byte; 32]),
        kind: if byte == 1 { PayoutKind::Redemption } else { PayoutKind::Leftover },
        root,
        root_class: class,
        amount: amount(minor),
        from_class: amount(within),
        to: Destination { psp: name("alpha"), account: name("alice") },
        at: at(9),
    };
    assert_eq!(open().read(|view| view.paid_of_root(&root)).unwrap(), Amount::ZERO);
    for (byte, minor, within) in [(1, 60, 60), (2, 50, 40)] {
        assert!(write(&open(), |tx| tx.insert_payout(&payout(byte, minor, within))));
        assert!(!write(&open(), |tx| tx.insert_payout(&payout(byte, minor, within))));
        write(&open(), |tx| tx.add_to_roots(&[(root, class, amount(within))]));
    }
    assert_eq!(open().read(|view| view.paid_of_root(&root)).unwrap(), amount(100));
    assert_eq!(open().read(|view| view.payout(&TransferId([2; 32]))).unwrap(), Some(payout(2, 50, 40)));
    assert_eq!(open().read(|view| view.payout(&TransferId([3; 32]))).unwrap(), None);
    assert_eq!(open().read(|view| view.loss_of_root(&root)).unwrap(), amount(10));
    assert_eq!(open().read(|view| view.loss_of_root(&NoteId([9; 32]))).unwrap(), Amount::ZERO);
    let sums = [PaidSum { class_id: class, amount: amount(110), from_class: amount(100) }];
    assert_eq!(open().read(|view| view.paid_sums()).unwrap(), sums);
    let expiry = ExpiryRecord { class_id: class, amount: amount(4), at: at(10) };
    assert!(write(&open(), |tx| tx.insert_expiry(&expiry)) && !write(&open(), |tx| tx.insert_expiry(&expiry)));
    assert_eq!(open().read(|view| view.expiry(&class)).unwrap(), Some(expiry));
    assert_eq!(open().read(|view| view.expiries()).unwrap(), [expiry]);
}

pub(crate) fn claims_are_settled_once<S: Storage>(open: impl Fn() -> S) {
    let (device, transfer) = ([7; 32], TransferId([4; 32]));
    let claim = |byte: u8, output, deadline| RestitutionRecord {
        note_id: NoteId([byte; 32]),
        identity: device,
        output,
        root: NoteId([2; 32]),
        root_class: ClassId([3; 16]),
        amount: amount(byte.into()),
        deadline: at(deadline),
        to: Destination { psp: name("alpha"), account: name("alice") },
        state: RestitutionState::Open,
    };
    let claims = [
        claim(0, Some((transfer, 255)), 30),
        claim(1, None, 20),
        claim(2, Some((transfer, 0)), 10),
        claim(3, None, 10),
    ];
    for one in &claims {
        assert!(write(&open(), |tx| tx.insert_restitution(one)) && !write(&open(), |tx| tx.insert_restitution(one)));
        assert_eq!(open().read(|view| view.restitution(&one.note_id)).unwrap().as_ref(), Some(one));
    }
    let ids = |claims: Vec<RestitutionRecord>| claims.iter().map(|claim| claim.note_id.0[0]).collect::<Vec<_>>();
    let of = |device| ids(open().read(|view| view.restitutions_of(&device)).unwrap());
    assert_eq!((of(device), of([8; 32])), (vec![2, 3, 1, 0], vec![]));
    assert_eq!(ids(open().read(|view| view.restitutions_on(&transfer)).unwrap()), [2, 0]);
    let due = |now, limit| ids(open().read(|view| view.due_restitutions(at(now), limit)).unwrap());
    assert_eq!((due(10, 9), due(11, 9), due(21, 9), due(21, 1)), (vec![], vec![3], vec![3, 1], vec![3]));
    let settle = |byte, state| write(&open(), |tx| tx.settle_restitution_if_open(&NoteId([byte; 32]), state));
    assert!(
        settle(3, RestitutionState::Paid) && !settle(3, RestitutionState::Void) && !settle(9, RestitutionState::Paid)
    );
    let settled = open().read(|view| view.restitution(&NoteId([3; 32]))).unwrap().unwrap();
    assert_eq!((settled.state, due(21, 9)), (RestitutionState::Paid, vec![1]));
    assert_eq!(write(&open(), |tx| tx.delete_open_restitutions(&[8; 32])), 0);
    assert_eq!((write(&open(), |tx| tx.delete_open_restitutions(&device)), of(device)), (3, vec![3]));
}

pub(crate) fn payouts_of_every_kind_are_kept<S: Storage>(open: impl Fn() -> S) {
    for (byte, kind) in (1..).zip(PayoutKind::ALL) {
        let payout = PayoutRecord {
            transfer: TransferId([byte; 32]),
            kind,
            root: NoteId([byte; 32]),
            root_class: ClassId([2; 16]),
            amount: amount(5),
            from_class: amount(5),
            to: Destination { psp: name("alpha"), account: name("alice") },
            at: at(9),
        };
        assert!(write(&open(), |tx| tx.insert_payout(&payout)));
        assert_eq!(open().read(|view| view.payout(&payout.transfer)).unwrap(), Some(payout));
    }
}

pub(crate) fn double_spends_are_counted<S: Storage>(open: impl Fn() -> S) {
    let record = |sequence: u64, culprit| DoubleSpendRecord {
        sequence,
        note_id: NoteId([10 - sequence as u8; 32]),
        class_id: ClassId([1; 16]),
        root: NoteId([2; 32]),
        first: TransferId([3; 32]),
        second: TransferId([4; 32]),
        culprit,
        registered: culprit.is_some(),
        evidence: vec![5; 6],
        revoke_until: at(100 * sequence),
        at: at(7),
    };
    let all = [record(1, Some([8; 32])), record(2, None)];
    assert_eq!(open().read(|view| view.double_spend_sequence()).unwrap(), 0);
    assert!(!open().read(|view| view.root_is_double_spent(&NoteId([2; 32]))).unwrap());
    for one in &all {
        assert!(write(&open(), |tx| tx.insert_double_spend(one)) && !write(&open(), |tx| tx.insert_double_spend(one)));
        assert_eq!(open().read(|view| view.double_spend(&one.note_id)).unwrap().as_ref(), Some(one));
    }
    assert_eq!(open().read(|view| view.double_spend_sequence()).unwrap(), 2);
    assert!(open().read(|view| view.root_is_double_spent(&NoteId([2; 32]))).unwrap());
    let convicted = |byte| open().read(|view| view.is_convicted(&[byte; 32])).unwrap();
    assert!(convicted(8) && !convicted(9));
    assert_eq!(open().read(|view| view.double_spends_after(0, 9)).unwrap(), all);
    assert_eq!(open().read(|view| view.double_spends_after(0, 1)).unwrap(), all[..1]);
    assert_eq!(open().read(|view| view.double_spends_after(1, 9)).unwrap(), all[1..]);
    assert!(write(&open(), |tx| tx.insert_alarm("kind", &[1], at(1))));
    assert!(!write(&open(), |tx| tx.insert_alarm("kind", &[1], at(2))));
    assert_eq!(open().read(|view| view.alarm_count()).unwrap(), 1);
}

pub(crate) fn payments_wait_and_orders_come_back<S: Storage>(open: impl Fn() -> S) {
    let context = Context([1; 32]);
    let put = |hash: u8, deadline| {
        write(&open(), |tx| tx.insert_payment(&context, &TransferId([hash; 32]), &[hash], at(deadline)))
    };
    assert!(put(2, 20) && put(1, 10) && !put(1, 10));
    write(&open(), |tx| tx.replace_payment(&context, &TransferId([1; 32]), &[3]));
    assert_eq!(open().read(|view| view.payments(&context)).unwrap(), [vec![3], vec![2]]);
    assert!(open().read(|view| view.payments(&Context([2; 32]))).unwrap().is_empty());
    assert_eq!(write(&open(), |tx| tx.delete_payments(at(11))), 1);
    assert_eq!(open().read(|view| view.payments(&context)).unwrap(), [vec![2]]);
    let order = |psp, reference| TransferOrder {
        psp: name(psp),
        id: [1; 16],
        from_account: name("alice"),
        to: Destination { psp: name("beta"), account: name("bob") },
        amount: amount(5),
        reference,
    };
    for one in [order("alpha", None), order("gamma", Memo::new("für Brot"))] {
        assert!(
            write(&open(), |tx| tx.insert_transfer_order(&one)) && !write(&open(), |tx| tx.insert_transfer_order(&one))
        );
        assert_eq!(open().read(|view| view.transfer_order(&one.psp, &one.id)).unwrap(), Some(one));
    }
    assert_eq!(open().read(|view| view.transfer_order(&name("alpha"), &[2; 16])).unwrap(), None);
}

pub(crate) fn credits_are_counted_without_gaps<S: Storage>(open: impl Fn() -> S) {
    for psp in ["alpha", "beta"] {
        write(&open(), |tx| tx.insert_psp(&PspRecord { name: name(psp), key: PublicKey([1; 32]) }));
    }
    let credit = |sequence| CreditRecord {
        psp: name("alpha"),
        sequence,
        account: name("alice"),
        amount: amount(sequence),
        kind: CreditKind::ALL[sequence as usize % CreditKind::ALL.len()],
        reference: "x".into(),
        at: at(3),
    };
    for expected in 1..=3 {
        let sequence = write(&open(), |tx| {
            let sequence = tx.next_credit_sequence(&name("alpha"))?;
            assert!(tx.insert_credit(&credit(sequence))?);
            Ok(sequence)
        });
        assert_eq!(sequence, expected);
        // A number that was drawn in vain is drawn again.
        let in_vain: Result<(), StorageError> = open().transact(|tx| {
            tx.next_credit_sequence(&name("alpha"))?;
            Err(StorageError::Busy)
        });
        assert!(in_vain.is_err());
    }
    assert!(!write(&open(), |tx| tx.insert_credit(&credit(3))));
    let after = |psp, sequence, limit| open().read(|view| view.credits_after(&name(psp), sequence, limit)).unwrap();
    assert_eq!(after("alpha", 0, 9), [credit(1), credit(2), credit(3)]);
    assert_eq!((after("alpha", 2, 9), after("alpha", 0, 1)), (vec![credit(3)], vec![credit(1)]));
    assert!(after("beta", 0, 9).is_empty());
    assert_eq!(open().read(|view| view.credit_sequence(&name("alpha"))).unwrap(), 3);
    assert_eq!(open().read(|view| view.credit_sequence(&name("gamma"))).unwrap(), 0);
    assert!(open().transact(|tx| tx.next_credit_sequence(&name("gamma"))).is_err(), "nobody's credits are not counted");
}

pub(crate) fn books_add_up<S: Storage>(open: impl Fn() -> S) {
    assert_eq!(open().read(|view| view.balance("a")).unwrap(), 0);
    let book = |byte: u8, postings: &[(&str, i64)]| {
        write(&open(), |tx| {
            let movement = |kind, seconds| [MovementRow { id: [byte; 32], kind, at: at(seconds) }];
            assert_eq!(tx.insert_movements(&movement("kind", 1))?, 1);
            assert_eq!(tx.insert_movements(&movement("other", 2))?, 0);
            let mut last = 0;
            for (index, (account, amount)) in (0..).zip(postings) {
                let (movement, account_name) = ([byte; 32], (*account).to_owned());
                let posting = [PostingRow { movement, index, account: account_name, amount: *amount }];
                assert_eq!((tx.insert_postings(&posting)?, tx.insert_postings(&posting)?), (1, 0));
                last = tx.add_to_balance(account, *amount)?;
            }
            Ok(last)
        })
    };
    assert_eq!(book(1, &[("a", 5), ("b", -5)]), -5);
    assert_eq!(book(2, &[("b", -2), ("a", 2)]), 7);
    let books = vec![("a".to_owned(), 7), ("b".to_owned(), -7)];
    assert_eq!(open().read(|view| view.balances()).unwrap(), books);
    assert_eq!(open().read(|view| view.posting_sums()).unwrap(), books);
    assert_eq!(open().read(|view| view.unbalanced_movements()).unwrap(), 0);
    book(3, &[("a", 1)]);
    assert_eq!(open().read(|view| view.unbalanced_movements()).unwrap(), 1);
}

/// A few changes of different kinds.
fn changes(tx: &mut dyn Tx) -> Result<(), StorageError> {
    tx.insert_shown(&NoteId([1; 32]), &TransferId([1; 32]))?;
    tx.add_to_balance("a", 5)?;
    tx.insert_batch(&batch("alpha", 1, 1))?;
    tx.insert_answer("alpha", "key", &Answered { request_hash: [1; 32], response: vec![] }, at(1))?;
    Ok(())
}

fn assert_nothing_there(storage: &impl Storage) {
    let there = storage.read(|view| {
        let shown = view.shown(&NoteId([1; 32]))?.is_some();
        let batch = view.batch(&batch("alpha", 1, 1).key)?.is_some();
        Ok::<_, StorageError>(shown || batch || view.balance("a")? != 0 || view.answered("alpha", "key")?.is_some())
    });
    assert!(!there.unwrap());
}

pub(crate) fn an_error_leaves_nothing_behind<S: Storage>(open: impl Fn() -> S) {
    let storage = open();
    let failed: Result<(), StorageError> = storage.transact(|tx| {
        changes(tx)?;
        Err(StorageError::Failed("on purpose".into()))
    });
    assert!(matches!(failed, Err(StorageError::Failed(text)) if text == "on purpose"));
    assert_nothing_there(&storage);
    assert_nothing_there(&open());
    write(&storage, changes);
    assert_eq!(open().read(|view| view.balance("a")).unwrap(), 5);
}

pub(crate) fn a_panic_leaves_nothing_behind<S: Storage>(open: impl Fn() -> S) {
    let storage = open();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        storage.transact(|tx| -> Result<(), StorageError> {
            changes(tx)?;
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    assert_nothing_there(&storage);
    write(&storage, changes);
    assert_eq!(open().read(|view| view.balance("a")).unwrap(), 5);
}

pub(crate) fn a_reader_sees_one_moment<S: Storage>(open: impl Fn() -> S) {
    let (reader, writer) = (open(), open());
    let written = AtomicU64::new(0);
    reader
        .read(|view| {
            assert_eq!(view.balance("a")?, 0);
            write(&writer, |tx| tx.add_to_balance("a", 5));
            written.fetch_add(1, Ordering::SeqCst);
            assert_eq!(view.balance("a")?, 0, "what was written since is of another moment");
            Ok::<_, StorageError>(())
        })
        .unwrap();
    assert_eq!(reader.read(|view| view.balance("a")).unwrap(), 5);
    assert_eq!(written.into_inner(), 1);
}

pub(crate) fn notes_are_listed_once_and_pages_replaced<S: Storage>(open: impl Fn() -> S) {
    let read_notes = |now, limit| open().read(|view| view.notes_to_list(at(now), limit)).unwrap();
    let revocable = |byte, worth, until| RevocableRecord {
        note_id: NoteId([byte; 32]),
        worth: amount(worth),
        revoke_until: at(until),
    };
    let [small, large, late] = [revocable(1, 5, 100), revocable(2, 9, 100), revocable(3, 5, 200)];
    for note in [&small, &large, &late] {
        assert!(write(&open(), |tx| tx.insert_revocable(note)) && !write(&open(), |tx| tx.insert_revocable(note)));
    }
    assert_eq!((read_notes(100, 9), read_notes(100, 2)), (vec![large, small, late], vec![large, small]));
    assert_eq!((read_notes(101, 9), read_notes(201, 9), read_notes(1, 0)), (vec![late], vec![], vec![]));
    write(&open(), |tx| tx.mark_listed(&large.note_id, at(50)));
    write(&open(), |tx| tx.mark_listed(&large.note_id, at(60)));
    assert_eq!(read_notes(100, 9), [small, late]);
    let waiting = |now| open().read(|view| view.notes_waiting(at(now))).unwrap();
    let listed = |since| open().read(|view| view.notes_listed_after(at(since))).unwrap();
    assert_eq!((waiting(100), waiting(101), listed(49), listed(50)), (2, 1, 1, 0));

    assert_eq!(open().read(|view| view.newest_revocation()).unwrap(), None);
    assert_eq!(open().read(|view| view.oldest_revocation(at(0))).unwrap(), None);
    let page = |page, sequence, until| RevocationRecord {
        page,
        sequence,
        revoke_until: at(until),
        content: vec![sequence as u8],
    };
    for page in [page(1, 1, 10), page(1, 2, 20), page(2, 3, 40), page(3, 4, 30), page(3, 5, 30)] {
        write(&open(), |tx| tx.put_revocation(&page));
        assert_eq!(open().read(|view| view.newest_revocation()).unwrap(), Some(page));
    }
    let after = |sequence, pages| open().read(|view| view.revocations_after(sequence, pages)).unwrap();
    assert_eq!(
        (after(0, 9), after(0, 2), after(3, 9)),
        (vec![vec![2], vec![3], vec![5]], vec![vec![3], vec![5]], vec![vec![5]])
    );
    assert_eq!((after(5, 9), after(0, 0)), (vec![], vec![]));
    let oldest = |now| open().read(|view| view.oldest_revocation(at(now))).unwrap();
    assert_eq!((oldest(20), oldest(21), oldest(40), oldest(41)), (Some(1), Some(2), Some(2), None));
    write(&open(), |tx| tx.delete_revocations_before(2));
    assert_eq!(after(0, 9), [[3], [5]]);
}
