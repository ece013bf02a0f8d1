//! PostgreSQL when things break: lines, servers, and what several processes do at once. Nothing that was acknowledged is
//! lost, and nothing happens twice.
//!
//! These tests start servers of their own. They run where a server is given to tests (`SPECIE_POSTGRES`, see
//! `specie-testbed`), and say so where none is.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};

use specie_bank::storage::{Storage, StorageError, Tx};
use specie_core::bytes::{NoteId, TransferId};
use specie_store::AnyDatabase;
use specie_store::bank::{BankStore, SCHEMA};
use specie_testbed::{Break, Server, Settings};

/// Processes that write at once.
const WRITERS: u8 = 4;

fn skipped() -> bool {
    let skipped = !specie_testbed::on_server();
    if skipped {
        println!("skipped: run under specie-testbed");
    }
    skipped
}

fn open(url: &str) -> BankStore<AnyDatabase> {
    BankStore(AnyDatabase::open(&url.parse().unwrap(), &[SCHEMA]).unwrap())
}

/// A redemption in miniature: the note is shown once, and paid for once.
fn redeem(tx: &mut dyn Tx, note: [u8; 32]) -> Result<bool, StorageError> {
    let new = tx.insert_shown(&NoteId(note), &TransferId(note))?;
    if new {
        tx.add_to_balance("paid", 1)?;
    }
    Ok(new)
}

fn paid(store: &impl Storage) -> i64 {
    store.read::<_, StorageError>(|view| view.balance("paid")).unwrap()
}

fn note(writer: u8, number: u64) -> [u8; 32] {
    let mut note = [writer; 32];
    note[..8].copy_from_slice(&number.to_be_bytes());
    note
}

#[test]
fn a_group_whose_commit_is_lost_is_answered_to_each_of_it_as_it_is() {
    if skipped() {
        return;
    }
    const MEMBERS: u8 = 12;
    let server = Server::start(&Settings::default()).unwrap();
    let line = server.line().unwrap();
    let store = open(&line.url());
    for (round, when) in [(1, Break::AfterCommit), (2, Break::BeforeCommit), (3, Break::Never)] {
        let (begun, broken) = (Barrier::new(MEMBERS.into()), line.broken());
        line.break_at(when);
        std::thread::scope(|scope| {
            for member in 0..u64::from(MEMBERS) {
                let (store, begun) = (&store, &begun);
                scope.spawn(move || {
                    begun.wait();
                    let new = store.transact(|tx| redeem(tx, note(round, member)));
                    assert!(new.unwrap(), "{when:?}: it is this transaction that showed the note");
                });
            }
        });
        assert_eq!(line.broken() - broken, u32::from(when != Break::Never), "{when:?}");
        assert_eq!(paid(&store), i64::from(round) * i64::from(MEMBERS), "{when:?}");
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_neither_lost_nor_done_twice() {
    if skipped() {
        return;
    }
    let server = Server::start(&Settings::default()).unwrap();
    let line = server.line().unwrap();
    let store = open(&line.url());
    for (number, when, runs_expected) in [(1, Break::AfterCommit, 1), (2, Break::BeforeCommit, 2), (3, Break::Never, 1)]
    {
        let runs = AtomicU32::new(0);
        let broken = line.broken();
        line.break_at(when);
        let new = store.transact(|tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            redeem(tx, note(0, number))
        });
        assert!(new.unwrap(), "{when:?}: it is this transaction that showed the note");
        assert_eq!(line.broken() - broken, u32::from(when != Break::Never), "{when:?}");
        assert_eq!(runs.load(Ordering::SeqCst), runs_expected, "{when:?}");
        assert_eq!(paid(&store), i64::try_from(number).unwrap(), "{when:?}");
    }
}

#[test]
fn processes_that_write_at_once_undo_nothing_for_good() {
    if skipped() {
        return;
    }
    let server = Server::start(&Settings { durable: false }).unwrap();
    let new = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let store = open(&server.url());
                // All of them race for the same notes.
                for number in 0..50 {
                    let shown = loop {
                        match store.transact(|tx| redeem(tx, note(0, number))) {
                            Err(StorageError::Busy) => {}
                            shown => break shown.unwrap(),
                        }
                    };
                    new.fetch_add(u64::from(shown), Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(new.load(Ordering::SeqCst), 50, "each note is shown by one of them");
    assert_eq!(paid(&open(&server.url())), 50);
}

#[test]
fn a_statement_that_is_refused_leaves_nothing_behind_whoever_ignores_it() {
    if skipped() {
        return;
    }
    let server = Server::start(&Settings { durable: false }).unwrap();
    let store = open(&server.url());
    let ignored: Result<(), StorageError> = store.transact(|tx| {
        redeem(tx, note(0, 1))?;
        // A movement twice is told, a posting of more than there is room for is refused.
        drop(tx.add_to_balance("paid", i64::MAX));
        Ok(())
    });
    assert!(ignored.is_err());
    assert_eq!(paid(&store), 0);
    assert!(store.transact(|tx| redeem(tx, note(0, 1))).unwrap());
}

#[test]
fn nothing_acknowledged_is_lost_when_the_primary_dies_and_the_standby_takes_over() {
    if skipped() {
        return;
    }
    let mut primary = Server::start(&Settings::default()).unwrap();
    drop(open(&primary.url()));
    let standby = primary.standby().unwrap();
    primary.require_standby().unwrap();
    let url = Server::url_of_any(&[&primary, &standby]);
    let acknowledged = Mutex::new(BTreeSet::new());
    let (before, after) = (AtomicU64::new(0), AtomicU64::new(0));
    let promoted = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 1..=WRITERS {
            let (url, acknowledged, before, after, promoted) = (&url, &acknowledged, &before, &after, &promoted);
            scope.spawn(move || {
                let store = open(url);
                let mut number = 0;
                // Until each has written to the server that took over.
                while after.load(Ordering::SeqCst) < 200 {
                    let late = promoted.load(Ordering::SeqCst);
                    // Whoever is told that nobody knows, or hears nothing, repeats the same.
                    match store.transact(|tx| redeem(tx, note(writer, number))) {
                        Ok(_) => {
                            acknowledged.lock().unwrap().insert(note(writer, number));
                            number += 1;
                            if late { after } else { before }.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(StorageError::Busy | StorageError::Unknown) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
        while before.load(Ordering::SeqCst) < 200 {
            std::thread::yield_now();
        }
        primary.kill().unwrap();
        standby.promote().unwrap();
        promoted.store(true, Ordering::SeqCst);
    });
    let store = open(&standby.url());
    let acknowledged = acknowledged.into_inner().unwrap();
    for note in &acknowledged {
        let shown = store.read::<_, StorageError>(|view| view.shown(&NoteId(*note))).unwrap();
        assert_eq!(shown, Some(TransferId(*note)), "acknowledged, and gone");
    }
    // Every writer repeats until it is acknowledged, so nothing else was written.
    let written: usize = standby.query("SELECT COUNT(*) FROM bank_shown").unwrap().parse().unwrap();
    assert_eq!(written, acknowledged.len());
    assert_eq!(paid(&store), i64::try_from(acknowledged.len()).unwrap(), "paid for once each");
    println!("{} acknowledged before, {} after", before.into_inner(), after.into_inner());
}
