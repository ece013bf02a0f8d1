//! The maker of elements: a key file, and personalising an element with it.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use specie_core::encoding::Encode;
use specie_core::enrolment::{Certificate, CertificateBody};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::Name;
use specie_element::client::{self, ElementError, Link, Selected};
use specie_element::instruction::LifeCycle;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::{durable, entropy};

/// Longest maker file, in bytes.
const FILE_MAX: usize = 4096;

/// A maker of elements, with the key that certifies them.
pub struct Maker {
    name: Name,
    series: Name,
    key: SigningKey,
}

/// What the maker notes of an element that it personalised.
#[derive(Debug)]
pub struct Personalised {
    /// What the maker certified.
    pub certificate: Certificate,
    /// Unblocks a blocked PIN. For the owner of the element, and told once.
    pub puk: Puk,
}

/// Eight digits that unblock a blocked PIN.
pub struct Puk([u8; 8]);

/// The maker's file. The seed is the whole secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MakerFile {
    name: String,
    series: String,
    public_key: String,
    secret_seed: String,
}

/// Why a maker file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MakerFileError {
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is not what [`Maker::init`] writes.
    #[error("{}: not a maker file ({what}); restore it from a copy", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// A name is empty or longer than 32 bytes.
    #[error("the name of a maker and of a series has 1 to 32 bytes; choose another")]
    Name,
    /// The operating system gave no randomness.
    #[error(transparent)]
    Entropy(#[from] entropy::EntropyError),
}

/// Why an element was not personalised. It may be tried again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PersonaliseError<E> {
    /// The element failed or refused.
    #[error(transparent)]
    Element(#[from] ElementError<E>),
    /// It was personalised before, or wiped. Nothing was changed.
    #[error("the element was personalised before or wiped; take one that is fresh from the factory")]
    NotFresh,
    /// The operating system gave no randomness.
    #[error(transparent)]
    Entropy(#[from] entropy::EntropyError),
}

impl Maker {
    /// Draws a new maker's key and writes its file, readable by its owner only.
    ///
    /// # Errors
    /// A name does not fit, the file exists or cannot be written, or there is no randomness.
    pub fn init(path: &Path, name: &str, series: &str) -> Result<Self, MakerFileError> {
        let (maker, file) = Self::draw(name, series)?;
        durable::create(path, file.as_bytes(), durable::Access::Owner)
            .map_err(|source| MakerFileError::Io { path: path.to_owned(), source })?;
        Ok(maker)
    }

    /// Reads a maker's file.
    ///
    /// # Errors
    /// The file cannot be read or is not one.
    pub fn open(path: &Path) -> Result<Self, MakerFileError> {
        let text = std::fs::File::open(path)
            .and_then(|file| durable::read_at_most(file, FILE_MAX))
            .map_err(|source| MakerFileError::Io { path: path.to_owned(), source })?;
        let text = Zeroizing::new(text);
        Self::parse(&text).map_err(|what| MakerFileError::Malformed { path: path.to_owned(), what })
    }

    fn draw(name: &str, series: &str) -> Result<(Self, Zeroizing<String>), MakerFileError> {
        let (Some(name), Some(series)) = (Name::new(name), Name::new(series)) else {
            return Err(MakerFileError::Name);
        };
        let seed = Zeroizing::new(entropy::bytes::<32>()?);
        let key = SigningKey::from_seed(&seed);
        let mut file = MakerFile {
            name: name.to_string(),
            series: series.to_string(),
            public_key: key.public().to_string(),
            secret_seed: hex::encode(*seed),
        };
        let text = Zeroizing::new(toml::to_string(&file).expect("four strings are a TOML table"));
        file.secret_seed.zeroize();
        Ok((Self { name, series, key }, text))
    }

    fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let text = str::from_utf8(text).map_err(|_| "not text")?;
        let mut file: MakerFile =
            toml::from_str(text).map_err(|_| "not the fields name, series, public_key, secret_seed")?;
        let (name, series) = Name::new(&file.name).zip(Name::new(&file.series)).ok_or("a name does not fit")?;
        let mut seed = Zeroizing::new([0; 32]);
        let decoded = hex::decode_to_slice(&file.secret_seed, &mut *seed);
        file.secret_seed.zeroize();
        decoded.map_err(|_| "the seed is not 64 hexadecimal digits")?;
        let key = SigningKey::from_seed(&seed);
        if key.public().to_string() == file.public_key {
            Ok(Self { name, series, key })
        } else {
            Err("the public key is not that of the seed")
        }
    }

    /// Its name, as certificates carry it.
    pub fn name(&self) -> Name {
        self.name
    }

    /// The series of elements that it certifies.
    pub fn series(&self) -> Name {
        self.series
    }

    /// The key that verifies its certificates; PSPs are told of it.
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// Lets a fresh element draw its keys, certifies them, and binds it to the central bank of `root_key`. After a failure the
    /// same may be tried again, on an element that had drawn its keys already too.
    ///
    /// # Errors
    /// The element failed, or is not fresh.
    pub fn personalise<L: Link>(
        &self,
        element: &mut L,
        root_key: &PublicKey,
    ) -> Result<Personalised, PersonaliseError<L::Error>> {
        let Selected { life_cycle, firmware, .. } = client::select(element)?;
        if !matches!(life_cycle, LifeCycle::Factory | LifeCycle::Generated) {
            return Err(PersonaliseError::NotFresh);
        }
        let keys = client::generate(element)?;
        let body = CertificateBody {
            maker: self.name,
            series: self.series,
            firmware,
            U: keys.identity,
            A: PublicKey(keys.authentication),
        };
        let certificate = Certificate::sign(body, &self.key);
        let puk = Puk::draw()?;
        let encoded = certificate.to_vec();
        match client::personalise(element, &root_key.0, &puk.0, &encoded) {
            // Its answer may have been lost. What is personalised with this certificate was so now, with this PUK: the
            // element was fresh a moment ago.
            Err(error @ ElementError::Link(_)) if !bears(element, &encoded) => Err(error.into()),
            Ok(()) | Err(ElementError::Link(_)) => Ok(Personalised { certificate, puk }),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the element was personalised with this certificate, as far as it can be asked.
fn bears<L: Link>(element: &mut L, certificate: &[u8]) -> bool {
    client::identity(element).is_ok_and(|found| found.as_bytes() == certificate)
}

impl Puk {
    fn draw() -> Result<Self, entropy::EntropyError> {
        let random = Zeroizing::new(entropy::bytes::<16>()?);
        // Modulo 10^8 of 128 bits: the bias is far below what ten tries could use.
        let mut number = u128::from_be_bytes(*random) % 100_000_000;
        let mut digits = [0; 8];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).expect("a digit");
            number /= 10;
        }
        Ok(Self(digits))
    }

    /// The eight digits, to be told to the owner.
    pub fn expose_secret_digits(&self) -> &str {
        str::from_utf8(&self.0).expect("digits")
    }

    /// The eight digits as UNBLOCK takes them.
    pub fn expose_secret_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl Drop for Puk {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Puk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Puk(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_maker_file_is_private_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maker.toml");
        let maker = Maker::init(&path, "Acme", "soft-1").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Maker::open(&path).unwrap();
        assert_eq!((again.public_key(), again.name()), (maker.public_key(), maker.name()));
        assert!(matches!(Maker::init(&path, "Acme", "soft-1"), Err(MakerFileError::Io { .. })));
    }

    #[test]
    fn rejects_names_and_files_that_do_not_fit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maker.toml");
        assert!(matches!(Maker::init(&path, "", "x"), Err(MakerFileError::Name)));
        assert!(matches!(Maker::init(&path, "x", &"y".repeat(33)), Err(MakerFileError::Name)));
        Maker::init(&path, "Acme", "soft-1").unwrap();
        let good = std::fs::read_to_string(&path).unwrap();
        let seed = good.split('"').rev().nth(1).unwrap();
        for bad in [
            String::new(),
            good.replace("series", "serie"),
            format!("{good}more = 1\n"),
            good.replace(seed, &seed[2..]),
            good.replace(seed, &"00".repeat(32)),
        ] {
            assert!(Maker::parse(bad.as_bytes()).is_err(), "{}", bad.len());
        }
    }

    #[test]
    fn puks_are_eight_digits_and_not_printed() {
        let puk = Puk::draw().unwrap();
        assert!(puk.expose_secret_digits().len() == 8 && puk.0.iter().all(u8::is_ascii_digit));
        assert_eq!(format!("{puk:?}"), "Puk(..)");
    }
}
