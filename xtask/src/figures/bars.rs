//! What was promised: bars that no figure may pass.

use super::report::{Board, Figures};

/// The board whose instructions are promised: a Cortex-M4.
const PROMISED: &str = "an386";

/// Something that has a bar.
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) most: u64,
    /// Holds on every board, and not only on [`PROMISED`].
    everywhere: bool,
    value: fn(&Board) -> Option<u64>,
}

/// All bars.
pub(crate) const BARS: &[Bar] = &[
    instructions("element: SPEND, with change", 120_000, |board| board.element_instructions("SPEND, with change")),
    instructions("pay, host and element together", 250_000, pay_in_all),
    instructions("verify one transfer, extended", 5_200_000, |board| {
        board.host_instructions("verify one transfer, extended")
    }),
    instructions("verify one transfer, compact", 11_000_000, |board| {
        board.host_instructions("verify one transfer, compact")
    }),
    bytes("element image, flash", 96 << 10, |board| board.image("element", "flash")),
    bytes("element image, memory and stack", 16 << 10, |board| memory(board, "element")),
    bytes("device image, flash", 256 << 10, |board| board.image("device", "flash")),
    bytes("device image, memory, heap and stack", 64 << 10, |board| memory(board, "device")),
];

const fn instructions(name: &'static str, most: u64, value: fn(&Board) -> Option<u64>) -> Bar {
    Bar { name, most, everywhere: false, value }
}

const fn bytes(name: &'static str, most: u64, value: fn(&Board) -> Option<u64>) -> Bar {
    Bar { name, most, everywhere: true, value }
}

/// What a payment takes of both: the element is asked how it is, and to spend.
pub(crate) fn pay_in_all(board: &Board) -> Option<u64> {
    Some(board.host_instructions("pay")? + pay_in_element(board)?)
}

/// The element's part of it.
pub(crate) fn pay_in_element(board: &Board) -> Option<u64> {
    Some(board.element_instructions("STATUS")? + board.element_instructions("SPEND, with change")?)
}

/// All memory that an image takes.
pub(crate) fn memory(board: &Board, image: &str) -> Option<u64> {
    Some(board.image(image, "memory")? + board.image(image, "stack")?)
}

/// Every bar that is passed, or whose figure is missing, with the figure.
pub(crate) fn broken(figures: &Figures) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, board) in &figures.boards {
        for bar in BARS.iter().filter(|bar| bar.everywhere || name == PROMISED) {
            match (bar.value)(board) {
                Some(value) if value <= bar.most => {}
                Some(value) => broken.push(format!("{name}: {}: {value}, at most {}", bar.name, bar.most)),
                None => broken.push(format!("{name}: {}: not measured", bar.name)),
            }
        }
    }
    if !figures.boards.contains_key(PROMISED) {
        broken.push(format!("{PROMISED}: not measured"));
    }
    broken
}

/// The bar of this name, on this board.
pub(crate) fn bar(board: &str, name: &str) -> Option<u64> {
    let bar = BARS.iter().find(|bar| bar.name == name)?;
    (bar.everywhere || board == PROMISED).then_some(bar.most)
}

#[cfg(test)]
mod tests {
    use super::{super::report::synthetic::figures, *};

    #[test]
    fn hold_up_to_themselves_and_no_further() {
        assert_eq!(broken(&figures()), [""; 0]);
        for (section, name, unit) in [
            ("host", "pay", "instructions"),
            ("host", "verify one transfer, extended", "instructions"),
            ("host", "verify one transfer, compact", "instructions"),
            ("image", "element", "flash"),
            ("image", "element", "stack"),
            ("image", "device", "flash"),
            ("image", "device", "memory"),
        ] {
            let mut figures = figures();
            let board = figures.boards.get_mut("an386").unwrap();
            let costs = if section == "host" { &mut board.host } else { &mut board.images };
            *costs.get_mut(name).unwrap().get_mut(unit).unwrap() += 1;
            assert_eq!(broken(&figures).len(), 1, "{name}: {:?}", broken(&figures));
        }
    }

    #[test]
    fn instructions_are_promised_of_one_board_and_sizes_of_all() {
        let mut figures = figures();
        let mut other = figures.boards["an386"].clone();
        other.host.get_mut("pay").unwrap().insert("instructions".into(), u64::MAX / 2);
        other.images.get_mut("device").unwrap().insert("flash".into(), u64::MAX / 2);
        figures.boards.insert("an505".into(), other);
        assert_eq!(broken(&figures).len(), 1);
        assert_eq!(bar("an505", "verify one transfer, extended"), None);
        assert_eq!(bar("an386", "verify one transfer, extended"), Some(5_200_000));
    }

    #[test]
    fn are_broken_by_what_was_not_measured() {
        let mut figures = figures();
        figures.boards.get_mut("an386").unwrap().element.clear();
        assert_eq!(broken(&figures).len(), 2);
        figures.boards.clear();
        assert_eq!(broken(&figures).len(), 1);
    }
}
