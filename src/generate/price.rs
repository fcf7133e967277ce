//! Prices in minor units, and their exact conversion to major units.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Number;

#[derive(Debug)]
pub(super) struct Currency {
    /// The ISO 4217 code.
    pub(super) code: &'static str,
    /// Usual prices in minor units.
    prices: &'static [u64],
}

impl Currency {
    const fn new(code: &'static str, prices: &'static [u64]) -> Self {
        Self { code, prices }
    }

    pub(super) fn random(random: &mut ChaCha8Rng) -> &'static Self {
        &CURRENCIES[random.random_range(..CURRENCIES.len())]
    }

    /// A usual price in minor units of `code`. An unknown currency has the prices of the first one.
    pub(super) fn usual_price(code: &str, random: &mut ChaCha8Rng) -> u64 {
        let known = CURRENCIES.iter().find(|currency| currency.code == code);
        known.unwrap_or(&CURRENCIES[0]).random_price(random)
    }

    pub(super) fn random_price(&self, random: &mut ChaCha8Rng) -> u64 {
        self.prices[random.random_range(..self.prices.len())]
    }
}

static CURRENCIES: [Currency; 12] = [
    Currency::new("USD", &[50, 99, 199, 499, 500, 999, 1_999, 4_999, 9_499]),
    Currency::new("EUR", &[49, 99, 229, 500, 549, 1_099, 2_199, 5_490, 9_999]),
    Currency::new("GBP", &[45, 99, 179, 449, 899, 1_799, 4_500, 8_999]),
    Currency::new("BRL", &[290, 490, 990, 1_490, 2_990, 5_000, 9_990, 49_990]),
    Currency::new("TRY", &[1_499, 3_999, 9_999, 19_990, 40_000, 174_999]),
    Currency::new("INR", &[2_900, 8_900, 17_900, 44_900, 89_900, 449_950]),
    Currency::new("JPY", &[50, 120, 250, 610, 1_220, 3_060, 6_100, 12_000]),
    Currency::new("KRW", &[500, 1_200, 2_500, 5_900, 12_000, 25_000, 119_000]),
    Currency::new("VND", &[12_000, 25_000, 119_000, 249_000, 1_249_000]),
    Currency::new("KWD", &[150, 305, 610, 1_525, 3_050, 12_345, 30_000]),
    Currency::new("BHD", &[190, 375, 750, 1_880, 3_755, 7_500, 37_505]),
    Currency::new("TND", &[1_500, 3_190, 6_375, 15_900, 31_905, 159_000]),
];

/// The number of decimals of the currency with this ISO 4217 code; 2 if the code is unknown.
///
/// That Aghanim's minor units follow ISO 4217 is our assumption. `[A]`
fn decimals(code: &str) -> u32 {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// Converts minor units of a currency to a JSON number in major units, which prints as the
/// shortest decimal: 9499 in USD is 94.99, and 500 is 5.
///
/// Exact up to 15 significant digits. Larger numbers give the nearest double, the usual precision
/// of a JSON number.
pub(crate) fn in_major_units(minor: u64, code: &str) -> Number {
    let unit = 10_u64.pow(decimals(code));
    let exact = minor.is_multiple_of(unit);
    let double = if exact {
        None
    } else {
        nearest_double(minor, unit)
    };
    let double = double.and_then(Number::from_f64);
    double.unwrap_or_else(|| Number::from(minor / unit))
}

/// The double nearest to `minor / unit`. Its shortest text is the exact decimal.
fn nearest_double(minor: u64, unit: u64) -> Option<f64> {
    // Both fit into a double exactly, and division rounds to the nearest double.
    if let (Ok(minor), Ok(unit)) = (u32::try_from(minor), u32::try_from(unit)) {
        return Some(f64::from(minor) / f64::from(unit));
    }
    let places = usize::try_from(unit.ilog10()).ok()?;
    let text = format!("{}.{:0places$}", minor / unit, minor % unit);
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    /// The exact decimal text, computed on digits: inserts the point and strips trailing zeros.
    fn exact_text(minor: u64, places: usize) -> String {
        let digits = format!("{minor:0width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}.{fraction}")
        }
    }

    #[test]
    fn prints_the_shortest_decimal() {
        for (minor, code, expected) in [
            (9_499, "USD", "94.99"),
            (500, "USD", "5"),
            (50, "EUR", "0.5"),
            (1, "BRL", "0.01"),
            (0, "USD", "0"),
            (12_000, "JPY", "12000"),
            (5_900, "KRW", "5900"),
            (12_345, "KWD", "12.345"),
            (1, "BHD", "0.001"),
            (1, "CLF", "0.0001"),
            (1_999, "XYZ", "19.99"),
            (u64::MAX, "JPY", "18446744073709551615"),
        ] {
            assert_eq!(in_major_units(minor, code).to_string(), expected);
        }
    }

    #[test]
    fn generated_prices_cover_every_number_of_decimals() {
        let mut places: Vec<u32> = CURRENCIES.iter().map(|c| decimals(c.code)).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places, [0, 2, 3]);

        let mut random = ChaCha8Rng::from_seed([0; 32]);
        let price = Currency::usual_price("KWD", &mut random);
        assert!(CURRENCIES[9].prices.contains(&price));
        let price = Currency::usual_price("XYZ", &mut random);
        assert!(CURRENCIES[0].prices.contains(&price));
    }

    proptest! {
        #[test]
        fn agrees_with_the_exact_decimal(
            minor in prop_oneof![0..1_000_000_u64, 0..1_000_000_000_000_000_u64],
            (code, places) in prop::sample::select(&[
                ("JPY", 0), ("USD", 2), ("EUR", 2), ("BRL", 2), ("KWD", 3), ("BHD", 3), ("UYW", 4),
            ][..]),
        ) {
            prop_assert_eq!(in_major_units(minor, code).to_string(), exact_text(minor, places));
        }

        #[test]
        fn conversion_never_panics(minor: u64, code in "[A-Z]{0,4}") {
            let _ = in_major_units(minor, &code);
        }
    }
}
