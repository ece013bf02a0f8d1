//! The boards, as seen from outside: what `firmware/mps2` says from within.

/// A board that QEMU emulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// MPS2 with a Cortex-M4.
    An386,
    /// MPS2+ with a Cortex-M33.
    An505,
}

impl Board {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::An386, Self::An505];

    /// The board of this name: `an386` or `an505`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|board| board.name() == name)
    }

    /// The board that tests are to be run on: the one that the environment variable `SPECIE_CHIP` names, or none.
    ///
    /// # Panics
    /// It names something else.
    pub fn chosen() -> Option<Self> {
        let name = std::env::var("SPECIE_CHIP").ok().filter(|name| !name.is_empty())?;
        Some(Self::from_name(&name).unwrap_or_else(|| panic!("SPECIE_CHIP names no board: {name}")))
    }

    /// Its name, as part of the names of packages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::An386 => "an386",
            Self::An505 => "an505",
        }
    }

    /// What the compiler calls its processor.
    pub const fn target(self) -> &'static str {
        match self {
            Self::An386 => "thumbv7em-none-eabihf",
            Self::An505 => "thumbv8m.main-none-eabihf",
        }
    }

    /// What QEMU calls it.
    pub const fn machine(self) -> &'static str {
        match self {
            Self::An386 => "mps2-an386",
            Self::An505 => "mps2-an505",
        }
    }

    /// Address of the memory that a file backs, where the flash lies.
    pub const fn memory(self) -> u64 {
        match self {
            Self::An386 => 0x2100_0000,
            Self::An505 => 0x8000_0000,
        }
    }

    /// Address of the register of the LED.
    pub const fn led(self) -> u64 {
        match self {
            Self::An386 => 0x4002_8000,
            Self::An505 => 0x5030_2000,
        }
    }

    /// Address of the working memory, at whose beginning the firmware has its stack.
    pub const fn stack(self) -> u64 {
        match self {
            Self::An386 => 0x2000_0000,
            Self::An505 => 0x3800_0000,
        }
    }
}
