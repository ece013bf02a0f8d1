//! The figures themselves, and how they are stored.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// Everything that was measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// What compiled the firmware: others make other code.
    pub(crate) compiler: String,
    /// By the name of the board.
    pub(crate) boards: BTreeMap<String, Board>,
}

/// What was measured on one board.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Board {
    /// The images, by what they are for: bytes of `flash`, of `memory` for variables and heap, and for the `stack`.
    #[serde(default)]
    pub(crate) images: BTreeMap<String, Costs>,
    /// What the device's host does, the element's part aside: `instructions`, and bytes of `stack` and `heap` at most.
    #[serde(default)]
    pub(crate) host: BTreeMap<String, Costs>,
    /// What the element does for each command: `instructions`, and bytes of `stack` at most.
    #[serde(default)]
    pub(crate) element: BTreeMap<String, Costs>,
}

/// Numbers by name.
pub(crate) type Costs = BTreeMap<String, u64>;

impl Figures {
    pub(crate) fn from_toml(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    pub(crate) fn to_toml(&self) -> Result<String> {
        Ok(format!("# Written by `cargo xtask figures`.\n{}", toml::to_string(self)?))
    }

    /// Every single figure with a name of its own.
    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for (board, figures) in &self.boards {
            for (section, costs) in [("image", &figures.images), ("host", &figures.host), ("element", &figures.element)]
            {
                for (name, costs) in costs {
                    for (unit, value) in costs {
                        all.insert(format!("{board}, {section}: {name}: {unit}"), *value);
                    }
                }
            }
        }
        all
    }
}

impl Board {
    /// Instructions of something that the host does.
    pub(crate) fn host_instructions(&self, name: &str) -> Option<u64> {
        self.host.get(name)?.get("instructions").copied()
    }

    /// Instructions of a command of the element.
    pub(crate) fn element_instructions(&self, name: &str) -> Option<u64> {
        self.element.get(name)?.get("instructions").copied()
    }

    /// Bytes of an image.
    pub(crate) fn image(&self, name: &str, unit: &str) -> Option<u64> {
        self.images.get(name)?.get(unit).copied()
    }
}

#[cfg(test)]
pub(crate) mod synthetic {
    use super::*;

    pub(crate) fn costs(costs: &[(&str, u64)]) -> Costs {
        costs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    /// A board where everything is as large as it may be.
    pub(crate) fn figures() -> Figures {
        let host = [
            ("pay", 130_000),
            ("verify one transfer, extended", 5_200_000),
            ("verify one transfer, compact", 11_000_000),
        ];
        let host = host.map(|(name, instructions)| {
            (name.to_owned(), costs(&[("instructions", instructions), ("stack", 8_000), ("heap", 20_000)]))
        });
        let element = [("STATUS", 4_000), ("SPEND, with change", 116_000)]
            .map(|(name, instructions)| (name.to_owned(), costs(&[("instructions", instructions), ("stack", 4_000)])));
        let images = [("element", 96 << 10, 10 << 10, 6 << 10), ("device", 256 << 10, 48 << 10, 16 << 10)];
        let images = images.map(|(name, flash, memory, stack)| {
            (name.to_owned(), costs(&[("flash", flash), ("memory", memory), ("stack", stack)]))
        });
        let board = Board { images: images.into(), host: host.into(), element: element.into() };
        Figures { compiler: "rustc 1".into(), boards: [("an386".into(), board)].into() }
    }
}

#[cfg(test)]
mod tests {
    use super::{synthetic::figures, *};

    #[test]
    fn are_stored_and_read() {
        let figures = figures();
        assert_eq!(Figures::from_toml(&figures.to_toml().unwrap()).unwrap(), figures);
        assert_eq!(figures.all()["an386, host: pay: instructions"], 130_000);
        assert_eq!(figures.all().len(), 6 + 9 + 4);
    }
}
