//! The secure element as an emulated chip, behind the interface that every element has.

use std::path::{Path, PathBuf};
use std::time::Duration;

use specie_element::client::Link;
use specie_element::t1::reader::{Chip, ChipError};
use tempfile::TempDir;

use crate::board::Board;
use crate::error::{Doing, EmulationError};
use crate::flash::{Flash, Geometry};
use crate::image::Image;
use crate::machine::{Machine, Serial, Setup};
use crate::plugin::Watch;
use crate::port::Port;

/// What the chip sends first: `firmware/element` says what it means.
const STARTED: [u8; 5] = [0x00, 0x82, 0x00, 0xB0, 0x79];

/// How long it may take until then.
const START: Duration = Duration::from_secs(20);

/// UART that the host is joined to.
const HOST: usize = 0;

/// A secure element on an emulated chip. Commands go to it over T=1, as to a real one.
#[derive(Debug)]
pub struct ElementChip {
    machine: Machine,
    geometry: Geometry,
    port: Port,
    host: Host,
    connections: u32,
    /// The memory, where no file was given for it.
    _directory: Option<TempDir>,
}

/// The reader, which has no `Debug` of its own.
struct Host(Chip<Port>);

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Host")
    }
}

/// What is to be started.
#[derive(Clone, Debug)]
pub struct ElementSetup {
    image: Image,
    geometry: Geometry,
    memory: Option<PathBuf>,
    noise: Serial,
    watch: Watch,
}

impl ElementSetup {
    /// The element as it is delivered, with noise from the operating system.
    ///
    /// # Errors
    /// The firmware does not build.
    pub fn delivered(board: Board) -> Result<Self, EmulationError> {
        let image = Image::element(board)?;
        let noise = Serial::Source("/dev/urandom".into());
        Ok(Self { image, geometry: Geometry::ELEMENT, memory: None, noise, watch: Watch::nothing() })
    }

    /// The element with the constants of its tests.
    ///
    /// # Errors
    /// The firmware does not build.
    pub fn conformance(board: Board) -> Result<Self, EmulationError> {
        let image = Image::element_conformance(board)?;
        let noise = Serial::Nothing;
        Ok(Self { image, geometry: Geometry::CONFORMANCE, memory: None, noise, watch: Watch::nothing() })
    }

    /// The file behind the memory where the flash lies. Without, it is one that ends with the chip.
    #[must_use]
    pub fn memory(self, path: impl Into<PathBuf>) -> Self {
        Self { memory: Some(path.into()), ..self }
    }

    /// What the chip takes for noise.
    #[must_use]
    pub fn noise(self, noise: Serial) -> Self {
        Self { noise, ..self }
    }

    /// What the plugin watches.
    #[must_use]
    pub fn watch(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    /// The firmware.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Pages of the chip's flash and their bytes.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Starts the chip and waits until it listens.
    ///
    /// # Errors
    /// The emulator is missing or does not start, or the chip does not say that it has started.
    pub fn start(self) -> Result<ElementChip, EmulationError> {
        let (memory, directory) = match self.memory {
            Some(memory) => (memory, None),
            None => {
                let directory = tempfile::Builder::new().prefix("specie-flash-").tempdir();
                let directory = directory.doing("making a directory")?;
                (directory.path().join("memory"), Some(directory))
            }
        };
        // One that is new is erased.
        Flash::open(&memory, self.geometry)?;
        let setup = Setup::new(&self.image).serial(Serial::Port).serial(self.noise).watch(self.watch);
        let machine = setup.memory(memory).start()?;
        let port = machine.port(HOST).ok_or(EmulationError::Late("the chip's line"))?.clone();
        let host = Host(Chip::new(port.clone(), 0));
        let mut chip =
            ElementChip { machine, geometry: self.geometry, port, host, connections: 0, _directory: directory };
        chip.await_start()?;
        Ok(chip)
    }
}

impl ElementChip {
    /// The machine that it is in.
    pub fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// The line to the chip, for those who do not want to talk T=1 on it.
    pub fn port(&self) -> &Port {
        &self.port
    }

    /// Its flash.
    ///
    /// # Errors
    /// The file behind it cannot be opened.
    pub fn flash(&self) -> Result<Flash, EmulationError> {
        Flash::open(self.machine.memory(), self.geometry)
    }

    /// The file behind the memory where its flash lies.
    pub fn memory(&self) -> &Path {
        self.machine.memory()
    }

    /// Begins anew with the chip, as a host does that lost its power. The next command reaches it whatever went over the
    /// line before.
    pub fn reconnect(&mut self) {
        self.connections = self.connections.wrapping_add(1);
        // What marks a session is used in none of the next thousand.
        self.host = Host(Chip::new(self.port.clone(), self.connections << 10));
    }

    /// Takes the power away and gives it back, whatever the chip is doing, and waits until it listens again.
    ///
    /// # Errors
    /// It does not start again.
    pub fn power_cycle(&mut self) -> Result<(), EmulationError> {
        self.power_cycle_with(|_| Ok(()))
    }

    /// The same, and lets `change` do something while the power is off.
    ///
    /// # Errors
    /// As [`power_cycle`](Self::power_cycle), or `change` fails.
    pub fn power_cycle_with(
        &mut self,
        change: impl FnOnce(&Flash) -> Result<(), EmulationError>,
    ) -> Result<(), EmulationError> {
        let flash = self.flash()?;
        self.machine.plan(None)?;
        if self.machine.is_on()? {
            self.machine.reset_with(|| change(&flash))?;
        } else {
            change(&flash)?;
            self.machine.power_up()?;
        }
        self.await_start()
    }

    fn await_start(&mut self) -> Result<(), EmulationError> {
        self.reconnect();
        self.port.await_bytes(&STARTED, START)
    }
}

impl Link for ElementChip {
    type Error = ChipError<EmulationError>;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        self.host.0.transmit(command, response)
    }
}
