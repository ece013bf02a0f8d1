//! Amounts as people read them: decimals with the currency's exponent, never floating point.

use specie_core::Amount;
use specie_core::text::Currency;

/// `12.34 EUR`.
pub fn show(amount: Amount, currency: Currency) -> String {
    format!("{} {currency}", decimal(amount, currency))
}

/// `12.34`.
pub fn decimal(amount: Amount, currency: Currency) -> String {
    decimal_of(amount, exponent(currency))
}

/// Digits after the decimal point. `XTS`, the code for tests, has two.
pub fn exponent(currency: Currency) -> u32 {
    EXPONENTS.iter().find(|(code, _)| *code == currency.as_str()).map_or(2, |(_, exponent)| *exponent)
}

/// `12.34`, where `exponent` digits come after the point.
pub(crate) fn decimal_of(amount: Amount, exponent: u32) -> String {
    let unit = 10_u64.saturating_pow(exponent);
    let (whole, fraction) = (amount.minor() / unit, amount.minor() % unit);
    if exponent == 0 { whole.to_string() } else { format!("{whole}.{fraction:0width$}", width = exponent as usize) }
}

/// Currencies whose exponent is not 2 (ISO 4217, list one).
const EXPONENTS: &[(&str, u32)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn has_the_digits_of_the_currency() {
        for (code, minor, text) in
            [("EUR", 5, "0.05 EUR"), ("XTS", 700, "7.00 XTS"), ("JPY", 1_500, "1500 JPY"), ("KWD", 1_005, "1.005 KWD")]
        {
            assert_eq!(show(Amount::new(minor).unwrap(), Currency::new(code).unwrap()), text);
        }
    }
}
