//! A bank, a PSP and two customers with elements, served by the real program, for two devices in C to live in.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{Places, programs::Programs, under};
use crate::command::{cargo, run};

/// The devices: of a payer with money in the account, and of a payee.
const DEVICES: [&str; 2] = ["alice", "bob"];

/// What the payer's account holds, in units.
const ACCOUNT: &str = "200";

/// Everyone, in a folder of their own.
pub(super) struct World {
    program: PathBuf,
    folder: PathBuf,
    root: String,
    psp: String,
    servers: Vec<Server>,
}

/// A server, which ends with this.
struct Server(Child);

/// A supervisory key: the base point of ristretto255 (RFC 9496), since nobody here opens a payment.
const SUPERVISOR: &str = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";

/// The program that is bank, PSP and elements.
pub(super) fn program(places: &Places) -> Result<PathBuf> {
    run(&mut cargo(&["build", "--workspace", "--all-features", "--locked", "--bin", "specie"]))?;
    Ok(places.main_target.join("debug").join("specie"))
}

impl World {
    /// Sets everyone up.
    pub(super) fn new(places: &Places, program: &Path) -> Result<Self> {
        let folder = places.scratch.join("world");
        if folder.exists() {
            fs::remove_dir_all(&folder).context("the world before cannot be removed")?;
        }
        fs::create_dir_all(&folder).context("the world has no folder")?;
        let mut world =
            Self { program: program.into(), folder, root: String::new(), psp: String::new(), servers: Vec::new() };
        world.root = world.json(&["bank", "init", "bank"], "root_key")?;
        let bank = world.serve("bank")?;
        world.json(&["maker", "init", "maker.toml"], "name")?;
        let root = world.root.clone();
        let psp =
            ["psp", "init", "psp", "--name", "psp-one", "--bank", &bank, "--root", &root, "--maker", "maker.toml"];
        let key = world.json(&psp, "public_key")?;
        world.run(&["bank", "register", "bank", "psp-one", "--key", &key])?;
        world.run(&["bank", "fund", "bank", "psp-one", "10000"])?;
        world.run(&["bank", "supervise", "bank", "--above", "1.49", "--key", SUPERVISOR])?;
        world.run(&["psp", "reserve", "psp", "10000", "--reference", "1"])?;
        world.psp = world.serve("psp")?;
        for device in DEVICES {
            world.run(&["psp", "customer", "add", "psp", device, "--document", "file 1", "--by", "counter"])?;
            // Its element is wanted, and nothing else: the wallet is made in C.
            world.run(&["device", "new", device, "--maker", "maker.toml", "--root", &root, "--psp", &world.psp])?;
        }
        world.run(&["psp", "customer", "credit", "psp", DEVICES[0], ACCOUNT])?;
        Ok(world)
    }

    /// Lets two devices in C live here, with the power cut at every `stride`th flash operation. The books must hold after it.
    pub(super) fn live(self, programs: &Programs, wrapper: Option<&[&str]>, stride: u32) -> Result<()> {
        let (host, port) = self.psp.trim_start_matches("http://").rsplit_once(':').context("the PSP has no address")?;
        let mut life = under(wrapper, &programs.life);
        life.current_dir(&self.folder).arg(&self.program).args([host, port, &self.root]);
        for device in DEVICES {
            life.arg(self.folder.join(device).join("element").join("flash.bin"));
            life.arg(self.json(&["psp", "customer", "claim", "psp", device], "code")?);
        }
        run(life.arg(stride.to_string()))?;
        let bank = self.run(&["bank", "status", "bank"])?;
        ensure!(bank["conservation"]["holds"] == true, "the bank's books do not hold: {bank:#}");
        let psp = self.run(&["psp", "status", "psp"])?;
        ensure!(psp["holds"] == true, "the PSP's books do not hold: {psp:#}");
        Ok(())
    }

    /// Starts a server; its address.
    fn serve(&mut self, kind: &str) -> Result<String> {
        let log = File::create(self.folder.join(format!("{kind}.log"))).context("no log can be written")?;
        let mut command = self.command(&[kind, "serve", kind, "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().context("a server does not start")?;
        let output = child.stdout.take().context("a server has no output")?;
        self.servers.push(Server(child));
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).context("a server does not say where it listens")?;
        let document: Value = serde_json::from_str(&line).context("a server does not say where it listens")?;
        field(&document, "listening")
    }

    /// Runs the program, and gives a field of what it says.
    fn json(&self, arguments: &[&str], name: &str) -> Result<String> {
        field(&self.run(arguments)?, name)
    }

    fn run(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.command(arguments).output().context("the program cannot be started")?;
        if !output.status.success() {
            bail!("`specie {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("`specie {}` is no JSON", arguments.join(" ")))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--json").args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command
    }
}

fn field(document: &Value, name: &str) -> Result<String> {
    document[name].as_str().map(str::to_owned).with_context(|| format!("no `{name}` in {document}"))
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
