//! The vectors of the interrupts. None is ever served, so the table ends with the first: in full it takes 2 kB of flash.

/// The one vector that the linker insists on. No interrupt comes this far: they are masked as long as the program runs.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [unsafe extern "C" fn(); 1] = [{
    unsafe extern "C" {
        fn DefaultHandler();
    }
    DefaultHandler
}];
