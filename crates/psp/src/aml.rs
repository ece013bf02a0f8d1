//! Against money laundering: flows from the books, rules over them, cases, freezes, reports, statements.
//!
//! A flow is a movement of the books with who and what it was for; its amount and time are the movement's and are kept nowhere
//! else. The rules are those of [`specie_aml`].

pub mod cases;
mod flows;
pub mod monitor;
pub mod records;
pub mod statement;
