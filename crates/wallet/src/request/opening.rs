//! Opening a request: the element reserves the blanks, and signs.

use alloc::vec::Vec;

use specie_core::encoding::Encode;
use specie_core::request::Request;
use specie_element::client;
use specie_element::instruction::Purpose;
use specie_element::status::StatusWord;

use super::state::{OwnRequest, Stage};
use super::{RequestError, RequestId};
use crate::element::{Element, ElementFault};
use crate::record::Changes;
use crate::step::Step;
use crate::wallet::Wallet;

impl Wallet {
    /// Has the element reserve the blanks and sign, if the wallet has a descriptor; gives the request to send. Again: the same bytes. Drops owner
    /// tags for which the element's holding limit leaves no room. If it leaves room for none, the plan is dropped and the output is the reason.
    ///
    /// # Errors
    /// When the element cannot be asked, or needs the PIN: the plan stays.
    pub fn open_request(
        &mut self,
        id: &RequestId,
        element: &mut impl Element,
    ) -> Result<Step<Result<Vec<u8>, RequestError>>, RequestError> {
        let request = self.requests.get(id).ok_or(RequestError::Unknown)?;
        let mut changes = Changes::default();
        if let Some((message, _)) = &request.message {
            let message = message.clone();
            return Ok(changes.step(Ok(message)));
        }
        let reserved = match reserve(request, element) {
            Ok(reserved) => reserved,
            Err(fault) if is_final(&fault) => {
                self.drop_request(id, &mut changes);
                return Ok(changes.step(Err(fault.into())));
            }
            Err(fault) => return Err(fault.into()),
        };
        let body = request.body(&request.tags[..reserved], self).ok_or(RequestError::Unknown)?;
        let signature = match body.descriptor {
            None => None,
            Some(_) => {
                let signature = client::sign_request(element, Purpose::Payee, &body.digest());
                Some(signature.map_err(ElementFault::from)?)
            }
        };
        let message = Request { body, signature };
        let (bytes, context) = (message.to_vec(), message.context());

        let mut request = self.requests.remove(id).ok_or(RequestError::Unknown)?;
        for tag in request.tags.drain(reserved..) {
            self.free_blank(tag.index, id, &mut changes);
        }
        request.tags.iter().for_each(|tag| self.tasks.clear(tag.index, &mut changes));
        request.disclose_to = message.body.disclose_to;
        request.message = Some((bytes.clone(), context));
        request.stage = Stage::Open;
        request.store(id, &mut changes);
        self.requests.insert(*id, request);
        Ok(changes.step(Ok(bytes)))
    }
}

/// Lets each blank expect the whole amount, since the payer chooses; how many the holding limit allows, at least one.
fn reserve(request: &OwnRequest, element: &mut impl Element) -> Result<usize, ElementFault> {
    for (number, tag) in request.tags.iter().enumerate() {
        let owner = client::owner_tag(element, tag.index, &tag.blind, request.terms.amount.minor());
        match owner.map_err(ElementFault::from) {
            Ok(owner) if owner == tag.owner.0 => {}
            Ok(_) => return Err(ElementFault::Nonsense),
            Err(ElementFault::Refused(StatusWord::OVER_HOLDING)) if number > 0 => return Ok(number),
            Err(fault) => return Err(fault),
        }
    }
    Ok(request.tags.len())
}

/// Whether asking again is of no use.
fn is_final(fault: &ElementFault) -> bool {
    matches!(
        fault.status(),
        Some(
            StatusWord::OVER_HOLDING
                | StatusWord::LIMITS_RUN_OUT
                | StatusWord::WRONG_DATA
                | StatusWord::WRONG_STATE
                | StatusWord::ALREADY_SPENT
                | StatusWord::UNKNOWN_INDEX
        )
    )
}
