//! Whole lives of devices against a real bank and PSP: offline in between, cut off within any exchange, killed at any moment.
//! Whatever happens, no money is lost and none is made.
#![allow(clippy::unwrap_used, reason = "a panic is the report of a test")]

#[path = "life/broken.rs"]
mod broken;
#[path = "life/handover.rs"]
mod handover;
#[path = "harness/harness.rs"]
mod harness;
#[path = "life/loss.rs"]
mod loss;
#[path = "life/microcontrollers.rs"]
mod microcontrollers;
#[path = "life/settings.rs"]
mod settings;
#[path = "life/street.rs"]
mod street;
#[path = "life/town.rs"]
mod town;
#[path = "life/whole.rs"]
mod whole;
#[path = "life/wire.rs"]
mod wire;

use std::path::Path;
use std::process::ExitCode;

use specie_device::element::{FileFlash, serve_element};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["element", "--flash", file] => {
            serve_element(FileFlash::open(Path::new(file)).unwrap(), std::io::stdin(), std::io::stdout()).unwrap();
            return ExitCode::SUCCESS;
        }
        ["live", folder] => broken::live(Path::new(folder)),
        _ => {}
    }
    harness::run(&[
        ("money_goes_round_while_the_servers_are_away", whole::money_goes_round_while_the_servers_are_away),
        (
            "a_device_gets_no_smaller_limits_before_it_holds_less",
            settings::a_device_gets_no_smaller_limits_before_it_holds_less,
        ),
        ("an_undelivered_payment_is_claimed_from_the_bank", whole::an_undelivered_payment_is_claimed_from_the_bank),
        ("two_devices_pay_over_tcp", whole::two_devices_pay_over_tcp),
        ("a_merchant_is_paid_online_once", whole::a_merchant_is_paid_online_once),
        ("what_was_never_sent_is_not_under_way", whole::what_was_never_sent_is_not_under_way),
        ("an_owner_gets_back_what_nobody_redeems", loss::an_owner_gets_back_what_nobody_redeems),
        (
            "a_device_that_is_found_goes_on_and_its_claims_are_dropped",
            loss::a_device_that_is_found_goes_on_and_its_claims_are_dropped,
        ),
        ("refusals_say_what_to_do", whole::refusals_say_what_to_do),
        (
            "a_network_that_dies_within_any_exchange_costs_nothing",
            broken::a_network_that_dies_within_any_exchange_costs_nothing,
        ),
        (
            "a_withdrawal_that_breaks_off_anywhere_is_done_once",
            broken::a_withdrawal_that_breaks_off_anywhere_is_done_once,
        ),
        (
            "an_enrolment_that_breaks_off_anywhere_is_done_once",
            broken::an_enrolment_that_breaks_off_anywhere_is_done_once,
        ),
        (
            "an_online_payment_of_unknown_outcome_is_made_once",
            broken::an_online_payment_of_unknown_outcome_is_made_once,
        ),
        ("each_setting_shows_what_the_document_says", settings::each_setting_shows_what_the_document_says),
        (
            "a_device_over_its_limits_redeems_and_proves_again",
            settings::a_device_over_its_limits_redeems_and_proves_again,
        ),
        ("what_a_former_owner_allowed_ends", handover::what_a_former_owner_allowed_ends),
        ("nothing_is_uploaded_without_consent", settings::nothing_is_uploaded_without_consent),
        (
            "a_microcontroller_is_refused_limits_where_proofs_are_asked_for",
            settings::a_microcontroller_is_refused_limits_where_proofs_are_asked_for,
        ),
        ("microcontrollers_pay_each_other_on_lines", microcontrollers::they_pay_each_other_on_lines),
        (
            "microcontrollers_say_which_limits_they_hold",
            microcontrollers::they_say_which_limits_they_hold_and_get_the_next,
        ),
        ("microcontrollers_pay_over_lines_that_lose_bytes", microcontrollers::they_pay_over_lines_that_lose_bytes),
        ("microcontrollers_survive_power_cuts", microcontrollers::they_survive_power_cuts),
        ("a_network_that_fails_a_microcontroller_costs_nothing", microcontrollers::a_network_that_fails_costs_nothing),
        (
            "microcontrollers_refuse_what_they_could_not_redeem",
            microcontrollers::they_refuse_what_they_could_not_redeem,
        ),
        ("microcontrollers_refuse_with_reasons", microcontrollers::they_refuse_with_reasons),
        (
            "a_process_that_is_killed_at_any_moment_costs_nothing",
            broken::a_process_that_is_killed_at_any_moment_costs_nothing,
        ),
    ])
}
