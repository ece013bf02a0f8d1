//! The end of a program that must not go on.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

/// Stops for ever: no byte goes in or out any more, and nothing is written. A real board's watchdog, no longer fed, then
/// starts the program anew, which finds in the flash what was promised.
pub fn stop() -> ! {
    cortex_m::interrupt::disable();
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    stop()
}

// SAFETY: it touches nothing of what it interrupted.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    stop()
}
