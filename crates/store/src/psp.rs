//! The tables of a PSP.
