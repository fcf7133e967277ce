//! The checks that a scenario can ask for. Their descriptions are those of the scenario format.

use std::sync::LazyLock;

use serde_json::Value;

use super::Topic;
use crate::scenario::scenario_schema;

/// Each row: the variant, the key in a scenario file, the type that has the key, and the topic.
macro_rules! checks {
    ($($variant:ident $name:literal $type:literal $topic:ident;)*) => {
        /// A key of `expect` or `effects`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum CheckKey {
            $($variant,)*
        }

        impl CheckKey {
            pub(super) const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The type of the scenario format that has the key.
            fn of_type(self) -> &'static str {
                match self { $(Self::$variant => $type,)* }
            }

            pub(super) fn topic(self) -> Topic {
                match self { $(Self::$variant => Topic::$topic,)* }
            }
        }
    };
}

checks! {
    Status "status" "Expectation" StatusCodes;
    Headers "headers" "Expectation" StatusCodes;
    Body "body" "Expectation" StatusCodes;
    Schema "schema" "Expectation" StatusCodes;
    Within "within" "Expectation" RespondLast;
    Attempts "attempts" "Expectation" StatusCodes;
    Outcome "outcome" "Expectation" StatusCodes;
    SameResponse "same_response" "Expectation" StatusCodes;
    Granted "granted" "Effect" Idempotency;
    NotGranted "not_granted" "Effect" Signature;
    Removed "removed" "Effect" CreditedEvents;
    Probe "probe" "Effect" Balance;
}

impl CheckKey {
    /// The key's description in the JSON Schema of scenarios.
    pub(super) fn about(self) -> &'static str {
        static SCHEMA: LazyLock<Value> = LazyLock::new(scenario_schema);
        let key = &SCHEMA["$defs"][self.of_type()]["properties"][self.name()];
        key["description"].as_str().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_check_on_a_response_is_known() {
        let schema = scenario_schema();
        let keys = schema["$defs"]["Expectation"]["properties"].as_object();
        let keys: BTreeSet<&str> = keys.expect("keys").keys().map(String::as_str).collect();
        let known = CheckKey::ALL.into_iter();
        let known = known.filter(|key| key.of_type() == "Expectation");
        let known = known.map(CheckKey::name).chain(["level", "source"]);
        assert_eq!(known.collect::<BTreeSet<_>>(), keys);
    }
}
