//! Transfers (§6): one input, one to eight outputs (none when redeeming), shown.

use minicbor::encode::Write;

use crate::amount::Amount;
use crate::bytes::{ClassId, Context, OwnerTag, TransferId};
use crate::disclosure::{Disclosure, DisclosureId};
use crate::encoding::{Buffer, Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::group::Scalar;
use crate::note::Note;
use crate::show::{Points, Show};
use crate::text::Name;
use crate::{hash, label};

/// The most outputs of one transfer.
pub const OUTPUTS_MAX: usize = 8;

/// The longest encoding of a [`Preimage`].
pub const PREIMAGE_LENGTH_MAX: usize = 776;

/// The longest encoding of a [`Transfer`], in extended form.
pub const TRANSFER_LENGTH_MAX: usize =
    PREIMAGE_LENGTH_MAX + 1 + 2 + Show::LENGTH + Disclosure::LENGTH + 2 + Points::LENGTH;

/// What a transfer spends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// A value note, worth the face value of its class.
    Issued,
    /// Output `index` of transfer `previous`, whose owner opens with `blind` to the blank shown.
    Received {
        /// The transfer that made the output.
        previous: TransferId,
        /// Which of its outputs.
        index: u8,
        /// Opens the owner tag.
        blind: [u8; 32],
    },
}

/// An amount and who owns it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Output {
    /// More than zero, except in the last output.
    pub amount: Amount,
    /// Commits to the new owner's blank.
    pub owner: OwnerTag,
}

/// At most [`OUTPUTS_MAX`] outputs, held in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outputs {
    outputs: [Output; OUTPUTS_MAX],
    length: usize,
}

/// What a transfer says; hashed to its challenge `d` and its `id`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preimage {
    /// Class of the note or blank shown.
    pub class_id: ClassId,
    /// The note or blank shown.
    pub note: Note,
    /// What is spent.
    pub input: Input,
    /// Who gets it; none when redeeming.
    pub outputs: Outputs,
    /// What it is for.
    pub context: Context,
    /// The disclosure that goes with it, if any; never when redeeming.
    pub disclosure: Option<DisclosureId>,
}

/// The encoding of a [`Preimage`].
pub type PreimageBytes = Buffer<PREIMAGE_LENGTH_MAX>;

/// A transfer, in compact or extended form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// What it says.
    pub preimage: Preimage,
    /// That it may.
    pub show: Show,
    /// Who pays, encrypted: there if and only if the preimage says so.
    pub disclosure: Option<Disclosure>,
    /// The six points of the extended form.
    pub points: Option<Points>,
}

impl Outputs {
    /// No outputs: a redemption.
    pub const NONE: Self =
        Self { outputs: [Output { amount: Amount::ZERO, owner: OwnerTag([0; 32]) }; OUTPUTS_MAX], length: 0 };

    /// `outputs`, if they are at most eight, all but the last more than zero, their sum an amount, and no owner
    /// twice.
    ///
    /// # Errors
    /// When they are not.
    pub fn new(outputs: &[Output]) -> Result<Self, DecodeError> {
        let mut all = Self::NONE;
        all.outputs.get_mut(..outputs.len()).ok_or(DecodeError::WrongLength)?.copy_from_slice(outputs);
        all.length = outputs.len();
        let empty = outputs.split_last().is_some_and(|(_, others)| others.iter().any(|output| output.amount.is_zero()));
        let twice =
            outputs.iter().enumerate().any(|(i, output)| outputs[..i].iter().any(|other| other.owner == output.owner));
        let sum = Amount::checked_sum(outputs.iter().map(|output| output.amount));
        if empty || twice || sum.is_none() { Err(DecodeError::OutOfRange) } else { Ok(all) }
    }

    /// The outputs.
    pub fn as_slice(&self) -> &[Output] {
        &self.outputs[..self.length]
    }

    /// Σ of the amounts.
    pub fn sum(&self) -> Amount {
        Amount::checked_sum(self.as_slice().iter().map(|output| output.amount)).expect("checked when made")
    }

    /// Whether there are none: the transfer redeems.
    pub fn is_redemption(&self) -> bool {
        self.length == 0
    }
}

impl Preimage {
    /// The encoding.
    pub fn to_bytes(&self) -> PreimageBytes {
        Buffer::of(self)
    }
}

/// `d = Hs("specie/v1/spend", preimage)` of an encoded preimage.
pub fn challenge(preimage: &[u8]) -> Scalar {
    hash::hs(label::SPEND, &[preimage])
}

/// `id = H32("specie/v1/transfer-id", preimage)` of an encoded preimage.
pub fn transfer_id(preimage: &[u8]) -> TransferId {
    TransferId(hash::h32(label::TRANSFER_ID, &[preimage]))
}

/// Context of a transfer that redeems to `account` at `psp`: `H32("specie/v1/redeem", psp, account)` (§8).
pub fn redemption_context(psp: &Name, account: &Name) -> Context {
    Context(hash::h32(label::REDEEM, &[psp.as_str().as_bytes(), account.as_str().as_bytes()]))
}

impl Transfer {
    /// Its name.
    pub fn id(&self) -> TransferId {
        transfer_id(self.preimage.to_bytes().as_slice())
    }

    /// Its challenge.
    pub fn d(&self) -> Scalar {
        challenge(self.preimage.to_bytes().as_slice())
    }

    /// The same transfer in compact form.
    #[must_use]
    pub fn compact(self) -> Self {
        Self { points: None, ..self }
    }
}

impl Encode for Preimage {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(6 + usize::from(self.disclosure.is_some()))?;
        w.uint(VERSION)?;
        self.class_id.write(w)?;
        w.bytes(&self.note.0)?;
        match &self.input {
            Input::Issued => {
                w.array(1)?;
                w.uint(0)?;
            }
            Input::Received { previous, index, blind } => {
                w.array(4)?;
                w.uint(1)?;
                previous.write(w)?;
                w.uint((*index).into())?;
                w.bytes(blind)?;
            }
        }
        w.array(self.outputs.length)?;
        for output in self.outputs.as_slice() {
            w.array(2)?;
            output.amount.write(w)?;
            output.owner.write(w)?;
        }
        self.context.write(w)?;
        self.disclosure.map_or(Ok(()), |id| w.bytes(&id.0))
    }
}

impl Decode<'_> for Preimage {
    #[inline(never)]
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let discloses = match r.array()? {
            6 => false,
            7 => true,
            _ => return Err(DecodeError::WrongLength),
        };
        r.version()?;
        let preimage = Self {
            class_id: ClassId::read(r)?,
            note: Note(r.bytes_of()?),
            input: read_input(r)?,
            outputs: read_outputs(r)?,
            context: Context::read(r)?,
            disclosure: if discloses { Some(DisclosureId(r.bytes_of()?)) } else { None },
        };
        // Who redeems names an account.
        if discloses && preimage.outputs.is_redemption() { Err(DecodeError::OutOfRange) } else { Ok(preimage) }
    }
}

fn read_input(r: &mut Reader<'_>) -> Result<Input, DecodeError> {
    let length = r.array()?;
    match (r.uint()?, length) {
        (0, 1) => Ok(Input::Issued),
        (1, 4) => Ok(Input::Received { previous: TransferId::read(r)?, index: r.uint_as()?, blind: r.bytes_of()? }),
        (0 | 1, _) => Err(DecodeError::WrongLength),
        _ => Err(DecodeError::OutOfRange),
    }
}

fn read_outputs(r: &mut Reader<'_>) -> Result<Outputs, DecodeError> {
    let length = r.array()?;
    let mut outputs = Outputs::NONE.outputs;
    for output in outputs.get_mut(..length).ok_or(DecodeError::WrongLength)? {
        r.array_of(2)?;
        *output = Output { amount: Amount::read(r)?, owner: OwnerTag::read(r)? };
    }
    Outputs::new(&outputs[..length])
}

impl Encode for Transfer {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(if self.points.is_some() { 3 } else { 2 })?;
        self.preimage.write(w)?;
        match &self.disclosure {
            None => w.bytes(&self.show.to_bytes())?,
            Some(disclosure) => {
                let mut both = [0; Show::LENGTH + Disclosure::LENGTH];
                let (show, disclosed) = both.split_at_mut(Show::LENGTH);
                show.copy_from_slice(&self.show.to_bytes());
                disclosed.copy_from_slice(&disclosure.to_bytes());
                w.bytes(&both)?;
            }
        }
        self.points.map_or(Ok(()), |points| w.bytes(&points.to_bytes()))
    }
}

impl Decode<'_> for Transfer {
    #[inline(never)]
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let extended = match r.array()? {
            2 => false,
            3 => true,
            _ => return Err(DecodeError::WrongLength),
        };
        let preimage = Preimage::read(r)?;
        let length = if preimage.disclosure.is_some() { Show::LENGTH + Disclosure::LENGTH } else { Show::LENGTH };
        let shown = Some(r.bytes()?).filter(|bytes| bytes.len() == length).ok_or(DecodeError::WrongLength)?;
        let (show, disclosure) = shown.split_first_chunk().ok_or(DecodeError::WrongLength)?;
        Ok(Self {
            preimage,
            show: Show::from_bytes(show)?,
            disclosure: disclosure.first_chunk().map(Disclosure::from_bytes).transpose()?,
            points: if extended { Some(Points::from_bytes(&r.bytes_of()?)) } else { None },
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn output(amount: u64, owner: u8) -> Output {
        Output { amount: Amount::new(amount).unwrap(), owner: OwnerTag([owner; 32]) }
    }

    #[test]
    fn the_longest_transfer_fits() {
        let outputs: [Output; 8] = core::array::from_fn(|i| output((i64::MAX / 8) as u64, i as u8));
        let preimage = Preimage {
            class_id: ClassId([1; 16]),
            note: Note([2; 256]),
            input: Input::Received { previous: TransferId([3; 32]), index: 255, blind: [4; 32] },
            outputs: Outputs::new(&outputs).unwrap(),
            context: Context([5; 32]),
            disclosure: Some(DisclosureId([7; 32])),
        };
        let bytes = preimage.to_bytes();
        assert_eq!(Preimage::decode(bytes.as_slice()), Ok(preimage));
        let show = Show { z0: Scalar::ONE, z1: Scalar::ONE, z3: Scalar::ONE };
        let disclosure = Some(Disclosure { E1: [8; 32], E2: [9; 32], z4: Scalar::ONE });
        let transfer = Transfer { preimage, show, disclosure, points: Some(Points::from_bytes(&[6; 192])) };
        let mut buffer = [0; TRANSFER_LENGTH_MAX];
        let encoded = transfer.encode(&mut buffer).unwrap();
        assert_eq!(Transfer::decode(encoded), Ok(transfer));
        assert_eq!(transfer.compact().id(), transfer.id());
    }

    #[test]
    fn rejects_outputs_against_the_rules() {
        assert!(Outputs::new(&[output(1, 1), output(0, 2)]).is_ok());
        assert!(Outputs::new(&[output(0, 1)]).is_ok());
        for wrong in [
            &[output(0, 1), output(1, 2)][..],
            &[output(1, 1), output(1, 1)],
            &[output(i64::MAX as u64, 1), output(1, 2)],
            &[output(1, 1); 9],
        ] {
            assert!(Outputs::new(wrong).is_err());
        }
    }
}
