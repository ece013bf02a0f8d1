//! What services show of themselves: readiness, counts, names of requests; and what they must not show.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use specie_api::psp::path;
use specie_core::class::Kind;

use crate::device::credited;
use crate::rejections::{exchange, request};
use crate::world::World;

/// What is scraped at `address`: each line's name with its labels, and its value.
pub fn scrape(address: SocketAddr) -> BTreeMap<String, f64> {
    let (status, media_type, body) = exchange(address, &request("GET", "/metrics", &[], b""));
    assert_eq!(status, 200);
    assert!(media_type.starts_with("application/openmetrics-text"), "{media_type}");
    let text = String::from_utf8(body).unwrap();
    assert!(text.ends_with("# EOF\n"), "cut off");
    let mut lines = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("specie_"), "{line}");
        let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        assert!(lines.insert(name.to_owned(), value).is_none(), "twice: {name}");
    }
    lines
}

/// The sum of the lines that begin with `name` and have `label` among their labels.
pub fn sum(lines: &BTreeMap<String, f64>, name: &str, label: &str) -> f64 {
    let of = |line: &str| line.split('{').next() == Some(name) && line.contains(label);
    lines.iter().filter(|(line, _)| of(line)).map(|(_, value)| value).sum()
}

#[test]
fn counts_follow_real_requests() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let before = scrape(world.bank_metrics());
    let notes = alice.withdraw(&world, &[world.class(Kind::Value, 50), world.class(Kind::Value, 10)], 1).unwrap();
    let redemption = alice.redemption(&notes, "north", "alice-account");
    let redeemed = world.client("north").redeem(&mut alice.signer(), &world.key(), &redemption).unwrap();
    assert_eq!(credited(&redeemed.items), [50, 10]);
    exchange(world.bank_address(), &request("DELETE", "/v1/status", &[], b""));
    exchange(world.bank_address(), &request("GET", "/nowhere/anna", &[], b""));
    let after = scrape(world.bank_metrics());
    let grew = |name: &str, label: &str| sum(&after, name, label) - sum(&before, name, label);
    let redemptions = r#"method="POST",route="/v1/redemptions",status="2xx""#;
    assert_eq!(grew("specie_requests_total", redemptions), 1.0);
    assert_eq!(grew("specie_requests_total", r#"method="other",route="/v1/status",status="4xx""#), 1.0);
    assert_eq!(grew("specie_requests_total", r#"method="GET",route="-",status="4xx""#), 1.0);
    assert_eq!(grew("specie_request_seconds_count", r#"route="/v1/redemptions""#), 1.0);
    assert_eq!(grew("specie_redemptions_total", "credited"), 2.0);
    assert_eq!(grew("specie_redemptions_total", "refused"), 0.0);
    assert!(grew("specie_database_transactions_total", r#"kind="write""#) >= 3.0);
    assert!(grew("specie_database_transactions_total", r#"kind="read""#) >= 3.0);
    assert!(grew("specie_database_seconds_total", "") > 0.0);
    assert_eq!(after["specie_database_unknown_outcomes_total"], 0.0);
    assert_eq!(after["specie_requests_in_flight"], 0.0);
    let psp = scrape(world.metrics("north"));
    assert_eq!(sum(&psp, "specie_requests_total", &format!(r#"route="{}",status="2xx""#, path::REDEMPTIONS)), 1.0);
    assert!(sum(&psp, "specie_background_runs_total", "reconcile") >= 1.0);
}

#[test]
fn conservation_is_shown_as_the_watch_saw_it() {
    let mut world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let class = world.class(Kind::Value, 50);
    let notes = alice.withdraw(&world, &[class.clone(), class.clone()], 1).unwrap();
    let redemption = alice.redemption(&notes[..1], "north", "alice-account");
    world.client("north").redeem(&mut alice.signer(), &world.key(), &redemption).unwrap();
    // A served bank looks when it starts.
    world.kill_bank();
    world.restart_bank();
    let shown = loop {
        let shown = scrape(world.bank_metrics());
        let ran = |work| sum(&shown, "specie_background_runs_total", work) >= 1.0;
        if ran("conservation") && ran("audit-size") {
            break shown;
        }
        std::thread::yield_now();
    };
    let of = |what: &str| {
        sum(&shown, "specie_class_minor_units", &format!(r#"class="{}",epoch="1",sum="{what}""#, class.id()))
    };
    assert_eq!([of("issued"), of("redeemed"), of("expired"), of("outstanding")], [100.0, 50.0, 0.0, 50.0]);
    assert_eq!((shown["specie_conservation_holds"], shown["specie_conservation_alarm"]), (1.0, 0.0));
    assert_eq!(shown["specie_conservation_looked_at"], world.now().seconds() as f64);
    assert!(shown["specie_audit_records"] >= 3.0);
    assert_eq!(sum(&shown, "specie_background_failures_total", ""), 0.0);
}

#[test]
fn no_metric_names_a_person_a_device_or_what_they_did() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let notes = alice.withdraw(&world, &[world.class(Kind::Value, 50)], 1).unwrap();
    let redemption = alice.redemption(&notes, "north", "alice-account");
    world.client("north").redeem(&mut alice.signer(), &world.key(), &redemption).unwrap();
    let device = alice.key.public().to_string();
    let identity: String =
        specie_core::group::encode_point(&alice.U()).iter().map(|byte| format!("{byte:02x}")).collect();
    exchange(world.address("north"), &request("GET", &format!("/v1/devices/{device}?of=alice"), &[], b""));
    for address in [world.bank_metrics(), world.metrics("north")] {
        let lines = scrape(address);
        for line in lines.keys() {
            for secret in ["alice", "bob", "account\"", "north", device.as_str(), identity.as_str(), "127.0.0.1"] {
                assert!(!line.contains(secret), "{secret} in {line}");
            }
        }
        // Braces are a route's, not a value of it.
        assert!(lines.keys().any(|line| line.contains('{')));
    }
}

#[test]
fn metrics_are_not_where_the_public_asks() {
    let world = World::new();
    for address in [world.bank_address(), world.address("north")] {
        assert_eq!(exchange(address, &request("GET", "/metrics", &[], b"")).0, 404);
        let (status, _, body) = exchange(address, &request("GET", "/readyz", &[], b""));
        assert_eq!((status, body.as_slice()), (200, br#"{"ready":true}"#.as_slice()));
    }
    assert_eq!(exchange(world.bank_metrics(), &request("GET", "/v1/status", &[], b"")).0, 404);
}

#[test]
fn a_request_has_a_name_of_the_servers_choice() {
    use std::io::{Read, Write};
    let world = World::new();
    let name = |sent: &str| {
        let mut stream = std::net::TcpStream::connect(world.address("north")).unwrap();
        stream.write_all(&request("GET", "/healthz", &[("x-request-id", sent)], b"")).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let named = answer.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect::<Vec<_>>();
        let [named] = named[..] else { panic!("{answer}") };
        assert!(named.len() == 16 && named.bytes().all(|byte| byte.is_ascii_hexdigit()), "{named}");
        named.to_owned()
    };
    assert_ne!(name("0123456789abcdef"), name("0123456789abcdef"));
}
