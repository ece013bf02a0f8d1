//! Cases: what people make of alerts. No case is decided, and nobody released, by one person alone.
//!
//! | State | Who may do what |
//! |---|---|
//! | open | anyone: assign |
//! | assigned | anyone: assign to another; the assignee: propose a decision |
//! | proposed | anyone but the proposer: agree, or disagree, which gives it back to the assignee |
//! | closed | nothing: there was no suspicion |
//! | reported | make the report, freeze, release |
//!
//! Until it is closed anyone may add notes, and freeze the customer with a reason: that is urgent and can be undone. Releasing
//! takes another person than froze. A case cannot be closed while its customer is frozen by it.
//!
//! A case is the list of its entries. It only grows; the state is what the entries come to.

use specie_core::Timestamp;
use specie_core::text::Name;
use thiserror::Error;

use crate::alert::AlertId;

/// The longest note or reason, in bytes.
pub const TEXT_MAX: usize = 2_000;

/// A case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    number: u64,
    customer: Name,
    alerts: Vec<AlertId>,
    entries: Vec<Entry>,
    state: State,
    frozen_by: Option<Name>,
}

/// Something that was done in a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: Name,
    /// What.
    pub step: Step,
}

/// What can be done in a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Open it; only the first entry does.
    Open(String),
    /// Make somebody responsible.
    Assign(Name),
    /// Write something down.
    Note(String),
    /// Propose a decision, with its reason.
    Propose(Decision, String),
    /// Agree with the proposal, which decides.
    Agree(String),
    /// Disagree with it, which gives the case back.
    Disagree(String),
    /// Freeze the customer.
    Freeze(String),
    /// Release the customer.
    Release(String),
}

/// What can be decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// There is no suspicion.
    Close,
    /// There is: report it.
    Report,
}

/// Where a case stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nobody is responsible.
    Open,
    /// Somebody is.
    Assigned(Name),
    /// A decision is proposed.
    Proposed {
        /// By whom.
        by: Name,
        /// Which.
        decision: Decision,
        /// Who is responsible.
        assignee: Name,
    },
    /// No suspicion.
    Closed,
    /// To be reported.
    Reported,
}

/// Why something is not done in a case. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CaseError {
    /// It was done already, or is not yet to be done.
    #[error("case {number} is {state}: it cannot be {step} now")]
    State {
        /// Which case.
        number: u64,
        /// Where it stands.
        state: &'static str,
        /// What was asked for.
        step: &'static str,
    },
    /// Only the person responsible proposes.
    #[error("case {number} is assigned to {assignee}, who alone proposes its decision")]
    NotAssignee {
        /// Which case.
        number: u64,
        /// Who is responsible.
        assignee: Name,
    },
    /// A decision takes two people.
    #[error("{by} proposed this decision: another person has to decide")]
    SamePerson {
        /// Who proposed.
        by: Name,
    },
    /// A release takes two people.
    #[error("{by} froze the customer: another person has to release")]
    SameReleaser {
        /// Who froze.
        by: Name,
    },
    /// The customer is frozen by this case already.
    #[error("case {0} has frozen its customer already")]
    Frozen(u64),
    /// The customer is not frozen by this case.
    #[error("case {0} has not frozen its customer")]
    NotFrozen(u64),
    /// A frozen customer would be left to nobody.
    #[error("case {0} has frozen its customer: release before it is closed")]
    StillFrozen(u64),
    /// A text that cannot be kept.
    #[error("a note or reason has 1 to {TEXT_MAX} bytes and no control characters but line ends")]
    Text,
}

impl Case {
    /// Opens a case.
    ///
    /// # Errors
    /// When there is no reason.
    pub fn open(
        number: u64,
        customer: Name,
        alerts: Vec<AlertId>,
        by: Name,
        reason: &str,
        at: Timestamp,
    ) -> Result<Self, CaseError> {
        check_text(reason)?;
        let entries = vec![Entry { at, by, step: Step::Open(reason.into()) }];
        Ok(Self { number, customer, alerts, entries, state: State::Open, frozen_by: None })
    }

    /// The case that these entries made; the first opened it.
    ///
    /// # Errors
    /// When they are none that a case can have.
    pub fn replay(
        number: u64,
        customer: Name,
        alerts: Vec<AlertId>,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<Self, CaseError> {
        let mut entries = entries.into_iter();
        let Some(Entry { at, by, step: Step::Open(reason) }) = entries.next() else {
            return Err(CaseError::State { number, state: "not opened", step: "replayed" });
        };
        let mut case = Self::open(number, customer, alerts, by, &reason, at)?;
        entries.try_for_each(|entry| case.apply(entry))?;
        Ok(case)
    }

    /// Does something in it.
    ///
    /// # Errors
    /// When it may not be done now, or not by this person.
    pub fn apply(&mut self, entry: Entry) -> Result<(), CaseError> {
        if let Some(text) = entry.step.text() {
            check_text(text)?;
        }
        let closed = self.state == State::Closed;
        let next = match (&entry.step, self.state) {
            (Step::Assign(to), State::Open | State::Assigned(_)) => State::Assigned(*to),
            (Step::Propose(decision, _), State::Assigned(assignee)) => {
                if entry.by != assignee {
                    return Err(CaseError::NotAssignee { number: self.number, assignee });
                }
                State::Proposed { by: entry.by, decision: *decision, assignee }
            }
            (Step::Agree(_) | Step::Disagree(_), State::Proposed { by, decision, assignee }) => {
                if entry.by == by {
                    return Err(CaseError::SamePerson { by });
                }
                match (&entry.step, decision) {
                    (Step::Disagree(_), _) => State::Assigned(assignee),
                    (_, Decision::Close) if self.frozen_by.is_some() => {
                        return Err(CaseError::StillFrozen(self.number));
                    }
                    (_, Decision::Close) => State::Closed,
                    (_, Decision::Report) => State::Reported,
                }
            }
            (Step::Note(_), state) if !closed => state,
            (Step::Freeze(_), state) if !closed => {
                if self.frozen_by.is_some() {
                    return Err(CaseError::Frozen(self.number));
                }
                self.frozen_by = Some(entry.by);
                state
            }
            (Step::Release(_), state) if !closed => {
                match self.frozen_by {
                    None => return Err(CaseError::NotFrozen(self.number)),
                    Some(by) if by == entry.by => return Err(CaseError::SameReleaser { by }),
                    Some(_) => self.frozen_by = None,
                }
                state
            }
            (step, state) => {
                return Err(CaseError::State { number: self.number, state: state.as_str(), step: step.done() });
            }
        };
        self.state = next;
        self.entries.push(entry);
        Ok(())
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whom it is about.
    pub fn customer(&self) -> &Name {
        &self.customer
    }

    /// The alerts that it is about.
    pub fn alerts(&self) -> &[AlertId] {
        &self.alerts
    }

    /// What was done, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Who is responsible; nobody is for a case that is new or was decided.
    pub fn assignee(&self) -> Option<Name> {
        match self.state {
            State::Assigned(assignee) | State::Proposed { assignee, .. } => Some(assignee),
            State::Open | State::Closed | State::Reported => None,
        }
    }

    /// Who froze the customer by it, if it is frozen.
    pub fn frozen_by(&self) -> Option<&Name> {
        self.frozen_by.as_ref()
    }

    /// When it was decided to report it, and why, if it was.
    pub fn report_decision(&self) -> Option<(Timestamp, &str)> {
        if self.state != State::Reported {
            return None;
        }
        let agreed = self.entries.iter().rposition(|entry| matches!(entry.step, Step::Agree(_)))?;
        let reason = self.entries[..agreed].iter().rev().find_map(|entry| match &entry.step {
            Step::Propose(Decision::Report, reason) => Some(reason.as_str()),
            _ => None,
        })?;
        Some((self.entries[agreed].at, reason))
    }
}

impl State {
    /// The stable name, as shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Assigned(_) => "assigned",
            Self::Proposed { .. } => "proposed",
            Self::Closed => "closed",
            Self::Reported => "reported",
        }
    }
}

impl Decision {
    /// The stable name, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Report => "report",
        }
    }

    /// The decision of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Close, Self::Report].into_iter().find(|decision| decision.as_str() == text)
    }
}

impl Step {
    /// The stable name, as stored and shown.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Assign(_) => "assign",
            Self::Note(_) => "note",
            Self::Propose(Decision::Close, _) => "propose-close",
            Self::Propose(Decision::Report, _) => "propose-report",
            Self::Agree(_) => "agree",
            Self::Disagree(_) => "disagree",
            Self::Freeze(_) => "freeze",
            Self::Release(_) => "release",
        }
    }

    /// What it says: a note, a reason, the name of the person who is made responsible.
    pub fn detail(&self) -> &str {
        match self {
            Self::Assign(to) => to.as_str(),
            step => step.text().unwrap_or_default(),
        }
    }

    /// The step of that name with that detail.
    pub fn parse(name: &str, detail: &str) -> Option<Self> {
        let text = detail.to_owned();
        Some(match name {
            "open" => Self::Open(text),
            "assign" => Self::Assign(Name::new(detail)?),
            "note" => Self::Note(text),
            "propose-close" => Self::Propose(Decision::Close, text),
            "propose-report" => Self::Propose(Decision::Report, text),
            "agree" => Self::Agree(text),
            "disagree" => Self::Disagree(text),
            "freeze" => Self::Freeze(text),
            "release" => Self::Release(text),
            _ => return None,
        })
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Assign(_) => None,
            Self::Open(text)
            | Self::Note(text)
            | Self::Propose(_, text)
            | Self::Agree(text)
            | Self::Disagree(text)
            | Self::Freeze(text)
            | Self::Release(text) => Some(text),
        }
    }

    /// What a case is when it was done.
    fn done(&self) -> &'static str {
        match self {
            Self::Open(_) => "opened",
            Self::Assign(_) => "assigned",
            Self::Note(_) => "added to",
            Self::Propose(..) => "proposed to be decided",
            Self::Agree(_) | Self::Disagree(_) => "decided",
            Self::Freeze(_) => "used to freeze",
            Self::Release(_) => "used to release",
        }
    }
}

fn check_text(text: &str) -> Result<(), CaseError> {
    let printable = text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control());
    if text.trim().is_empty() || text.len() > TEXT_MAX || !printable { Err(CaseError::Text) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn case() -> Case {
        Case::open(7, name("mallory"), vec![[1; 16]], name("anna"), "three alerts", Timestamp::EPOCH).unwrap()
    }

    fn done(case: &mut Case, by: &str, step: Step) -> Result<(), CaseError> {
        let before = case.clone();
        let result = case.apply(Entry { at: Timestamp::EPOCH, by: name(by), step });
        if result.is_err() {
            assert_eq!(*case, before, "a refused step changes nothing");
        }
        result
    }

    fn because() -> String {
        "because".into()
    }

    #[test]
    fn two_people_decide() {
        let mut case = case();
        done(&mut case, "anna", Step::Assign(name("ben"))).unwrap();
        done(&mut case, "cid", Step::Note(because())).unwrap();
        let propose = Step::Propose(Decision::Report, because());
        let not_assignee = CaseError::NotAssignee { number: 7, assignee: name("ben") };
        assert_eq!(done(&mut case, "anna", propose.clone()), Err(not_assignee));
        done(&mut case, "ben", propose.clone()).unwrap();
        for step in [Step::Agree(because()), Step::Disagree(because())] {
            assert_eq!(done(&mut case, "ben", step), Err(CaseError::SamePerson { by: name("ben") }));
        }
        done(&mut case, "cid", Step::Disagree(because())).unwrap();
        assert_eq!(case.state(), State::Assigned(name("ben")));
        done(&mut case, "ben", propose).unwrap();
        assert_eq!(case.report_decision(), None);
        done(&mut case, "cid", Step::Agree(because())).unwrap();
        assert_eq!((case.state(), case.report_decision()), (State::Reported, Some((Timestamp::EPOCH, "because"))));
        let again = Case::replay(7, *case.customer(), case.alerts().to_vec(), case.entries().to_vec()).unwrap();
        assert_eq!(again, case);
    }

    #[test]
    fn one_person_freezes_and_another_releases() {
        let mut case = case();
        done(&mut case, "anna", Step::Freeze(because())).unwrap();
        assert_eq!(done(&mut case, "ben", Step::Freeze(because())), Err(CaseError::Frozen(7)));
        let same = CaseError::SameReleaser { by: name("anna") };
        assert_eq!(done(&mut case, "anna", Step::Release(because())), Err(same));
        done(&mut case, "anna", Step::Assign(name("anna"))).unwrap();
        done(&mut case, "anna", Step::Propose(Decision::Close, because())).unwrap();
        assert_eq!(done(&mut case, "ben", Step::Agree(because())), Err(CaseError::StillFrozen(7)));
        done(&mut case, "ben", Step::Release(because())).unwrap();
        assert_eq!(done(&mut case, "cid", Step::Release(because())), Err(CaseError::NotFrozen(7)));
        done(&mut case, "ben", Step::Agree(because())).unwrap();
        assert_eq!(case.state(), State::Closed);
    }

    #[test]
    fn every_state_refuses_every_step_that_is_not_its_own() {
        let steps = || {
            [
                Step::Open(because()),
                Step::Assign(name("ben")),
                Step::Note(because()),
                Step::Propose(Decision::Close, because()),
                Step::Agree(because()),
                Step::Freeze(because()),
            ]
        };
        let mut cases = vec![case(); 5];
        for (count, case) in cases.iter_mut().enumerate().skip(1) {
            done(case, "anna", Step::Assign(name("ben"))).unwrap();
            if count > 1 {
                let decision = if count == 4 { Decision::Report } else { Decision::Close };
                done(case, "ben", Step::Propose(decision, because())).unwrap();
            }
            if count > 2 {
                done(case, "anna", Step::Agree(because())).unwrap();
            }
        }
        for (case, allowed) in cases.iter().zip([
            &["assign", "note", "freeze"][..],
            &["assign", "note", "propose-close", "freeze"],
            &["note", "agree", "freeze"],
            &[],
            &["note", "freeze"],
        ]) {
            for step in steps() {
                let by = if matches!(step, Step::Propose(..)) { "ben" } else { "cid" };
                let name = step.as_str();
                let result = done(&mut case.clone(), by, step);
                assert_eq!(result.is_ok(), allowed.contains(&name), "{name} when {}", case.state().as_str());
            }
        }
    }

    #[test]
    fn texts_are_there_and_printable() {
        let mut case = case();
        for text in ["", " \n", "a\u{0}b", "a\u{1b}[2J", &"x".repeat(TEXT_MAX + 1)] {
            assert_eq!(done(&mut case, "anna", Step::Note(text.into())), Err(CaseError::Text), "{text:?}");
        }
        for step in case.entries() {
            assert_eq!(Step::parse(step.step.as_str(), step.step.detail()).as_ref(), Some(&step.step));
        }
        assert!(Case::open(1, name("x"), vec![], name("anna"), "", Timestamp::EPOCH).is_err());
    }
}
