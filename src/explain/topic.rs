//! The topics: remedies that many names share, each a Markdown file with a reason and code.

use super::Language;

/// Each row: the variant and its name, which is the name of its file.
macro_rules! topics {
    ($($variant:ident $name:literal;)*) => {
        /// What to do right, with code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Topic {
            $($variant,)*
        }

        impl Topic {
            /// Every topic, in the order in which a delivery is handled.
            pub(crate) const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            fn markdown(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("topics/", $name, ".md")),)*
                }
            }
        }
    };
}

topics! {
    OpenEndpoint "open_endpoint";
    WholeBody "whole_body";
    RawBody "raw_body";
    Signature "signature";
    Timestamp "timestamp";
    Secret "secret";
    OpenSchema "open_schema";
    CreditedEvents "credited_events";
    Idempotency "idempotency";
    KeyStorage "key_storage";
    WholeGrant "whole_grant";
    Bundles "bundles";
    Quantities "quantities";
    ExactIds "exact_ids";
    Balance "balance";
    RespondLast "respond_last";
    StatusCodes "status_codes";
}

impl Topic {
    /// What to do, in one imperative sentence without a full stop.
    pub(crate) fn title(self) -> &'static str {
        let first = self.markdown().lines().next().unwrap_or_default();
        first.trim_start_matches("# ")
    }

    /// Why it matters, as one paragraph.
    pub(crate) fn why(self) -> String {
        let lines = self.markdown().lines().skip(1);
        let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("```")).collect();
        lines.join(" ").trim().to_owned()
    }

    /// The code in a language, without a line break at its end.
    pub(crate) fn code(self, language: Language) -> &'static str {
        let opening = format!("\n```{}\n", language.fence());
        let code = self.markdown().split_once(&opening);
        let code = code.and_then(|(_, rest)| rest.split_once("\n```"));
        code.map_or("", |(code, _)| code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_a_reason_and_short_code_in_every_language() {
        for topic in Topic::ALL {
            let name = topic.name();
            assert!(!topic.title().ends_with('.'), "{name}");
            assert!(topic.title().len() <= 72, "{name}");
            assert!((200..700).contains(&topic.why().len()), "{name}");
            for language in Language::ALL {
                let code = topic.code(language);
                let lines = code.lines().count();
                assert!((4..=16).contains(&lines), "{name}, {language:?}: {lines}");
                for line in code.lines() {
                    let width = line.replace('\t', "    ").chars().count();
                    assert!(width <= 96, "{name}, {language:?}: {line}");
                }
            }
            let fences = topic.markdown().matches("```").count();
            assert_eq!(fences, 2 * Language::ALL.len(), "{name}");
        }
    }
}
