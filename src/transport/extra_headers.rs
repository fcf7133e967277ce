//! Headers that the user adds to requests. Their values may be credentials, so `Debug` does not show
//! them.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::header_line::{HeaderError, title_case};

/// Headers to add to every request of a kind, in order. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExtraHeaders(Arc<[ExtraHeader]>);

#[derive(Debug)]
pub(super) struct ExtraHeader {
    pub(super) name: HeaderName,
    /// The name as HTTP/1.1 spells it.
    pub(super) title: String,
    /// Marked as sensitive.
    pub(super) value: HeaderValue,
}

impl ExtraHeaders {
    /// Checks names and values.
    pub(crate) fn new<'a>(
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, HeaderError> {
        let headers = headers.into_iter().map(|(name, value)| {
            let parsed = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| HeaderError::Name(name.to_owned()))?;
            let mut value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| HeaderError::Value(name.to_owned()))?;
            value.set_sensitive(true);
            Ok(ExtraHeader {
                title: title_case(parsed.as_str()),
                name: parsed,
                value,
            })
        });
        headers.collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is a header of this name. Names are case-insensitive.
    pub(crate) fn contains(&self, name: &str) -> bool {
        let mut headers = self.0.iter();
        headers.any(|header| header.name.as_str().eq_ignore_ascii_case(name))
    }

    /// The names, as HTTP/1.1 spells them.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|header| header.title.clone()).collect()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, ExtraHeader> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown() {
        let headers = ExtraHeaders::new([("x-key", "hunter2")]).expect("headers");
        assert!(headers.contains("X-Key") && !headers.contains("X-Other"));
        assert!(!format!("{headers:?}").contains("hunter2"));
        let refused = ExtraHeaders::new([("x-key", "hunter2\n")]).expect_err("a line break");
        assert_eq!(refused, HeaderError::Value("x-key".to_owned()));
    }
}
