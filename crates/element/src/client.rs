//! The host's side: one function per command, over any link that carries APDUs.
//!
//! Every function sends one command and takes its answer apart. They may be repeated with the same arguments after a
//! lost answer: the element gives the same answer again. But a try at a PIN or PUK is used up each time, and
//! [`personalise`] is answered once: [`select`] tells whether it was done. Points, scalars and hashes are their 32-byte
//! encodings.

use thiserror::Error;
use zeroize::Zeroize;

use crate::apdu::{CommandBuffer, Header, MAX_RESPONSE};
use crate::instruction::{self as ins, LifeCycle, Purpose};
use crate::status::StatusWord;

mod answer;

pub use answer::{Certificate, Enrolment, Keys, MandateUse, Nonces, OpenTotal, Selected, Status, Totals};

/// Carries one command to the element and its answer back.
pub trait Link {
    /// Why the element could not be reached.
    type Error;

    /// Sends `command`, writes the answer with its status word to `response` and returns its length in bytes.
    ///
    /// `response` holds at least [`MAX_RESPONSE`] bytes.
    ///
    /// # Errors
    /// The element could not be reached, or its answer does not fit.
    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error>;
}

impl<L: Link + ?Sized> Link for &mut L {
    type Error = L::Error;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        (**self).transmit(command, response)
    }
}

/// Why a command has no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ElementError<E> {
    /// The link failed: whether the element did it is unknown, so send the same command again.
    #[error("the element could not be reached; no money moved; send the same again: {0}")]
    Link(E),
    /// The element refused, and nothing changed; after [`StatusWord::FLASH_FAILED`] it may have: send the same again.
    #[error("the element refused: {0}")]
    Refused(StatusWord),
    /// The element answered something that this command does not answer.
    #[error("the element's answer makes no sense; check that the link reaches a Specie element")]
    MalformedAnswer,
    /// The arguments do not fit in a command; nothing was sent.
    #[error("the arguments are too long for a command; nothing was sent")]
    ArgumentsTooLong,
}

impl<E> ElementError<E> {
    /// The element's status word, where it refused.
    #[inline(never)]
    pub fn status(&self) -> Option<StatusWord> {
        match self {
            Self::Refused(status) => Some(*status),
            _ => None,
        }
    }
}

/// Result of a command over the link `L`.
pub type Answer<T, L> = Result<T, ElementError<<L as Link>::Error>>;

/// An entry of the manifest with the path that proves it.
#[derive(Clone, Copy, Debug)]
pub struct EntryProof<'a> {
    /// Position of the entry in the manifest, from zero.
    pub position: u32,
    /// Hashes from the leaf's sibling up to the root's child.
    pub path: &'a [[u8; 32]],
    /// The entry in its encoding.
    pub entry: &'a [u8],
}

/// What the host knows of a note or blank that it registers.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// The element's index for it.
    pub index: u32,
    /// Its class, loaded before with [`class`].
    pub class_id: [u8; 16],
    /// γ.
    pub gamma: &'a [u8; 32],
    /// ζ1.
    pub zeta1: &'a [u8; 32],
    /// k0.
    pub k0: &'a [u8; 32],
    /// k1.
    pub k1: &'a [u8; 32],
}

/// An output that returns to a blank of the same element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnOutput {
    /// Position of the output in the transfer, from zero.
    pub output: u8,
    /// The blank that owns it.
    pub index: u32,
    /// The blind that opens the output's owner tag.
    pub blind: [u8; 32],
}

/// A transfer to be shown.
#[derive(Clone, Copy)]
pub struct Spend<'a> {
    /// Index of the note or blank that is spent.
    pub index: u32,
    /// γ of the note, as it was registered.
    pub gamma: &'a [u8; 32],
    /// The outputs that return to this element, at most eight.
    pub own: &'a [OwnOutput],
    /// The preimage in its encoding.
    pub preimage: &'a [u8],
}

/// Whether WIPE goes ahead while money is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Wipe {
    /// Refused while anything is held.
    IfEmpty = 0,
    /// Even so: what is held is lost.
    EvenSo = 1,
}

/// SELECT: what element this is and where it stands in its life.
#[inline(never)]
pub fn select<L: Link>(link: &mut L) -> Answer<Selected, L> {
    let mut command = CommandBuffer::new();
    command.push(&ins::AID);
    exchange(link, &mut command, ins::SELECT, 34, |answer| {
        let (&[version, life_cycle], firmware) = answer.split_first_chunk()?;
        let life_cycle = LifeCycle::from_u8(life_cycle)?;
        Some(Selected { version, life_cycle, firmware: firmware.try_into().ok()? })
    })
}

/// VERIFY: tells the element the PIN, once after each power-up.
#[inline(never)]
pub fn verify<L: Link>(link: &mut L, pin: &[u8]) -> Answer<(), L> {
    let mut command = CommandBuffer::new();
    command.push(pin);
    exchange(link, &mut command, ins::VERIFY, 0, nothing)
}

/// CHANGE PIN; `old` is empty while none is set. Counts as VERIFY.
#[inline(never)]
pub fn change_pin<L: Link>(link: &mut L, old: &[u8], new: &[u8]) -> Answer<(), L> {
    let (Ok(old_length), Ok(new_length)) = (u8::try_from(old.len()), u8::try_from(new.len())) else {
        return Err(ElementError::ArgumentsTooLong);
    };
    let mut command = CommandBuffer::new();
    command.push(&[old_length]).push(old).push(&[new_length]).push(new);
    exchange(link, &mut command, ins::CHANGE_PIN, 0, nothing)
}

/// UNBLOCK: sets a new PIN with the PUK. Counts as VERIFY.
#[inline(never)]
pub fn unblock<L: Link>(link: &mut L, puk: &[u8; 8], new: &[u8]) -> Answer<(), L> {
    let mut command = CommandBuffer::new();
    command.push(puk).push(new);
    exchange(link, &mut command, ins::UNBLOCK, 0, nothing)
}

/// GENERATE: draws the element's keys, in the factory, and answers their public halves.
#[inline(never)]
pub fn generate<L: Link>(link: &mut L) -> Answer<Keys, L> {
    exchange(link, &mut CommandBuffer::new(), ins::GENERATE, 64, |answer| {
        let (identity, authentication) = answer.split_at_checked(32)?;
        Some(Keys { identity: identity.try_into().ok()?, authentication: authentication.try_into().ok()? })
    })
}

/// PERSONALISE: root key of the central bank, PUK and the maker's certificate, in the factory.
#[inline(never)]
pub fn personalise<L: Link>(link: &mut L, root_key: &[u8; 32], puk: &[u8; 8], certificate: &[u8]) -> Answer<(), L> {
    let mut command = CommandBuffer::new();
    command.push(root_key).push(puk).push(certificate);
    exchange(link, &mut command, ins::PERSONALISE, 0, nothing)
}

/// IDENTITY: the maker's certificate.
#[inline(never)]
pub fn identity<L: Link>(link: &mut L) -> Answer<Certificate, L> {
    exchange(link, &mut CommandBuffer::new(), ins::IDENTITY, ins::MAX_CERTIFICATE, Certificate::from_answer)
}

/// ENROL: proof of the identity and attestation for a PSP's nonce. `device_info` holds at most 64 bytes.
#[inline(never)]
pub fn enrol<L: Link>(link: &mut L, nonce: &[u8; 32], device_info: &[u8]) -> Answer<Enrolment, L> {
    let mut command = CommandBuffer::new();
    command.push(nonce).push(device_info);
    exchange(link, &mut command, ins::ENROL, 128, Enrolment::from_answer)
}

/// SIGN REQUEST: an Ed25519 signature over `digest` for one purpose.
#[inline(never)]
pub fn sign_request<L: Link>(link: &mut L, purpose: Purpose, digest: &[u8; 32]) -> Answer<[u8; 64], L> {
    let mut command = CommandBuffer::new();
    command.push(digest);
    let header = Header { p1: purpose as u8, ..ins::SIGN_REQUEST };
    exchange(link, &mut command, header, 64, |answer| answer.try_into().ok())
}

/// NONCES: `count` (1 to 32) new indices with their K3. `expected` is the next index by [`status`], or that of the call
/// to be repeated.
#[inline(never)]
pub fn nonces<L: Link>(link: &mut L, expected: u32, count: u8) -> Answer<Nonces, L> {
    let mut command = CommandBuffer::new();
    command.push(&expected.to_be_bytes()).push(&[count]);
    exchange(link, &mut command, ins::NONCES, 4 + 32 * usize::from(count), |answer| {
        Nonces::from_answer(answer).filter(|nonces| nonces.commitments().len() == usize::from(count))
    })
}

/// MANIFEST: a manifest's header with the root key's signature.
#[inline(never)]
pub fn manifest<L: Link>(link: &mut L, header: &[u8], signature: &[u8; 64]) -> Answer<(), L> {
    let mut command = CommandBuffer::new();
    command.push(header).push(signature);
    exchange(link, &mut command, ins::MANIFEST, 0, nothing)
}

/// CLASS: loads a class until the next power-up, the next manifest, or four other classes. Answers its `class_id`.
#[inline(never)]
pub fn class<L: Link>(link: &mut L, proof: &EntryProof<'_>) -> Answer<[u8; 16], L> {
    let mut command = CommandBuffer::new();
    push_proof(&mut command, proof)?;
    command.push(proof.entry);
    exchange(link, &mut command, ins::CLASS, 16, |answer| answer.try_into().ok())
}

/// REGISTER: tells the element of a note or blank. Answers its `note_id`.
#[inline(never)]
pub fn register<L: Link>(link: &mut L, note: &Registration<'_>) -> Answer<[u8; 32], L> {
    let mut command = CommandBuffer::new();
    command.push(&note.index.to_be_bytes()).push(&note.class_id);
    command.push(note.gamma).push(note.zeta1).push(note.k0).push(note.k1);
    exchange(link, &mut command, ins::REGISTER, 32, |answer| answer.try_into().ok())
}

/// OWNER TAG: an owner tag of a blank that shall receive `amount` minor units; zero for change.
#[inline(never)]
pub fn owner_tag<L: Link>(link: &mut L, index: u32, blind: &[u8; 32], amount: u64) -> Answer<[u8; 32], L> {
    let mut command = CommandBuffer::new();
    command.push(&index.to_be_bytes()).push(blind).push(&amount.to_be_bytes());
    exchange(link, &mut command, ins::OWNER_TAG, 32, |answer| answer.try_into().ok())
}

/// RELEASE: the blank expects nothing any more.
#[inline(never)]
pub fn release<L: Link>(link: &mut L, index: u32) -> Answer<(), L> {
    let mut command = CommandBuffer::new();
    command.push(&index.to_be_bytes());
    exchange(link, &mut command, ins::RELEASE, 0, nothing)
}

/// SPEND: shows a note or blank once. Answers `z3`; the same preimage gets the same answer for ever.
#[inline(never)]
pub fn spend<L: Link>(link: &mut L, spend: &Spend<'_>) -> Answer<[u8; 32], L> {
    spend_with(link, spend, None)
}

fn spend_with<L: Link>(link: &mut L, spend: &Spend<'_>, mandated_at: Option<u64>) -> Answer<[u8; 32], L> {
    if spend.own.len() > ins::MAX_OUTPUTS {
        return Err(ElementError::ArgumentsTooLong);
    }
    let mut command = CommandBuffer::new();
    if let Some(now) = mandated_at {
        command.push(&now.to_be_bytes());
    }
    command.push(&spend.index.to_be_bytes()).push(spend.gamma).push(&[spend.own.len() as u8]);
    for own in spend.own {
        command.push(&[own.output]).push(&own.index.to_be_bytes()).push(&own.blind);
    }
    command.push(spend.preimage);
    let header = Header { p1: mandated_at.is_some().into(), ..ins::SPEND };
    exchange(link, &mut command, header, 32, |answer| answer.try_into().ok())
}

/// SPEND under the mandate, without the PIN, at `now` in Unix seconds.
#[inline(never)]
pub fn spend_mandated<L: Link>(link: &mut L, spend: &Spend<'_>, now: u64) -> Answer<[u8; 32], L> {
    spend_with(link, spend, Some(now))
}

/// FORGET: frees the record of an index that was spent, was never registered, or is a blank that holds and expects
/// nothing.
#[inline(never)]
pub fn forget<L: Link>(link: &mut L, index: u32) -> Answer<(), L> {
    let mut command = CommandBuffer::new();
    command.push(&index.to_be_bytes());
    exchange(link, &mut command, ins::FORGET, 0, nothing)
}

/// LIMITS: new limits, with the manifest entry of the PSP that signed them.
#[inline(never)]
pub fn limits<L: Link>(link: &mut L, proof: &EntryProof<'_>, limits: &[u8]) -> Answer<(), L> {
    let Ok(entry_length) = u16::try_from(proof.entry.len()) else {
        return Err(ElementError::ArgumentsTooLong);
    };
    let mut command = CommandBuffer::new();
    push_proof(&mut command, proof)?;
    command.push(&entry_length.to_be_bytes()).push(proof.entry).push(limits);
    exchange(link, &mut command, ins::LIMITS, 0, nothing)
}

/// MANDATE: what the owner lets the device do by itself, and the owner's signature.
#[inline(never)]
pub fn mandate<L: Link>(link: &mut L, body: &[u8], signature: &[u8; 64]) -> Answer<(), L> {
    let mut command = CommandBuffer::new();
    command.push(signature).push(body);
    exchange(link, &mut command, ins::MANDATE, 0, nothing)
}

/// MANDATE with P1 1: what is used of the mandate.
#[inline(never)]
pub fn mandate_use<L: Link>(link: &mut L) -> Answer<MandateUse, L> {
    let header = Header { p1: 1, ..ins::MANDATE };
    exchange(link, &mut CommandBuffer::new(), header, ins::MANDATE_USE_LENGTH, MandateUse::from_answer)
}

/// STATUS: counters, limits and what is held.
pub fn status<L: Link>(link: &mut L) -> Answer<Status, L> {
    exchange(link, &mut CommandBuffer::new(), ins::STATUS, ins::STATUS_LENGTH, Status::from_answer)
}

/// WIPE: erases every secret, for ever.
#[inline(never)]
pub fn wipe<L: Link>(link: &mut L, how: Wipe) -> Answer<(), L> {
    exchange(link, &mut CommandBuffer::new(), Header { p1: how as u8, ..ins::WIPE }, 0, nothing)
}

/// TOTALS: signed commitments to what is held and was spent, for the PSP's nonce, and how they open.
#[inline(never)]
pub fn totals<L: Link>(link: &mut L, nonce: &[u8; 32]) -> Answer<Totals, L> {
    let mut command = CommandBuffer::new();
    command.push(nonce);
    exchange(link, &mut command, ins::TOTALS, ins::TOTALS_LENGTH, Totals::from_answer)
}

fn nothing(answer: &[u8]) -> Option<()> {
    answer.is_empty().then_some(())
}

fn push_proof<E>(command: &mut CommandBuffer, proof: &EntryProof<'_>) -> Result<(), ElementError<E>> {
    if proof.path.len() > ins::MAX_PATH {
        return Err(ElementError::ArgumentsTooLong);
    }
    command.push(&proof.position.to_be_bytes()).push(&[proof.path.len() as u8]).push(proof.path.as_flattened());
    Ok(())
}

/// Sends one command and takes its answer apart.
fn exchange<L: Link, T>(
    link: &mut L,
    command: &mut CommandBuffer,
    header: Header,
    expected: usize,
    decode: impl FnOnce(&[u8]) -> Option<T>,
) -> Answer<T, L> {
    let command = command.finish(header, expected).ok_or(ElementError::ArgumentsTooLong)?;
    let mut response = [0; MAX_RESPONSE];
    let length = link.transmit(command, &mut response).map_err(ElementError::Link)?;
    let answer = response.get(..length).and_then(<[u8]>::split_last_chunk::<2>);
    let result = match answer {
        None => Err(ElementError::MalformedAnswer),
        Some((data, &word)) => match StatusWord::from_u16(u16::from_be_bytes(word)) {
            StatusWord::DONE => decode(data).ok_or(ElementError::MalformedAnswer),
            refused => Err(ElementError::Refused(refused)),
        },
    };
    // What is behind the answer was never written.
    response[..length.min(MAX_RESPONSE)].zeroize();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Canned(&'static [u8]);

    impl Link for Canned {
        type Error = ();

        fn transmit(&mut self, _: &[u8], response: &mut [u8]) -> Result<usize, ()> {
            response[..self.0.len()].copy_from_slice(self.0);
            Ok(self.0.len())
        }
    }

    #[test]
    fn refusals_carry_their_status_word() {
        let error = release(&mut Canned(&[0x94, 0x04]), 1).expect_err("refused");
        assert_eq!(error.status(), Some(StatusWord::ALREADY_SPENT));
    }

    #[test]
    fn rejects_answers_of_another_shape() {
        for answer in [&[][..], &[0x90], &[1, 0x90, 0x00]] {
            let result = release(&mut Canned(answer), 1);
            assert!(matches!(result, Err(ElementError::MalformedAnswer)), "{answer:?}");
        }
        assert!(matches!(select(&mut Canned(&[1, 9, 0x90, 0])), Err(ElementError::MalformedAnswer)));
        assert!(matches!(spend_nothing(&mut Canned(&[0x90, 0])), Err(ElementError::MalformedAnswer)));
    }

    #[test]
    fn too_many_arguments_are_not_sent() {
        let own = [OwnOutput { output: 0, index: 0, blind: [0; 32] }; 9];
        let zero = &[0; 32];
        let spend_it = Spend { index: 0, gamma: zero, own: &own, preimage: &[] };
        assert!(matches!(spend(&mut Canned(&[]), &spend_it), Err(ElementError::ArgumentsTooLong)));
        assert!(matches!(verify(&mut Canned(&[]), &[0; 4000]), Err(ElementError::ArgumentsTooLong)));
    }

    fn spend_nothing(link: &mut Canned) -> Answer<[u8; 32], Canned> {
        let zero = &[0; 32];
        spend(link, &Spend { index: 0, gamma: zero, own: &[], preimage: &[] })
    }
}
