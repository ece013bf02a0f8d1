//! The activity LED.

use crate::register::Register;

/// An LED. In emulation, its register is where a watcher sees work begin and end.
pub struct Led {
    register: Register,
}

impl Led {
    pub(crate) fn new(fpgaio: Register) -> Self {
        Self { register: fpgaio }
    }

    /// Lights it or puts it out.
    pub fn set(&mut self, lit: bool) {
        self.register.write(lit.into());
    }
}
