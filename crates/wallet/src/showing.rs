//! Showing a holding: the one thing that only the element and the host can do together (§6).

use alloc::vec::Vec;

use specie_core::amount::Timestamp;
use specie_core::bytes::{Context, NoteId};
use specie_core::disclosure::{Prepared, SupervisoryKey};
use specie_core::encoding::Encode;
use specie_core::group::{RistrettoPoint, decode_scalar};
use specie_core::payment::ChainParts;
use specie_core::show::Show;
use specie_core::transfer::{Input, Outputs, Preimage, Transfer, challenge};
use specie_element::client::{self, OwnOutput, Spend};
use specie_element::status::StatusWord;
use zeroize::Zeroizing;

use crate::element::{Element, ElementFault};
use crate::purse::{Coin, Holding, Material, Origin};

/// Who is named in a show, and to whom.
#[derive(Clone, Copy)]
pub(crate) struct Disclose<'i> {
    /// The wallet's own `U`.
    pub(crate) U: &'i RistrettoPoint,
    pub(crate) to: SupervisoryKey,
}

/// What for, and by whose leave.
#[derive(Clone, Copy)]
pub(crate) struct Showing<'i> {
    pub(crate) context: &'i Context,
    pub(crate) disclose: Option<Disclose<'i>>,
    /// Under the mandate, at this time; else by whoever verified the PIN.
    pub(crate) mandated_at: Option<Timestamp>,
}

/// A holding that was shown.
pub(crate) struct Shown {
    /// The chain with the new transfer, in extended form.
    pub(crate) chain: Vec<u8>,
}

/// Spends a holding. The same arguments give the same transfer, however often the element is asked.
#[inline(never)]
pub(crate) fn show(
    index: u32,
    holding: &Holding,
    outputs: Outputs,
    own: &[OwnOutput],
    showing: &Showing<'_>,
    element: &mut impl Element,
) -> Result<Shown, ElementFault> {
    let material = &holding.material;
    let mut preimage = Preimage {
        class_id: material.class_id,
        note: material.note,
        input: holding.coin.as_deref().map_or(Input::Issued, Coin::input),
        outputs,
        context: *showing.context,
        disclosure: None,
    };
    let prepared = showing.disclose.map(|to| prepare(to, material, &preimage)).transpose()?;
    preimage.disclosure = prepared.as_ref().map(Prepared::id);
    let bytes = preimage.to_bytes();
    let gamma = Zeroizing::new(material.secrets.gamma.to_bytes());
    let spend = Spend { index, gamma: &gamma, own, preimage: bytes.as_slice() };
    let z3 = match showing.mandated_at {
        None => client::spend(element, &spend)?,
        Some(now) => client::spend_mandated(element, &spend, now.seconds())?,
    };
    let z3 = decode_scalar(&z3).map_err(|_| ElementFault::Nonsense)?;
    let d = challenge(bytes.as_slice());
    let show = Show::new(&material.secrets, &d, z3);
    let disclosure = prepared.map(|prepared| prepared.answer(&material.secrets, &d));
    let transfer = Transfer { preimage, show, disclosure, points: Some(material.points) };
    let before = holding.coin.as_deref().map(Coin::chain);
    let chain = ChainParts { before, last: Some(&transfer) }.to_vec();
    Ok(Shown { chain })
}

/// Apart, so that it lies on the stack no longer than it takes.
#[inline(never)]
fn prepare(disclose: Disclose<'_>, material: &Material, preimage: &Preimage) -> Result<Prepared, ElementFault> {
    let Disclose { U, to } = disclose;
    // Both points were checked when they came.
    Prepared::new(&to, U, &material.secrets, &material.points.N1, preimage).map_err(|_| ElementFault::Nonsense)
}

/// Whether a holding was shown already. The element is asked to spend it in a way that it refuses after it looked; without the PIN,
/// which nobody may be there to give.
pub(crate) fn was_shown(index: u32, element: &mut impl Element) -> Result<bool, ElementFault> {
    let nothing = Spend { index, gamma: &[0; 32], own: &[], preimage: &[0] };
    match client::spend_mandated(element, &nothing, 0).map_err(ElementFault::from) {
        Err(ElementFault::Refused(StatusWord::ALREADY_SPENT)) => Ok(true),
        Err(ElementFault::Refused(StatusWord::WRONG_DATA | StatusWord::UNKNOWN_INDEX)) => Ok(false),
        Err(fault) => Err(fault),
        Ok(_) => Err(ElementFault::Nonsense),
    }
}

impl Shown {
    /// The coin that output `output` of the new transfer is, for the wallet itself.
    pub(crate) fn change(
        self,
        input: &Holding,
        output: u8,
        amount: specie_core::Amount,
        blind: [u8; 32],
        origin: Origin,
    ) -> Coin {
        let info = &input.material.info;
        let (hops, max_hops) = input.coin.as_ref().map_or((0, info.max_hops), |coin| (coin.hops, coin.max_hops));
        let mut shown: Vec<NoteId> = input.coin.as_ref().map_or_else(Vec::new, |coin| coin.shown.clone());
        shown.push(input.material.id);
        Coin {
            chain: self.chain,
            output,
            blind,
            amount,
            origin,
            hops: hops.saturating_add(1),
            max_hops,
            spend_until: input.spend_until(),
            redeem_until: input.redeem_until(),
            shown,
        }
    }
}
