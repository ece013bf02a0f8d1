//! A PSP and a bank behind real sockets, with databases on disk, and devices made of keys.
#![allow(clippy::unwrap_used, unreachable_pub, non_snake_case, reason = "tests; the letters of the specification")]

mod device;
mod enrolment;
mod metrics;
mod outage;
mod overload;
mod registry;
mod rejections;
mod repeats;
mod setup;
mod specification;
mod whole;
mod world;
