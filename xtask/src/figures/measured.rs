//! Measuring: programs of other crates do it, and print what they found.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::report::{Board, Costs};
use crate::command::cargo;

/// Measures everything on every board.
///
/// # Errors
/// Says what failed.
pub(crate) fn boards() -> Result<BTreeMap<String, Board>> {
    let example = ["run", "--locked", "--quiet", "--package", "specie-emulation", "--example", "figures"];
    let mut boards = read(&output_of(&mut cargo(&example))?)?;
    for (name, board) in &mut boards {
        let test = ["test", "--locked", "--quiet", "--package", "specie-element", "--test", "element", "--"];
        let mut command = cargo(&test);
        command.args(["the_chip_keeps_within_what_is_promised", "--nocapture"]).env("SPECIE_CHIP", name);
        board.element = commands(&output_of(&mut command)?);
        if board.element.is_empty() {
            bail!("the test of the element's chip tells no instructions");
        }
    }
    Ok(boards)
}

/// What a command prints, while what it says of itself is shown.
fn output_of(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    println!("$ {shown}");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("`{shown}` could not be started"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("`{shown}` failed: {}\n{text}", output.status);
    }
    Ok(text)
}

/// Takes apart what the example `figures` of the crate `emulation` prints.
fn read(text: &str) -> Result<BTreeMap<String, Board>> {
    let mut boards: BTreeMap<String, Board> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [kind, board, name, numbers @ ..] = fields.as_slice() else {
            bail!("`{line}` makes no sense");
        };
        let board = boards.entry((*board).to_owned()).or_default();
        let (section, units) = match *kind {
            "image" => (&mut board.images, ["flash", "memory", "stack"]),
            "work" => (&mut board.host, ["instructions", "stack", "heap"]),
            _ => bail!("`{line}` makes no sense"),
        };
        let numbers: Result<Vec<u64>, _> = numbers.iter().map(|number| number.parse()).collect();
        let numbers = numbers.with_context(|| format!("`{line}` makes no sense"))?;
        if numbers.len() != units.len() {
            bail!("`{line}` makes no sense");
        }
        section.insert((*name).to_owned(), units.into_iter().map(str::to_owned).zip(numbers).collect());
    }
    Ok(boards)
}

/// Takes apart what the test of the element's chip prints: `… instructions … bytes of stack: NAME`.
fn commands(text: &str) -> BTreeMap<String, Costs> {
    text.lines().filter_map(command).collect()
}

fn command(line: &str) -> Option<(String, Costs)> {
    let (instructions, rest) = line.split_once(" instructions ")?;
    let (stack, name) = rest.split_once(" bytes of stack: ")?;
    let number = |text: &str| text.trim().parse().ok();
    let costs = [("instructions".to_owned(), number(instructions)?), ("stack".to_owned(), number(stack)?)];
    Some((name.to_owned(), costs.into()))
}

#[cfg(test)]
mod tests {
    use super::{super::report::synthetic::costs, *};

    #[test]
    fn reads_what_the_example_prints() {
        let boards = read("image\tan386\tdevice\t1\t2\t3\nwork\tan386\tpay\t4\t5\t6\n").unwrap();
        let board = &boards["an386"];
        assert_eq!(board.images["device"], costs(&[("flash", 1), ("memory", 2), ("stack", 3)]));
        assert_eq!(board.host["pay"], costs(&[("instructions", 4), ("stack", 5), ("heap", 6)]));
        for wrong in
            ["image\tan386", "work\tan386\tpay\t4\t5", "work\tan386\tpay\tx\t5\t6", "song\tan386\tpay\t4\t5\t6"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_what_the_test_prints_and_skips_the_rest() {
        let text = "running 1 test\nan386: 9 bytes of flash, 8 of memory, 7 of stack\n\
                    \x20     119301 instructions   3208 bytes of stack: SPEND, with change\n.\n";
        let commands = commands(text);
        assert_eq!(commands.len(), 1);
        assert_eq!(commands["SPEND, with change"], costs(&[("instructions", 119_301), ("stack", 3_208)]));
    }
}
