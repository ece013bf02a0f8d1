//! Lines of an export: JSON that ordinary tools read, each in the one form that it is written in.

use serde::{Deserialize, Serialize};
use specie_core::Timestamp;
use specie_core::encoding::Decode;
use specie_core::manifest::{ManifestHeader, SignedHeader};
use thiserror::Error;

use crate::certificate::Certificate;
use crate::decision::{Actor, Decision, Details, Subject, check_details};
use crate::head::{Head, LogName, SignedHead};
use crate::kind::Kind;
use crate::record::Record;
use crate::tree::Hash;

/// More bytes than any line has.
pub const LINE_MAX: usize = 512 * 1024;

/// One line, without its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// The first: which log.
    Log(LogName),
    /// Who signs the log, before any record.
    Key(Certificate),
    /// A record.
    Record(Record),
    /// A head, after the record that it names.
    Head(SignedHead),
    /// After two heads: that the tree of the second goes on from that of the first.
    Consistency(Vec<Hash>),
}

/// Why a text is no line.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is no such JSON.
    #[error("this is no line of an audit export: {0}")]
    Malformed(String),
    /// A field holds what it cannot hold.
    #[error("`{0}` has a value that no audit log holds")]
    Field(&'static str),
    /// The hash that the line says is not that of its content.
    #[error("the hash of record {0} is not that of what it says: the record was changed")]
    Hash(u64),
    /// The same could be read from another text.
    #[error("the line is not in the one form that it is written in: it was changed")]
    NotCanonical,
}

/// How many records an export reads at once when it has those up to `after` and goes to `until`.
pub fn page(after: u64, until: u64) -> u32 {
    const PAGE: u32 = 500;
    u32::try_from(until.saturating_sub(after)).unwrap_or(PAGE).min(PAGE)
}

/// The lines of `records`, each followed by the `heads` that name it; both oldest first.
pub fn lines(records: Vec<Record>, heads: &[SignedHead]) -> Vec<Line> {
    let with_heads = |record: Record| {
        let own = heads.iter().filter(|head| head.head.sequence == record.sequence).map(|head| Line::Head(*head));
        let own: Vec<_> = own.collect();
        std::iter::once(Line::Record(record)).chain(own)
    };
    records.into_iter().flat_map(with_heads).collect()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Form {
    Audit(LogForm),
    Key(KeyForm),
    Record(RecordForm),
    Head(HeadForm),
    Consistency(Vec<String>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogForm {
    version: u64,
    log: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    header: String,
    signature: String,
    entry: String,
    index: u32,
    path: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordForm {
    sequence: u64,
    at: u64,
    by: String,
    kind: String,
    subject: String,
    details: Details,
    previous: String,
    hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadForm {
    log: String,
    sequence: u64,
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    at: u64,
    signature: String,
}

impl Line {
    /// The text.
    pub fn to_text(&self) -> String {
        let form = match self {
            Self::Log(log) => Form::Audit(LogForm { version: 1, log: log.as_str().into() }),
            Self::Record(record) => {
                let Decision { by, at, kind, subject, details } = &record.decision;
                Form::Record(RecordForm {
                    sequence: record.sequence,
                    at: at.seconds(),
                    by: by.as_str().into(),
                    kind: kind.as_str().into(),
                    subject: subject.as_str().into(),
                    details: details.clone(),
                    previous: hex::encode(record.previous),
                    hash: hex::encode(record.hash()),
                })
            }
            Self::Key(certificate) => Form::Key(KeyForm {
                header: hex::encode(certificate.header_bytes()),
                signature: hex::encode(certificate.header.signature),
                entry: hex::encode(&certificate.entry),
                index: certificate.index,
                path: certificate.path.iter().map(hex::encode).collect(),
            }),
            Self::Consistency(proof) => Form::Consistency(proof.iter().map(hex::encode).collect()),
            Self::Head(SignedHead { head, signature }) => Form::Head(HeadForm {
                log: head.log.as_str().into(),
                sequence: head.sequence,
                hash: hex::encode(head.hash),
                root: head.root.map(hex::encode),
                at: head.at.seconds(),
                signature: hex::encode(signature),
            }),
        };
        serde_json::to_string(&form).expect("strings and numbers are JSON")
    }

    /// The line that the text is.
    ///
    /// # Errors
    /// When it is none, or one in another form than [`Line::to_text`] gives.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        let form = serde_json::from_str(text).map_err(|error| LineError::Malformed(error.to_string()))?;
        let line = match form {
            Form::Audit(LogForm { version: 1, log }) => Self::Log(log_name(&log)?),
            Form::Audit(_) => return Err(LineError::Field("version")),
            Form::Key(form) => Self::Key(certificate(&form)?),
            Form::Consistency(proof) => Self::Consistency(hashes("consistency", &proof)?),
            Form::Record(form) => Self::Record(record(form)?),
            Form::Head(form) => Self::Head(signed_head(&form)?),
        };
        // Also finds names that are there twice, of which a reader sees one.
        if line.to_text() == text { Ok(line) } else { Err(LineError::NotCanonical) }
    }
}

fn record(form: RecordForm) -> Result<Record, LineError> {
    check_details(&form.details).map_err(|_| LineError::Field("details"))?;
    let decision = Decision {
        by: Actor::parse(&form.by).ok_or(LineError::Field("by"))?,
        at: time(form.at)?,
        kind: Kind::parse(&form.kind).ok_or(LineError::Field("kind"))?,
        subject: Subject::new(&form.subject).ok_or(LineError::Field("subject"))?,
        details: form.details,
    };
    let record = Record { sequence: form.sequence, decision, previous: bytes("previous", &form.previous)? };
    if record.hash() == bytes("hash", &form.hash)? { Ok(record) } else { Err(LineError::Hash(form.sequence)) }
}

fn signed_head(form: &HeadForm) -> Result<SignedHead, LineError> {
    let (log, hash) = (log_name(&form.log)?, bytes("hash", &form.hash)?);
    let root = form.root.as_deref().map(|root| bytes("root", root)).transpose()?;
    let head = Head { log, sequence: form.sequence, hash, root, at: time(form.at)? };
    Ok(SignedHead { head, signature: bytes("signature", &form.signature)? })
}

fn certificate(form: &KeyForm) -> Result<Certificate, LineError> {
    let header = hex::decode(&form.header).ok().and_then(|bytes| ManifestHeader::decode(&bytes).ok());
    let header = header.ok_or(LineError::Field("header"))?;
    let entry = hex::decode(&form.entry).map_err(|_| LineError::Field("entry"))?;
    let signature = bytes("signature", &form.signature)?;
    let path = hashes("path", &form.path)?;
    Ok(Certificate { header: SignedHeader { header, signature }, entry, index: form.index, path })
}

fn hashes(field: &'static str, texts: &[String]) -> Result<Vec<Hash>, LineError> {
    texts.iter().map(|text| bytes(field, text)).collect()
}

fn log_name(text: &str) -> Result<LogName, LineError> {
    LogName::new(text).ok_or(LineError::Field("log"))
}

fn time(seconds: u64) -> Result<Timestamp, LineError> {
    Timestamp::new(seconds).ok_or(LineError::Field("at"))
}

fn bytes<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], LineError> {
    hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(LineError::Field(field))
}
