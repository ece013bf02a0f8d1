//! The root key of a bank: a file, or a key in a token; `specie bank root-key`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use specie_core::signature::PublicKey;
use specie_server::key_file::read_key;
use specie_server::root_key::{RootKey, SignError, sign_draft};
use specie_server::token::{Token, TokenError, TokenPlace};

use crate::answer::Answer;
use crate::failure::Failure;

/// The root key.
#[derive(Args, Debug)]
pub(super) struct Root {
    /// File of the root key; root.key in the bank's folder without it
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    root_key: Option<PathBuf>,
    #[command(flatten)]
    token: InToken,
}

/// A root key in a token.
#[derive(Args, Debug)]
pub(super) struct InToken {
    /// The root key is in a token: its PKCS#11 library
    #[arg(long, value_name = "MODULE", requires_all = ["token_label", "pin_file"])]
    token: Option<PathBuf>,
    /// Label of the token
    #[arg(long, value_name = "LABEL", requires = "token")]
    token_label: Option<String>,
    /// Label of the key in it
    #[arg(long, value_name = "LABEL", default_value = "specie-root")]
    key_label: String,
    /// File of the token's PIN, readable by its owner only
    #[arg(long, value_name = "FILE", requires = "token")]
    pin_file: Option<PathBuf>,
}

/// The root key in a token (PKCS#11): make it, look at it
#[derive(Subcommand, Debug)]
pub(super) enum RootKeyCommand {
    /// Make a root key in a token, which it never leaves
    #[command(after_help = "\
EXAMPLES:
  specie bank root-key make --token /usr/lib/softhsm/libsofthsm2.so --token-label bank --pin-file pin

Then `specie bank init` with the same options makes the bank under it. A key of that label is never written over.")]
    Make {
        #[command(flatten)]
        token: InToken,
    },
    /// Sign a draft that `specie bank rotate --draft` wrote, on a machine that has nothing but the root key
    #[command(after_help = "\
EXAMPLES:
  specie bank root-key sign next.draft --root-key /media/root.key --out next.manifest
  specie bank root-key sign next.draft --token /usr/lib/softhsm/libsofthsm2.so --token-label bank --pin-file pin --out next.manifest

Look at the draft first: `specie inspect next.draft` shows its classes and dates. `specie bank publish` checks \
everything else that has to hold.")]
    Sign {
        /// The draft
        #[arg(value_name = "DRAFT")]
        draft: PathBuf,
        #[command(flatten)]
        root: Root,
        /// Where to write the manifest; a file that is there is not written over
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show the public half of a root key, and that it can be used
    #[command(after_help = "\
EXAMPLES:
  specie bank root-key show --root-key /media/root.key
  specie bank root-key show --token /usr/lib/softhsm/libsofthsm2.so --token-label bank --pin-file pin

Nothing is signed.")]
    Show {
        #[command(flatten)]
        root: Root,
    },
}

impl Root {
    /// Opens it; without options it is `root.key` in `folder`.
    pub(super) fn open(&self, folder: &Path) -> Result<Box<dyn RootKey>, Failure> {
        if let Some(place) = self.token.place() {
            return Ok(Box::new(Token::open(&place)?));
        }
        let path = self.root_key.clone().unwrap_or_else(|| folder.join("root.key"));
        let key = read_key(&path);
        Ok(Box::new(key.map_err(|error| Failure::refused("root-key", error, "bring the root key (--root-key FILE)"))?))
    }
}

impl InToken {
    /// Where the key is, if it is in a token.
    pub(super) fn place(&self) -> Option<TokenPlace> {
        let (module, token, pin_file) = (self.token.clone()?, self.token_label.clone()?, self.pin_file.clone()?);
        Some(TokenPlace { module, token, key: self.key_label.clone(), pin_file })
    }
}

impl RootKeyCommand {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            Self::Make { token } => {
                let no_token = || Failure::usage("no token is named", "give --token, --token-label and --pin-file");
                let key = Token::make(&token.place().ok_or_else(no_token)?)?.public();
                Ok(shown("Made a root key in the token, which it cannot be read out of.\n", key))
            }
            Self::Sign { draft, root, out } => sign(draft, root, out),
            Self::Show { root } => Ok(shown("", root.open(Path::new(""))?.public())),
        }
    }
}

fn sign(draft: &Path, root: &Root, out: &Path) -> Result<Answer, Failure> {
    let (from, to) = (draft.display().to_string(), out.display().to_string());
    let draft = fs::read(draft).map_err(|error| Failure::file(&from, &error))?;
    let root = root.open(Path::new(""))?;
    let manifest = sign_draft(root.as_ref(), &draft)?;
    write_new(out, &manifest).map_err(|error| Failure::file(&to, &error))?;
    let key = root.public().to_string();
    let human = format!("Signed {from} with root key {key}; the manifest is {to}.\n");
    Ok(Answer::new(human, json!({ "file": to, "root_key": key })))
}

/// Writes a file that is not there yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Token(error) => error.into(),
            other => Self::refused("no-draft", other, "bring the draft anew from the bank's machine"),
        }
    }
}

fn shown(said: &str, key: PublicKey) -> Answer {
    Answer::new(format!("{said}  root key  {key}\n"), json!({ "root_key": key.to_string() }))
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        let (code, advice) = match &error {
            TokenError::Module { .. } => ("token-module", "name the library that the token's maker delivers"),
            TokenError::NoToken { .. } | TokenError::ManyTokens(_) => {
                ("no-token", "plug in the token, or name another one (--token-label)")
            }
            TokenError::Pin { .. } | TokenError::ExposedPin(_) | TokenError::WrongPin | TokenError::LockedPin => {
                ("token-pin", "bring the token's PIN (--pin-file FILE)")
            }
            TokenError::KeyExists(_) => ("key-exists", "use that key, or name another one (--key-label)"),
            TokenError::NoKey(_) | TokenError::ManyKeys(_) | TokenError::Readable(_) => {
                ("token-key", "name another key (--key-label), or make one: `specie bank root-key make`")
            }
            _ => ("token", "see what the maker of the token says"),
        };
        Self::refused(code, error, advice)
    }
}
