//! What several targets need: elements in every state of their life, and blocks as a fuzzer makes them.

pub mod board;
mod lives;

use arbitrary::Arbitrary;
pub use lives::{Lives, lives};
use specie_element::Platform;
use specie_element::client;
use specie_element::entropy::EntropyFailure;
use specie_element::sim::SimFlash;
use specie_element::t1::block::{Control, Frame, INFORMATION_MAX, Matter, TOKEN_MAX};

/// An element under test.
pub type Element = specie_element::Element<Flash, Chip, 16>;
/// Its flash.
pub type Flash = SimFlash<4, 2048>;

/// Pages of it.
const PAGES: usize = 8;
const FIRMWARE: [u8; 32] = [0xF1; 32];

/// A chip that draws always the same.
pub struct Chip;

impl Platform for Chip {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        *out = [7; 32];
        Ok(())
    }

    fn firmware(&self) -> [u8; 32] {
        FIRMWARE
    }
}

/// An element over a flash.
pub fn power_up(flash: Flash) -> Element {
    Element::new(flash, Chip).expect("the flash fits")
}

/// Takes the power away and gives it back. What the element says of itself is the same before and after.
pub fn check_power_cut(mut element: Element) {
    let before = status(&mut element);
    assert_eq!(status(&mut power_up(element.into_flash())), before, "the flash holds something else");
}

fn status(element: &mut Element) -> String {
    format!("{:?}", client::status(element).map_err(|error| error.to_string()))
}

/// What a side sends: bytes that are likely to be something, or anything.
#[derive(Arbitrary, Debug)]
pub enum Deed {
    /// A block whose checksum is right, where there is one with this control byte.
    Block { control: u8, information: Vec<u8> },
    /// The first or last bytes of such a block, or one with a wrong byte.
    Damaged { control: u8, information: Vec<u8>, at: u8, cut: bool },
    /// A RESYNCH.
    Resynch,
    /// A command of a life in one block, as its first or second piece, whole or not. One that is longer is cut off.
    Command { which: u8, second: bool, more: bool },
    /// Anything.
    Bytes(Vec<u8>),
    /// Nothing, for longer than the character waiting time.
    Silence,
}

impl Deed {
    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Block { control, information } => block(*control, information),
            Self::Damaged { control, information, at, cut } => {
                let mut bytes = block(*control, information);
                let at = usize::from(*at).min(bytes.len().saturating_sub(1));
                if *cut {
                    bytes.truncate(at);
                } else if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1;
                }
                bytes
            }
            Self::Resynch => block(0xC0, &[]),
            Self::Command { which, second, more } => {
                block(u8::from(*second) << 6 | u8::from(*more) << 5, lives().command(*which))
            }
            Self::Bytes(bytes) => bytes.clone(),
            Self::Silence => Vec::new(),
        }
    }
}

fn block(control: u8, information: &[u8]) -> Vec<u8> {
    let Some(control) = Control::from_byte(control) else { return Vec::new() };
    let length = match control {
        Control::Information { .. } => information.len().min(INFORMATION_MAX),
        Control::Supervision { matter: Matter::Resynch, .. } => information.len().min(TOKEN_MAX),
        Control::Ready { .. } | Control::Supervision { matter: Matter::Abort, .. } => 0,
        Control::Supervision { .. } => 1,
    };
    let mut information = information.to_vec();
    information.resize(length, 1);
    let mut frame = Frame::new();
    frame.set(control, &information);
    frame.bytes().to_vec()
}
