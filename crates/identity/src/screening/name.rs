//! Comparing names however they are spelt: any script is written in plain Latin letters, words may stand in any order, and some
//! may be left out.

use deunicode::deunicode_with_tofu;
use strsim::jaro_winkler;

use super::SCORE_MAX;

/// Words of a name, at most; what comes after is not compared.
const WORDS_MAX: usize = 24;
/// Words less alike than this are different words.
const WORD_MIN: f64 = 0.8;
/// What is taken off for each word that one of the names has in addition.
const WORD_MISSING: f64 = 0.02;

/// A name, ready to be compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Comparable {
    words: Vec<String>,
    /// The words as they come, and sorted, in one.
    joined: [String; 2],
}

impl Comparable {
    /// `None` when there is no letter in it.
    pub(super) fn new(name: &str) -> Option<Self> {
        let plain = deunicode_with_tofu(name, "").to_lowercase();
        // An apostrophe is within a word, any other sign between two.
        let plain: String = plain.chars().filter(|sign| !matches!(sign, '\'' | '`')).collect();
        let words = plain.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
        let words: Vec<String> = words.take(WORDS_MAX).map(Into::into).collect();
        let mut sorted = words.clone();
        sorted.sort();
        let joined = [words.concat(), sorted.concat()];
        joined[0].contains(|sign: char| sign.is_alphabetic()).then_some(Self { words, joined })
    }

    /// How alike two names are, up to [`SCORE_MAX`].
    pub(super) fn likeness(&self, other: &Self) -> u16 {
        let whole = self.joined.iter().zip(&other.joined).map(|(one, other)| jaro_winkler(one, other));
        let likeness = whole.fold(self.likeness_of_words(other), f64::max);
        // A score between 0 and 1, so this neither overflows nor is negative.
        (likeness * f64::from(SCORE_MAX)).round() as u16
    }

    /// Each word of the shorter name beside the one of the longer that is most like it. A single word says too little for that.
    fn likeness_of_words(&self, other: &Self) -> f64 {
        let (short, long) = if self.words.len() <= other.words.len() { (self, other) } else { (other, self) };
        if short.words.len() < 2 {
            return 0.0;
        }
        let mut free: Vec<_> = long.words.iter().collect();
        let (mut alike, mut letters) = (0.0, 0.0);
        for word in &short.words {
            let likeness = free.iter().map(|candidate| jaro_winkler(word, candidate));
            let best = likeness.enumerate().max_by(|(_, one), (_, other)| one.total_cmp(other));
            let weight = word.len() as f64;
            letters += weight;
            if let Some((index, likeness)) = best.filter(|(_, likeness)| *likeness >= WORD_MIN) {
                alike += weight * likeness;
                free.swap_remove(index);
            }
        }
        let missing = (long.words.len() - short.words.len()) as f64 * WORD_MISSING;
        (alike / letters - missing).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::screening::THRESHOLD;

    fn likeness(one: &str, other: &str) -> u16 {
        let (one, other) = (Comparable::new(one).unwrap(), Comparable::new(other).unwrap());
        one.likeness(&other)
    }

    #[test]
    fn finds_a_name_however_it_is_spelt() {
        for (one, other) in [
            ("Mohammed al-Farouq", "AL FAROUQ, Muhammad"),
            ("Zdeněk Krátký", "ZDENEK KRATKY"),
            ("Zdene\u{30c}k Kra\u{301}tky\u{301}", "ZDENEK KRATKY"),
            ("Анна Сидорова", "Anna Sidorova"),
            ("Abdulrahman Yasin", "Abdul Rahman Yasin"),
            ("Sean O'Brannigan", "OBRANNIGAN Sean"),
            ("Jorge Sanchez", "Jorge Luis Sanchez Ortega"),
            ("Katarzyna Wisniewska", "Katarzyna Wiśniewsk"),
            ("Grey Harbour Trading Company", "Gray Harbor Trading Company"),
        ] {
            assert!(likeness(one, other) >= THRESHOLD, "{one} / {other}: {}", likeness(one, other));
        }
        assert_eq!(likeness("Maria da Silva", "SILVA, MARIA DA"), SCORE_MAX);
    }

    #[test]
    fn leaves_other_people_alone() {
        for (one, other) in [
            ("Anna Sidorova", "Anton Melnik"),
            ("Maria Garcia", "Mario Rossi"),
            ("John Smith", "Jonathan Swift"),
            ("Hassan", "Hassan Ali Mahmoud Said"),
            ("Peter Meyer", "Petra Schneider"),
        ] {
            assert!(likeness(one, other) < THRESHOLD, "{one} / {other}: {}", likeness(one, other));
        }
    }

    #[test]
    fn a_name_without_letters_is_none() {
        for name in ["", " - ", "...", "123", "\u{fffd}"] {
            assert_eq!(Comparable::new(name), None, "{name:?}");
        }
    }
}
