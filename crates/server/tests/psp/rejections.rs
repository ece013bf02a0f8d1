//! What HTTP itself may get wrong: every rejection is a problem document.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use specie_api::authorization::{Authorize, DEVICE_HEADER, Headers, SIGNATURE_HEADER, TIME_HEADER, Unsigned};
use specie_api::media::Media;
use specie_api::problem::{self, Code, Problem};
use specie_api::psp::{self as api, path};
use specie_server::call::BODY_LENGTH_MAX;

use crate::device::TestDevice;
use crate::world::World;

const KEY: &str = "rejections-test-key";

/// Sends bytes and reads the whole answer: status, media type, body.
pub fn exchange(address: SocketAddr, request: &[u8]) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    // A server that has read enough may close before all is written.
    drop(stream.write_all(request));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer with headers");
    let head = String::from_utf8_lossy(&answer[..split]).to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let media_type = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default().to_owned();
    (status, media_type, answer[split + 4..].to_vec())
}

pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\nhost: psp\r\nconnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [text.as_bytes(), body].concat()
}

/// The answer must be this problem, whole and money unmoved.
fn expect(address: SocketAddr, request: &[u8], code: &Code) {
    let (status, media_type, body) = exchange(address, request);
    let shown = String::from_utf8_lossy(&body).into_owned();
    assert_eq!((status, media_type.as_str()), (code.status, problem::MEDIA_TYPE), "{}: {shown}", code.name);
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("no problem: {shown}"));
    assert_eq!(problem.code, code.name, "{shown}");
    assert_eq!(problem.kind, format!("urn:specie:problem:{}", code.name));
    assert!(!problem.money_moved && !problem.advice.is_empty());
}

fn signed(device: &TestDevice, target: &str, key: &str, body: &[u8]) -> Headers {
    let method = if target == path::ACCOUNT { "GET" } else { "POST" };
    let mut headers = device.signer().authorize(&Unsigned { method, target, key, body }).unwrap();
    if !key.is_empty() {
        headers.push(("idempotency-key", key.into()));
    }
    headers.push(("content-type", "application/json".into()));
    headers
}

fn borrowed(headers: &Headers) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn unknown_paths_and_methods() {
    let world = World::new();
    let address = world.address("north");
    for target in ["/", "/v1", "/v2/status", "/v1/withdrawals/", "/v1/status/x", "/%00", "/v1/..%2f"] {
        expect(address, &request("GET", target, &[], b""), &problem::NOT_FOUND);
    }
    for (method, target) in
        [("POST", path::STATUS), ("DELETE", path::LIMITS), ("GET", path::LIMITS), ("PUT", path::ACCOUNT)]
    {
        expect(address, &request(method, target, &[], b""), &problem::METHOD);
    }
    for target in
        ["/v1/manifests?after=-1", "/v1/manifests?after=x", "/v1/manifests?before=1", "/v1/manifests?after=1&after=2"]
    {
        expect(address, &request("GET", target, &[], b""), &problem::MALFORMED);
    }
    // What is no text at all names nothing.
    expect(address, &request("POST", "/v1/withdrawals/%ff/cancel", &[], b""), &problem::NOT_FOUND);
    let (status, _, body) = exchange(address, &request("GET", "/healthz", &[], b""));
    assert_eq!((status, body.as_slice()), (200, br#"{"healthy":true}"#.as_slice()));
}

#[test]
fn malformed_bodies() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let address = world.address("north");
    let item = format!(r#"{{"class_id":"{}","count":1}}"#, "ab".repeat(16));
    for body in [
        "",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"items":1}"#,
        r#"{"items":[]}"#,
        r#"{"items":[],"items":[]}"#,
        r#"{"items":[],"more":1}"#,
        &format!(r#"{{"items":[{item}]}}x"#),
        &format!(r#"{{"items":[{item},{item}]}}"#),
        &format!(r#"{{"items":[{}]}}"#, item.replace("ab", "AB")),
        &format!(r#"{{"items":[{}]}}"#, item.replacen("ab", "", 1)),
        &format!(r#"{{"items":[{}]}}"#, item.replace(":1}", ":-1}")),
        &format!(r#"{{"items":[{}]}}"#, item.replace(":1}", ":1.5}")),
        &format!(r#"{{"items":[{}]}}"#, item.replace(":1}", ":99999999999999999999}")),
        "\u{feff}{\"items\":[]}",
    ] {
        let headers = signed(&alice, path::WITHDRAWALS, KEY, body.as_bytes());
        let sent = request("POST", path::WITHDRAWALS, &borrowed(&headers), body.as_bytes());
        expect(address, &sent, &problem::MALFORMED);
    }
    let deep = "[".repeat(100_000);
    let headers = signed(&alice, path::WITHDRAWALS, KEY, deep.as_bytes());
    expect(address, &request("POST", path::WITHDRAWALS, &borrowed(&headers), deep.as_bytes()), &problem::MALFORMED);
    let headers = signed(&alice, path::WITHDRAWALS, KEY, b"\xff\xfe");
    expect(address, &request("POST", path::WITHDRAWALS, &borrowed(&headers), b"\xff\xfe"), &problem::MALFORMED);
    world.check_at_rest();
}

#[test]
fn bodies_that_are_too_large() {
    let world = World::new();
    let address = world.address("north");
    let json = [("content-type", "application/json"), ("idempotency-key", KEY)];
    let large = vec![b' '; BODY_LENGTH_MAX + 1];
    expect(address, &request("POST", path::ENROLMENT_NONCE, &json, &large), &problem::TOO_LARGE);
    // The largest body is read, and found wanting.
    expect(address, &request("POST", path::ENROLMENT_NONCE, &json, &large[1..]), &problem::MALFORMED);
    // One that says it is enormous is not waited for.
    let head =
        b"POST /v1/enrolments/nonce HTTP/1.1\r\nhost: psp\r\nconnection: close\r\ncontent-length: 99999999999\r\n\r\n";
    expect(address, head, &problem::TOO_LARGE);
    // One in chunks does not say.
    let mut chunked = b"POST /v1/enrolments/nonce HTTP/1.1\r\nhost: psp\r\nconnection: close\r\n\
        transfer-encoding: chunked\r\n\r\n"
        .to_vec();
    chunked.extend_from_slice(format!("{:x}\r\n", large.len()).as_bytes());
    chunked.extend_from_slice(&large);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    expect(address, &chunked, &problem::TOO_LARGE);
}

#[test]
fn keys_media_types_and_signatures() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let address = world.address("north");
    let post = |headers: &Headers, code| {
        expect(address, &request("POST", path::LIMITS, &borrowed(headers), b"{}"), code);
    };
    let good = signed(&alice, path::LIMITS, KEY, b"{}");
    let without = |name: &str| good.iter().filter(|(header, _)| *header != name).cloned().collect::<Headers>();
    let with = |name: &'static str, value: &str| {
        let mut headers = without(name);
        headers.push((name, value.into()));
        headers
    };
    let twice = |name: &str| {
        let again = good.iter().filter(|(header, _)| *header == name).cloned();
        good.iter().cloned().chain(again).collect::<Headers>()
    };
    post(&without("idempotency-key"), &problem::IDEMPOTENCY_KEY);
    post(&twice("idempotency-key"), &problem::IDEMPOTENCY_KEY);
    for key in ["short", &"x".repeat(65), "sixteen characters with blanks"] {
        post(&with("idempotency-key", key), &problem::IDEMPOTENCY_KEY);
    }
    // Another key than the signed one.
    post(&with("idempotency-key", "rejections-test-kez"), &problem::UNAUTHENTICATED);
    for header in [DEVICE_HEADER, TIME_HEADER, SIGNATURE_HEADER] {
        post(&without(header), &problem::UNAUTHENTICATED);
        post(&twice(header), &problem::UNAUTHENTICATED);
        post(&with(header, "zz"), &problem::UNAUTHENTICATED);
    }
    post(&without("content-type"), &problem::MEDIA_TYPE_UNSUPPORTED);
    post(&with("content-type", "text/plain"), &problem::MEDIA_TYPE_UNSUPPORTED);
    // Someone else's name on it.
    let bob = TestDevice::new(2, "north", "bob", world.clock());
    post(&with(DEVICE_HEADER, &bob.key.public().to_string()), &problem::UNAUTHENTICATED);
    // The same signature on another body or path.
    expect(address, &request("POST", path::LIMITS, &borrowed(&good), b"{ }"), &problem::UNAUTHENTICATED);
    expect(address, &request("POST", path::DESCRIPTORS, &borrowed(&good), b"{}"), &problem::UNAUTHENTICATED);
    expect(address, &request("POST", "/v1/limits?x=1", &borrowed(&good), b"{}"), &problem::UNAUTHENTICATED);
    // Too old by a second.
    world.pass(601);
    post(&good, &problem::REQUEST_TIME);
    world.pass(0);
    let fresh = signed(&alice, path::LIMITS, KEY, b"{}");
    let (status, _, _) = exchange(address, &request("POST", path::LIMITS, &borrowed(&fresh), b"{}"));
    assert_eq!(status, 200);
    let account = signed(&alice, path::ACCOUNT, "", b"");
    world.pass(601);
    expect(address, &request("GET", path::ACCOUNT, &borrowed(&account), b""), &problem::REQUEST_TIME);
}

#[test]
fn cbor_says_the_same_as_json_and_is_not_taken_for_it() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let address = world.address("north");
    let send = |body: &[u8], said: Media, wanted: &str| {
        let mut headers = signed(&alice, path::LIMITS, KEY, body);
        headers.retain(|(name, _)| *name != "content-type");
        headers.extend([("content-type", said.name().to_owned()), ("accept", wanted.to_owned())]);
        request("POST", path::LIMITS, &borrowed(&headers), body)
    };
    let (json, cbor) = (b"{}".as_slice(), b"\xa0".as_slice());
    let answer = |body, said, wanted: Media| {
        let (status, media_type, body) = exchange(address, &send(body, said, wanted.name()));
        assert_eq!((status, media_type.as_str()), (200, wanted.name()));
        wanted.read::<api::Limits>(&body).unwrap()
    };
    // One request, asked and answered in either form, is one request: PSPs sign a document once for each key.
    let first = answer(cbor, Media::Cbor, Media::Cbor);
    for (body, said, wanted) in
        [(json, Media::Json, Media::Cbor), (cbor, Media::Cbor, Media::Json), (b" { } ", Media::Json, Media::Json)]
    {
        assert_eq!(answer(body, said, wanted), first);
    }
    let (_, media_type, _) = exchange(address, &send(json, Media::Json, "text/html, */*"));
    assert_eq!(media_type, Media::Json.name());
    // Problems are JSON for everybody.
    for (body, said) in
        [(json, Media::Cbor), (cbor, Media::Json), (b"\xa0\xa0", Media::Cbor), (b"\xbf\xff", Media::Cbor)]
    {
        expect(address, &send(body, said, Media::Cbor.name()), &problem::MALFORMED);
    }
    world.check_at_rest();
}

#[test]
fn withdrawals_that_do_not_exist() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let address = world.address("north");
    for id in ["ab".repeat(16), "AB".repeat(16), "ab".into(), "x".into()] {
        let target = format!("/v1/withdrawals/{id}/cancel");
        let headers = signed(&alice, &target, KEY, b"{}");
        expect(address, &request("POST", &target, &borrowed(&headers), b"{}"), &api::WITHDRAWAL_UNKNOWN);
    }
}

#[test]
fn a_blocked_device_is_told_so_and_may_look() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    world.operator("north").psp.set_blocked(&alice.key.public(), true, world.now()).unwrap();
    let error = world.client("north").limits(&mut alice.signer(), &world.key(), None).unwrap_err();
    assert!(error.is(&api::DEVICE_BLOCKED), "{error}");
    assert!(world.client("north").account(&mut alice.signer()).is_ok());
}
