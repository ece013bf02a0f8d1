//! Compiles every firmware, runs the one that measures, and prints what there is to say, for `cargo xtask figures`:
//! one line for each thing, its fields separated by tabs.
//!
//! ```text
//! image    an386    device    flash     memory    stack
//! work     an386    pay       instructions of the host    stack    heap
//! ```

use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use specie_emulation::{Board, Image, Serial, Setup, Watch};

/// How long the measurement may take.
const PATIENCE: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    for board in Board::ALL {
        let device = format!("device-{}", board.name());
        let images = [
            ("element", Image::element(board)?),
            ("device", Image::build(board, &format!("specie-{device}"), &device)?),
        ];
        for (name, image) in images {
            let size = image.size()?;
            println!("image\t{}\t{name}\t{}\t{}\t{}", board.name(), size.flash, size.memory, size.stack);
        }
        measure(board)?;
    }
    Ok(())
}

/// Runs the firmware that measures on one board.
fn measure(board: Board) -> Result<(), Box<dyn Error>> {
    let image = Image::build(board, "specie-figures", "figures")?;
    let directory = tempfile::tempdir()?;
    let report = directory.path().join("report");
    let setup = Setup::new(&image).watch(Watch::nothing().marks()).serial(Serial::File(report.clone()));
    let mut machine = setup.start()?;
    let end = Instant::now() + PATIENCE;
    let report = loop {
        let report = fs::read_to_string(&report).unwrap_or_default();
        if report.ends_with("end\n") {
            break report;
        }
        if Instant::now() > end || !machine.is_on()? {
            return Err(format!("the measurement did not end; it said:\n{report}").into());
        }
        thread::sleep(Duration::from_millis(50));
    };
    let mut marks = machine.marks()?.into_iter();
    machine.power_off()?;
    for line in report.lines().filter(|line| *line != "end") {
        let work = work(line, &mut marks).ok_or_else(|| format!("`{line}` makes no sense"))?;
        println!("work\t{}\t{work}", board.name());
    }
    if marks.next().is_some() {
        return Err("there were more marks than work".into());
    }
    Ok(())
}

/// A line of the report, with the instructions between its marks; those of the element's commands do not count.
fn work(line: &str, marks: &mut impl Iterator<Item = u64>) -> Option<String> {
    let (line, commands) = line.split_once(", element")?;
    let (line, heap) = line.rsplit_once(", heap ")?;
    let (name, stack) = line.rsplit_once(", stack ")?;
    let mut last = marks.next()?;
    let mut instructions = 0;
    for _ in commands.split_whitespace() {
        let (begin, end) = (marks.next()?, marks.next()?);
        instructions += begin - last;
        last = end;
    }
    instructions += marks.next()? - last;
    Some(format!("{name}\t{instructions}\t{stack}\t{heap}"))
}
