//! A wallet's file whose process is killed between and within steps: what was said is stored, and every step is there as
//! a whole or not at all. This program is its own victim: started as `… write FILE` it writes until it is killed.
#![allow(clippy::unwrap_used, reason = "a panic is the report of a test")]

#[path = "harness/harness.rs"]
mod harness;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use specie_device::wallet_file::{WalletFile, WalletFileError};
use specie_wallet::Change;
use zeroize::Zeroizing;

/// Records that every step changes together.
const RECORDS: u8 = 12;
const KILLS: u32 = 25;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, file] = &arguments[..]
        && command == "write"
    {
        write_for_ever(Path::new(file));
    }
    harness::run(&[(
        "a_killed_process_leaves_whole_steps_and_all_it_spoke_of",
        a_killed_process_leaves_whole_steps_and_all_it_spoke_of,
    )])
}

/// Stores step after step, and says the number of each once it is stored.
fn write_for_ever(file: &Path) -> ! {
    let mut file = WalletFile::open(file).unwrap();
    let mut step = stored(&file);
    loop {
        step += 1;
        let changes: Vec<Change> = (0..RECORDS)
            .map(|record| Change::Put { key: vec![record], value: Zeroizing::new(step.to_be_bytes().to_vec()) })
            .chain([Change::Delete { key: (step - 1).to_be_bytes().to_vec() }])
            .chain([Change::Put { key: step.to_be_bytes().to_vec(), value: Zeroizing::new(vec![7; 500]) }])
            .collect();
        file.apply(&changes).unwrap();
        let mut output = std::io::stdout().lock();
        writeln!(output, "{step}").and_then(|()| output.flush()).unwrap();
    }
}

/// The step that the file holds, which all of its records agree about.
fn stored(file: &WalletFile) -> u32 {
    let records = file.records().unwrap();
    if records.is_empty() {
        return 0;
    }
    let (counters, others): (Vec<_>, Vec<_>) = records.iter().partition(|(key, _)| key.len() == 1);
    assert_eq!((counters.len(), others.len()), (usize::from(RECORDS), 1), "every step leaves so many records");
    let step = u32::from_be_bytes(counters[0].1[..].try_into().unwrap());
    assert!(counters.iter().all(|(_, value)| *value == step.to_be_bytes()), "a step is half there");
    assert_eq!(others[0].0, step.to_be_bytes());
    step
}

fn a_killed_process_leaves_whole_steps_and_all_it_spoke_of() {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = seed;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.redb");
    drop(WalletFile::create(&path).unwrap());
    let mut before = 0;
    for _ in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("write")
            .arg(&path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said: u32 = lines.next().unwrap().unwrap().parse().unwrap();
        assert!(matches!(WalletFile::open(&path), Err(WalletFileError::InUse(_))));
        std::thread::sleep(Duration::from_micros((random >> 33) % 30_000));
        child.kill().unwrap();
        child.wait().unwrap();
        // A line that the kill cut short was said only in part.
        for line in lines.map_while(Result::ok) {
            said = line.parse().ok().filter(|&step| step > said).unwrap_or(said);
        }
        let step = stored(&WalletFile::open(&path).unwrap());
        assert!((said..=said + 1).contains(&step), "said {said}, stored {step}");
        assert!(step > before);
        before = step;
    }
}
