//! Who may touch the world: everyone else gets time, randomness and bytes as arguments.

use super::{Finding, Project, crate_of};
use crate::source::Token;

/// Crates that may use all of it.
const EDGES: &[&str] = &["store", "signer", "server", "device", "cli", "emulation", "testbed", "sim"];

/// Crates and types that give a program sockets, an async runtime, a clock or randomness.
const WORLDLY: &[(&str, &str)] = &[
    ("tokio", "an async runtime"),
    ("ureq", "sockets"),
    ("TcpListener", "sockets"),
    ("TcpStream", "sockets"),
    ("UdpSocket", "sockets"),
    ("UnixListener", "sockets"),
    ("UnixStream", "sockets"),
    ("SystemTime", "the system clock"),
    ("getrandom", "OS randomness"),
    ("OsRng", "OS randomness"),
    ("SysRng", "OS randomness"),
    ("thread_rng", "OS randomness"),
];

/// [`WORLDLY`] things, `std::net` and `Instant::now` occur only in [`EDGES`] and api's client.
/// Benchmarks measure time and are left out.
pub(super) fn check(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in project.tree.sources() {
        let Some(name) = crate_of(source.path()) else {
            continue;
        };
        let is_client = name == "api" && source.lies_in("crates/api/src/client");
        let is_bench = source.path().split('/').nth(2) == Some("benches");
        if EDGES.contains(&name) || is_client || is_bench {
            continue;
        }
        let tokens = source.tokens();
        for (at, token) in tokens.iter().enumerate() {
            if let Some(what) = worldly(&tokens[at..]) {
                let message = format!("{name} must not use {what}; take it as an argument");
                findings.push(Finding::new(source.path(), token.line, message));
            }
        }
    }
    findings
}

/// What of the world the tokens start with.
fn worldly(tokens: &[Token]) -> Option<&'static str> {
    if let Some((_, what)) = WORLDLY.iter().find(|(word, _)| tokens[0].is(word)) {
        return Some(what);
    }
    if is_path(tokens, "Instant") && tokens.get(3).is_some_and(|token| token.is("now")) {
        return Some("the system clock");
    }
    (is_path(tokens, "std") && names_net(&tokens[3..])).then_some("sockets")
}

/// Whether the tokens are `word :: …`.
fn is_path(tokens: &[Token], word: &str) -> bool {
    matches!(tokens, [first, a, b, _, ..] if first.is(word) && a.is_mark(':') && b.is_mark(':'))
}

/// Whether what follows `std::` is `net` or a group with `net` as one of its members.
fn names_net(tokens: &[Token]) -> bool {
    if tokens[0].is("net") {
        return true;
    }
    if !tokens[0].is_mark('{') {
        return false;
    }
    let mut depth = 0_usize;
    for pair in tokens.windows(2) {
        if pair[0].is_mark('{') {
            depth += 1;
        } else if pair[0].is_mark('}') {
            depth -= 1;
            if depth == 0 {
                return false;
            }
        }
        let starts_member = pair[0].is_mark('{') || pair[0].is_mark(',');
        if depth == 1 && starts_member && pair[1].is("net") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::{files, places};

    fn found(path: &str, text: &str) -> usize {
        check(&files(&[(path, text)])).len()
    }

    #[test]
    fn rejects_each_way_to_the_world() {
        for text in [
            "use std::net::IpAddr;",
            "use std::{collections::{A, B}, net::IpAddr};",
            "async fn f() { tokio::spawn(g()); }",
            "fn f() { std::time::SystemTime::now(); }",
            "fn f() { Instant::now(); }",
            "fn f() { getrandom::fill(&mut b); }",
            "use rand_core::OsRng;",
        ] {
            assert_eq!(found("crates/bank/src/a.rs", text), 1, "{text}");
            assert_eq!(found("crates/core/tests/a.rs", text), 1, "{text}");
            assert_eq!(found("crates/device/src/a.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn accepts_what_only_looks_like_it() {
        for text in
            ["use std::{fmt, a::{net}};", "fn net() { f(Instant::from_ticks(1)); }", "/// Like tokio's.\nfn f() {}"]
        {
            assert_eq!(found("crates/core/src/a.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn only_the_client_of_api_may_connect() {
        let text = "use ureq::Agent;\n";
        let project = files(&[
            ("crates/api/src/client.rs", text),
            ("crates/api/src/client/retry.rs", text),
            ("crates/api/src/problem.rs", text),
            ("crates/api/src/clientele.rs", text),
        ]);
        assert_eq!(places(&check(&project)), [("crates/api/src/clientele.rs", 1), ("crates/api/src/problem.rs", 1)]);
    }
}
