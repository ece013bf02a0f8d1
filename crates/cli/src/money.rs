//! Amounts as people write them: decimals with the currency's exponent, never floating point.

pub(crate) use specie_aml::money::{decimal, exponent, show};
use specie_core::Amount;
use specie_core::text::Currency;

/// `text` (`12.34`, `12`, `0.5`) in minor units of `currency`.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn parse(text: &str, currency: Currency) -> Result<Amount, String> {
    let exponent = exponent(currency) as usize;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || (text.contains('.') && fraction.is_empty()) {
        return Err(format!("`{text}` is no amount: write digits with a decimal point, like 12.34"));
    }
    if fraction.len() > exponent {
        return Err(format!("`{text}` has more digits after the point than {currency} has ({exponent})"));
    }
    let padded = format!("{whole}{fraction:0<exponent$}");
    let minor = padded.parse().ok().and_then(Amount::new);
    minor.ok_or_else(|| format!("`{text}` is more than any amount can be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::new(code).unwrap()
    }

    #[test]
    fn reads_what_it_writes() {
        for (code, text, minor) in [
            ("EUR", "12.34", 1234),
            ("EUR", "0.05", 5),
            ("XTS", "7.00", 700),
            ("JPY", "1500", 1500),
            ("KWD", "1.005", 1005),
            ("EUR", "92233720368547758.07", i64::MAX as u64),
        ] {
            let amount = parse(text, currency(code)).unwrap();
            assert_eq!(amount.minor(), minor);
            assert_eq!(decimal(amount, currency(code)), text);
        }
        assert_eq!(parse("3", currency("EUR")).unwrap().minor(), 300);
        assert_eq!(parse("3.5", currency("EUR")).unwrap().minor(), 350);
    }

    #[test]
    fn rejects_what_is_no_amount() {
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "1,5", "1e3", "1.234", "0x1", "1 ", "92233720368547758.08", "1.2.3"]
        {
            assert!(parse(text, currency("EUR")).is_err(), "{text}");
        }
        assert!(parse("1.0", currency("JPY")).is_err());
    }
}
