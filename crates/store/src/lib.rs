//! The storage traits of bank and PSP on SQL.
