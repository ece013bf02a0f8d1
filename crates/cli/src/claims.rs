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

/// A line for all claims of one fate, and what they come to together.
pub(crate) fn table(claims: &[Claim], currency: Currency) -> String {
    let mut fates: Vec<(String, u128, usize)> = Vec::new();
    for claim in claims {
        let fate = match claim.state {
            "paid" => format!("paid to {}", claim.account),
            "void" => "redeemed by somebody else, or paid with".to_owned(),
            _ => format!(
                "to {} after {}, of what nobody redeems until then",
                claim.account,
                moment::show(claim.deadline)
            ),
        };
        let minor = u128::from(claim.amount.minor());
        match fates.iter_mut().find(|(known, ..)| *known == fate) {
            Some((_, sum, notes)) => (*sum, *notes) = (*sum + minor, *notes + 1),
            None => fates.push((fate, minor, 1)),
        }
    }
    let shown = |sum: u128| money::show(u64::try_from(sum).ok().and_then(Amount::new).unwrap_or(Amount::MAX), currency);
    if fates.is_empty() {
        return "Nothing is claimed.\n".to_owned();
    }
    let notes = |count: usize| if count == 1 { "1 note".to_owned() } else { format!("{count} notes") };
    let line =
        |(fate, sum, count): &(String, u128, usize)| format!("  {:>16}  {fate} ({})\n", shown(*sum), notes(*count));
    let all = fates.iter().map(|(_, sum, _)| sum).sum();
    let lines: String = fates.iter().map(line).collect();
    format!("{lines}  {:>16}  claimed in all\n", shown(all))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn notes_of_one_fate_are_one_line() {
        let claim = |minor, deadline, state| Claim {
            note_id: [0; 32],
            amount: Amount::new(minor).unwrap(),
            deadline: Timestamp::new(deadline).unwrap(),
            account: "alice".to_owned(),
            state,
        };
        let claims = [claim(500, 86_399, "open"), claim(20, 0, "void"), claim(1, 86_399, "open"), claim(7, 3, "open")];
        let told = table(&claims, Currency::new("XTS").unwrap());
        let lines: Vec<_> = told.lines().map(str::trim).collect();
        assert_eq!(
            lines[0],
            "5.01 XTS  to alice after 1970-01-01 23:59:59 UTC, of what nobody redeems until then (2 notes)"
        );
        assert_eq!(lines[1], "0.20 XTS  redeemed by somebody else, or paid with (1 note)");
        assert_eq!(
            lines[2],
            "0.07 XTS  to alice after 1970-01-01 00:00:03 UTC, of what nobody redeems until then (1 note)"
        );
        assert_eq!(lines[3], "5.28 XTS  claimed in all");
    }
}
