//! A file for a witness: two heads, and that the second goes on from the first, without any record.
//!
//! Its lines are the name of the log, the certificate of its key, the older head, the newer head, and the proof.

use std::io::BufRead;

use crate::certificate::Certificate;
use crate::head::{LogName, SignedHead};
use crate::line::Line;
use crate::tree::{self, Hash};
use crate::verify::{Problem, ReadError, Trust, VerifyError, for_each_line};

/// Such a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// Which log.
    pub log: LogName,
    /// Who signs it.
    pub certificate: Option<Certificate>,
    /// The head that a witness has.
    pub older: SignedHead,
    /// The head that it gets.
    pub newer: SignedHead,
    /// Between their trees.
    pub hashes: Vec<Hash>,
}

impl Proof {
    /// The proof over the hashes of all leaves up to the newer head; `None` when a head has no root, or they are not of these leaves.
    pub fn new(
        certificate: Option<Certificate>,
        older: SignedHead,
        newer: SignedHead,
        leaves: &[Hash],
    ) -> Option<Self> {
        let hashes = tree::consistency(leaves, usize::try_from(older.head.sequence).ok()?)?;
        let proof = Self { log: newer.head.log, certificate, older, newer, hashes };
        proof.is_consistent().then_some(proof)
    }

    /// Its lines.
    pub fn lines(&self) -> Vec<Line> {
        let certificate = self.certificate.clone().map(Line::Key);
        let begin = [Line::Log(self.log)].into_iter().chain(certificate);
        let end = [Line::Head(self.older), Line::Head(self.newer), Line::Consistency(self.hashes.clone())];
        begin.chain(end).collect()
    }

    /// Reads one.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(file: impl BufRead) -> Result<Self, ReadError> {
        let mut lines = Vec::new();
        for_each_line(file, |text| {
            let line = lines.len() as u64 + 1;
            // More than these are no proof, however many there are.
            let parsed = if line > 5 { Err(Problem::Proof) } else { Line::parse(text).map_err(Problem::from) };
            lines.push(parsed.map_err(|problem| VerifyError { line, problem })?);
            Ok(())
        })?;
        let none = VerifyError { line: lines.len() as u64, problem: Problem::Proof };
        let mut lines = lines.into_iter();
        let Some(Line::Log(log)) = lines.next() else { return Err(none.into()) };
        let (certificate, older) = match lines.next() {
            Some(Line::Key(certificate)) => (Some(certificate), lines.next()),
            other => (None, other),
        };
        match (older, lines.next(), lines.next(), lines.next()) {
            (Some(Line::Head(older)), Some(Line::Head(newer)), Some(Line::Consistency(hashes)), None) => {
                Ok(Self { log, certificate, older, newer, hashes })
            }
            _ => Err(none.into()),
        }
    }

    /// Checks it for a witness who holds the head `kept`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, trust: Trust, kept: &SignedHead) -> Result<(), Problem> {
        let key = match trust {
            Trust::Key(key) => key,
            Trust::Root(root) => {
                let certified = self.certificate.as_ref().and_then(|certificate| certificate.key_of(&self.log, &root));
                certified.ok_or(Problem::Certificate)?
            }
        };
        for head in [kept, &self.older, &self.newer] {
            if head.head.log != self.log {
                return Err(Problem::OtherLog(head.head.log));
            }
            head.verify(&key).map_err(|_| Problem::Signature(head.head.sequence))?;
        }
        let (kept, older, newer) = (&kept.head, &self.older.head, &self.newer.head);
        if newer.sequence < kept.sequence {
            return Err(Problem::CutBack(kept.sequence));
        }
        if (kept.sequence, kept.hash, kept.root) != (older.sequence, older.hash, older.root) || !self.is_consistent() {
            return Err(Problem::Rewritten(kept.sequence));
        }
        Ok(())
    }

    fn is_consistent(&self) -> bool {
        let (older, newer) = (&self.older.head, &self.newer.head);
        let (Some(before), Some(after)) = (older.root, newer.root) else { return false };
        older.log == newer.log
            && (older.sequence < newer.sequence || older.hash == newer.hash)
            && tree::is_consistent((older.sequence, &before), (newer.sequence, &after), &self.hashes)
    }
}
