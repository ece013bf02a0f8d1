//! What keeps a stack that is too deep from going on in silence.

use crate::Board;
use crate::register::Register;

/// The registers of the memory protection unit of Armv7-M.
const CTRL: Register = Register::at(0xE000_ED94);
const RNR: Register = Register::at(0xE000_ED98);
const RBAR: Register = Register::at(0xE000_ED9C);
const RASR: Register = Register::at(0xE000_EDA0);

/// No access, no execution.
const FORBIDDEN: u32 = 1 << 28;
/// 16 MB: 2 to the power of one more than this.
const SIZE: u32 = 23 << 1;
const ENABLED: u32 = 1;

/// The unit is on, also while a fault is handled; what no region says otherwise of is as without it.
const CONTROL: u32 = 0b111;

/// Forbids what lies below the stack, where the board does not.
pub(crate) fn below_the_stack<B: Board>() {
    let Some(base) = B::GUARDED else { return };
    RNR.write(0);
    RBAR.write(base as u32);
    RASR.write(FORBIDDEN | SIZE | ENABLED);
    CTRL.write(CONTROL);
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
}
