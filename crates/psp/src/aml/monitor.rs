//! Running the rules over what is new in the books and over what limits refused.
//!
//! A run reads on from where the last one ended. Flows, alerts and the place are written in one transaction, so that a run may end
//! anywhere and two runs may meet: every event is looked at once.

use std::collections::BTreeMap;

use specie_aml::Settings;
use specie_aml::alert::Alert;
use specie_aml::flow::{Event, EventId, History, Refusal};
use specie_aml::rules::Counted;
use specie_audit::Kind;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};
use thiserror::Error;

use super::flows;
use crate::credential::hexadecimal;
use crate::device::Device;
use crate::request::Request;
use crate::service::Psp;
use crate::store::{Feed, Records, Store, StoreError};
use specie_core::signature::PublicKey;

/// How many movements or refusals are looked at in one transaction.
const BATCH: u64 = 200;

/// How many refusals of one customer are kept within a day: whoever floods is found by fewer.
const REFUSALS_PER_DAY: u64 = 100;

/// How long refusals are kept, in seconds: longer than any window of a rule.
const REFUSALS_SECONDS: u64 = 401 * 86_400;

/// A clock may have been set back by so much between two movements, in seconds.
const CLOCK_BACK_SECONDS: u64 = 7 * 86_400;

/// Why a version of the rules is not adopted. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AdoptionError {
    /// Alerts that name a version must say by which thresholds they were raised.
    #[error("version {0} of the AML rules was in use with other thresholds: give the changed file a new version")]
    Changed(u32),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Store, B> Psp<S, B> {
    /// Writes a version of the rules into the audit log, unless it stands there.
    ///
    /// # Errors
    /// When it stands there with other thresholds.
    pub fn adopt_rules(&self, settings: &Settings, now: Timestamp) -> Result<(), AdoptionError> {
        let (version, text) = (settings.version.to_string(), settings.to_toml());
        let known = |records: &mut dyn Records| match records.audit_newest_about(Kind::AmlRulesAdopted, &version)? {
            None => Ok(false),
            Some(record) if record.decision.details.get("rules") == Some(&text) => Ok(true),
            Some(_) => Err(AdoptionError::Changed(settings.version)),
        };
        // Asked without the right to write at first: it hardly ever changes.
        if self.store().read(known)? {
            return Ok(());
        }
        self.store().write(|records| {
            if known(records)? {
                return Ok(());
            }
            Ok(self.audit(records, now, Kind::AmlRulesAdopted, &version, &[("rules", &text)])?)
        })
    }

    /// Runs the rules over everything that is new; gives the alerts that it raised.
    ///
    /// # Errors
    /// When the store fails. What was found before is kept.
    pub fn monitor(&self, settings: &Settings, now: Timestamp) -> Result<Vec<Alert>, StoreError> {
        let mut raised = Vec::new();
        while let Some(alerts) = self.store().write(|records| self.look_at_movements(records, settings, now))? {
            raised.extend(alerts);
        }
        while let Some(alerts) = self.store().write(|records| self.look_at_refusals(records, settings, now))? {
            raised.extend(alerts);
        }
        let before = Timestamp::new(now.seconds().saturating_sub(REFUSALS_SECONDS)).unwrap_or_default();
        self.store().write(|records| records.forget_refusals(before))?;
        Ok(raised)
    }

    /// Looks at the next movements; `None` when there are none.
    fn look_at_movements(
        &self,
        records: &mut dyn Records,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Option<Vec<Alert>>, StoreError> {
        let after = records.feed_position(Feed::Movements)?;
        let movements = records.movements_after(after, BATCH)?;
        let Some((last, _)) = movements.last() else { return Ok(None) };
        let mut first = BTreeMap::new();
        for (ordinal, movement) in &movements {
            for flow in flows::of(records, &self.identity().name, movement)? {
                records.insert_flow(*ordinal, &flow)?;
                note_first(&mut first, flow.customer, flow.at);
            }
        }
        records.set_feed_position(Feed::Movements, *last)?;
        let mut alerts = Vec::new();
        for (customer, at) in first {
            let flows = records.flows_since(&customer, reach(settings, at))?;
            let known = flows.iter().filter(|(ordinal, _)| *ordinal <= after).count();
            let events = flows.into_iter().map(|(_, flow)| Event::Flow(flow)).collect();
            alerts.extend(self.evaluate(records, settings, customer, events, known, now)?);
        }
        Ok(Some(alerts))
    }

    /// Looks at the next refusals; `None` when there are none.
    fn look_at_refusals(
        &self,
        records: &mut dyn Records,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Option<Vec<Alert>>, StoreError> {
        let after = records.feed_position(Feed::Refusals)?;
        let refusals = records.refusals_after(after, BATCH)?;
        let Some((last, _)) = refusals.last() else { return Ok(None) };
        let mut first = BTreeMap::new();
        refusals.iter().for_each(|(_, refusal)| note_first(&mut first, refusal.customer, refusal.at));
        records.set_feed_position(Feed::Refusals, *last)?;
        let mut alerts = Vec::new();
        for (customer, at) in first {
            let refusals = records.refusals_since(&customer, reach(settings, at))?;
            let known = refusals.iter().filter(|(ordinal, _)| *ordinal <= after).count();
            let events = refusals.into_iter().filter(|(ordinal, _)| ordinal <= last);
            let events = events.map(|(_, refusal)| Event::Refusal(refusal)).collect();
            alerts.extend(self.evaluate(records, settings, customer, events, known, now)?);
        }
        Ok(Some(alerts))
    }

    /// Runs the rules over the events of one customer from place `from` on, and keeps what they raise.
    fn evaluate(
        &self,
        records: &mut dyn Records,
        settings: &Settings,
        customer: Name,
        events: Vec<Event>,
        from: usize,
        now: Timestamp,
    ) -> Result<Vec<Alert>, StoreError> {
        let known = records.customer(&customer)?;
        let known = known.ok_or_else(|| StoreError::Damaged(format!("customer `{customer}` is not there")))?;
        let tier_per_day = self.tier_of(&known, now)?.max_withdrawal_per_day;
        let mut counted = Counted::default();
        records.counted(&customer)?.into_iter().for_each(|(rule, event)| counted.add(rule, &[event]));
        let history = History { customer, merchant: known.merchant.is_some(), tier_per_day, events };
        let mut raised = Vec::new();
        for alert in settings.evaluate(&history, from, &mut counted) {
            if records.insert_alert(&alert)? {
                let (version, id) = (alert.version.to_string(), hexadecimal(&alert.id));
                let details = [("alert", id.as_str()), ("rule", alert.rule.as_str()), ("version", &version)];
                self.audit(records, now, Kind::AlertRaised, customer.as_str(), &details)?;
                raised.push(alert);
            }
        }
        Ok(raised)
    }

    /// Keeps that a limit refused a request, for the rule against probing. It has moved nothing; when this fails, nothing but a
    /// hint is lost.
    pub(crate) fn note_refusal(
        &self,
        request: &Request<'_>,
        asked: Amount,
        allowed: Amount,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, device): (EventId, _) = (request.operation(), PublicKey(request.who));
        let day_ago = Timestamp::new(now.seconds().saturating_sub(86_400)).unwrap_or_default();
        self.store().write(|records| {
            let Some(Device { customer, .. }) = records.device(&device)? else { return Ok(()) };
            let refusal = Refusal { id, customer, device, asked, allowed, at: now };
            records.insert_refusal(&refusal, day_ago, REFUSALS_PER_DAY)
        })
    }
}

fn note_first(first: &mut BTreeMap<Name, Timestamp>, customer: Name, at: Timestamp) {
    first.entry(customer).and_modify(|first| *first = at.min(*first)).or_insert(at);
}

fn reach(settings: &Settings, at: Timestamp) -> Timestamp {
    let back = settings.reach_seconds() + CLOCK_BACK_SECONDS;
    Timestamp::new(at.seconds().saturating_sub(back)).unwrap_or_default()
}
