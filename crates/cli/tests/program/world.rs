//! A bank, a PSP and devices in a folder of their own, served by real processes.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::running::{Run, SPECIE};

/// Everyone in a test.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) root: String,
    pub(crate) bank: Option<Server>,
    pub(crate) psp: Option<Server>,
    addresses: [String; 2],
}

/// A server in a process of its own, killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl World {
    /// A bank and a PSP, both running, and no customers.
    pub(crate) fn new() -> Self {
        Self::under(|_| Vec::new())
    }

    /// The same under the root key that the options name which `key` gives, having seen to it that it is there.
    pub(crate) fn under(key: impl FnOnce(&Self) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let addresses = ["127.0.0.1:0".to_owned(), "127.0.0.1:0".to_owned()];
        let mut world = Self { folder, root: String::new(), bank: None, psp: None, addresses };
        let options = key(&world);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let made = world.json(&[&["bank", "init", "bank"], &options[..]].concat());
        world.root = made["root_key"].as_str().unwrap().to_owned();
        world.start_bank();
        world.json(&["maker", "init", "maker.toml"]);
        let bank = world.bank.as_ref().unwrap().address.clone();
        let root = world.root.clone();
        let psp =
            ["psp", "init", "psp", "--name", "psp-one", "--bank", &bank, "--root", &root, "--maker", "maker.toml"];
        let key = world.json(&psp)["public_key"].as_str().unwrap().to_owned();
        world.json(&[&["bank", "register", "bank", "psp-one", "--key", &key], &options[..]].concat());
        world.json(&["bank", "fund", "bank", "psp-one", "10000"]);
        world.json(&["psp", "reserve", "psp", "10000", "--reference", "1"]);
        world.start_psp();
        world
    }

    /// A second PSP in the folder `south`, which took over the pepper of the first, served.
    pub(crate) fn second_psp(&self) -> Server {
        let bank = self.bank.as_ref().unwrap().address.clone();
        let of = ["psp", "init", "south", "--name", "psp-two", "--maker", "maker.toml", "--pepper", "psp/pepper.key"];
        let key = self.json(&[&of[..], &["--bank", &bank, "--root", &self.root]].concat());
        self.json(&["bank", "register", "bank", "psp-two", "--key", key["public_key"].as_str().unwrap()]);
        self.json(&["bank", "fund", "bank", "psp-two", "10000"]);
        self.json(&["psp", "reserve", "south", "10000", "--reference", "1"]);
        self.serve("psp", "south", "127.0.0.1:0")
    }

    pub(crate) fn start_bank(&mut self) {
        let server = self.serve("bank", "bank", &self.addresses[0]);
        self.addresses[0] = server.address.trim_start_matches("http://").to_owned();
        self.bank = Some(server);
    }

    pub(crate) fn start_psp(&mut self) {
        let server = self.serve("psp", "psp", &self.addresses[1]);
        self.addresses[1] = server.address.trim_start_matches("http://").to_owned();
        self.psp = Some(server);
    }

    pub(crate) fn serve(&self, kind: &str, folder: &str, listen: &str) -> Server {
        self.serving(&[kind, "serve", folder, "--listen", listen])
    }

    /// A signer in a process of its own, with its passphrase from a file.
    pub(crate) fn serve_signer(&self, folder: &str, passphrase: &str) -> Server {
        self.serving(&["bank", "signer", "serve", folder, "--passphrase-file", passphrase])
    }

    fn serving(&self, arguments: &[&str]) -> Server {
        let log = self.path(&format!("{}.log", arguments[0]));
        let errors = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut command = self.command(&[&["--json"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let document: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}: {line}: {}", std::fs::read_to_string(&log).unwrap()));
        Server { child, address: document["listening"].as_str().unwrap().to_owned() }
    }

    /// A customer with a device and this much in the account.
    pub(crate) fn person(&self, name: &str, account: &str) {
        self.customer(name, account, &["--tier", "standard"]);
    }

    /// A merchant whose requests carry its name.
    pub(crate) fn merchant(&self, name: &str, payee: &str) {
        self.customer(name, "0", &["--tier", "merchant", "--payee", payee, "--category", "5462"]);
    }

    fn customer(&self, name: &str, account: &str, options: &[&str]) {
        let seen = ["--document", "file 1", "--by", "counter"];
        self.json(&[&["psp", "customer", "add", "psp", name], &seen[..], options].concat());
        if account != "0" {
            self.json(&["psp", "customer", "credit", "psp", name, account]);
        }
        let code = self.json(&["psp", "customer", "claim", "psp", name])["code"].as_str().unwrap().to_owned();
        let psp = self.psp.as_ref().unwrap().address.clone();
        self.json(&["device", "new", name, "--maker", "maker.toml", "--root", &self.root, "--psp", &psp]);
        self.json(&["device", "enrol", name, "--customer", name, "--code", &code]);
        self.json(&["device", "sync", name]);
    }

    /// The program, to be run in this world.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(SPECIE);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).env_remove("SPECIE_PIN");
        command.env("SOFTHSM2_CONF", self.path("softhsm2.conf"));
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    /// Runs the program with `--json`; it must succeed.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[&["--json"], arguments].concat()).exits(0).json()
    }

    /// Runs the program with `--json`; it must be refused with this code, on both outputs, and say that no money moved.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str], code: &str) {
        let run = self.run(&[&["--json"], arguments].concat()).exits(1);
        let json = run.json();
        assert_eq!(json["error"]["code"], code, "{run:?}");
        assert_eq!(json["error"]["money_moved"], false, "{run:?}");
        let told =
            run.stderr.contains("No money moved") && run.stderr.contains("What to do") && run.stderr.contains(code);
        assert!(told, "{run:?}");
    }

    /// Runs the program with `--json`; it must fail.
    #[track_caller]
    pub(crate) fn refused_anyhow(&self, arguments: &[&str]) {
        self.run(&[&["--json"], arguments].concat()).exits(1);
    }

    /// A file or folder of this world.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a command, ends it and its element after `patience` as a power cut would, and says whether it was done by then.
    pub(crate) fn cut(&self, arguments: &[&str], patience: Duration) -> bool {
        let mut command = self.command(&[&["--json"], arguments].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(patience);
        let done = child.try_wait().unwrap().is_some();
        let elements = children(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        for element in elements {
            let _ = kill_process(element, Signal::KILL);
        }
        done
    }

    /// What a device holds in all, in minor units.
    pub(crate) fn total(&self, device: &str) -> u64 {
        let balance = self.json(&["device", "balance", device]);
        balance["holdings"].as_array().unwrap().iter().map(|holding| holding["total"].as_u64().unwrap()).sum()
    }

    /// What a customer has in the account, in minor units.
    pub(crate) fn account(&self, customer: &str) -> u64 {
        self.json(&["psp", "customer", "show", "psp", customer])["balance"].as_u64().unwrap()
    }

    /// The books of bank and PSP hold.
    #[track_caller]
    pub(crate) fn books_hold(&self) {
        let books = self.json(&["bank", "status", "bank"]);
        assert_eq!(books["conservation"]["holds"], true, "{books:#}");
        assert_eq!(self.json(&["psp", "status", "psp"])["holds"], true);
    }
}

/// The processes that `parent` has started, where the system tells.
fn children(parent: u32) -> Vec<Pid> {
    let parent_of = |process: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let found = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && parent_of(name) == Some(parent));
    found.filter_map(|name| Pid::from_raw(name.parse().ok()?)).collect()
}

impl Server {
    /// Ends what it started as a power cut would, and not itself.
    pub(crate) fn kill_children(&self) {
        for child in children(self.child.id()) {
            let _ = kill_process(child, Signal::KILL);
        }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
