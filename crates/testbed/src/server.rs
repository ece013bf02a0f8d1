//! A PostgreSQL server in a directory of its own, reached by a socket in it.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::line::Line;

/// The user that the server knows.
pub(crate) const USER: &str = "specie";

/// The name of its socket.
pub(crate) const SOCKET: &str = ".s.PGSQL.5432";

/// How long a server may take to start, follow or be promoted. Generous: machines for tests are slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a server is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether a commit waits for the disk. Tests that take no power away are faster without.
    pub durable: bool,
}

/// A running server. Dropped, it is stopped and its files are removed.
pub struct Server {
    directory: TempDir,
    postgres: Option<Child>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { durable: true }
    }
}

impl Server {
    /// Makes and starts one.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub fn start(settings: &Settings) -> Result<Self> {
        let directory = private_directory()?;
        let data = data(&directory);
        let mut initdb = program("initdb")?;
        initdb.arg("--pgdata").arg(&data).args(["--username", USER, "--auth", "trust", "--encoding", "UTF8"]);
        // Comparisons of texts by bytes, as SQLite does them.
        finish(initdb.args(["--no-locale", "--no-sync"]))?;
        let lines = [
            "listen_addresses = ''".to_owned(),
            "unix_socket_directories = '..'".to_owned(),
            "max_connections = 300".to_owned(),
            "wal_level = replica".to_owned(),
            "max_wal_senders = 5".to_owned(),
            format!("fsync = {}", if settings.durable { "on" } else { "off" }),
            format!("synchronous_commit = {}", if settings.durable { "on" } else { "off" }),
        ];
        configure(&data, &lines)?;
        Self { directory, postgres: None }.started()
    }

    /// Makes and starts a standby that follows this server.
    ///
    /// # Errors
    /// When it does not.
    pub fn standby(&self) -> Result<Self> {
        let directory = private_directory()?;
        let mut copy = program("pg_basebackup")?;
        copy.arg("--pgdata").arg(data(&directory)).arg("--host").arg(self.directory.path());
        finish(copy.args(["--username", USER, "--checkpoint=fast", "--no-sync", "--wal-method=stream"]))?;
        let follow = format!(
            "primary_conninfo = 'host={} user={USER} application_name=standby'",
            self.directory.path().display()
        );
        configure(&data(&directory), &[follow])?;
        owned_by_server(&data(&directory).join("standby.signal"))?;
        Self { directory, postgres: None }.started()
    }

    /// From here on a commit waits until the standby has it on disk.
    ///
    /// # Errors
    /// When the standby does not follow.
    pub fn require_standby(&self) -> Result<()> {
        self.query("ALTER SYSTEM SET synchronous_standby_names = 'standby'")?;
        self.query("SELECT pg_reload_conf()")?;
        let begun = Instant::now();
        while self.query("SELECT sync_state FROM pg_stat_replication")? != "sync" {
            ensure!(begun.elapsed() < PATIENCE, "the standby does not follow");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// A line to it that can be broken.
    ///
    /// # Errors
    /// When there can be no socket.
    pub fn line(&self) -> Result<Line> {
        Line::to(self.directory.path())
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        url(&[self])
    }

    /// The address of a database that is on these servers: whichever takes writes is used.
    pub fn url_of_any(servers: &[&Self]) -> String {
        url(servers)
    }

    /// Kills all of it at once, as a power cut would: nothing is flushed, nobody is told.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut postgres) = self.postgres.take() else { return Ok(()) };
        // The postmaster's children end themselves when it is gone, but may write until then: they go first.
        let children = Command::new("pkill").args(["-KILL", "-P", &postgres.id().to_string()]).status();
        postgres.kill()?;
        postgres.wait()?;
        children.context("pkill, of Debian's package procps")?;
        Ok(())
    }

    /// Makes a standby the primary.
    ///
    /// # Errors
    /// When it does not become one.
    pub fn promote(&self) -> Result<()> {
        let mut promote = program("pg_ctl")?;
        finish(promote.arg("promote").arg("--pgdata").arg(data(&self.directory)).args(["--wait", "--timeout", "60"]))
    }

    /// Runs `sql` and gives what it prints, without headings.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn query(&self, sql: &str) -> Result<String> {
        let mut psql = program("psql")?;
        let psql = psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", sql, &self.url()]);
        let output = psql.output().context("psql")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    fn started(mut self) -> Result<Self> {
        let log = fs::File::create(self.directory.path().join("log"))?;
        let mut postgres = program("postgres")?;
        postgres.arg("-D").arg(data(&self.directory)).stdout(log.try_clone()?).stderr(log).stdin(Stdio::null());
        self.postgres = Some(postgres.spawn().context("starting PostgreSQL")?);
        let begun = Instant::now();
        while self.query("SELECT 1").is_err() {
            let ended = self.postgres.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
                bail!("PostgreSQL did not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(self)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.kill());
    }
}

fn url(servers: &[&Server]) -> String {
    let hosts: Vec<_> = servers.iter().map(|s| s.directory.path().to_string_lossy().replace('/', "%2F")).collect();
    format!("postgres://{USER}@{}/postgres", hosts.join(","))
}

fn data(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

fn configure(data: &Path, lines: &[String]) -> Result<()> {
    let mut file = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"))?;
    writeln!(file, "{}", lines.join("\n"))?;
    Ok(())
}

/// A program of PostgreSQL's, run by whom it accepts: not by root.
fn program(name: &str) -> Result<Command> {
    let path = find(name)?;
    if !is_root() {
        return Ok(Command::new(path));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(path);
    // A directory that the other user may not enter is no place to start in.
    command.current_dir("/");
    Ok(command)
}

/// Debian keeps the programs of each version apart: the newest is taken.
fn find(name: &str) -> Result<PathBuf> {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().collect();
    versions.sort_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    let debian = versions.iter().rev().map(|entry| entry.path().join("bin"));
    let elsewhere = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let found = debian.chain(elsewhere).map(|directory| directory.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("`{name}` is missing: install PostgreSQL 15 or newer (Debian: postgresql)"))
}

/// A directory that the server's user may use, and others may not.
fn private_directory() -> Result<TempDir> {
    // Names of sockets have at most 107 bytes: a short path.
    let directory = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp")?;
    if is_root() {
        finish(Command::new("chown").arg("postgres:postgres").arg(directory.path()))?;
    }
    Ok(directory)
}

fn owned_by_server(path: &Path) -> Result<()> {
    fs::write(path, "")?;
    if is_root() {
        finish(Command::new("chown").arg("postgres:postgres").arg(path))?;
    }
    Ok(())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn finish(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("starting {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
