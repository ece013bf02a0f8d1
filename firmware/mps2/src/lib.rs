//! Two boards, as QEMU emulates them: mps2-an386 (Cortex-M4) and mps2-an505 (Cortex-M33).
//!
//! Only glue is here: where the registers lie ([`Board`]), and one small driver for each thing that the firmware
//! needs. [`Peripherals::take`] hands all of them out, once. A real board is such a crate too; `docs/porting.md` in the
//! main workspace shows how.
//!
//! No interrupt is ever served. They are masked from the start, and only wake the processor from [`rest`].
#![no_std]

pub mod board;
mod clock;
#[cfg(feature = "device")]
mod device;
#[cfg(feature = "element")]
mod element;
mod guard;
mod led;
mod memory;
mod noise;
pub mod nor;
mod register;
#[cfg(feature = "selftest")]
pub mod selftest;
mod stop;
mod uart;
mod vectors;

use core::sync::atomic::{AtomicBool, Ordering};

pub use board::{An386, An505, Board};
pub use clock::Clock;
#[cfg(feature = "device")]
pub use device::{ChipUart, DeviceBoard};
#[cfg(feature = "element")]
pub use element::ElementBoard;
pub use led::Led;
pub use noise::Noise;
pub use nor::Nor;
pub use stop::stop;
pub use uart::Uart;

use register::Register;

/// How long [`rest`] lasts at most, in milliseconds.
pub const REST_MS_MAX: u32 = 4;

/// Everything on the board that the firmware uses.
pub struct Peripherals {
    /// UART0 to UART4.
    pub uarts: [Uart; 5],
    /// Milliseconds since the start.
    pub clock: Clock,
    /// The first LED.
    pub led: Led,
    /// The memory that a file backs.
    pub memory: nor::Memory,
}

impl Peripherals {
    /// Sets the board up and hands it out: the first time only.
    pub fn take<B: Board>() -> Option<Self> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        if TAKEN.swap(true, Ordering::Relaxed) {
            return None;
        }
        cortex_m::interrupt::disable();
        guard::below_the_stack::<B>();
        start_ticking::<B>();
        Some(Self {
            uarts: B::UARTS.map(|at| Uart::new(Register::at(at.base), at.interrupt)),
            clock: Clock::start(Register::at(B::FPGAIO), B::CLOCK_HZ),
            led: Led::new(Register::at(B::FPGAIO)),
            memory: nor::Memory::new(Register::at(B::MEMORY)),
        })
    }
}

/// Sleeps until a byte comes in on an open UART, or for [`REST_MS_MAX`].
///
/// Nothing is missed: a byte that came in since it was last looked for makes this return at once.
pub fn rest() {
    cortex_m::asm::wfi();
    cortex_m::peripheral::SCB::clear_pendst();
}

/// Lets SysTick become pending every [`REST_MS_MAX`]. Nobody serves it.
fn start_ticking<B: Board>() {
    use cortex_m::peripheral::syst::SystClkSource;
    // SAFETY: nobody else touches SysTick: what hands it out is called once, and it hands no core peripherals out.
    let mut systick = unsafe { cortex_m::Peripherals::steal() }.SYST;
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(B::CLOCK_HZ / 1_000 * REST_MS_MAX);
    systick.clear_current();
    systick.enable_interrupt();
    systick.enable_counter();
}
