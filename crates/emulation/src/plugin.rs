//! The plugin inside the emulator: compiled, told what to watch, and read.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process};

use crate::board::Board;
use crate::error::{Doing, EmulationError};
use crate::flash::{Geometry, controller};
use crate::image::target_directory;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plugin/watch.c");

/// Words of the file that is shared with the plugin; `plugin/watch.c` has the same numbers.
mod word {
    pub(super) const CUT_INSTRUCTION: u64 = 0;
    pub(super) const CUT_OPERATION: u64 = 1;
    pub(super) const CUT_DELAY: u64 = 2;
    pub(super) const CUT_STORE: u64 = 3;
    pub(super) const INSTRUCTIONS: u64 = 8;
    pub(super) const OPERATIONS: u64 = 9;
    pub(super) const STORES: u64 = 10;
    pub(super) const STACK_LOW: u64 = 11;
    pub(super) const CUT: u64 = 12;
    pub(super) const LAST_STORE: u64 = 13;
    pub(super) const MARKS: u64 = 14;
    pub(super) const FIRST_MARK: u64 = 16;
    pub(super) const MARKS_KEPT: u64 = 496;
    pub(super) const ALL: u64 = FIRST_MARK + MARKS_KEPT;
}

/// What the plugin watches. Watching costs time: counting instructions and looking at stores make the emulator about
/// three times as slow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    instructions: u8,
    marks: bool,
    flash: Option<Geometry>,
    stack: Option<u64>,
}

/// When the power goes off. Numbers count from the moment the plan is made; zero is the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before so many further instructions were carried out and the next one is. Needs
    /// [`Watch::cuts_at_instructions`].
    Instruction(u64),
    /// When the flash operation after so many further ones begins. Needs [`Watch::flash`].
    Operation(u64),
    /// Within that operation: of an erase after so many of its stores, at least one; of a word after its only store.
    Within(u64, u64),
    /// After so many further stores to the flash and one more. Needs [`Watch::flash`].
    Store(u64),
}

/// What the plugin counted since the emulator started. A cut starts all counts anew; a reset does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Instructions carried out.
    pub instructions: u64,
    /// Words programmed and pages erased.
    pub operations: u64,
    /// Stores to the flash.
    pub stores: u64,
    /// Address of the last of these, from the beginning of the flash.
    pub last_store: Option<u64>,
    /// Bytes between the beginning of the stack's memory and the lowest byte that was written: what was never used.
    pub stack_left: Option<u64>,
    /// Marks that were made.
    pub marks: u64,
}

impl Watch {
    /// Nothing: the emulator is as fast as without a plugin.
    pub const fn nothing() -> Self {
        Self { instructions: 0, marks: false, flash: None, stack: None }
    }

    /// Counts instructions.
    #[must_use]
    pub const fn instructions(self) -> Self {
        Self { instructions: if self.instructions == 0 { 1 } else { self.instructions }, ..self }
    }

    /// Counts instructions and heeds [`Cut::Instruction`].
    #[must_use]
    pub const fn cuts_at_instructions(self) -> Self {
        Self { instructions: 2, ..self }
    }

    /// Notes the count of instructions whenever the LED's register is written: when work begins and when it ends.
    #[must_use]
    pub const fn marks(self) -> Self {
        Self { marks: true, ..self.instructions() }
    }

    /// Counts what is done to a flash of this geometry.
    #[must_use]
    pub const fn flash(self, geometry: Geometry) -> Self {
        Self { flash: Some(geometry), ..self }
    }

    /// Notes how deep the stack grows, which has so many bytes at the beginning of the board's memory.
    #[must_use]
    pub const fn stack(self, bytes: u64) -> Self {
        Self { stack: Some(bytes), ..self }
    }

    /// The emulator's argument.
    pub(crate) fn argument(&self, plugin: &Path, control: &Path, board: Board) -> String {
        let (plugin, control) = (plugin.display(), control.display());
        let mut argument = format!("{plugin},control={control},parent={}", process::id());
        let mut add = |name: &str, value: u64| argument.push_str(&format!(",{name}={value:#x}"));
        if self.instructions > 0 {
            add("count", self.instructions.into());
        }
        if self.marks {
            add("mark", board.led());
        }
        if let Some(geometry) = self.flash {
            let registers = board.memory() + geometry.bytes();
            add("operation", registers + controller::OPERATION);
            add("erasing", registers + controller::ERASING);
            add("flash", board.memory());
            add("bytes", geometry.bytes());
        }
        if let Some(bytes) = self.stack {
            add("stack", board.stack());
            add("depth", bytes);
        }
        argument
    }
}

/// The file that is shared with the plugin.
#[derive(Debug)]
pub(crate) struct Control {
    file: File,
    path: PathBuf,
}

impl Control {
    pub(crate) fn create(path: PathBuf) -> Result<Self, EmulationError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path);
        let control = Self { file: file.doing("making the plugin's file")?, path };
        control.clear()?;
        Ok(control)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// No counts, no plan: before the emulator starts.
    pub(crate) fn clear(&self) -> Result<(), EmulationError> {
        self.file.write_all_at(&[0; 8 * word::ALL as usize], 0).doing("clearing the plugin's file")
    }

    /// Plans a cut, or none.
    pub(crate) fn plan(&self, cut: Option<Cut>) -> Result<(), EmulationError> {
        for word in [word::CUT_INSTRUCTION, word::CUT_OPERATION, word::CUT_DELAY, word::CUT_STORE] {
            self.write(word, 0)?;
        }
        match cut {
            None => Ok(()),
            Some(Cut::Instruction(after)) => {
                self.write(word::CUT_INSTRUCTION, self.read(word::INSTRUCTIONS)? + after + 1)
            }
            Some(Cut::Operation(after)) => self.write(word::CUT_OPERATION, self.read(word::OPERATIONS)? + after + 1),
            Some(Cut::Within(after, stores)) => {
                self.write(word::CUT_DELAY, stores)?;
                self.write(word::CUT_OPERATION, self.read(word::OPERATIONS)? + after + 1)
            }
            Some(Cut::Store(after)) => self.write(word::CUT_STORE, self.read(word::STORES)? + after + 1),
        }
    }

    /// Whether the power was cut.
    pub(crate) fn is_cut(&self) -> Result<bool, EmulationError> {
        Ok(self.read(word::CUT)? != 0)
    }

    pub(crate) fn counters(&self, board: Board) -> Result<Counters, EmulationError> {
        let from = |start: u64| move |address: u64| address.checked_sub(start);
        Ok(Counters {
            instructions: self.read(word::INSTRUCTIONS)?,
            operations: self.read(word::OPERATIONS)?,
            stores: self.read(word::STORES)?,
            last_store: from(board.memory())(self.read(word::LAST_STORE)?),
            stack_left: from(board.stack())(self.read(word::STACK_LOW)?),
            marks: self.read(word::MARKS)?,
        })
    }

    /// The counts of instructions at the last marks, the oldest first.
    pub(crate) fn marks(&self) -> Result<Vec<u64>, EmulationError> {
        let made = self.read(word::MARKS)?;
        let kept = made.saturating_sub(word::MARKS_KEPT)..made;
        kept.map(|mark| self.read(word::FIRST_MARK + mark % word::MARKS_KEPT)).collect()
    }

    /// Forgets how deep the stack was.
    pub(crate) fn forget_stack(&self) -> Result<(), EmulationError> {
        self.write(word::STACK_LOW, 0)
    }

    fn read(&self, word: u64) -> Result<u64, EmulationError> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, 8 * word).doing("reading the plugin's counts")?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn write(&self, word: u64, value: u64) -> Result<(), EmulationError> {
        self.file.write_all_at(&value.to_ne_bytes(), 8 * word).doing("telling the plugin")
    }
}

/// The plugin, compiled if it is not yet.
pub(crate) fn library() -> Result<PathBuf, EmulationError> {
    let directory = target_directory();
    let library = directory.join("watch.so");
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if changed(&library).is_some_and(|built| changed(SOURCE.as_ref()).is_some_and(|written| written < built)) {
        return Ok(library);
    }
    fs::create_dir_all(&directory).doing("making the directory for the plugin")?;
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".into());
    // Others may be at the same, in this process too: nobody shall see half a library, or take away another's.
    static BUILT: AtomicU32 = AtomicU32::new(0);
    let fresh = directory.join(format!("watch.{}.{}.so", process::id(), BUILT.fetch_add(1, Ordering::Relaxed)));
    let output = Command::new(&compiler)
        .args(["-O2", "-shared", "-fPIC", "-pthread", "-o"])
        .arg(&fresh)
        .arg(SOURCE)
        .stdin(Stdio::null())
        .output()
        .map_err(|_| EmulationError::Missing { program: compiler, install: "gcc".into() })?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(EmulationError::Build { what: "the emulator's plugin".into(), output });
    }
    fs::rename(&fresh, &library).doing("putting the plugin in its place")?;
    Ok(library)
}
