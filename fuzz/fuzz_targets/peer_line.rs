//! Whatever comes from the other device, while a request is open or a payer is armed: no panic, and money moves only by a
//! valid payment.
#![no_main]

#[path = "../../crates/wallet/tests/wallet/bank.rs"]
#[allow(dead_code, non_snake_case)]
mod bank;
#[path = "../../crates/embedded/tests/hostile/houses.rs"]
#[allow(dead_code, non_snake_case)]
mod houses;

use std::sync::OnceLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use specie_embedded::frame::Frame;

use crate::houses::{VALUE, images};

#[derive(Arbitrary, Debug)]
enum Deed {
    Bytes(Vec<u8>),
    Frame(u8, Vec<u8>),
    /// A genuine message, as it is or with other bytes somewhere.
    Message(u8, Option<(u16, Vec<u8>)>),
    Time(u16),
    Take,
}

fuzz_target!(|input: (bool, Vec<Deed>)| {
    let (pays, deeds) = input;
    let [mut payer, mut payee] = images().each_ref().map(|image| image.open());
    let mut house = if pays {
        payer.pay_next(5);
        payer
    } else {
        payee.request(5);
        payee
    };
    for deed in deeds.iter().take(64) {
        match deed {
            Deed::Bytes(bytes) => house.peer_bytes(bytes),
            Deed::Frame(kind, message) => house.peer_frame(*kind % 5, &message[..message.len().min(8_192)]),
            Deed::Message(which, change) => {
                let mut message = messages()[usize::from(*which) % 3].clone();
                if let Some((at, bytes)) = change {
                    let at = usize::from(*at) % message.len();
                    message.splice(at..(at + bytes.len()).min(message.len()), bytes.iter().copied());
                }
                message.truncate(8_192);
                house.peer_bytes(&[0]);
                house.peer_frame(1, &message);
            }
            Deed::Time(ms) => house.pass(u64::from(*ms)),
            Deed::Take => drop((house.owner_frames(), house.peer_frames())),
        }
    }
    // Whoever may pay, pays at most once and what it was told; whoever asked, is paid once or not.
    let total = house.total();
    if pays {
        assert!((VALUE - 5..=VALUE).contains(&total), "{total}");
    } else {
        assert!([VALUE, VALUE + 5].contains(&total), "{total}");
    }
    assert_eq!(house.image().open().total(), total, "after a power cut");
});

/// A request, its payment, its receipt.
fn messages() -> &'static [Vec<u8>; 3] {
    static MESSAGES: OnceLock<[Vec<u8>; 3]> = OnceLock::new();
    MESSAGES.get_or_init(|| {
        let [mut payer, mut payee] = images().each_ref().map(|image| image.open());
        let request = payee.request(5);
        payer.pay_next(5);
        payer.peer_frame(1, &request);
        let payment = payer.peer_frames().pop().expect("a payment").message;
        payee.peer_frame(1, &payment);
        let receipt = payee.peer_frames().pop().expect("a receipt").message;
        assert!(Frame::encode(1, &payment).is_some());
        [request, payment, receipt]
    })
}
