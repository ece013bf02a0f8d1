//! A case as a suspicious transaction report, in the shape of the United Nations' goAML.
//!
//! The elements, their names and their order are those of goAML's public schema 4.0, of which `schemas/goaml-report.xsd` has the
//! part that is written here. Every country has code lists and rules of its own: this is shaped like goAML and certified by
//! nobody.

use serde::{Deserialize, Serialize};
use specie_core::text::Name;

use crate::alert::Alert;
use crate::calendar::date_time;
use crate::case::Case;
use crate::flow::{Direction, Flow, FlowKind};
use crate::settings::Wrong;
use crate::xml::Xml;

pub use crate::xml::Money;

/// Who reports.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reporter {
    /// The number that the financial intelligence unit has given to the PSP (`rentity_id`).
    pub entity: u32,
    /// The officer responsible for reports.
    pub officer: String,
    /// The country of the PSP: two capital letters (ISO 3166-1).
    pub country: String,
}

/// All that a report says.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Who reports.
    pub reporter: &'a Reporter,
    /// The PSP's name.
    pub psp: &'a Name,
    /// Its currency.
    pub money: Money<'a>,
    /// The case.
    pub case: &'a Case,
    /// The alerts of the case.
    pub alerts: &'a [Alert],
    /// The flows that the alerts are about.
    pub flows: &'a [Flow],
}

impl Reporter {
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let wrong = |key, value: &str, expected| Err(Wrong { key, value: format!("`{value}`"), expected });
        if self.entity == 0 {
            return wrong("entity", "0", "a number that a financial intelligence unit gives");
        }
        if self.officer.trim().is_empty() || self.officer.chars().count() > 100 {
            return wrong("officer", &self.officer, "a name of 1 to 100 characters");
        }
        if self.country.len() != 2 || !self.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return wrong("country", &self.country, "two capital letters");
        }
        Ok(())
    }
}

/// The longest reason that the schema takes, in characters.
const REASON_MAX: usize = 4_000;

impl Report<'_> {
    /// The report, if it was decided to make one: always the same for the same case.
    pub fn to_xml(&self) -> Option<String> {
        let (decided_at, reason) = self.case.report_decision()?;
        Some(Xml::document("report", &[], |xml| {
            xml.text("rentity_id", &self.reporter.entity.to_string(), 10);
            xml.text("submission_code", "E", 1);
            xml.text("report_code", "STR", 3);
            xml.text("entity_reference", &format!("{}/{}", self.psp, self.case.number()), 255);
            xml.text("submission_date", &date_time(decided_at), 19);
            xml.text("currency_code_local", self.money.currency, 3);
            xml.within("reporting_person", |xml| {
                xml.text("first_name", "-", 100);
                xml.text("last_name", &self.reporter.officer, 100);
            });
            xml.text("reason", &self.reason(reason), REASON_MAX);
            xml.text("action", self.action(), 4_000);
            self.flows.iter().for_each(|flow| self.transaction(xml, flow));
            xml.within("report_indicators", |xml| {
                let mut rules: Vec<_> = self.alerts.iter().map(|alert| alert.rule).collect();
                rules.sort_unstable();
                rules.dedup();
                rules.iter().for_each(|rule| xml.text("indicator", rule.as_str(), 25));
                if rules.is_empty() {
                    xml.text("indicator", "other", 25);
                }
            });
        }))
    }

    fn reason(&self, decision: &str) -> String {
        let mut reason = decision.to_owned();
        for alert in self.alerts {
            let (rule, version) = (alert.rule.as_str(), alert.version);
            reason.push_str(&format!("\nRule {rule}, version {version} (minor units): {}", alert.reason));
        }
        let length = reason.chars().count();
        if length <= REASON_MAX {
            return reason;
        }
        // What is cut off is said: whoever reads the report asks for the rest.
        let note = format!(
            "\n[Cut: {length} characters, of which a report takes {REASON_MAX}. The rest stands in case {}.]",
            self.case.number()
        );
        let kept = REASON_MAX - note.chars().count();
        reason.chars().take(kept).chain(note.chars()).collect()
    }

    fn action(&self) -> &'static str {
        match self.case.frozen_by() {
            Some(_) => "The customer is frozen.",
            None => "The customer is not frozen.",
        }
    }

    fn transaction(&self, xml: &mut Xml, flow: &Flow) {
        let number: String = flow.id.iter().map(|byte| format!("{byte:02x}")).collect();
        xml.within("transaction", |xml| {
            xml.text("transactionnumber", &number, 50);
            xml.text("transaction_description", flow.kind.as_str(), 4_000);
            xml.text("date_transaction", &date_time(flow.at), 19);
            xml.text("transmode_code", mode(flow.kind), 10);
            xml.text("amount_local", &self.money.decimal(flow.amount), 20);
            match flow.kind.direction() {
                Direction::In => {
                    xml.within("t_from", |xml| self.other_side(xml, flow, "from"));
                    xml.within("t_to_my_client", |xml| self.own_side(xml, flow, "to"));
                }
                Direction::Out => {
                    xml.within("t_from_my_client", |xml| self.own_side(xml, flow, "from"));
                    xml.within("t_to", |xml| self.other_side(xml, flow, "to"));
                }
            }
        });
    }

    fn own_side(&self, xml: &mut Xml, flow: &Flow, side: &str) {
        xml.text(&format!("{side}_funds_code"), "ACC", 10);
        xml.within(&format!("{side}_account"), |xml| {
            xml.text("institution_name", self.psp.as_str(), 255);
            xml.text("account", flow.account.as_str(), 50);
            xml.text("client_number", flow.customer.as_str(), 30);
        });
        xml.text(&format!("{side}_country"), &self.reporter.country, 2);
    }

    fn other_side(&self, xml: &mut Xml, flow: &Flow, side: &str) {
        let funds = match (flow.kind, &flow.counterparty) {
            (FlowKind::Withdrawal | FlowKind::Redemption, _) => "DEVICE",
            (FlowKind::Deposit, _) => "CASH",
            (_, Some(_)) => "ACC",
            (_, None) => "UNKNOWN",
        };
        xml.text(&format!("{side}_funds_code"), funds, 10);
        if let Some(other) = &flow.counterparty {
            xml.within(&format!("{side}_account"), |xml| {
                xml.text("institution_name", other.psp.as_str(), 255);
                xml.text("account", other.account.as_str(), 50);
            });
        } else {
            let device = flow.device.map_or_else(|| "not known".to_owned(), |device| format!("device {device}"));
            xml.within(&format!("{side}_person"), |xml| {
                xml.text("first_name", "-", 100);
                xml.text("last_name", "-", 100);
                xml.text("comments", &device, 4_000);
            });
        }
        xml.text(&format!("{side}_country"), &self.reporter.country, 2);
    }
}

fn mode(kind: FlowKind) -> &'static str {
    match kind {
        FlowKind::Deposit => "CASH",
        FlowKind::Withdrawal => "FUNDING",
        FlowKind::Redemption => "DEFUNDING",
        FlowKind::TransferIn | FlowKind::TransferOut => "TRANSFER",
    }
}
