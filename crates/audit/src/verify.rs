//! Verification of an export, line by line, with nothing but the key of whoever keeps the log, or the bank's root key.
//!
//! What is inside an export cannot be changed, taken out, put in or moved without its being found here. What was cut off its end, up
//! to an earlier head, leaves no trace in it, and neither does a history that the key itself signed anew: both are found by whoever
//! kept an older head ([`Verifier::since`]).

use std::io::{self, BufRead, Read};

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use thiserror::Error;

use crate::certificate::Certificate;
use crate::head::{Head, LogName, SignedHead};
use crate::line::{LINE_MAX, Line, LineError};
use crate::record::Record;
use crate::tree::{self, Tree};

/// Reads an export.
pub struct Verifier {
    trust: Trust,
    key: Option<PublicKey>,
    since: Option<SignedHead>,
    line: u64,
    log: Option<LogName>,
    sequence: u64,
    hash: [u8; 32],
    tree: Tree,
    latest: Timestamp,
    backwards: u64,
    heads: u64,
    head: Option<SignedHead>,
}

/// By what an export is believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// The key of whoever keeps the log: the bank's ledger key, or the PSP's key. A certificate in the export is not looked at.
    Key(PublicKey),
    /// The bank's root key: the export shows that it certified the key.
    Root(PublicKey),
}

/// An export that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Its last head: it covers every record.
    pub head: SignedHead,
    /// How many heads it has.
    pub heads: u64,
    /// How many records and heads bear a time before that of an earlier record or head: a clock was set back, or somebody dated one back.
    pub backwards: u64,
    /// Whether an older head was compared.
    pub since: Option<SignedHead>,
}

/// Why an export is not believed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("line {line}: {problem}")]
pub struct VerifyError {
    /// Counts lines from 1; for what is missing at the end, one more than there are.
    pub line: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// Why a file was not verified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not believed.
    #[error(transparent)]
    Wrong(#[from] VerifyError),
}

/// What can be wrong with an export.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The line is none.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The line is no text, too long, or cut short.
    #[error("the line is no text, longer than any line of an export, or cut short")]
    NoText,
    /// It does not begin with the name of the log.
    #[error("an audit export begins with the name of its log")]
    NoName,
    /// A proof of consistency is among the records.
    #[error("a proof that one head goes on from another belongs in a file of its own")]
    Proof,
    /// It names the log again.
    #[error("the log is named again: two exports were put together")]
    NameAgain,
    /// Another record belongs here.
    #[error("record {found} stands where record {expected} belongs: records were taken out, put in or moved")]
    Sequence {
        /// Which belongs here.
        expected: u64,
        /// Which is.
        found: u64,
    },
    /// The record follows another one than the one before it.
    #[error("record {0} does not follow the record before it: one of them was exchanged")]
    Chain(u64),
    /// The head is of another log.
    #[error("this is a head of the log `{0}`")]
    OtherLog(LogName),
    /// Nothing in it shows that the root key certified the key of the log.
    #[error("there is no certificate before the first record, or it is not by this root key for this log")]
    Certificate,
    /// The root of a head is not that of the records before it.
    #[error("the root in head {0} is not that of the records before it: records were changed, taken out or put in")]
    Root(u64),
    /// The head is not signed by the key.
    #[error("head {0} is not signed by this key: name the key of whoever keeps this log, or the head is forged")]
    Signature(u64),
    /// The head is not of the record before it.
    #[error("head {0} is not of the record before it: records were changed, taken out or put in")]
    Head(u64),
    /// The end is not covered by a head.
    #[error("no head covers the last record: the end of the export is missing, or was put in")]
    NoHead,
    /// The older head is beyond the end.
    #[error("the log was at record {0} before, and ends earlier now: it was cut back")]
    CutBack(u64),
    /// The older head is of another history.
    #[error(
        "record {0} is another one than the older head says: the log was rewritten, and both heads are proof of it"
    )]
    Rewritten(u64),
}

/// The last head in a file: an older export, or a head alone.
///
/// # Errors
/// When it cannot be read, or does not end with a head.
pub fn last_head(file: impl BufRead) -> Result<SignedHead, ReadError> {
    let (mut last, mut count) = (None, 0);
    for_each_line(file, |text| {
        count += 1;
        let line = Line::parse(text);
        last = Some(line.map_err(|problem| VerifyError { line: count, problem: problem.into() })?);
        Ok(())
    })?;
    match last {
        Some(Line::Head(head)) => Ok(head),
        _ => Err(VerifyError { line: count + 1, problem: Problem::NoHead }.into()),
    }
}

pub(crate) fn for_each_line(
    mut file: impl BufRead,
    mut take: impl FnMut(&str) -> Result<(), VerifyError>,
) -> Result<(), ReadError> {
    let (mut bytes, mut count) = (Vec::new(), 0);
    loop {
        bytes.clear();
        count += 1;
        if file.by_ref().take(LINE_MAX as u64).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        let text = bytes.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
        take(text.ok_or(VerifyError { line: count, problem: Problem::NoText })?)?;
    }
}

impl Verifier {
    /// Verifies an export of a log that `key` signs: the bank's ledger key, or the PSP's key.
    pub fn new(key: PublicKey) -> Self {
        Self::trusting(Trust::Key(key))
    }

    /// Verifies an export by one key or the other.
    pub fn trusting(trust: Trust) -> Self {
        Self {
            trust,
            key: if let Trust::Key(key) = trust { Some(key) } else { None },
            tree: Tree::default(),
            since: None,
            line: 0,
            log: None,
            sequence: 0,
            hash: [0; 32],
            latest: Timestamp::EPOCH,
            backwards: 0,
            heads: 0,
            head: None,
        }
    }

    /// Demands that the export goes on from an older `head`.
    ///
    /// # Errors
    /// When the key did not sign it. By a root key this is found when the export says which key it is.
    pub fn since(mut self, head: SignedHead) -> Result<Self, VerifyError> {
        self.since = Some(head);
        self.check_since().map_err(|problem| VerifyError { line: 0, problem })?;
        Ok(self)
    }

    /// Verifies a whole file.
    ///
    /// # Errors
    /// When it cannot be read, or is not believed.
    pub fn read(mut self, file: impl BufRead) -> Result<Verified, ReadError> {
        for_each_line(file, |text| self.line(text))?;
        Ok(self.finish()?)
    }

    /// Takes the next line, without its end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn line(&mut self, text: &str) -> Result<(), VerifyError> {
        self.line += 1;
        Line::parse(text).map_err(Problem::from).and_then(|line| self.take(line)).map_err(|problem| self.here(problem))
    }

    /// All lines were there.
    ///
    /// # Errors
    /// When the end is missing, or does not go as far as an older head.
    pub fn finish(mut self) -> Result<Verified, VerifyError> {
        self.line += 1;
        let head = self.head.filter(|head| head.head.sequence == self.sequence);
        let head = head.ok_or_else(|| self.here(Problem::NoHead))?;
        if let Some(since) = self.since.filter(|since| since.head.sequence > self.sequence) {
            return Err(self.here(Problem::CutBack(since.head.sequence)));
        }
        Ok(Verified { head, heads: self.heads, backwards: self.backwards, since: self.since })
    }

    fn take(&mut self, line: Line) -> Result<(), Problem> {
        match (line, self.log) {
            (Line::Log(log), None) => self.begin(log),
            (Line::Log(_), Some(_)) => Err(Problem::NameAgain),
            (_, None) => Err(Problem::NoName),
            (Line::Key(certificate), Some(log)) => self.certified(&certificate, log),
            (Line::Consistency(_), Some(_)) => Err(Problem::Proof),
            (Line::Record(record), Some(_)) => self.record(&record),
            (Line::Head(head), Some(log)) => self.head(head, log),
        }
    }

    fn begin(&mut self, log: LogName) -> Result<(), Problem> {
        if let Some(since) = self.since.filter(|since| since.head.log != log) {
            return Err(Problem::OtherLog(since.head.log));
        }
        self.log = Some(log);
        Ok(())
    }

    fn check_since(&self) -> Result<(), Problem> {
        let (Some(since), Some(key)) = (self.since, self.key) else { return Ok(()) };
        since.verify(&key).map_err(|_| Problem::Signature(since.head.sequence))
    }

    fn certified(&mut self, certificate: &Certificate, log: LogName) -> Result<(), Problem> {
        if self.sequence > 0 {
            return Err(Problem::Certificate);
        }
        if let Trust::Root(root) = self.trust {
            self.key = Some(certificate.key_of(&log, &root).ok_or(Problem::Certificate)?);
        }
        self.check_since()
    }

    fn record(&mut self, record: &Record) -> Result<(), Problem> {
        if self.key.is_none() {
            return Err(Problem::Certificate);
        }
        let (found, expected) = (record.sequence, self.sequence + 1);
        if found != expected {
            return Err(Problem::Sequence { expected, found });
        }
        if record.previous != self.hash {
            return Err(Problem::Chain(found));
        }
        (self.sequence, self.hash) = (found, record.hash());
        self.tree.push(tree::leaf(record));
        let other = |since: Head| since.hash != self.hash || since.root.is_some_and(|root| root != self.tree.root());
        if self.since.is_some_and(|since| since.head.sequence == found && other(since.head)) {
            return Err(Problem::Rewritten(found));
        }
        self.backwards += u64::from(record.decision.at < self.latest);
        self.latest = self.latest.max(record.decision.at);
        Ok(())
    }

    fn head(&mut self, signed: SignedHead, log: LogName) -> Result<(), Problem> {
        let head = signed.head;
        if head.log != log {
            return Err(Problem::OtherLog(head.log));
        }
        let key = self.key.ok_or(Problem::Certificate)?;
        signed.verify(&key).map_err(|_| Problem::Signature(head.sequence))?;
        if self.sequence == 0 || (head.sequence, head.hash) != (self.sequence, self.hash) {
            return Err(Problem::Head(head.sequence));
        }
        if head.root.is_some_and(|root| root != self.tree.root()) {
            return Err(Problem::Root(head.sequence));
        }
        self.heads += 1;
        self.backwards += u64::from(head.at < self.latest);
        self.latest = self.latest.max(head.at);
        self.head = Some(signed);
        Ok(())
    }

    fn here(&self, problem: Problem) -> VerifyError {
        VerifyError { line: self.line, problem }
    }
}
