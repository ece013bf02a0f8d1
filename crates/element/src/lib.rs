//! The secure element: a command interpreter behind APDUs, with a one-show journal over NOR flash.
