//! The commands as the element sees them: taken apart, with every length and parameter checked.

use specie_core::ClassId;

use crate::apdu::{Apdu, Header};
use crate::instruction::{self as ins, Purpose};
use crate::status::StatusWord;

/// A PIN of an allowed length. It does not print.
#[derive(Clone, Copy)]
pub struct Pin<'a>(&'a [u8]);

impl<'a> Pin<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, StatusWord> {
        if (ins::MIN_PIN..=ins::MAX_PIN).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(StatusWord::WRONG_LENGTH)
        }
    }

    /// The bytes of the PIN.
    pub(crate) fn expose_secret(&self) -> &'a [u8] {
        self.0
    }
}

/// An entry of the manifest with the path that proves it.
#[derive(Clone, Copy)]
pub struct EntryProof<'a> {
    /// Position of the entry, from zero.
    pub position: u32,
    /// Hashes from the leaf's sibling up.
    pub path: &'a [[u8; 32]],
    /// The entry's encoding.
    pub entry: &'a [u8],
}

/// REGISTER.
#[derive(Clone, Copy)]
pub struct Register<'a> {
    /// Index that NONCES handed out.
    pub index: u32,
    /// Class of the note.
    pub class_id: ClassId,
    /// γ.
    pub gamma: &'a [u8; 32],
    /// ζ1.
    pub zeta1: &'a [u8; 32],
    /// k0.
    pub k0: &'a [u8; 32],
    /// k1.
    pub k1: &'a [u8; 32],
}

/// SPEND.
#[derive(Clone, Copy)]
pub struct Spend<'a> {
    /// Index of what is spent.
    pub index: u32,
    /// γ.
    pub gamma: &'a [u8; 32],
    /// Outputs that return to this element.
    pub own: OwnOutputs<'a>,
    /// The preimage's encoding.
    pub preimage: &'a [u8],
    /// Under the mandate, at this time by the host's clock, in Unix seconds; else by the one who verified the PIN.
    pub mandated_at: Option<u64>,
}

/// MANDATE.
#[derive(Clone, Copy)]
pub struct Mandate<'a> {
    /// Encoding of what the element enforces.
    pub body: &'a [u8],
    /// The owner's signature.
    pub signature: &'a [u8; 64],
}

/// The outputs that a host claims to return to this element: at most eight.
#[derive(Clone, Copy)]
pub struct OwnOutputs<'a>(&'a [[u8; OwnOutput::LENGTH]]);

/// One of them.
#[derive(Clone, Copy)]
pub struct OwnOutput<'a> {
    /// Position of the output in the transfer.
    pub output: u8,
    /// Index of the blank that owns it.
    pub index: u32,
    /// Blind that opens the owner tag.
    pub blind: &'a [u8; 32],
}

impl OwnOutput<'_> {
    const LENGTH: usize = 1 + 4 + 32;
}

impl<'a> OwnOutputs<'a> {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = OwnOutput<'a>> + use<'a> {
        self.0.iter().filter_map(|bytes| {
            let (&[output, i0, i1, i2, i3], blind) = bytes.split_first_chunk()?;
            Some(OwnOutput { output, index: u32::from_be_bytes([i0, i1, i2, i3]), blind: blind.try_into().ok()? })
        })
    }
}

/// A command, taken apart.
#[derive(Clone, Copy)]
pub enum Command<'a> {
    /// SELECT of this application.
    Select,
    /// VERIFY.
    Verify(Pin<'a>),
    /// CHANGE PIN.
    ChangePin {
        /// The PIN so far, if there is one.
        old: Option<Pin<'a>>,
        /// The PIN from now on.
        new: Pin<'a>,
    },
    /// UNBLOCK.
    Unblock {
        /// The PUK.
        puk: &'a [u8; ins::PUK],
        /// The PIN from now on.
        new: Pin<'a>,
    },
    /// GENERATE.
    Generate,
    /// PERSONALISE.
    Personalise {
        /// Root key of the central bank.
        root_key: &'a [u8; 32],
        /// The PUK.
        puk: &'a [u8; ins::PUK],
        /// The maker's certificate.
        certificate: &'a [u8],
    },
    /// IDENTITY.
    Identity,
    /// ENROL.
    Enrol {
        /// The PSP's nonce.
        nonce: &'a [u8; 32],
        /// What the host says about itself.
        device_info: &'a [u8],
    },
    /// SIGN REQUEST.
    SignRequest {
        /// What the signature is for.
        purpose: Purpose,
        /// What is signed.
        digest: &'a [u8; 32],
    },
    /// NONCES.
    Nonces {
        /// The index that the host believes to be next.
        expected: u32,
        /// How many.
        count: u8,
    },
    /// MANIFEST.
    Manifest {
        /// The header's encoding.
        header: &'a [u8],
        /// The root key's signature.
        signature: &'a [u8; 64],
    },
    /// CLASS.
    Class(EntryProof<'a>),
    /// REGISTER.
    Register(Register<'a>),
    /// OWNER TAG.
    OwnerTag {
        /// Index of the blank.
        index: u32,
        /// Blind of the tag.
        blind: &'a [u8; 32],
        /// What the blank expects, in minor units.
        amount: u64,
    },
    /// RELEASE.
    Release {
        /// Index of the blank.
        index: u32,
    },
    /// SPEND.
    Spend(Spend<'a>),
    /// FORGET.
    Forget {
        /// Index of the record.
        index: u32,
    },
    /// LIMITS.
    Limits {
        /// The PSP's entry in the manifest.
        psp: EntryProof<'a>,
        /// The document's encoding.
        document: &'a [u8],
    },
    /// MANDATE.
    Mandate(Mandate<'a>),
    /// MANDATE with P1 1: what is used of it.
    MandateUse,
    /// STATUS.
    Status,
    /// WIPE.
    Wipe {
        /// Even while something is held.
        even_so: bool,
    },
    /// TOTALS.
    Totals {
        /// The PSP's nonce.
        nonce: &'a [u8; 32],
    },
}

impl<'a> TryFrom<&Apdu<'a>> for Command<'a> {
    type Error = StatusWord;

    fn try_from(apdu: &Apdu<'a>) -> Result<Self, StatusWord> {
        let known = known_header(apdu.header)?;
        let chosen = apdu.header.p1 == 1;
        let mut fields = Fields(apdu.data);
        let command = match known {
            ins::SELECT => fields.application()?,
            ins::VERIFY => Self::Verify(Pin::new(fields.rest())?),
            ins::CHANGE_PIN => fields.change_pin()?,
            ins::UNBLOCK => Self::Unblock { puk: fields.array()?, new: Pin::new(fields.rest())? },
            ins::GENERATE => Self::Generate,
            ins::PERSONALISE => fields.personalise()?,
            ins::IDENTITY => Self::Identity,
            ins::ENROL => fields.enrol()?,
            ins::SIGN_REQUEST => {
                Self::SignRequest { purpose: Purpose::from_u8(apdu.header.p1), digest: fields.array()? }
            }
            ins::NONCES => fields.nonces()?,
            ins::MANIFEST => fields.manifest()?,
            ins::CLASS => Self::Class(fields.proof()?.of(fields.rest())),
            ins::REGISTER => fields.register()?,
            ins::OWNER_TAG => {
                Self::OwnerTag { index: fields.index()?, blind: fields.array()?, amount: fields.amount()? }
            }
            ins::RELEASE => Self::Release { index: fields.index()? },
            ins::SPEND => fields.spend(chosen)?,
            ins::FORGET => Self::Forget { index: fields.index()? },
            ins::LIMITS => fields.limits()?,
            ins::MANDATE if chosen => Self::MandateUse,
            ins::MANDATE => fields.mandate()?,
            ins::STATUS => Self::Status,
            ins::WIPE => Self::Wipe { even_so: chosen },
            ins::TOTALS => Self::Totals { nonce: fields.array()? },
            _ => return Err(StatusWord::UNKNOWN_INSTRUCTION),
        };
        fields.finish()?;
        Ok(command)
    }
}

impl Command<'_> {
    /// Bytes of the answer, without its status word; at least so many for IDENTITY.
    pub(crate) fn answer_length(&self) -> usize {
        match self {
            Self::Select => 34,
            Self::Generate | Self::SignRequest { .. } => 64,
            Self::Enrol { .. } => 128,
            Self::Nonces { count, .. } => 4 + 32 * usize::from(*count),
            Self::Class(_) => 16,
            Self::Register(_) | Self::OwnerTag { .. } | Self::Spend(_) => 32,
            Self::MandateUse => ins::MANDATE_USE_LENGTH,
            Self::Status => ins::STATUS_LENGTH,
            Self::Totals { .. } => ins::TOTALS_LENGTH,
            _ => 0,
        }
    }
}

/// The command that a header names, if its parameters are ones that the command knows.
fn known_header(header: Header) -> Result<Header, StatusWord> {
    let Header { cla, ins: instruction, p1, p2 } = header;
    if ![ins::INTERINDUSTRY, ins::SPECIE].contains(&cla) {
        return Err(StatusWord::UNKNOWN_CLASS_BYTE);
    }
    let mut all = ins::ALL.iter();
    let Some(&known) = all.find(|known| known.cla == cla && known.ins == instruction) else {
        return Err(StatusWord::UNKNOWN_INSTRUCTION);
    };
    let chooses = || match known {
        ins::SIGN_REQUEST => p1 <= Purpose::MandatedRequest as u8,
        ins::SPEND | ins::MANDATE | ins::WIPE => p1 == 1,
        _ => false,
    };
    let fits = p2 == known.p2 && (p1 == known.p1 || chooses());
    if fits { Ok(known) } else { Err(StatusWord::WRONG_PARAMETERS) }
}

impl<'a> EntryProof<'a> {
    fn of(self, entry: &'a [u8]) -> Self {
        Self { entry, ..self }
    }
}

/// What is left of the data field.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], StatusWord> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(StatusWord::WRONG_LENGTH)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], StatusWord> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(StatusWord::WRONG_LENGTH)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, StatusWord> {
        self.array::<1>().map(|&[byte]| byte)
    }

    fn index(&mut self) -> Result<u32, StatusWord> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    fn amount(&mut self) -> Result<u64, StatusWord> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }

    fn finish(self) -> Result<(), StatusWord> {
        if self.0.is_empty() { Ok(()) } else { Err(StatusWord::WRONG_LENGTH) }
    }

    fn application(&mut self) -> Result<Command<'a>, StatusWord> {
        if self.rest() == ins::AID { Ok(Command::Select) } else { Err(StatusWord::UNKNOWN_INDEX) }
    }

    fn change_pin(&mut self) -> Result<Command<'a>, StatusWord> {
        let old = match self.byte()? {
            0 => None,
            length => Some(Pin::new(self.take(length.into())?)?),
        };
        let length = self.byte()?;
        Ok(Command::ChangePin { old, new: Pin::new(self.take(length.into())?)? })
    }

    fn personalise(&mut self) -> Result<Command<'a>, StatusWord> {
        let (root_key, puk, certificate) = (self.array()?, self.array()?, self.rest());
        if certificate.len() > ins::MAX_CERTIFICATE {
            return Err(StatusWord::WRONG_LENGTH);
        }
        Ok(Command::Personalise { root_key, puk, certificate })
    }

    fn enrol(&mut self) -> Result<Command<'a>, StatusWord> {
        let (nonce, device_info) = (self.array()?, self.rest());
        if device_info.len() > ins::MAX_DEVICE_INFO {
            return Err(StatusWord::WRONG_LENGTH);
        }
        Ok(Command::Enrol { nonce, device_info })
    }

    fn nonces(&mut self) -> Result<Command<'a>, StatusWord> {
        let (expected, count) = (self.index()?, self.byte()?);
        if count == 0 || usize::from(count) > ins::MAX_NONCES {
            return Err(StatusWord::WRONG_DATA);
        }
        Ok(Command::Nonces { expected, count })
    }

    fn manifest(&mut self) -> Result<Command<'a>, StatusWord> {
        let (header, signature) = self.rest().split_last_chunk().ok_or(StatusWord::WRONG_LENGTH)?;
        Ok(Command::Manifest { header, signature })
    }

    /// Position and path; the entry comes after them.
    fn proof(&mut self) -> Result<EntryProof<'a>, StatusWord> {
        let position = self.index()?;
        let length = usize::from(self.byte()?);
        if length > ins::MAX_PATH {
            return Err(StatusWord::WRONG_DATA);
        }
        let (path, _) = self.take(32 * length)?.as_chunks();
        Ok(EntryProof { position, path, entry: &[] })
    }

    fn register(&mut self) -> Result<Command<'a>, StatusWord> {
        Ok(Command::Register(Register {
            index: self.index()?,
            class_id: ClassId(*self.array()?),
            gamma: self.array()?,
            zeta1: self.array()?,
            k0: self.array()?,
            k1: self.array()?,
        }))
    }

    fn spend(&mut self, mandated: bool) -> Result<Command<'a>, StatusWord> {
        let mandated_at = if mandated { Some(self.amount()?) } else { None };
        let (index, gamma) = (self.index()?, self.array()?);
        let count = usize::from(self.byte()?);
        if count > ins::MAX_OUTPUTS {
            return Err(StatusWord::WRONG_DATA);
        }
        let (own, _) = self.take(OwnOutput::LENGTH * count)?.as_chunks();
        Ok(Command::Spend(Spend { index, gamma, own: OwnOutputs(own), preimage: self.rest(), mandated_at }))
    }

    fn mandate(&mut self) -> Result<Command<'a>, StatusWord> {
        let signature = self.array()?;
        Ok(Command::Mandate(Mandate { body: self.rest(), signature }))
    }

    fn limits(&mut self) -> Result<Command<'a>, StatusWord> {
        let proof = self.proof()?;
        let length = u16::from_be_bytes(*self.array()?);
        let entry = self.take(length.into())?;
        Ok(Command::Limits { psp: proof.of(entry), document: self.rest() })
    }
}
