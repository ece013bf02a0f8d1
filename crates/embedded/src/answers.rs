//! What the PSP answers (`docs/spec/http.md`), as much of it as the device needs.

use alloc::string::String;
use alloc::vec::Vec;

use specie_wallet::synchronisation::RedemptionResult;

use crate::json::{Json, NotJson};

/// An answer of the PSP.
pub(crate) trait FromJson: Sized {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson>;
}

/// Nothing to say.
pub(crate) struct Empty;

/// `{"seconds": …}`
pub(crate) struct Time(pub(crate) u64);

/// `{"nonce": …, "valid_until": …}`
pub(crate) struct Nonce(pub(crate) [u8; 32]);

/// One member in hexadecimal: a document, or nothing.
pub(crate) struct Document(pub(crate) Option<Vec<u8>>);

/// `{"pages": […]}`
pub(crate) struct Pages(pub(crate) Vec<Vec<u8>>);

/// The newest manifest, and the signed headers before it: each with its signature.
pub(crate) struct Manifests {
    pub(crate) headers: Vec<(Vec<u8>, [u8; 64])>,
    pub(crate) manifest: Option<Vec<u8>>,
}

/// Where the device is enrolled.
pub(crate) struct Enrolled {
    pub(crate) psp: String,
    pub(crate) account: String,
}

/// A withdrawal's name, and class and commitment of each note.
pub(crate) struct Opened {
    pub(crate) id: [u8; 16],
    pub(crate) sessions: Vec<([u8; 16], [u8; 128])>,
}

/// The bank's answers to challenges.
pub(crate) struct Responses(pub(crate) Vec<[u8; 128]>);

/// What became of each chain.
pub(crate) struct Redeemed(pub(crate) Vec<RedemptionResult>);

/// What the account holds and allows, in minor units: of the rations, the largest.
pub(crate) struct Account {
    pub(crate) balance: u64,
    pub(crate) withdrawable: u64,
    pub(crate) currency: String,
    pub(crate) rations: Vec<Ration>,
}

/// Blanks left, and the largest cap of one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ration {
    pub(crate) blanks: u64,
    pub(crate) cap_max: u64,
}

/// Why the PSP says no (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Problem {
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) money_moved: bool,
    pub(crate) retry: bool,
}

/// Reads an object of which `member` reads the members that it knows; the others are passed over.
macro_rules! members {
    ($json:expr, $($name:literal => $read:expr),* $(,)?) => {
        $json.object(&mut |name, value| {
            match name {
                $($name => { let read: &mut dyn FnMut(&mut Json<'_>) -> Result<(), NotJson> = &mut $read; read(value) })*
                _ => value.skip(),
            }
        })?
    };
}

impl FromJson for Empty {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        json.skip().map(|()| Self)
    }
}

impl FromJson for Time {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let mut seconds = None;
        members!(json, "seconds" => |value| set(&mut seconds, value.uint()));
        seconds.map(Self).ok_or(NotJson)
    }
}

impl FromJson for Nonce {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let mut nonce = None;
        members!(json, "nonce" => |value| set(&mut nonce, value.hex_array()));
        nonce.map(Self).ok_or(NotJson)
    }
}

impl FromJson for Document {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let mut document = None;
        json.object(&mut |name, value| match name {
            "limits" | "descriptor" | "payment" => {
                document = optional(value, Json::hex)?;
                Ok(())
            }
            _ => value.skip(),
        })?;
        Ok(Self(document))
    }
}

impl FromJson for Pages {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let mut pages = Vec::new();
        members!(json, "pages" => |value| value.array(&mut |item| {
            pages.push(item.hex()?);
            Ok(())
        }));
        Ok(Self(pages))
    }
}

impl FromJson for Manifests {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let (mut headers, mut manifest) = (Vec::new(), None);
        members!(json,
            "headers" => |value| value.array(&mut |item| {
                let (mut header, mut signature) = (None, None);
                members!(item,
                    "header" => |value| set(&mut header, value.hex()),
                    "signature" => |value| set(&mut signature, value.hex_array()),
                );
                headers.push((header.ok_or(NotJson)?, signature.ok_or(NotJson)?));
                Ok(())
            }),
            "manifest" => |value| {
                manifest = optional(value, Json::hex)?;
                Ok(())
            },
        );
        Ok(Self { headers, manifest })
    }
}

impl FromJson for Enrolled {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let (mut psp, mut account) = (None, None);
        members!(json,
            "psp" => |value| set(&mut psp, value.text()),
            "account" => |value| set(&mut account, value.text()),
        );
        Ok(Self { psp: psp.ok_or(NotJson)?, account: account.ok_or(NotJson)? })
    }
}

impl FromJson for Opened {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let (mut id, mut sessions) = (None, Vec::new());
        members!(json,
            "withdrawal_id" => |value| set(&mut id, value.hex_array()),
            "sessions" => |value| value.array(&mut |item| {
                let (mut class, mut commitment) = (None, None);
                members!(item,
                    "class_id" => |value| set(&mut class, value.hex_array()),
                    "commitment" => |value| set(&mut commitment, value.hex_array()),
                );
                sessions.push((class.ok_or(NotJson)?, commitment.ok_or(NotJson)?));
                Ok(())
            }),
        );
        Ok(Self { id: id.ok_or(NotJson)?, sessions })
    }
}

impl FromJson for Responses {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let mut responses = None;
        members!(json, "responses" => |value| {
            let all = responses.insert(Vec::new());
            value.array(&mut |item| {
                all.push(item.hex_array()?);
                Ok(())
            })
        });
        responses.map(Self).ok_or(NotJson)
    }
}

impl FromJson for Redeemed {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let mut items = Vec::new();
        members!(json, "items" => |value| value.array(&mut |item| {
            items.push(read_redemption(item)?);
            Ok(())
        }));
        Ok(Self(items))
    }
}

impl FromJson for Account {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let (mut balance, mut withdrawable, mut currency, mut rations) = (None, None, None, Vec::new());
        members!(json,
            "balance" => |value| set(&mut balance, value.uint()),
            "withdrawable" => |value| set(&mut withdrawable, value.uint()),
            "currency" => |value| set(&mut currency, value.text()),
            "rations" => |value| value.array(&mut |item| {
                let mut ration = Ration::default();
                members!(item,
                    "blanks" => |value| { ration.blanks = value.uint()?; Ok(()) },
                    "cap_max" => |value| { ration.cap_max = value.uint()?; Ok(()) },
                );
                if rations.len() < RATIONS_MAX {
                    rations.push(ration);
                }
                Ok(())
            }),
        );
        let (balance, withdrawable) = (balance.ok_or(NotJson)?, withdrawable.ok_or(NotJson)?);
        Ok(Self { balance, withdrawable, currency: currency.ok_or(NotJson)?, rations })
    }
}

impl FromJson for Problem {
    fn read(json: &mut Json<'_>) -> Result<Self, NotJson> {
        let mut problem = Self::default();
        members!(json,
            "code" => |value| { problem.code = shortened(value.text()?, CODE_MAX); Ok(()) },
            "detail" => |value| { problem.detail = shortened(value.text()?, DETAIL_MAX); Ok(()) },
            "money_moved" => |value| { problem.money_moved = value.flag()?; Ok(()) },
            "retry" => |value| { problem.retry = value.flag()?; Ok(()) },
        );
        if problem.code.is_empty() { Err(NotJson) } else { Ok(problem) }
    }
}

/// The most rations that are looked at: a PSP has one for each epoch that lives.
const RATIONS_MAX: usize = 16;

/// The most bytes that are kept of what a PSP says happened, and of a code.
const DETAIL_MAX: usize = 200;
const CODE_MAX: usize = 64;

/// Codes of a bank that could not decide: the coin is sent again another time.
const UNDECIDED: [&str; 4] = ["unavailable", "bank-unavailable", "internal", "timeout"];

fn read_redemption(item: &mut Json<'_>) -> Result<RedemptionResult, NotJson> {
    let (mut result, mut amount, mut code) = (None, None, None);
    members!(item,
        "result" => |value| set(&mut result, value.text()),
        "amount" => |value| set(&mut amount, value.uint()),
        "code" => |value| set(&mut code, value.text()),
    );
    match (result.as_deref(), amount, code) {
        (Some("credited"), Some(minor), _) => {
            let amount = specie_core::Amount::new(minor);
            Ok(amount.map_or(RedemptionResult::Later, RedemptionResult::Credited))
        }
        (Some("refused"), _, Some(code)) if UNDECIDED.contains(&&*code) => Ok(RedemptionResult::Later),
        (Some("refused"), _, Some(code)) => Ok(RedemptionResult::Refused(shortened(code, CODE_MAX))),
        _ => Err(NotJson),
    }
}

/// Whoever carries an answer can make it as long as a message; it is kept.
fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.shrink_to_fit();
    }
    text
}

fn optional<'a, T>(
    json: &mut Json<'a>,
    read: impl FnOnce(&mut Json<'a>) -> Result<T, NotJson>,
) -> Result<Option<T>, NotJson> {
    if json.null() { Ok(None) } else { read(json).map(Some) }
}

fn set<T>(place: &mut Option<T>, value: Result<T, NotJson>) -> Result<(), NotJson> {
    *place = Some(value?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use specie_api::hexadecimal::{Hex, HexArray};
    use specie_api::{problem, psp};
    use std::format;
    use std::vec;

    /// What the PSP's program writes is what the device reads.
    fn read<T: FromJson>(answer: &impl serde::Serialize) -> T {
        let json = serde_json::to_vec(answer).unwrap();
        for end in 0..json.len() {
            assert!(Json::read(&json[..end], T::read).is_err());
        }
        Json::read(&json, T::read).unwrap()
    }

    #[test]
    fn reads_what_the_interface_defines() {
        assert_eq!(read::<Time>(&psp::Time { seconds: 7 }).0, 7);
        let nonce = psp::EnrolmentNonce { nonce: HexArray([3; 32]), valid_until: 9 };
        assert_eq!(read::<Nonce>(&nonce).0, [3; 32]);
        assert_eq!(read::<Document>(&psp::Limits { limits: Hex(vec![1, 2]) }).0, Some(vec![1, 2]));
        let pages = read::<Pages>(&psp::Revocations { pages: vec![Hex(vec![1]), Hex(vec![2, 3])] });
        assert_eq!(pages.0, [vec![1], vec![2, 3]]);
        let header = psp::SignedHeader { header: Hex(vec![4]), signature: HexArray([5; 64]) };
        let manifests = read::<Manifests>(&psp::Manifests { headers: vec![header], manifest: Some(Hex(vec![6])) });
        assert_eq!((manifests.headers, manifests.manifest), (vec![(vec![4], [5; 64])], Some(vec![6])));
        let session = psp::Session { class_id: HexArray([7; 16]), commitment: HexArray([8; 128]) };
        let opened = read::<Opened>(&psp::Withdrawal { withdrawal_id: HexArray([9; 16]), sessions: vec![session] });
        assert_eq!((opened.id, opened.sessions), ([9; 16], vec![([7; 16], [8; 128])]));
        let responses = psp::Responses { responses: vec![HexArray([1; 128]), HexArray([2; 128])] };
        assert_eq!(read::<Responses>(&responses).0, [[1; 128], [2; 128]]);
    }

    #[test]
    fn reads_what_became_of_coins() {
        let refused = |code: &str| psp::RedemptionItem::Refused { code: code.into(), detail: "\"so\"".into() };
        let items = vec![
            psp::RedemptionItem::Credited { amount: 7 },
            refused("double-spent"),
            refused("bank-unavailable"),
            psp::RedemptionItem::Credited { amount: u64::MAX },
        ];
        let amount = specie_core::Amount::new(7).unwrap();
        let expected = [
            RedemptionResult::Credited(amount),
            RedemptionResult::Refused("double-spent".into()),
            RedemptionResult::Later,
            RedemptionResult::Later,
        ];
        assert_eq!(read::<Redeemed>(&psp::Redemption { items }).0, expected);
    }

    #[test]
    fn keeps_little_of_what_a_carrier_makes_long() {
        let rations = "{},".repeat(2_000);
        let account = format!("{{\"balance\":1,\"withdrawable\":2,\"currency\":\"XTS\",\"rations\":[{rations}{{}}]}}");
        let account = Json::read(account.as_bytes(), Account::read).unwrap();
        assert_eq!(account.rations.len(), RATIONS_MAX);
        let problem = format!("{{\"code\":\"{}\",\"detail\":\"{}\"}}", "c".repeat(3_000), "é".repeat(2_000));
        let problem = Json::read(problem.as_bytes(), Problem::read).unwrap();
        assert_eq!((problem.code.capacity(), problem.detail.capacity()), (CODE_MAX, DETAIL_MAX));
    }

    #[test]
    fn reads_account_and_problem() {
        let account = psp::Account {
            psp: "p".into(),
            account: "a".into(),
            balance: 1,
            currency: "XTS".into(),
            tier: "t".into(),
            withdrawable: 2,
            rations: vec![psp::RationLeft { epoch: 3, blanks: 4, cap_max: 5 }],
            history: vec![psp::Movement {
                id: HexArray([1; 16]),
                at: 1,
                kind: "deposit".into(),
                amount: -5,
                reference: "é\n".into(),
            }],
        };
        let read_account: Account = read(&account);
        assert_eq!((read_account.balance, read_account.withdrawable, &*read_account.currency), (1, 2, "XTS"));
        assert_eq!((read_account.rations[0].blanks, read_account.rations[0].cap_max), (4, 5));
        let problem: Problem = read(&problem::Problem::new(&psp::BALANCE, "not \\ enough"));
        assert_eq!((&*problem.code, &*problem.detail), (psp::BALANCE.name, "not \\ enough"));
        assert!(!problem.retry && !problem.money_moved);
    }
}
