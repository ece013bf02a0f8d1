//! What the element journals: the records behind each key and their bytes.

use specie_core::NoteId;
use specie_core::class::Kind;

use crate::journal::{Batch, Key};

/// Keys of the records of which there is one each; numbers are never used for anything else.
pub(crate) mod single {
    use crate::journal::Key;

    pub(crate) const IDENTITY: Key = Key::Single(0);
    pub(crate) const PERSONAL: Key = Key::Single(1);
    pub(crate) const PIN: Key = Key::Single(2);
    pub(crate) const NONCES: Key = Key::Single(3);
    pub(crate) const MANIFEST: Key = Key::Single(4);
    pub(crate) const COUNTERS: Key = Key::Single(5);
    pub(crate) const LIMITS: Key = Key::Single(6);
    pub(crate) const WIPED: Key = Key::Single(7);
    pub(crate) const MANDATE: Key = Key::Single(8);
    pub(crate) const MANDATE_USE: Key = Key::Single(9);
}

/// Kind of all single records: the key says which it is.
const SINGLE: u8 = 1;
/// Kinds of the records under an index.
const OPEN: u8 = 16;
const NOTE: u8 = 17;
const SPENT: u8 = 18;

/// Wrong PINs that an element allows.
pub(crate) const PIN_TRIES: u8 = 3;
/// Wrong PUKs that an element allows.
pub(crate) const PUK_TRIES: u8 = 10;

/// A record of fixed length that there is one of.
pub(crate) trait Single<const LENGTH: usize>: Sized {
    const KEY: Key;

    fn to_bytes(&self) -> [u8; LENGTH];

    fn from_bytes(bytes: &[u8; LENGTH]) -> Self;

    fn put(&self, batch: &mut Batch) {
        batch.put(Self::KEY, SINGLE, &self.to_bytes());
    }
}

/// Bytes of fixed fields, one after the other.
struct Packed<const LENGTH: usize> {
    bytes: [u8; LENGTH],
    at: usize,
}

impl<const LENGTH: usize> Packed<LENGTH> {
    fn new() -> Self {
        Self { bytes: [0; LENGTH], at: 0 }
    }

    fn field(mut self, field: &[u8]) -> Self {
        self.bytes[self.at..self.at + field.len()].copy_from_slice(field);
        self.at += field.len();
        self
    }
}

/// The field of `N` bytes at `at`.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..].first_chunk().copied().unwrap_or([0; N])
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(field(bytes, at))
}

/// The PIN and its tries.
#[derive(Clone, Copy)]
pub(crate) struct PinRecord {
    /// Keyed digest of the PIN, if one is set.
    pub(crate) digest: Option<[u8; 32]>,
    pub(crate) tries: u8,
    pub(crate) puk_tries: u8,
}

impl PinRecord {
    /// No PIN set.
    pub(crate) const NONE: Self = Self { digest: None, tries: PIN_TRIES, puk_tries: PUK_TRIES };
}

impl Single<35> for PinRecord {
    const KEY: Key = single::PIN;

    fn to_bytes(&self) -> [u8; 35] {
        let set = u8::from(self.digest.is_some());
        Packed::new().field(&[set, self.tries, self.puk_tries]).field(&self.digest.unwrap_or([0; 32])).bytes
    }

    fn from_bytes(bytes: &[u8; 35]) -> Self {
        Self { digest: (bytes[0] == 1).then(|| field(bytes, 3)), tries: bytes[1], puk_tries: bytes[2] }
    }
}

/// Which indices were handed out.
#[derive(Clone, Copy, Default)]
pub(crate) struct NoncesRecord {
    pub(crate) next: u32,
    /// How many the last NONCES handed out.
    pub(crate) last_count: u8,
}

impl Single<5> for NoncesRecord {
    const KEY: Key = single::NONCES;

    fn to_bytes(&self) -> [u8; 5] {
        Packed::new().field(&self.next.to_be_bytes()).field(&[self.last_count]).bytes
    }

    fn from_bytes(bytes: &[u8; 5]) -> Self {
        Self { next: u32::from_be_bytes(field(bytes, 0)), last_count: bytes[4] }
    }
}

/// What is kept of the newest manifest.
#[derive(Clone, Copy)]
pub(crate) struct ManifestRecord {
    pub(crate) sequence: u64,
    /// Hash of the header.
    pub(crate) id: [u8; 32],
    pub(crate) entries_root: [u8; 32],
    pub(crate) entry_count: u32,
}

impl Single<76> for ManifestRecord {
    const KEY: Key = single::MANIFEST;

    fn to_bytes(&self) -> [u8; 76] {
        let packed = Packed::new().field(&self.sequence.to_be_bytes()).field(&self.id);
        packed.field(&self.entries_root).field(&self.entry_count.to_be_bytes()).bytes
    }

    fn from_bytes(bytes: &[u8; 76]) -> Self {
        Self {
            sequence: number(bytes, 0),
            id: field(bytes, 8),
            entries_root: field(bytes, 40),
            entry_count: u32::from_be_bytes(field(bytes, 72)),
        }
    }
}

/// What only ever grows, between two synchronisations.
#[derive(Clone, Copy, Default)]
pub(crate) struct CountersRecord {
    /// The latest signed time seen, in Unix seconds.
    pub(crate) time_floor: u64,
    /// Let go since the limits came, in minor units.
    pub(crate) spent: u64,
}

impl Single<16> for CountersRecord {
    const KEY: Key = single::COUNTERS;

    fn to_bytes(&self) -> [u8; 16] {
        Packed::new().field(&self.time_floor.to_be_bytes()).field(&self.spent.to_be_bytes()).bytes
    }

    fn from_bytes(bytes: &[u8; 16]) -> Self {
        Self { time_floor: number(bytes, 0), spent: number(bytes, 8) }
    }
}

/// What is kept of the newest limits. Amounts are minor units, times Unix seconds.
#[derive(Clone, Copy)]
pub(crate) struct LimitsRecord {
    /// The PSP's name: its length, the name, zeros.
    pub(crate) psp: [u8; 33],
    /// Hash of the document.
    pub(crate) id: [u8; 32],
    pub(crate) sequence: u64,
    pub(crate) valid_until: u64,
    pub(crate) max_payment: u64,
    pub(crate) max_cumulative: u64,
    pub(crate) max_holding: u64,
}

impl Single<105> for LimitsRecord {
    const KEY: Key = single::LIMITS;

    fn to_bytes(&self) -> [u8; 105] {
        let numbers = [self.sequence, self.valid_until, self.max_payment, self.max_cumulative, self.max_holding];
        let packed = Packed::new().field(&self.psp).field(&self.id);
        numbers.iter().fold(packed, |packed, number| packed.field(&number.to_be_bytes())).bytes
    }

    fn from_bytes(bytes: &[u8; 105]) -> Self {
        Self {
            psp: field(bytes, 0),
            id: field(bytes, 33),
            sequence: number(bytes, 65),
            valid_until: number(bytes, 73),
            max_payment: number(bytes, 81),
            max_cumulative: number(bytes, 89),
            max_holding: number(bytes, 97),
        }
    }
}

/// What is kept of the owner's newest mandate. Amounts are minor units, times Unix seconds.
#[derive(Clone, Copy)]
pub(crate) struct MandateRecord {
    /// The key of whoever signed it.
    pub(crate) owner: [u8; 32],
    /// Hash of what was signed.
    pub(crate) id: [u8; 32],
    /// Context of redemptions that it allows.
    pub(crate) redeem_to: Option<[u8; 32]>,
    pub(crate) sequence: u64,
    pub(crate) valid_until: u64,
    pub(crate) max_payment: u64,
    pub(crate) period_seconds: u64,
    pub(crate) max_per_period: u64,
    pub(crate) max_total: u64,
}

impl Single<145> for MandateRecord {
    const KEY: Key = single::MANDATE;

    fn to_bytes(&self) -> [u8; 145] {
        let amounts = [self.max_payment, self.max_per_period, self.max_total];
        let numbers = [self.sequence, self.valid_until, self.period_seconds].into_iter().chain(amounts);
        let packed = Packed::new().field(&self.owner).field(&self.id).field(&[self.redeem_to.is_some().into()]);
        let packed = packed.field(&self.redeem_to.unwrap_or([0; 32]));
        numbers.fold(packed, |packed, number| packed.field(&number.to_be_bytes())).bytes
    }

    fn from_bytes(bytes: &[u8; 145]) -> Self {
        Self {
            owner: field(bytes, 0),
            id: field(bytes, 32),
            redeem_to: (bytes[64] == 1).then(|| field(bytes, 65)),
            sequence: number(bytes, 97),
            valid_until: number(bytes, 105),
            period_seconds: number(bytes, 113),
            max_payment: number(bytes, 121),
            max_per_period: number(bytes, 129),
            max_total: number(bytes, 137),
        }
    }
}

/// What was used of the mandate.
#[derive(Clone, Copy, Default)]
pub(crate) struct MandateUse {
    /// When the period began, in Unix seconds.
    pub(crate) period_began: u64,
    /// Let go since, in minor units.
    pub(crate) in_period: u64,
    /// Let go in all, in minor units.
    pub(crate) spent: u64,
}

impl Single<24> for MandateUse {
    const KEY: Key = single::MANDATE_USE;

    fn to_bytes(&self) -> [u8; 24] {
        let numbers = [self.period_began, self.in_period, self.spent];
        numbers.iter().fold(Packed::new(), |packed, number| packed.field(&number.to_be_bytes())).bytes
    }

    fn from_bytes(bytes: &[u8; 24]) -> Self {
        Self { period_began: number(bytes, 0), in_period: number(bytes, 8), spent: number(bytes, 16) }
    }
}

/// What a note or blank is worth to the element's count of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stake {
    /// A value note, worth its face.
    Face,
    /// A blank nobody pays.
    Empty,
    /// A blank that somebody may have paid so much, in minor units.
    Expects(u64),
    /// A blank that this element itself paid so much, in minor units.
    Holds(u64),
}

/// A registered note or blank that was not shown.
#[derive(Clone, Copy)]
pub(crate) struct NoteRecord {
    /// Keyed digest of its class and γ.
    pub(crate) binding: [u8; 16],
    pub(crate) note_id: NoteId,
    /// Face value, or cap of a blank, in minor units.
    pub(crate) amount: u64,
    pub(crate) stake: Stake,
}

impl NoteRecord {
    const LENGTH: usize = 65;

    pub(crate) fn kind(&self) -> Kind {
        match self.stake {
            Stake::Face => Kind::Value,
            Stake::Empty | Stake::Expects(_) | Stake::Holds(_) => Kind::Blank,
        }
    }

    /// What it counts for, in minor units.
    pub(crate) fn held(&self) -> u64 {
        match self.stake {
            Stake::Face => self.amount,
            Stake::Empty => 0,
            Stake::Expects(amount) | Stake::Holds(amount) => amount,
        }
    }

    pub(crate) fn put(&self, index: u32, batch: &mut Batch) {
        let (tag, value) = match self.stake {
            Stake::Face => (0, 0),
            Stake::Empty => (1, 0),
            Stake::Expects(amount) => (2, amount),
            Stake::Holds(amount) => (3, amount),
        };
        let packed = Packed::<{ Self::LENGTH }>::new().field(&self.binding).field(&self.note_id.0);
        let packed = packed.field(&self.amount.to_be_bytes()).field(&[tag]).field(&u64::to_be_bytes(value));
        batch.put_marked(index, NOTE, &packed.bytes);
    }

    fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Option<Self> {
        let value = number(bytes, 57);
        let stake = match bytes[56] {
            0 => Stake::Face,
            1 => Stake::Empty,
            2 => Stake::Expects(value),
            3 => Stake::Holds(value),
            _ => return None,
        };
        let (binding, note_id) = (field(bytes, 0), NoteId(field(bytes, 16)));
        Some(Self { binding, note_id, amount: number(bytes, 48), stake })
    }
}

/// What was shown, and the answer to it.
#[derive(Clone, Copy)]
pub(crate) struct SpentRecord {
    /// The challenge, which stands for the preimage: `z3` answers nothing else.
    pub(crate) d: [u8; 32],
    pub(crate) z3: [u8; 32],
}

impl SpentRecord {
    const LENGTH: usize = 64;

    pub(crate) fn put(&self, index: u32, batch: &mut Batch) {
        let packed = Packed::<{ Self::LENGTH }>::new().field(&self.d).field(&self.z3);
        batch.put(Key::Index(index), SPENT, &packed.bytes);
    }
}

/// What lies under an index.
#[derive(Clone, Copy)]
pub(crate) enum IndexRecord {
    /// Handed out, not registered.
    Open,
    /// Registered, not shown.
    Note(NoteRecord),
    /// Shown, but what was shown was lost: nothing is ever answered for it again.
    Burnt,
    /// Shown.
    Spent(SpentRecord),
}

impl IndexRecord {
    /// The longest record under an index, in bytes.
    pub(crate) const LENGTH_MAX: usize = NoteRecord::LENGTH;

    pub(crate) fn put_open(index: u32, batch: &mut Batch) {
        batch.put(Key::Index(index), OPEN, &[]);
    }

    pub(crate) fn from_bytes(kind: u8, marked: bool, bytes: &[u8]) -> Option<Self> {
        match kind {
            OPEN => Some(Self::Open),
            NOTE if marked => Some(Self::Burnt),
            NOTE => NoteRecord::from_bytes(bytes.try_into().ok()?).map(Self::Note),
            SPENT => {
                let bytes: &[u8; SpentRecord::LENGTH] = bytes.try_into().ok()?;
                Some(Self::Spent(SpentRecord { d: field(bytes, 0), z3: field(bytes, 32) }))
            }
            _ => None,
        }
    }

    /// What it counts for, in minor units.
    pub(crate) fn held(&self) -> u64 {
        match self {
            Self::Note(note) => note.held(),
            Self::Open | Self::Burnt | Self::Spent(_) => 0,
        }
    }
}

/// Puts a single record of any length.
pub(crate) fn put_single(batch: &mut Batch, key: Key, bytes: &[u8]) {
    batch.put(key, SINGLE, bytes);
}
