//! Claims on what a lost device held, as people and machines read them.

use serde_json::{Value, json};
use specie_core::Amount;
use specie_core::Timestamp;
use specie_core::text::Currency;

use crate::{moment, money};

/// One claim.
pub(crate) struct Claim {
    pub(crate) note_id: [u8; 32],
    pub(crate) amount: Amount,
    pub(crate) deadline: Timestamp,
    pub(crate) account: String,
    /// `open`, `paid` or `void`.
    pub(crate) state: &'static str,
}

/// A line for each claim.
pub(crate) fn table(claims: &[Claim], currency: Currency) -> String {
    let line = |claim: &Claim| {
        let (amount, deadline) = (money::show(claim.amount, currency), moment::show(claim.deadline));
        let what = match claim.state {
            "paid" => format!("paid to {}", claim.account),
            "void" => "redeemed by somebody else, or paid with".to_owned(),
            _ => format!("goes to {} after {deadline} if nobody redeems it by then", claim.account),
        };
        format!("  {amount:>16}  {what}\n")
    };
    if claims.is_empty() { "Nothing is claimed.\n".to_owned() } else { claims.iter().map(line).collect() }
}

/// The claims for machines.
pub(crate) fn machine(claims: &[Claim]) -> Vec<Value> {
    let one = |claim: &Claim| {
        json!({
            "note_id": hex::encode(claim.note_id),
            "amount": claim.amount.minor(),
            "deadline": claim.deadline.seconds(),
            "account": claim.account,
            "state": claim.state,
        })
    };
    claims.iter().map(one).collect()
}
