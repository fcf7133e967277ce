//! The maximum rate of deliveries to a receiver, such as `8/s`.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(
    with = "String",
    description = "Deliveries per second or minute, such as `8/s` or `30/m`.",
    extend("pattern" = "^[1-9][0-9]{0,6}/[sm]$")
)]
pub struct MaxRate {
    pub deliveries: u32,
    pub period: Duration,
}

const MAX_DELIVERIES: u32 = 1_000_000;

impl MaxRate {
    fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once('/')?;
        let period = match unit.trim() {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            _ => return None,
        };
        let deliveries = count.trim().parse().ok()?;
        (1..=MAX_DELIVERIES)
            .contains(&deliveries)
            .then_some(Self { deliveries, period })
    }
}

impl TryFrom<String> for MaxRate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let expected = "expected deliveries per second or minute, such as `8/s` or `30/m`";
        Self::parse(&text).ok_or_else(|| format!("invalid rate `{text}`\n{expected}"))
    }
}

impl fmt::Display for MaxRate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.period.as_secs() == 1 { "s" } else { "m" };
        write!(formatter, "{}/{unit}", self.deliveries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_per_second_or_minute() {
        for text in ["8/s", "30/m", "1000000/s"] {
            assert_eq!(
                MaxRate::parse(text).map(|rate| rate.to_string()),
                Some(text.to_owned())
            );
        }
        for text in ["0/s", "8", "8/h", "-1/s", "1.5/s", "/s", "1000001/s"] {
            assert_eq!(MaxRate::parse(text), None, "{text}");
        }
    }
}
