//! The rules on flows of which it is known what they are.
#![allow(clippy::unwrap_used)]

mod population;
mod rates;
mod thresholds;
