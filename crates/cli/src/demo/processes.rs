//! Processes that are not our own children: a wallet's element, which dies with it in a power cut.

use std::fs;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

/// The children of a process, where the system tells.
pub(super) fn children(parent: u32) -> Vec<u32> {
    match fs::read_dir("/proc") {
        Ok(entries) => {
            let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            numbers.filter(|&number| parent_of(number) == Some(parent)).collect()
        }
        Err(_) => {
            let listed = Command::new("pgrep").args(["-P", &parent.to_string()]).output();
            let text = listed.map(|listed| String::from_utf8_lossy(&listed.stdout).into_owned()).unwrap_or_default();
            text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
        }
    }
}

/// The fourth field of `/proc/PID/stat`; the second is in brackets and may hold anything.
fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Ends a process at once. One that is gone already is as good.
pub(super) fn kill(process: u32) {
    if let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _ = kill_process(process, Signal::KILL);
    }
}
