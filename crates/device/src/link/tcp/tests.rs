//! The exchange against peers that vanish at any byte, dawdle, flood, or talk nonsense.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use super::*;

const REQUEST: &[u8] = &[0x84, 1, 1, 0x80, 0xF6];
const PAYMENT: &[u8] = &[0x83, 1, 2, 0x80];
const RECEIPT: &[u8] = &[0x84, 1, 3, 0x40, 0x40];
const MANIFEST: &[u8] = &[0x85, 1, 4, 0x80, 0x40, 0x80];
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Till {
    paid: usize,
    updates: usize,
    refuses: bool,
}

impl PayeeSide for Till {
    fn update(&mut self, message: &[u8]) {
        assert_eq!(message, MANIFEST);
        self.updates += 1;
    }

    fn payment(&mut self, payment: &[u8]) -> Result<Vec<u8>, Refusal> {
        assert_eq!(payment, PAYMENT);
        if self.refuses {
            return Err(Refusal("request-expired".into()));
        }
        self.paid += 1;
        Ok(RECEIPT.to_vec())
    }
}

#[derive(Default)]
struct Purse {
    paid: bool,
    receipt: bool,
    declines: bool,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("declined")]
struct Declined;

impl PayerSide for Purse {
    type Error = Declined;

    fn pay(&mut self, request: &[u8]) -> Result<Handover, Declined> {
        assert_eq!(request, REQUEST);
        if self.declines {
            return Err(Declined);
        }
        self.paid = true;
        Ok(Handover { updates: vec![MANIFEST.to_vec()], payment: PAYMENT.to_vec() })
    }

    fn receipt(&mut self, receipt: &[u8]) -> Result<(), Declined> {
        self.receipt = receipt == RECEIPT;
        if self.receipt { Ok(()) } else { Err(Declined) }
    }
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Runs a till while `visitors` does what it does to its address.
fn with_till(mut till: Till, visitors: impl FnOnce(&str)) -> (Till, Result<Arrival, ReceiveError>) {
    let (listener, address) = listen();
    let result = std::thread::scope(|scope| {
        let till: ScopedJoinHandle<'_, _> = scope.spawn(|| receive(&listener, REQUEST, &mut till, PATIENCE));
        visitors(&address);
        till.join().unwrap()
    });
    (till, result)
}

/// Passes bytes between one payer and the payee and cuts the connection after so many in one direction.
fn cut_through(payee: &str, from_payee: bool, after: usize) -> (SocketAddr, std::thread::JoinHandle<bool>) {
    let (listener, address) = listen();
    let payee = payee.to_owned();
    let thread = std::thread::spawn(move || {
        let (payer, _) = listener.accept().unwrap();
        let payee = TcpStream::connect(payee).unwrap();
        let (ends, ended) = channel();
        let pump = |mut from: TcpStream, mut to: TcpStream, mut left: usize, ends: std::sync::mpsc::Sender<bool>| {
            move || {
                let mut byte = [0];
                while left > 0 && matches!(from.read(&mut byte), Ok(1)) && to.write_all(&byte).is_ok() {
                    left -= 1;
                }
                let _ = ends.send(left == 0);
                if left > 0 {
                    let _ = to.shutdown(Shutdown::Write);
                }
            }
        };
        let limit = |this: bool| if this { after } else { usize::MAX };
        let (payer2, payee2) = (payer.try_clone().unwrap(), payee.try_clone().unwrap());
        let (payer3, payee3) = (payer.try_clone().unwrap(), payee.try_clone().unwrap());
        let down = std::thread::spawn(pump(payee, payer, limit(from_payee), ends.clone()));
        let up = std::thread::spawn(pump(payer2, payee2, limit(!from_payee), ends));
        let cut = ended.recv().unwrap() || ended.recv().unwrap_or(false);
        let _ = (payer3.shutdown(Shutdown::Both), payee3.shutdown(Shutdown::Both));
        down.join().unwrap();
        up.join().unwrap();
        cut
    });
    (address.parse().unwrap(), thread)
}

#[test]
fn a_payment_brings_updates_and_takes_the_receipt() {
    let mut purse = Purse::default();
    let (till, result) = with_till(Till::default(), |address| {
        assert!(matches!(pay(address, &mut purse).unwrap(), Delivery::Confirmed));
    });
    assert_eq!(result.unwrap(), Arrival { acknowledged: true });
    assert_eq!((till.paid, till.updates, purse.receipt), (1, 1, true));
}

#[test]
fn an_exchange_cut_at_any_byte_is_resumed_by_repeating() {
    let down = 2 * 5 + REQUEST.len() + RECEIPT.len();
    let up = 3 * 5 + MANIFEST.len() + PAYMENT.len();
    for (from_payee, bytes) in [(true, down), (false, up)] {
        for after in 0..bytes {
            let mut purse = Purse::default();
            let (till, result) = with_till(Till::default(), |address| {
                let (proxy, thread) = cut_through(address, from_payee, after);
                let first = pay(&proxy.to_string(), &mut purse);
                assert!(thread.join().unwrap(), "the connection was cut");
                match &first {
                    Err(PayError::NoRequest(_)) => assert!(!purse.paid),
                    Ok(Delivery::Unconfirmed(_)) => assert!(purse.paid && !purse.receipt),
                    // Only word of the receipt got lost.
                    Ok(Delivery::Confirmed) => assert!(purse.receipt && !from_payee),
                    other => panic!("{other:?}"),
                }
                let second = pay(address, &mut purse).unwrap();
                assert!(matches!(second, Delivery::Confirmed), "cut at {after}: {second:?}");
            });
            assert!(result.unwrap().acknowledged);
            assert!((1..=2).contains(&till.paid) && purse.receipt, "cut at {after}, from payee: {from_payee}");
        }
    }
}

#[test]
fn refusals_carry_their_code_and_the_payee_goes_on_waiting() {
    let mut till = Till { refuses: true, ..Till::default() };
    let (listener, address) = listen();
    let mut purse = Purse::default();
    let result = std::thread::scope(|scope| {
        let till = scope.spawn(|| receive(&listener, REQUEST, &mut till, Duration::from_millis(700)));
        let delivery = pay(&address, &mut purse).unwrap();
        assert!(matches!(delivery, Delivery::Refused(code) if code == "request-expired"));
        let mut declining = Purse { declines: true, ..Purse::default() };
        assert!(matches!(pay(&address, &mut declining), Err(PayError::NotPaid(Declined))));
        till.join().unwrap()
    });
    assert!(matches!(result, Err(ReceiveError::NobodyPaid(_))));
    assert!(!purse.receipt);
}

#[test]
fn idle_flooding_and_babbling_peers_do_not_keep_a_payer_out() {
    let mut purse = Purse::default();
    let (till, result) = with_till(Till::default(), |address| {
        let idle: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        for nonsense in [
            &[1, 0xFF, 0xFF, 0xFF, 0xFF][..],         // longer than any message
            &[9, 0, 0, 0, 0],                         // no such kind
            &[2, 0, 0, 0, 1, b'\x1b'],                // a code that would spoil a terminal
            &[1, 0, 0, 0, 5, 0x84, 1, 1, 0x80, 0xF6], // a request instead of a payment
            &[1, 0, 0, 0, 2, 0x80, 0x80],             // no message
            &[3, 0, 0, 0, 0],                         // done, before anything was
        ] {
            let mut peer = TcpStream::connect(address).unwrap();
            let _ = peer.write_all(nonsense);
            let mut rest = Vec::new();
            let _ = peer.read_to_end(&mut rest);
        }
        assert!(matches!(pay(address, &mut purse).unwrap(), Delivery::Confirmed));
        drop(idle);
    });
    assert!(result.unwrap().acknowledged);
    assert_eq!(till.paid, 1);
}

#[test]
fn a_payee_that_is_not_there_or_no_specie_device_is_named() {
    let (listener, address) = listen();
    let babbler = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let mut purse = Purse::default();
    assert!(matches!(pay(&address, &mut purse), Err(PayError::NoRequest(WireError::Unexpected))));
    babbler.join().unwrap();
    let error = pay(&address, &mut purse).unwrap_err();
    assert!(matches!(error, PayError::Unreachable { .. }) && error.to_string().contains(&address));
    assert!(!purse.paid);
}
