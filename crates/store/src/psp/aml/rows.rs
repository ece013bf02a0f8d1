//! The rows of the rules and cases behind their trait.

use specie_aml::alert::{Alert, AlertId};
use specie_aml::case::{Case, Entry};
use specie_aml::flow::{EventId, Flow, Refusal};
use specie_aml::rules::RuleName;
use specie_core::Timestamp;
use specie_core::text::Name;
use specie_psp::aml::records::{AmlRecords, Raised};
use specie_psp::customer::Customer;
use specie_psp::ledger::{LedgerAccount, Movement, MovementId, Totals};
use specie_psp::transfer::Transfer;

use super::super::records::Rows;
use super::super::{Stored, customer, ledger, transfer};
use super::{alert, case, flow, refusal};

macro_rules! delegate {
    ($($method:ident($($argument:ident: $type:ty),*) -> $result:ty = $function:path;)*) => {
        impl AmlRecords for Rows<'_> {
            $(fn $method(&mut self, $($argument: $type),*) -> Stored<$result> {
                $function(self.0, $($argument),*)
            })*
        }
    };
}

delegate! {
    movements_after(ordinal: u64, count_max: u64) -> Vec<(u64, Movement)> = ledger::after;
    movements_between(account: &LedgerAccount, from: Timestamp, to: Timestamp) -> Vec<Movement> = ledger::between;
    totals_until(account: &LedgerAccount, until: Timestamp, included: bool) -> Totals = ledger::totals_until;
    customer_of_account(account: &Name) -> Option<Customer> = customer::of_account;
    transfer_of_movement(movement: &MovementId) -> Option<Transfer> = transfer::of_movement;
    insert_flow(ordinal: u64, flow: &Flow) -> () = flow::insert;
    flows_since(customer: &Name, since: Timestamp) -> Vec<(u64, Flow)> = flow::since;
    flow(customer: &Name, event: &EventId) -> Option<Flow> = flow::find;
    insert_refusal(refusal: &Refusal, since: Timestamp, count_max: u64) -> () = refusal::insert;
    refusals_after(ordinal: u64, count_max: u64) -> Vec<(u64, Refusal)> = refusal::after;
    refusals_since(customer: &Name, since: Timestamp) -> Vec<(u64, Refusal)> = refusal::since;
    forget_refusals(before: Timestamp) -> () = refusal::forget;
    insert_alert(alert: &Alert) -> bool = alert::insert;
    alert(id: &AlertId) -> Option<Raised> = alert::find;
    alerts() -> Vec<Raised> = alert::all;
    counted(customer: &Name) -> Vec<(RuleName, EventId)> = alert::counted;
    set_case_of_alert(id: &AlertId, case: u64) -> () = alert::set_case;
    next_case_number() -> u64 = case::next_number;
    insert_case(number: u64, customer: &Name) -> () = case::insert;
    insert_case_entry(number: u64, position: u64, entry: &Entry) -> () = case::insert_entry;
    case(number: u64) -> Option<Case> = case::find;
    cases() -> Vec<Case> = case::all;
    frozen_by(customer: &Name) -> Option<u64> = case::frozen_by;
    insert_freeze(customer: &Name, case: u64) -> () = case::insert_freeze;
    remove_freeze(customer: &Name) -> () = case::remove_freeze;
}
