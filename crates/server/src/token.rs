//! An Ed25519 key in a token that is reached through PKCS#11: it is made there, signs there and never leaves it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use specie_core::signature::{PublicKey, SIGNATURE_LENGTH};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key_file::is_exposed;

/// The curve, as tokens are told: its name (PKCS#11 3.0), or its object identifier (RFC 8410). Some take one of them, some both.
const CURVES: [&[u8]; 2] = [b"\x13\x0cedwards25519", &[0x06, 0x03, 0x2b, 0x65, 0x70]];

/// No PIN is longer.
const PIN_LENGTH_MAX: u64 = 256;

/// Where a key is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenPlace {
    /// The library that the token's maker delivers.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The key's label.
    pub key: String,
    /// File of the user's PIN, readable by its owner only; its last line end does not count.
    pub pin_file: PathBuf,
}

/// A key in a token, open as long as this lives.
pub struct Token {
    session: Session,
    private: ObjectHandle,
    public: PublicKey,
}

/// Why a token does not sign.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The library cannot be loaded, or is none for tokens.
    #[error("cannot load the PKCS#11 module {}: {what}", path.display())]
    Module {
        /// Which file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// The PIN cannot be read.
    #[error("cannot read the PIN in {}: {source}", path.display())]
    Pin {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the PIN.
    #[error("the PIN in {} can be read by others; take their rights away (chmod 600)", .0.display())]
    ExposedPin(PathBuf),
    /// There is no such token.
    #[error("there is no token `{label}`; those there are: {there}")]
    NoToken {
        /// Which one was named.
        label: String,
        /// Which there are.
        there: String,
    },
    /// Several tokens have that name.
    #[error("several tokens are named `{0}`: take out those that are not meant")]
    ManyTokens(String),
    /// The PIN is another one.
    #[error("the token refuses the PIN: it is another one; tokens lock after some wrong ones")]
    WrongPin,
    /// The PIN is locked.
    #[error("the token's PIN is locked: its security officer has to set a new one")]
    LockedPin,
    /// There is no such key.
    #[error("the token has no Ed25519 key `{0}`")]
    NoKey(String),
    /// There is one of that name already.
    #[error("the token has a key `{0}` already: nothing was made")]
    KeyExists(String),
    /// Several keys have that name.
    #[error("the token has several keys `{0}`: none is used")]
    ManyKeys(String),
    /// The key can be read out of the token.
    #[error("the key `{0}` can be read out of the token: it is not used")]
    Readable(String),
    /// What it signed does not verify.
    #[error("the token's signature does not verify with its public key: nothing was signed")]
    WrongSignature,
    /// The token, or its library, failed.
    #[error("the token failed: {0}")]
    Failed(#[from] Error),
}

impl Token {
    /// Opens a key.
    ///
    /// # Errors
    /// When module, token, PIN or key are not to be used.
    pub fn open(place: &TokenPlace) -> Result<Self, TokenError> {
        let session = log_in(place, false)?;
        let private = one(keys(&session, ObjectClass::PRIVATE_KEY, &place.key)?, &place.key)?;
        let held = [AttributeType::Extractable, AttributeType::Sensitive];
        if !is_held(&session.get_attributes(private, &held)?) {
            return Err(TokenError::Readable(place.key.clone()));
        }
        let public = one(keys(&session, ObjectClass::PUBLIC_KEY, &place.key)?, &place.key)?;
        let public = public_key(&session, public)?.ok_or_else(|| TokenError::NoKey(place.key.clone()))?;
        Ok(Self { session, private, public })
    }

    /// Makes a key that cannot be read out, and opens it.
    ///
    /// # Errors
    /// When there is one of that name already, or the token makes none.
    pub fn make(place: &TokenPlace) -> Result<Self, TokenError> {
        let session = log_in(place, true)?;
        let taken = |class| Ok::<_, TokenError>(!keys(&session, class, &place.key)?.is_empty());
        if taken(ObjectClass::PRIVATE_KEY)? || taken(ObjectClass::PUBLIC_KEY)? {
            return Err(TokenError::KeyExists(place.key.clone()));
        }
        let label = || Attribute::Label(place.key.clone().into_bytes());
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            label(),
        ];
        let mut made = Err(Error::InvalidValue);
        for curve in CURVES {
            let public = [
                Attribute::Token(true),
                Attribute::Private(false),
                Attribute::Verify(true),
                Attribute::EcParams(curve.to_vec()),
                label(),
            ];
            made = session.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private);
            if made.is_ok() {
                break;
            }
        }
        made?;
        drop(session);
        Self::open(place)
    }

    /// The key that verifies.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs 32 bytes.
    pub(crate) fn sign(&self, hash: &[u8; 32]) -> Result<[u8; SIGNATURE_LENGTH], TokenError> {
        let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let signature = self.session.sign(&pure, self.private, hash)?;
        signature.try_into().map_err(|_| TokenError::WrongSignature)
    }
}

fn log_in(place: &TokenPlace, writes: bool) -> Result<Session, TokenError> {
    let pin = read_pin(&place.pin_file)?;
    let unloadable = |error: Error| TokenError::Module { path: place.module.clone(), what: error.to_string() };
    let module = Pkcs11::new(&place.module).map_err(unloadable)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(unloadable(error)),
    }
    let slot = find_token(&module, &place.token)?;
    let session = if writes { module.open_rw_session(slot)? } else { module.open_ro_session(slot)? };
    match session.login(UserType::User, Some(&pin)) {
        Ok(()) => Ok(session),
        Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid, _)) => {
            Err(TokenError::WrongPin)
        }
        Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(TokenError::LockedPin),
        Err(error) => Err(error.into()),
    }
}

fn find_token(module: &Pkcs11, label: &str) -> Result<Slot, TokenError> {
    let (mut found, mut there) = (Vec::new(), Vec::new());
    for slot in module.get_slots_with_token()? {
        let info = module.get_token_info(slot)?;
        if info.label() == label {
            found.push(slot);
        }
        if info.token_initialized() {
            there.push(format!("`{}`", info.label()));
        }
    }
    match found[..] {
        [slot] => Ok(slot),
        [] => {
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            Err(TokenError::NoToken { label: label.to_owned(), there })
        }
        _ => Err(TokenError::ManyTokens(label.to_owned())),
    }
}

/// Whether a token says of a key that it does not give it away, sealed or in the clear.
fn is_held(attributes: &[Attribute]) -> bool {
    attributes.contains(&Attribute::Extractable(false)) && attributes.contains(&Attribute::Sensitive(true))
}

/// The Ed25519 keys of that name.
fn keys(session: &Session, class: ObjectClass, label: &str) -> Result<Vec<ObjectHandle>, TokenError> {
    let template =
        [Attribute::Class(class), Attribute::KeyType(KeyType::EC_EDWARDS), Attribute::Label(label.as_bytes().to_vec())];
    Ok(session.find_objects(&template)?)
}

fn one(keys: Vec<ObjectHandle>, label: &str) -> Result<ObjectHandle, TokenError> {
    match keys[..] {
        [key] => Ok(key),
        [] => Err(TokenError::NoKey(label.to_owned())),
        _ => Err(TokenError::ManyKeys(label.to_owned())),
    }
}

/// The key's 32 bytes: bare, or as an octet or bit string in DER.
fn public_key(session: &Session, key: ObjectHandle) -> Result<Option<PublicKey>, TokenError> {
    let attributes = session.get_attributes(key, &[AttributeType::EcPoint])?;
    let point = attributes.into_iter().find_map(|attribute| match attribute {
        Attribute::EcPoint(point) => Some(point),
        _ => None,
    });
    let point = point.unwrap_or_default();
    let bare = [&[0x04, 0x20][..], &[0x03, 0x21, 0x00]].into_iter().find_map(|prefix| point.strip_prefix(prefix));
    let bare = if point.len() == 32 { Some(point.as_slice()) } else { bare };
    Ok(bare.and_then(|bare| bare.try_into().ok()).map(PublicKey))
}

fn read_pin(path: &Path) -> Result<AuthPin, TokenError> {
    let failed = |source| TokenError::Pin { path: path.into(), source };
    let file = File::open(path).map_err(failed)?;
    if is_exposed(&file).map_err(failed)? {
        return Err(TokenError::ExposedPin(path.into()));
    }
    let mut pin = Zeroizing::new(String::with_capacity(PIN_LENGTH_MAX as usize));
    file.take(PIN_LENGTH_MAX).read_to_string(&mut pin).map_err(failed)?;
    Ok(AuthPin::new(pin.trim_end_matches(['\r', '\n']).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_can_be_read_out_is_not_used() {
        let (held, sensitive) = (Attribute::Extractable(false), Attribute::Sensitive(true));
        assert!(is_held(&[held.clone(), sensitive.clone()]));
        assert!(!is_held(&[Attribute::Extractable(true), sensitive.clone()]));
        assert!(!is_held(&[held.clone(), Attribute::Sensitive(false)]));
        // A token that says nothing has not said that it holds the key.
        assert!(!is_held(&[held]) && !is_held(&[sensitive]) && !is_held(&[]));
    }
}
