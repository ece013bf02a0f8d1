//! A payer with no element and no scruples: it shows what it likes, as often as it likes.

use specie_core::bytes::{Context, NoteId};
use specie_core::class::{Class, Kind};
use specie_core::disclosure::{Prepared, SupervisoryKey};
use specie_core::encoding::{Encode, Writer};
use specie_core::group::{RistrettoPoint, Scalar, encode_point};
use specie_core::issuance::{Blinded, Blinding};
use specie_core::note::{Note, NoteSecrets, owner_tag};
use specie_core::payment::write_payment;
use specie_core::request::Request;
use specie_core::show::{Points, Show, element_response};
use specie_core::transfer::{Input, Output, Outputs, Preimage, Transfer};
use specie_core::{OwnerTag, hash};
use specie_wallet::withdrawal::Item;

use crate::bank::{Bank, amount};

pub(crate) struct Raw {
    u: Scalar,
    drawn: u64,
}

/// A note or blank of which everything is known.
pub(crate) struct RawNote {
    pub(crate) class: Class,
    pub(crate) note: Note,
    secrets: NoteSecrets,
    points: Points,
    pub(crate) id: NoteId,
    k3: Scalar,
}

impl Raw {
    pub(crate) fn new(label: &str) -> Self {
        Self { u: hash::hs("test/raw", &[label.as_bytes()]), drawn: 0 }
    }

    pub(crate) fn value(&mut self, bank: &mut Bank, face: u64) -> RawNote {
        let class = bank.class_of(Kind::Value, face).clone();
        self.issue(bank, &class)
    }

    pub(crate) fn blank(&mut self, bank: &mut Bank, cap: u64) -> RawNote {
        let class = bank.class_of(Kind::Blank, cap).clone();
        self.issue(bank, &class)
    }

    pub(crate) fn issue(&mut self, bank: &mut Bank, class: &Class) -> RawNote {
        self.drawn += 1;
        let generators = bank.generators;
        let (U, k3) = (self.u * generators.K, hash::hs("test/k3", &[&self.drawn.to_be_bytes(), self.u.as_bytes()]));
        let K3: RistrettoPoint = k3 * generators.K;
        let remote = format!("raw {:?} {}", self.u.as_bytes(), self.drawn);
        let sessions = bank.open(&remote, &[Item { class_id: class.id(), count: 1 }], &encode_point(&U));
        let blinding = Blinding::derive(&hash::h32("test/blinding", &[remote.as_bytes()]));
        let commitment = &sessions[0].commitment;
        let blinded = Blinded::blind(&generators, class, &U, &K3, &blinding, commitment).unwrap();
        let response = bank.answer(&remote, &[blinded.e().to_bytes()])[0];
        let issued = blinded.unblind(&generators, class, &U, &blinding, commitment, &response).unwrap();
        RawNote {
            class: class.clone(),
            note: issued.note,
            secrets: issued.secrets,
            points: issued.points,
            id: issued.id,
            k3,
        }
    }

    pub(crate) fn spend(&self, note: &RawNote, input: Input, outputs: &[Output], context: Context) -> Transfer {
        let preimage = Preimage {
            class_id: note.class.id(),
            note: note.note,
            input,
            outputs: Outputs::new(outputs).unwrap(),
            context,
            disclosure: None,
        };
        self.show(note, preimage)
    }

    fn show(&self, note: &RawNote, preimage: Preimage) -> Transfer {
        let unshown = Transfer {
            preimage,
            show: Show { z0: Scalar::ZERO, z1: Scalar::ZERO, z3: Scalar::ZERO },
            disclosure: None,
            points: Some(note.points),
        };
        let d = unshown.d();
        let z3 = element_response(&note.k3, &d, &note.secrets.gamma, &self.u);
        Transfer { show: Show::new(&note.secrets, &d, z3), ..unshown }
    }

    /// The same transfer with whatever `named` discloses to `key`: honest when that is its own `U`.
    pub(crate) fn disclose(
        &self,
        note: &RawNote,
        transfer: &Transfer,
        named: &RistrettoPoint,
        key: &SupervisoryKey,
    ) -> Transfer {
        let prepared = Prepared::new(key, named, &note.secrets, &note.points.N1, &transfer.preimage).unwrap();
        let preimage = Preimage { disclosure: Some(prepared.id()), ..transfer.preimage };
        let shown = self.show(note, preimage);
        Transfer { disclosure: Some(prepared.answer(&note.secrets, &shown.d())), ..shown }
    }

    pub(crate) fn U(&self, bank: &Bank) -> RistrettoPoint {
        self.u * bank.generators.K
    }

    /// Pays a request as it asks, in one transfer of an issued note, the rest to an owner of its own.
    pub(crate) fn pay(&self, note: &RawNote, request: &Request) -> Vec<u8> {
        let outputs = Self::outputs(note, request);
        payment(&[&[self.spend(note, Input::Issued, &outputs, request.context())]])
    }

    pub(crate) fn outputs(note: &RawNote, request: &Request) -> Vec<Output> {
        let change = note.class.info().amount.minor() - request.body.amount.minor();
        vec![
            Output { amount: request.body.amount, owner: request.body.owner_tags.as_slice()[0] },
            Output { amount: amount(change), owner: OwnerTag([0xEE; 32]) },
        ]
    }
}

impl RawNote {
    pub(crate) fn owner(&self, blind: &[u8; 32]) -> OwnerTag {
        owner_tag(&self.id, blind)
    }
}

pub(crate) fn chain(transfers: &[Transfer]) -> Vec<u8> {
    let mut w = Writer::new(Vec::new());
    w.array(transfers.len()).unwrap();
    transfers.iter().for_each(|transfer| transfer.write(&mut w).unwrap());
    w.into_inner()
}

pub(crate) fn payment(chains: &[&[Transfer]]) -> Vec<u8> {
    let chains: Vec<Vec<u8>> = chains.iter().map(|transfers| chain(transfers)).collect();
    let chains: Vec<&[u8]> = chains.iter().map(Vec::as_slice).collect();
    let mut w = Writer::new(Vec::new());
    write_payment(&chains, &mut w).unwrap();
    w.into_inner()
}
