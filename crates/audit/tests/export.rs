//! An export, and everything that can be done to one.
#![allow(clippy::unwrap_used)]

use specie_audit::head::{bank_log, psp_log};
use specie_audit::verify::{Problem, last_head};
use specie_audit::{Actor, Decision, Head, Kind, Line, Record, SignedHead, Verified, Verifier, VerifyError};
use specie_core::Timestamp;
use specie_core::signature::SigningKey;
use specie_core::text::Name;

/// A log with its exports.
struct Log {
    key: SigningKey,
    name: specie_audit::LogName,
    records: Vec<Record>,
    heads: Vec<SignedHead>,
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

impl Log {
    fn new() -> Self {
        let name = psp_log(&Name::new("psp-one").unwrap());
        Self { key: SigningKey::from_seed(&[7; 32]), name, records: Vec::new(), heads: Vec::new() }
    }

    fn decide(&mut self, subject: &str, to: &str) {
        let by = Actor::operator("anna").unwrap();
        let now = at(1_000 + self.records.len() as u64);
        let decision = Decision::new(by, now, Kind::TierChanged, subject, &[("from", "basic"), ("to", to)]);
        self.records.push(Record::after(self.records.last(), decision.unwrap()));
    }

    fn head(&mut self) -> SignedHead {
        let newest = self.records.last().unwrap();
        let head = Head::new(self.name, newest, newest.decision.at).sign(&self.key);
        self.heads.push(head);
        head
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![Line::Log(self.name).to_text()];
        for record in &self.records {
            lines.push(Line::Record(record.clone()).to_text());
            let heads = self.heads.iter().filter(|head| head.head.sequence == record.sequence);
            lines.extend(heads.map(|head| Line::Head(*head).to_text()));
        }
        lines
    }

    fn verifier(&self) -> Verifier {
        Verifier::new(self.key.public())
    }

    /// Lines 0 log, 1–3 records, 4 head, 5–6 records, 7 head.
    fn example() -> Self {
        let mut log = Self::new();
        for (count, subject) in ["alice", "bob", "zoë \"z\"", "dora\u{7f}\\", "emil"].into_iter().enumerate() {
            log.decide(subject, "standard");
            if count == 2 || count == 4 {
                log.head();
            }
        }
        log
    }
}

fn verify(mut verifier: Verifier, lines: &[String]) -> Result<Verified, VerifyError> {
    lines.iter().try_for_each(|line| verifier.line(line))?;
    verifier.finish()
}

#[track_caller]
fn refused(log: &Log, lines: &[String], line: u64, problem: Problem) {
    assert_eq!(verify(log.verifier(), lines), Err(VerifyError { line, problem }));
}

#[test]
fn an_export_holds_and_says_how_far_it_goes() {
    let log = Log::example();
    let verified = verify(log.verifier(), &log.lines()).unwrap();
    assert_eq!(verified, Verified { head: log.heads[1], heads: 2, backwards: 0, since: None });
    for head in &log.heads {
        let verified = verify(log.verifier().since(*head).unwrap(), &log.lines()).unwrap();
        assert_eq!(verified.since, Some(*head));
    }
}

#[test]
fn every_byte_of_every_line_counts() {
    let (log, lines) = (Log::example(), Log::example().lines());
    for (index, line) in lines.iter().enumerate() {
        for position in 0..line.len() {
            for flip in [0x01, 0x04, 0x20] {
                let mut changed = lines.clone();
                let mut bytes = line.clone().into_bytes();
                bytes[position] ^= flip;
                // An export that is no UTF-8 is none.
                let Ok(text) = String::from_utf8(bytes) else { continue };
                changed[index] = text;
                // The name of the log in the first line must agree with that in the heads.
                assert!(verify(log.verifier(), &changed).is_err(), "line {index}, byte {position}: {}", changed[index]);
            }
        }
        for more in [format!("{line} "), format!(" {line}"), line.replacen(':', ": ", 1)] {
            let mut changed = lines.clone();
            changed[index] = more;
            assert!(verify(log.verifier(), &changed).is_err(), "line {index}");
        }
    }
}

#[test]
fn finds_what_was_taken_out_put_in_or_moved() {
    let (log, lines) = (Log::example(), Log::example().lines());
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        lines
    };
    let gap = Problem::Sequence { expected: 2, found: 3 };
    refused(&log, &with(&|lines| drop(lines.remove(2))), 3, gap.clone());
    refused(&log, &with(&|lines| lines.swap(2, 3)), 3, gap);
    refused(&log, &with(&|lines| lines.insert(2, lines[1].clone())), 3, Problem::Sequence { expected: 2, found: 1 });
    refused(&log, &with(&|lines| drop(lines.remove(0))), 1, Problem::NoName);
    refused(&log, &with(&|lines| lines.extend(log.lines())), 9, Problem::NameAgain);
    refused(&log, &with(&|lines| drop(lines.remove(1))), 2, Problem::Sequence { expected: 1, found: 2 });
    refused(&log, &with(&|lines| drop(lines.remove(3))), 4, Problem::Head(3));
    refused(&log, &with(&|lines| lines.swap(4, 5)), 6, Problem::Head(3));
    for end in [1, 2, 4, 6, 7] {
        refused(&log, &lines[..end], end as u64 + 1, Problem::NoHead);
    }
    refused(&log, &[], 1, Problem::NoHead);
}

#[test]
fn finds_records_that_were_made_up() {
    let log = Log::example();
    let exchanged = |index: usize, record: &Record| {
        let mut lines = log.lines();
        lines[index] = Line::Record(record.clone()).to_text();
        lines
    };
    let mut changed = log.records[1].clone();
    changed.decision.by = Actor::operator("eve").unwrap();
    refused(&log, &exchanged(2, &changed), 4, Problem::Chain(3));
    // The last record before a head has nothing after it but the head.
    let mut changed = log.records[2].clone();
    changed.decision.at = at(1);
    refused(&log, &exchanged(3, &changed), 5, Problem::Head(3));
    let mut first = log.records[0].clone();
    first.previous = [1; 32];
    refused(&log, &exchanged(1, &first), 2, Problem::Chain(1));
    // A whole history without the key.
    let mut forged = Log::example();
    forged.key = SigningKey::from_seed(&[8; 32]);
    let head = forged.head();
    forged.heads = vec![head];
    refused(&log, &forged.lines(), 7, Problem::Signature(5));
    assert_eq!(log.verifier().since(head).err().unwrap().problem, Problem::Signature(5));
}

#[test]
fn heads_of_other_logs_do_not_count() {
    let log = Log::example();
    let mut other = Log::example();
    other.name = bank_log(&Name::new("psp-one").unwrap());
    let head = other.head();
    let mut lines = log.lines();
    lines[7] = Line::Head(head).to_text();
    refused(&log, &lines, 8, Problem::OtherLog(other.name));
    let verifier = log.verifier().since(head).unwrap();
    assert_eq!(verify(verifier, &log.lines()).err().unwrap().problem, Problem::OtherLog(other.name));
}

/// What no export shows by itself, and what an older head shows.
#[test]
fn an_older_head_finds_a_log_that_was_cut_back_or_rewritten() {
    let log = Log::example();
    let (early, late) = (log.heads[0], log.heads[1]);
    let cut = log.lines()[..5].to_vec();
    assert_eq!(verify(log.verifier(), &cut).unwrap().head, early);
    assert_eq!(verify(log.verifier().since(early).unwrap(), &cut).unwrap().head, early);
    let found = verify(log.verifier().since(late).unwrap(), &cut);
    assert_eq!(found, Err(VerifyError { line: 6, problem: Problem::CutBack(5) }));

    let mut rewritten = Log::new();
    for subject in ["alice", "eve", "zoë", "dora", "emil", "fred"] {
        rewritten.decide(subject, "standard");
    }
    rewritten.head();
    assert!(verify(log.verifier(), &rewritten.lines()).is_ok());
    for (head, line) in [(early, 4), (late, 6)] {
        let found = verify(log.verifier().since(head).unwrap(), &rewritten.lines());
        assert_eq!(found, Err(VerifyError { line, problem: Problem::Rewritten(head.head.sequence) }));
    }
}

#[test]
fn says_how_many_records_and_heads_are_dated_back() {
    let mut log = Log::example();
    let decide = |now, record: Option<&Record>| {
        let decision = Decision::new(Actor::service(), at(now), Kind::DeviceBlocked, "5f", &[]).unwrap();
        Record::after(record, decision)
    };
    // Before the head that was signed at 1004.
    log.records.push(decide(1_003, log.records.last()));
    log.records.push(decide(1_004, log.records.last()));
    log.head();
    assert_eq!(verify(log.verifier(), &log.lines()).unwrap().backwards, 1);
    // And of heads.
    let newest = log.records.last().unwrap();
    log.heads.push(Head::new(log.name, newest, at(900)).sign(&log.key));
    assert_eq!(verify(log.verifier(), &log.lines()).unwrap().backwards, 2);
}

#[test]
fn a_file_is_read_to_its_last_byte() {
    let log = Log::example();
    let file: String = log.lines().iter().map(|line| format!("{line}\n")).collect();
    let read = |bytes: &[u8]| log.verifier().read(bytes).map_err(|error| error.to_string());
    assert_eq!(read(file.as_bytes()).unwrap().head, log.heads[1]);
    assert_eq!(last_head(file.as_bytes()).unwrap(), log.heads[1]);
    // A head is an end: nothing shows what came after it.
    let offsets = file.match_indices('\n').map(|(at, _)| at + 1);
    let ends: Vec<_> =
        offsets.zip(file.lines()).filter(|(_, line)| line.starts_with("{\"head")).map(|(at, _)| at).collect();
    assert_eq!(ends.len(), 2);
    for end in 0..file.len() {
        assert_eq!(read(&file.as_bytes()[..end]).is_ok(), ends.contains(&end), "{end}");
        assert_eq!(last_head(&file.as_bytes()[..end]).is_ok(), ends.contains(&end), "{end}");
    }
    for more in ["\n", " ", "\u{feff}", "{}\n"] {
        assert!(read(format!("{file}{more}").as_bytes()).is_err(), "{more:?}");
    }
    let mut changed = file.clone().into_bytes();
    changed[30] = 0xff;
    assert!(read(&changed).unwrap_err().contains("line 1"), "no text");
    assert!(read(&vec![b'x'; 1 << 20]).unwrap_err().contains("line 1"), "no end");
}
