//! The intermediary: customers, tiers, accounts, enrolment, rations; storage as a trait.
