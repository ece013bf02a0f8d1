//! The figures as people read them.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::{
    bars::{self, bar},
    report::{Board, Costs, Figures},
};

/// Between these the document tells the figures.
const BEGIN: &str = "<!-- figures: what follows is written by `cargo xtask figures` -->\n";
const END: &str = "<!-- figures: end -->\n";

/// Cycles of a Cortex-M4 for an instruction, in tenths: see the document.
const CYCLES_TENTHS: u64 = 15;

/// Frequencies that milliseconds are given for, in MHz.
const CLOCKS: [u64; 2] = [64, 150];

/// Notes that the measured withdrawal is of.
const NOTES: u64 = 2;

/// The document with these figures.
///
/// # Errors
/// When it has no place for them.
pub(crate) fn with_figures(document: &str, figures: &Figures) -> Result<String> {
    let (before, rest) = document.split_once(BEGIN).context("the document does not say where figures begin")?;
    let (_, after) = rest.split_once(END).context("the document does not say where figures end")?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", tables(figures)))
}

/// All tables.
pub(crate) fn tables(figures: &Figures) -> String {
    let mut text = format!("Compiled by {}.\n", figures.compiler);
    for (name, board) in &figures.boards {
        let _ = write!(
            text,
            "\n### {}\n\n{}\n{}\n{}",
            title(name),
            work_table(name, board),
            images_table(name, board),
            commands_table(board)
        );
    }
    text
}

fn title(board: &str) -> String {
    match board {
        "an386" => "Cortex-M4 (mps2-an386)".into(),
        "an505" => "Cortex-M33 (mps2-an505)".into(),
        other => other.into(),
    }
}

/// A row of the first table: what it is, and what it takes.
struct Row {
    name: &'static str,
    instructions: Option<u64>,
    stack: Option<u64>,
    heap: Option<u64>,
}

impl Row {
    fn new(name: &'static str, instructions: Option<u64>) -> Self {
        Self { name, instructions, stack: None, heap: None }
    }

    /// Something that the host does, under its own name.
    fn of_host(board: &Board, name: &'static str) -> Self {
        Self::of(name, board.host.get(name))
    }

    fn of(name: &'static str, costs: Option<&Costs>) -> Self {
        let unit = |unit: &str| costs.and_then(|costs| costs.get(unit)).copied();
        Self { name, instructions: unit("instructions"), stack: unit("stack"), heap: unit("heap") }
    }
}

fn work_table(name: &str, board: &Board) -> String {
    let mut text = String::from("| what | bar | instructions | cycles |");
    CLOCKS.iter().for_each(|clock| text += &format!(" ms at {clock} MHz |"));
    text += " stack | heap |\n|---|---|---|---|---|---|---|---|\n";
    for Row { name: what, instructions, stack, heap } in rows(board) {
        let cycles = instructions.map(|instructions| instructions * CYCLES_TENTHS / 10);
        let most = bar(name, what.trim_start_matches("— ")).map(|most| format!("≤ {}", thousands(most)));
        let _ = write!(text, "| {what} | {} ", most.unwrap_or_else(|| "—".into()));
        let _ = write!(text, "| {} | {} |", shown(instructions), shown(cycles));
        for clock in CLOCKS {
            let milliseconds = cycles.map(|cycles| format!("{:.1}", cycles as f64 / (clock * 1_000) as f64));
            let _ = write!(text, " {} |", milliseconds.unwrap_or_else(|| "—".into()));
        }
        let _ = writeln!(text, " {} | {} |", shown(stack), shown(heap));
    }
    text
}

fn rows(board: &Board) -> Vec<Row> {
    let element = |name: &'static str, command: &str| Row::of(name, board.element.get(command));
    let withdrawal = board.host.iter().filter(|(name, _)| name.starts_with("withdraw: ")).map(|(_, costs)| costs);
    let most = |unit: &str| withdrawal.clone().filter_map(|costs| costs.get(unit)).max().copied();
    let host: Option<u64> = withdrawal.clone().map(|costs| costs.get("instructions")).sum();
    let in_element = || {
        let nonces = board.element_instructions("NONCES, 32")? / 32;
        Some(nonces + board.element_instructions("REGISTER")? + board.element_instructions("CLASS")? / NOTES)
    };
    vec![
        Row::new("pay, host and element together", bars::pay_in_all(board)),
        Row { name: "— host alone", ..Row::of_host(board, "pay") },
        Row::new("— element alone: STATUS, SPEND", bars::pay_in_element(board)),
        element("— element: SPEND, with change", "SPEND, with change"),
        Row::of_host(board, "verify one transfer, extended"),
        Row::of_host(board, "verify one transfer, extended, in 8 kB"),
        Row::of_host(board, "verify one transfer, compact"),
        Row::of_host(board, "verify a chain of four, extended"),
        Row::of_host(board, "verify a chain of four, compact"),
        Row::of_host(board, "receive, extended"),
        Row::of_host(board, "receive, compact"),
        Row::of_host(board, "receive a chain of four, extended"),
        Row {
            name: "withdraw, per note, host alone",
            instructions: host.map(|host| host / NOTES),
            stack: most("stack"),
            heap: most("heap"),
        },
        Row::new("withdraw, per note, element alone", in_element()),
        element("— element: REGISTER", "REGISTER"),
    ]
}

fn images_table(name: &str, board: &Board) -> String {
    let mut text = String::from(
        "| image | flash | bar | variables and heap | stack | memory in all | bar |\n|---|---|---|---|---|---|---|\n",
    );
    for (image, costs) in &board.images {
        let unit = |unit: &str| shown(costs.get(unit).copied());
        let most = |names: [&str; 2]| {
            let most = names.into_iter().find_map(|what| bar(name, &format!("{image} image, {what}")));
            most.map_or("—".into(), |most| format!("≤ {}", thousands(most)))
        };
        let (flash, memory, stack) = (unit("flash"), unit("memory"), unit("stack"));
        let all = shown(bars::memory(board, image));
        let (flash_bar, memory_bar) = (most(["flash", ""]), most(["memory and stack", "memory, heap and stack"]));
        let _ = writeln!(text, "| {image} | {flash} | {flash_bar} | {memory} | {stack} | {all} | {memory_bar} |");
    }
    text
}

fn commands_table(board: &Board) -> String {
    let mut text = String::from("| command of the element | instructions | stack |\n|---|---|---|\n");
    for (name, costs) in &board.element {
        let unit = |unit: &str| shown(costs.get(unit).copied());
        let _ = writeln!(text, "| {name} | {} | {} |", unit("instructions"), unit("stack"));
    }
    text
}

fn shown(number: Option<u64>) -> String {
    number.map_or("—".into(), thousands)
}

/// A number with commas between thousands.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::report::synthetic::figures, *};

    #[test]
    fn figures_take_the_place_of_those_before() {
        let document = format!("a\n{BEGIN}old\n{END}b\n");
        let new = with_figures(&document, &figures()).unwrap();
        assert!(new.starts_with("a\n") && new.ends_with("b\n") && !new.contains("old"));
        assert_eq!(with_figures(&new, &figures()).unwrap(), new);
        assert!(with_figures("nothing", &figures()).is_err());
        assert!(with_figures(BEGIN, &figures()).is_err());
    }

    #[test]
    fn cycles_and_times_follow_from_instructions() {
        let tables = tables(&figures());
        let row =
            "| verify one transfer, extended | ≤ 5,200,000 | 5,200,000 | 7,800,000 | 121.9 | 52.0 | 8,000 | 20,000 |";
        assert!(tables.contains(row), "{tables}");
        assert!(
            tables.contains("| pay, host and element together | ≤ 250,000 | 250,000 | 375,000 | 5.9 | 2.5 | — | — |")
        );
        assert!(tables.contains("| device | 262,144 | ≤ 262,144 | 49,152 | 16,384 | 65,536 | ≤ 65,536 |"), "{tables}");
        assert!(tables.contains("| STATUS | 4,000 | 4,000 |"));
    }

    #[test]
    fn thousands_are_set_apart() {
        let shown = [0, 7, 999, 1_000, 123_456, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "7", "999", "1,000", "123,456", "1,234,567"]);
    }
}
