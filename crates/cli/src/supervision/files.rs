//! Files of a ceremony: messages that all may see, and the officer's secret.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use specie_core::encoding::{Decode, Encode};
use specie_server::key_file::read_key;
use specie_supervision::officer::Officer;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Whose secret is used.
#[derive(Args, Debug)]
pub(super) struct Secret {
    /// The officer's secret file
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
}

impl Secret {
    pub(super) fn officer(&self) -> Result<Officer, Failure> {
        let key = read_key(&self.secret);
        let key =
            key.map_err(|error| Failure::refused("officer-secret", error, "name the officer's own secret file"))?;
        Ok(Officer::new(Zeroizing::new(key.expose_secret_seed())))
    }
}

/// Reads one message.
pub(crate) fn read<T: for<'b> Decode<'b>>(path: &Path, what: &str) -> Result<T, Failure> {
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| Failure::file(&name, &error))?;
    T::decode(&bytes).map_err(|error| {
        let reason = format!("{name} is no good {what}: {error}");
        Failure::refused("malformed", reason, format!("ask for the {what} again"))
    })
}

pub(super) fn read_all<T: for<'b> Decode<'b>>(paths: &[PathBuf], what: &str) -> Result<Vec<T>, Failure> {
    paths.iter().map(|path| read(path, what)).collect()
}

/// Writes one message to a file that does not exist yet; gives its name.
pub(super) fn write(path: &Path, message: &impl Encode) -> Result<String, Failure> {
    let name = path.display().to_string();
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| {
        std::io::Write::write_all(&mut file, &message.to_vec())?;
        file.sync_all()
    });
    written
        .map_err(|error| Failure::refused("file", format!("{name}: {error}"), "name a file that does not exist yet"))?;
    Ok(name)
}
