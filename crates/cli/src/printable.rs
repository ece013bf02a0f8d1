//! Text that others wrote, as it may be printed.

/// `text` without anything that could steer a terminal: names, memos and references come from others.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|letter| if steers(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Control characters, and those that turn the direction of writing around.
fn steers(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("Café\x1b[2J\n"), "Café\u{fffd}[2J\u{fffd}");
        assert_eq!(printable("pay 1\u{202e}00"), "pay 1\u{fffd}00");
        assert_eq!(printable("ça va – 1 €"), "ça va – 1 €");
    }
}
