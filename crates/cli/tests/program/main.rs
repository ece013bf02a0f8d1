//! The program as a user meets it: real processes, exit statuses, what is printed where.
#![allow(clippy::unwrap_used, reason = "a test may unwrap: its panic is the report")]
#![allow(non_snake_case, reason = "the letters of the specification")]

mod auditing;
mod coins;
mod configuring;
mod crashing;
mod demonstration;
mod fleets;
mod identifying;
mod inspecting;
mod laundering;
mod loading;
mod looking;
mod losing;
mod mandating;
mod paying;
mod refusing;
mod registering;
mod restoring;
mod running;
#[allow(dead_code, reason = "others make a chip fail")]
#[path = "../../../device/tests/chip/served.rs"]
mod served;
mod signing;
mod street;
mod supervising;
mod terminals;
mod tokens;
mod vectors;
mod world;
