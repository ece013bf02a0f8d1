//! An account over a time as ISO 20022 camt.053.001.08 (bank to customer statement).
//!
//! `schemas/camt.053.xsd` has the part of the public schema that is written here, with its names, order and restrictions.

use specie_core::text::Name;
use specie_core::{Amount, Timestamp, hash};
use thiserror::Error;

use crate::calendar::date_time;
use crate::xml::{Money, Xml};

/// Names of statements and of the documents of them.
const LABEL: &str = "specie/v1/statement";
/// The most that an amount of ISO 20022 can have: 18 digits.
const DIGITS_MAX: u64 = 999_999_999_999_999_999;

/// A statement whose entries add up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement<'a> {
    psp: &'a Name,
    account: &'a Name,
    money: Money<'a>,
    from: Timestamp,
    to: Timestamp,
    opening: Amount,
    closing: Amount,
    entries: Vec<Booking>,
}

/// What a statement is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period<'a> {
    /// The PSP's name.
    pub psp: &'a Name,
    /// The account's.
    pub account: &'a Name,
    /// Its currency.
    pub money: Money<'a>,
    /// Its first second.
    pub from: Timestamp,
    /// Its last.
    pub to: Timestamp,
}

/// A movement of the account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booking {
    /// Names it: at most 35 characters.
    pub reference: String,
    /// Whether the account got it.
    pub is_credit: bool,
    /// So much.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
    /// What it is, as the books call it.
    pub kind: &'static str,
    /// What it says; may be empty.
    pub text: String,
}

/// Why there is no statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum StatementError {
    /// The balances do not follow from the entries.
    #[error("opening balance and entries do not add up to the closing balance: the books are wrong")]
    DoesNotAddUp,
    /// A sum has more digits than ISO 20022 has.
    #[error("an amount has more than 18 digits, which camt.053 cannot say: choose a shorter time")]
    TooLarge,
    /// It ends before it begins.
    #[error("the statement ends before it begins")]
    Backwards,
}

impl<'a> Statement<'a> {
    /// A statement, if it adds up.
    ///
    /// # Errors
    /// When it does not.
    pub fn new(
        period: Period<'a>,
        opening: Amount,
        entries: Vec<Booking>,
        closing: Amount,
    ) -> Result<Self, StatementError> {
        let Period { psp, account, money, from, to } = period;
        if to < from {
            return Err(StatementError::Backwards);
        }
        let (credits, debits) = (total(&entries, true), total(&entries, false));
        if u128::from(opening.minor()) + credits != u128::from(closing.minor()) + debits {
            return Err(StatementError::DoesNotAddUp);
        }
        let largest = [credits + debits, opening.minor().into(), closing.minor().into()].into_iter().max();
        if largest.is_some_and(|largest| largest > u128::from(DIGITS_MAX)) {
            return Err(StatementError::TooLarge);
        }
        Ok(Self { psp, account, money, from, to, opening, closing, entries })
    }

    /// The document, made at `now`.
    pub fn to_xml(&self, now: Timestamp) -> String {
        let namespace = [("xmlns", "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08")];
        Xml::document("Document", &namespace, |xml| {
            xml.within("BkToCstmrStmt", |xml| {
                xml.within("GrpHdr", |xml| {
                    // A message for each time that it is made: the last day need not be over.
                    xml.text("MsgId", &self.id(&[now]), 35);
                    xml.text("CreDtTm", &moment(now), 20);
                });
                xml.within("Stmt", |xml| {
                    xml.text("Id", &self.id(&[]), 35);
                    xml.text("CreDtTm", &moment(now), 20);
                    xml.within("FrToDt", |xml| {
                        xml.text("FrDtTm", &moment(self.from), 20);
                        xml.text("ToDtTm", &moment(self.to), 20);
                    });
                    self.account(xml);
                    self.balance(xml, "OPBD", self.opening, self.from);
                    self.balance(xml, "CLBD", self.closing, self.to);
                    self.summary(xml);
                    self.entries.iter().for_each(|entry| self.entry(xml, entry));
                });
            });
        })
    }

    /// The statement of this account for this time, at whatever PSP; with `made`, the document of it that was made then.
    fn id(&self, made: &[Timestamp]) -> String {
        let moments: Vec<_> =
            [self.from, self.to].iter().chain(made).map(|moment| moment.seconds().to_be_bytes()).collect();
        let mut parts: Vec<&[u8]> = vec![self.psp.as_str().as_bytes(), self.account.as_str().as_bytes()];
        parts.extend(moments.iter().map(|moment| moment.as_slice()));
        hash::h32(LABEL, &parts)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn account(&self, xml: &mut Xml) {
        xml.within("Acct", |xml| {
            xml.within("Id", |xml| xml.within("Othr", |xml| xml.text("Id", self.account.as_str(), 34)));
            xml.text("Ccy", self.money.currency, 3);
            xml.within("Svcr", |xml| xml.within("FinInstnId", |xml| xml.text("Nm", self.psp.as_str(), 140)));
        });
    }

    fn balance(&self, xml: &mut Xml, code: &str, amount: Amount, at: Timestamp) {
        xml.within("Bal", |xml| {
            xml.within("Tp", |xml| xml.within("CdOrPrtry", |xml| xml.text("Cd", code, 4)));
            xml.amount_in("Amt", amount, self.money);
            xml.text("CdtDbtInd", "CRDT", 4);
            xml.within("Dt", |xml| xml.text("DtTm", &moment(at), 20));
        });
    }

    fn summary(&self, xml: &mut Xml) {
        let count = |is_credit| self.entries.iter().filter(|entry| entry.is_credit == is_credit).count();
        let part = |xml: &mut Xml, name: &str, is_credit| {
            xml.within(name, |xml| {
                xml.text("NbOfNtries", &count(is_credit).to_string(), 15);
                xml.text("Sum", &self.money.decimal(amount(total(&self.entries, is_credit))), 20);
            });
        };
        xml.within("TxsSummry", |xml| {
            part(xml, "TtlCdtNtries", true);
            part(xml, "TtlDbtNtries", false);
        });
    }

    fn entry(&self, xml: &mut Xml, entry: &Booking) {
        xml.within("Ntry", |xml| {
            xml.text("NtryRef", &entry.reference, 35);
            xml.amount_in("Amt", entry.amount, self.money);
            xml.text("CdtDbtInd", if entry.is_credit { "CRDT" } else { "DBIT" }, 4);
            xml.within("Sts", |xml| xml.text("Cd", "BOOK", 4));
            xml.within("BookgDt", |xml| xml.text("DtTm", &moment(entry.at), 20));
            xml.within("BkTxCd", |xml| xml.within("Prtry", |xml| xml.text("Cd", entry.kind, 35)));
            if !entry.text.is_empty() {
                xml.text("AddtlNtryInf", &entry.text, 500);
            }
        });
    }
}

fn total(entries: &[Booking], is_credit: bool) -> u128 {
    entries.iter().filter(|entry| entry.is_credit == is_credit).map(|entry| u128::from(entry.amount.minor())).sum()
}

/// An amount that was checked to have at most 18 digits.
fn amount(minor: u128) -> Amount {
    u64::try_from(minor).ok().and_then(Amount::new).unwrap_or(Amount::MAX)
}

fn moment(at: Timestamp) -> String {
    format!("{}Z", date_time(at))
}
