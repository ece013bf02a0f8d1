//! An emulator with a board in it.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::board::Board;
use crate::error::{Doing, EmulationError};
use crate::flash::MEMORY;
use crate::image::Image;
use crate::monitor::{Monitor, MonitorSocket};
use crate::plugin::{self, Control, Counters, Cut, Watch};
use crate::port::Port;

const EMULATOR: &str = "qemu-system-arm";

/// How long the emulator may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Exit status of an emulator whose board's power was cut.
const POWER_CUT: i32 = 77;

/// What a UART of the board is joined to.
#[derive(Clone, Debug)]
pub enum Serial {
    /// Nothing: what it sends is lost.
    Nothing,
    /// The test: see [`Machine::port`].
    Port,
    /// A file that takes what it sends.
    File(PathBuf),
    /// A file that it gets its bytes from: noise, for instance. What it sends is lost.
    Source(PathBuf),
    /// A UNIX socket that somebody listens at: one end of a [`Wire`](crate::Wire).
    Socket(PathBuf),
}

/// What is to be started.
#[derive(Clone, Debug)]
pub struct Setup {
    image: Image,
    serials: Vec<Serial>,
    memory: Option<PathBuf>,
    watch: Watch,
    icount: Option<u8>,
    semihosting: bool,
}

/// A board in an emulator. It ends when it is dropped.
#[derive(Debug)]
pub struct Machine {
    setup: Setup,
    /// One for each UART that is joined to the test.
    ports: Vec<(usize, Port)>,
    monitor_socket: MonitorSocket,
    control: Control,
    memory: PathBuf,
    emulator: Option<Emulator>,
    /// Sockets, what the emulator says, and the memory where no other file is given.
    directory: TempDir,
}

/// The process.
#[derive(Debug)]
struct Emulator {
    process: Child,
    monitor: Option<Monitor>,
}

impl Setup {
    /// A board with this firmware. Nothing is joined to it, and nothing is watched.
    pub fn new(image: &Image) -> Self {
        Self {
            image: image.clone(),
            serials: Vec::new(),
            memory: None,
            watch: Watch::nothing(),
            icount: None,
            semihosting: false,
        }
    }

    /// Joins the next UART, from UART0 on.
    #[must_use]
    pub fn serial(mut self, serial: Serial) -> Self {
        self.serials.push(serial);
        self
    }

    /// The file behind the memory where the flash lies. Without, it is one that ends with the machine.
    #[must_use]
    pub fn memory(self, path: impl Into<PathBuf>) -> Self {
        Self { memory: Some(path.into()), ..self }
    }

    /// What the plugin watches.
    #[must_use]
    pub fn watch(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    /// Lets time pass by instructions, 2^`shift` nanoseconds for each, and not as it passes outside.
    #[must_use]
    pub fn icount(self, shift: u8) -> Self {
        Self { icount: Some(shift), ..self }
    }

    /// Lets the firmware end the emulator, and read and write files.
    #[must_use]
    pub fn semihosting(self) -> Self {
        Self { semihosting: true, ..self }
    }

    /// Starts it.
    ///
    /// # Errors
    /// The emulator is missing or does not start.
    pub fn start(self) -> Result<Machine, EmulationError> {
        let directory = tempfile::Builder::new().prefix("specie-board-").tempdir().doing("making a directory")?;
        let at = |name: &str| directory.path().join(name);
        let mut ports = Vec::new();
        for (uart, serial) in self.serials.iter().enumerate() {
            match serial {
                Serial::Port => ports.push((uart, Port::listen(&at(&format!("uart{uart}")))?)),
                Serial::Source(source) => {
                    let source = source.canonicalize().doing(format!("looking for {}", source.display()))?;
                    symlink(source, at(&format!("uart{uart}.in"))).doing("joining a file to a UART")?;
                    symlink("/dev/null", at(&format!("uart{uart}.out"))).doing("joining a file to a UART")?;
                }
                Serial::Nothing | Serial::File(_) | Serial::Socket(_) => {}
            }
        }
        let memory = self.memory.clone().unwrap_or_else(|| at("memory"));
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&memory);
        let file = file.doing(format!("opening {}", memory.display()))?;
        if file.metadata().doing("looking at the memory")?.len() < MEMORY {
            file.set_len(MEMORY).doing("making the memory")?;
        }
        let mut machine = Machine {
            setup: self,
            ports,
            monitor_socket: MonitorSocket::listen(at("monitor"))?,
            control: Control::create(at("control"))?,
            memory,
            emulator: None,
            directory,
        };
        machine.power_up()?;
        Ok(machine)
    }
}

impl Machine {
    /// The board.
    pub fn board(&self) -> Board {
        self.setup.image.board()
    }

    /// The file behind its memory.
    pub fn memory(&self) -> &Path {
        &self.memory
    }

    /// The port that a UART is joined to, if it is joined to one.
    pub fn port(&self, uart: usize) -> Option<&Port> {
        self.ports.iter().find(|(own, _)| *own == uart).map(|(_, port)| port)
    }

    /// Turns the power on. Nothing happens where it is on.
    ///
    /// # Errors
    /// The emulator is missing or does not start.
    pub fn power_up(&mut self) -> Result<(), EmulationError> {
        if self.is_on()? {
            return Ok(());
        }
        self.power_off()?;
        self.control.clear()?;
        let log = File::create(self.log()).doing("making a file for what the emulator says")?;
        let process = self.command()?.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let process = process.map_err(|_| EmulationError::Missing {
            program: EMULATOR.into(),
            install: "qemu-system-arm (the Debian package of that name)".into(),
        })?;
        self.emulator = Some(Emulator { process, monitor: None });
        self.connect()
    }

    /// Takes the power away.
    ///
    /// # Errors
    /// The emulator does not end.
    pub fn power_off(&mut self) -> Result<(), EmulationError> {
        for (_, port) in &self.ports {
            port.disconnect();
        }
        match self.emulator.take() {
            None => Ok(()),
            Some(mut emulator) => emulator.end(),
        }
    }

    /// Resets the board, and throws away what it sent before. Its memory stays.
    ///
    /// # Errors
    /// The power is off, or the emulator does not do as it is told.
    pub fn reset(&mut self) -> Result<(), EmulationError> {
        self.reset_with(|| Ok(()))
    }

    /// The same, and lets `change` do something before the board starts again.
    ///
    /// # Errors
    /// As [`reset`](Self::reset), or `change` fails.
    pub fn reset_with(&mut self, change: impl FnOnce() -> Result<(), EmulationError>) -> Result<(), EmulationError> {
        self.hold()?;
        for (_, port) in &self.ports {
            port.drain()?;
        }
        self.monitor()?.reset()?;
        change()?;
        self.release()
    }

    /// Stops the processor: what is in its memory may be looked at and changed.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn hold(&mut self) -> Result<(), EmulationError> {
        self.monitor()?.stop()
    }

    /// Lets the processor go on.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn release(&mut self) -> Result<(), EmulationError> {
        self.monitor()?.go_on()
    }

    /// Plans a power cut, in place of one that was planned before, or none.
    ///
    /// # Errors
    /// The plugin cannot be told.
    pub fn plan(&mut self, cut: Option<Cut>) -> Result<(), EmulationError> {
        self.control.plan(cut)
    }

    /// Whether the power is on.
    ///
    /// # Errors
    /// The emulator ended otherwise than by a power cut.
    pub fn is_on(&mut self) -> Result<bool, EmulationError> {
        let Some(emulator) = &mut self.emulator else { return Ok(false) };
        if self.control.is_cut()? {
            // It is about to end, if it has not yet.
            return emulator.process.wait().doing("waiting for the emulator to end").map(|_| false);
        }
        match emulator.process.try_wait().doing("looking at the emulator")? {
            None => Ok(true),
            Some(status) => self.judge(status).map(|()| false),
        }
    }

    /// Waits at most `patience` for the power cut that was planned; tells whether it came.
    ///
    /// # Errors
    /// The emulator ended otherwise.
    pub fn await_cut(&mut self, patience: Duration) -> Result<bool, EmulationError> {
        let end = Instant::now() + patience;
        while self.is_on()? {
            if Instant::now() >= end {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(true)
    }

    /// Waits at most `patience` for the firmware to end by itself; gives its exit status.
    ///
    /// # Errors
    /// It did not end, or by a signal.
    pub fn await_exit(&mut self, patience: Duration) -> Result<i32, EmulationError> {
        let end = Instant::now() + patience;
        loop {
            let emulator = self.emulator.as_mut().ok_or(EmulationError::PowerOff)?;
            match emulator.process.try_wait().doing("looking at the emulator")? {
                Some(status) => return status.code().ok_or_else(|| self.ended(status)),
                None if Instant::now() >= end => return Err(EmulationError::Late("the end of the firmware")),
                None => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// What the plugin counted.
    ///
    /// # Errors
    /// The counts cannot be read.
    pub fn counters(&self) -> Result<Counters, EmulationError> {
        self.control.counters(self.board())
    }

    /// How many instructions had been carried out at the last marks (at most 496), the oldest first.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn marks(&self) -> Result<Vec<u64>, EmulationError> {
        self.control.marks()
    }

    /// Measures the stack anew from here on.
    ///
    /// # Errors
    /// The plugin cannot be told.
    pub fn forget_stack(&mut self) -> Result<(), EmulationError> {
        self.control.forget_stack()
    }

    fn command(&self) -> Result<Command, EmulationError> {
        let board = self.board();
        let mut command = Command::new(EMULATOR);
        // Nothing runs before everything is connected.
        command.args(["-M", board.machine(), "-nodefaults", "-display", "none", "-S"]);
        let monitor = self.monitor_socket.path().display();
        command.arg("-chardev").arg(format!("socket,id=monitor,path={monitor}"));
        command.args(["-mon", "chardev=monitor,mode=control"]);
        for (uart, serial) in self.setup.serials.iter().enumerate() {
            let at = |name: String| self.directory.path().join(name).display().to_string();
            let backend = match serial {
                Serial::Nothing => format!("null,id=uart{uart}"),
                Serial::Port => format!("socket,id=uart{uart},path={}", at(format!("uart{uart}"))),
                Serial::Source(_) => format!("pipe,id=uart{uart},path={}", at(format!("uart{uart}"))),
                Serial::File(path) => format!("file,id=uart{uart},path={}", path.display()),
                Serial::Socket(path) => format!("socket,id=uart{uart},path={}", path.display()),
            };
            command.args(["-chardev", &backend, "-serial", &format!("chardev:uart{uart}")]);
        }
        let memory = self.memory.display();
        command.arg("-object").arg(format!("memory-backend-file,id=memory,mem-path={memory},share=on,size={MEMORY}"));
        command.args(["-machine", "memory-backend=memory"]);
        let plugin = plugin::library()?;
        command.arg("-plugin").arg(self.setup.watch.argument(&plugin, self.control.path(), board));
        if let Some(shift) = self.setup.icount {
            command.arg("-icount").arg(format!("shift={shift}"));
        }
        if self.setup.semihosting {
            command.args(["-semihosting-config", "enable=on,target=native"]);
        }
        command.arg("-kernel").arg(self.setup.image.path());
        Ok(command)
    }

    /// Waits until the emulator is connected to everything.
    fn connect(&mut self) -> Result<(), EmulationError> {
        let end = Instant::now() + PATIENCE;
        let mut waiting: Vec<&Port> = self.ports.iter().map(|(_, port)| port).collect();
        let mut monitor = None;
        while monitor.is_none() || !waiting.is_empty() {
            if monitor.is_none() {
                monitor = self.monitor_socket.accept()?;
            }
            let mut late = Vec::new();
            for port in waiting {
                if !port.accept()? {
                    late.push(port);
                }
            }
            waiting = late;
            let Some(emulator) = &mut self.emulator else { return Err(EmulationError::PowerOff) };
            if let Some(status) = emulator.process.try_wait().doing("looking at the emulator")? {
                return Err(self.ended(status));
            }
            if Instant::now() >= end {
                return Err(EmulationError::Late("the emulator's connection"));
            }
            thread::sleep(Duration::from_micros(500));
        }
        if let (Some(emulator), Some(stream)) = (&mut self.emulator, monitor) {
            emulator.monitor = Some(Monitor::open(stream)?);
        }
        match self.release() {
            // It may have ended before it could answer.
            Err(EmulationError::PowerOff) => Ok(()),
            result => result,
        }
    }

    fn monitor(&mut self) -> Result<&mut Monitor, EmulationError> {
        self.emulator.as_mut().and_then(|emulator| emulator.monitor.as_mut()).ok_or(EmulationError::PowerOff)
    }

    /// An emulator that ended for another reason than a power cut is an error.
    fn judge(&self, status: ExitStatus) -> Result<(), EmulationError> {
        if status.code() == Some(POWER_CUT) && self.control.is_cut()? { Ok(()) } else { Err(self.ended(status)) }
    }

    fn ended(&self, status: ExitStatus) -> EmulationError {
        EmulationError::Ended { status, output: fs::read_to_string(self.log()).unwrap_or_default() }
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

impl Emulator {
    fn end(&mut self) -> Result<(), EmulationError> {
        // It may have ended already.
        let _ = self.process.kill();
        self.process.wait().doing("waiting for the emulator to end").map(drop)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
