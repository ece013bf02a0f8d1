//! Cases, and the freezes that hang on them.
//!
//! A frozen customer gets no deposits booked and no claim codes, and its devices get no notes, no limits and no descriptors and
//! make no transfers: they stop paying when their limits run out. They may redeem, into the customer's account here only. What is
//! credited to the account stays there. What was held before goes on: a withdrawal is refunded or was answered, a payment to
//! another PSP is made or refunded.

use specie_aml::alert::AlertId;
use specie_aml::case::{Case, CaseError, Entry, Step};
use specie_aml::flow::Flow;
use specie_aml::report::{Money, Report, Reporter};
use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::text::Name;
use specie_core::{hash, label};
use thiserror::Error;

use super::records::Raised;
use crate::credential::hexadecimal;
use crate::person;
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};

/// Why nothing was done in a case. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CaseFailure {
    /// No customer has this name.
    #[error("there is no customer `{0}`")]
    UnknownCustomer(Name),
    /// No case has this number.
    #[error("there is no case {0}")]
    UnknownCase(u64),
    /// No alert has this name.
    #[error("there is no alert {}", hexadecimal(.0))]
    UnknownAlert(AlertId),
    /// The alert is about somebody else.
    #[error("alert {} is about customer `{customer}`", hexadecimal(.alert))]
    OtherCustomer {
        /// Which alert.
        alert: AlertId,
        /// Whom it is about.
        customer: Name,
    },
    /// The alert is in a case.
    #[error("alert {} is in case {case}", hexadecimal(.alert))]
    InCase {
        /// Which alert.
        alert: AlertId,
        /// Which case.
        case: u64,
    },
    /// Another case has frozen the customer.
    #[error("customer `{customer}` is frozen by case {case} already")]
    FrozenElsewhere {
        /// Whom.
        customer: Name,
        /// By which case.
        case: u64,
    },
    /// The case is about somebody else.
    #[error("case {case} is about customer `{customer}`")]
    CaseOfOther {
        /// Which case.
        case: u64,
        /// Whom it is about.
        customer: Name,
    },
    /// Whoever is on a sanctions list is not released.
    #[error("it was decided that customer `{0}` is who is on the sanctions list, so nobody releases it")]
    OnTheList(Name),
    /// It was not decided to report it.
    #[error("it was not decided to report case {0}")]
    NotReported(u64),
    /// The rules of cases do not allow it.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Store, B> Psp<S, B> {
    /// All alerts, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn alerts(&self) -> Result<Vec<Raised>, StoreError> {
        self.store().read(|records| records.alerts())
    }

    /// All cases, by number.
    ///
    /// # Errors
    /// When the store fails.
    pub fn cases(&self) -> Result<Vec<Case>, StoreError> {
        self.store().read(|records| records.cases())
    }

    /// A case with its alerts.
    ///
    /// # Errors
    /// When there is none of that number.
    pub fn case(&self, number: u64) -> Result<(Case, Vec<Raised>), CaseFailure> {
        self.store().read(|records| {
            let case = known(records, number)?;
            let mut alerts = Vec::new();
            for id in case.alerts() {
                alerts.push(records.alert(id)?.ok_or(CaseFailure::UnknownAlert(*id))?);
            }
            Ok((case, alerts))
        })
    }

    /// Opens a case about a customer with these alerts; with all of the customer's that are in no case when none is named.
    ///
    /// # Errors
    /// When the customer or an alert is unknown, or an alert is somebody else's or in a case.
    pub fn open_case(
        &self,
        customer: &Name,
        alerts: &[AlertId],
        reason: &str,
        now: Timestamp,
    ) -> Result<Case, CaseFailure> {
        self.store().write(|records| {
            records.customer(customer)?.ok_or(CaseFailure::UnknownCustomer(*customer))?;
            let alerts = match alerts {
                [] => free_alerts(records, customer)?,
                named => named.to_vec(),
            };
            self.open_in(records, customer, alerts, reason, now)
        })
    }

    fn open_in(
        &self,
        records: &mut dyn Records,
        customer: &Name,
        alerts: Vec<AlertId>,
        reason: &str,
        now: Timestamp,
    ) -> Result<Case, CaseFailure> {
        let number = records.next_case_number()?;
        let case = Case::open(number, *customer, alerts, self.actor().name(), reason, now)?;
        records.insert_case(number, customer)?;
        records.insert_case_entry(number, 0, &case.entries()[0])?;
        for alert in case.alerts() {
            let raised = records.alert(alert)?.ok_or(CaseFailure::UnknownAlert(*alert))?;
            if raised.alert.customer != *customer {
                return Err(CaseFailure::OtherCustomer { alert: *alert, customer: raised.alert.customer });
            }
            if let Some(case) = raised.case {
                return Err(CaseFailure::InCase { alert: *alert, case });
            }
            records.set_case_of_alert(alert, number)?;
        }
        let details = [("case", number.to_string())];
        self.audit(records, now, Kind::CaseOpened, customer.as_str(), &details)?;
        Ok(case)
    }

    /// Freezes a customer by a case of its own, in the transaction of what it is frozen for, unless it is frozen already.
    pub(crate) fn freeze(
        &self,
        records: &mut dyn Records,
        customer: &Name,
        [opened_for, reason]: [&str; 2],
        now: Timestamp,
    ) -> Result<(), CaseFailure> {
        if records.frozen_by(customer)?.is_some() {
            return Ok(());
        }
        let case = self.open_in(records, customer, Vec::new(), opened_for, now)?;
        self.step_in(records, case.number(), &Step::Freeze(reason.to_owned()), now)?;
        Ok(())
    }

    /// By which case a customer is frozen, if it is, or another customer of the same person.
    ///
    /// # Errors
    /// When the store fails.
    pub fn frozen_by(&self, customer: &Name) -> Result<Option<u64>, StoreError> {
        self.store().read(|records| person::frozen_by(records, customer))
    }

    /// Does something in a case. Freezing and releasing take effect with it.
    ///
    /// # Errors
    /// When it may not be done now, or not by this person; and a customer who is on a sanctions list is not released.
    pub fn take_step(&self, number: u64, step: &Step, now: Timestamp) -> Result<Case, CaseFailure> {
        self.store().write(|records| self.step_in(records, number, step, now))
    }

    fn step_in(
        &self,
        records: &mut dyn Records,
        number: u64,
        step: &Step,
        now: Timestamp,
    ) -> Result<Case, CaseFailure> {
        let mut case = known(records, number)?;
        let position = case.entries().len() as u64;
        let entry = Entry { at: now, by: self.actor().name(), step: step.clone() };
        case.apply(entry.clone())?;
        let customer = *case.customer();
        match (step, records.frozen_by(&customer)?) {
            (Step::Freeze(_), Some(case)) => return Err(CaseFailure::FrozenElsewhere { customer, case }),
            (Step::Freeze(_), None) => records.insert_freeze(&customer, number)?,
            (Step::Release(_), _) if is_listed(records, &customer)? => return Err(CaseFailure::OnTheList(customer)),
            (Step::Release(_), _) => records.remove_freeze(&customer)?,
            _ => {}
        }
        records.insert_case_entry(number, position, &entry)?;
        let mut details = vec![("case", number.to_string())];
        let kind = match step {
            Step::Freeze(_) => Kind::CustomerFrozen,
            Step::Release(_) => Kind::CustomerReleased,
            step => {
                details.push(("step", step.as_str().to_owned()));
                if let Step::Assign(to) = step {
                    details.push(("to", to.to_string()));
                }
                Kind::CaseStep
            }
        };
        self.audit(records, now, kind, customer.as_str(), &details)?;
        Ok(case)
    }

    /// Freezes or releases a customer by a case about it.
    ///
    /// # Errors
    /// When the case is about somebody else, or the step may not be taken.
    pub fn freeze_or_release(
        &self,
        customer: &Name,
        number: u64,
        step: &Step,
        now: Timestamp,
    ) -> Result<Case, CaseFailure> {
        let about = *self.store().read(|records| known(records, number))?.customer();
        if about != *customer {
            return Err(CaseFailure::CaseOfOther { case: number, customer: about });
        }
        self.take_step(number, step, now)
    }

    /// The report of a case that is to be reported; the same as long as nothing is done in the case. The audit log says that it was
    /// made.
    ///
    /// # Errors
    /// When it was not decided to report it.
    pub fn report(
        &self,
        number: u64,
        reporter: &Reporter,
        exponent: u32,
        now: Timestamp,
    ) -> Result<String, CaseFailure> {
        let (case, raised) = self.case(number)?;
        let alerts: Vec<_> = raised.into_iter().map(|raised| raised.alert).collect();
        let mut flows: Vec<Flow> = Vec::new();
        self.store().read(|records| {
            for event in alerts.iter().flat_map(|alert| &alert.events) {
                flows.extend(records.flow(case.customer(), event)?);
            }
            Ok::<_, StoreError>(())
        })?;
        flows.sort_by_key(|flow| (flow.at, flow.id));
        flows.dedup();
        let money = Money { currency: self.identity().currency.as_str(), exponent };
        let psp = &self.identity().name;
        let report = Report { reporter, psp, money, case: &case, alerts: &alerts, flows: &flows };
        let xml = report.to_xml().ok_or(CaseFailure::NotReported(number))?;
        let hash = hash::h32(label::AML_REPORT, &[xml.as_bytes()]);
        let details = [("case", number.to_string()), ("report", hexadecimal(&hash))];
        self.audit_rule(now, Kind::CaseReported, case.customer().as_str(), &details)?;
        Ok(xml)
    }
}

fn known(records: &mut dyn Records, number: u64) -> Result<Case, CaseFailure> {
    records.case(number)?.ok_or(CaseFailure::UnknownCase(number))
}

/// Whether it was decided that the customer is who is on a sanctions list.
fn is_listed(records: &mut dyn Records, customer: &Name) -> Result<bool, StoreError> {
    Ok(records.hits(Some(customer))?.iter().any(|hit| hit.ruling.as_ref().is_some_and(|ruling| ruling.same)))
}

fn free_alerts(records: &mut dyn Records, customer: &Name) -> Result<Vec<AlertId>, StoreError> {
    let alerts = records.alerts()?.into_iter();
    Ok(alerts
        .filter(|raised| raised.case.is_none() && raised.alert.customer == *customer)
        .map(|r| r.alert.id)
        .collect())
}
