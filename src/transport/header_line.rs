//! The names of headers on the wire, and why a header can't be sent.

/// More header lines than any receiver accepts.
pub(super) const MAX_HEADERS: usize = 1000;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error("invalid header name `{0}`: use letters, digits and `-`")]
    Name(String),
    #[error("the value of the header `{0}` contains a control character, which can't be sent")]
    Value(String),
    #[error("the header `{0}` can't be set: the sender adds it if needed")]
    Framing(String),
    #[error("a request can have at most {MAX_HEADERS} headers")]
    TooMany,
}

/// Spells a header name for HTTP/1.1: `x-aghanim-signature` becomes `X-Aghanim-Signature`.
pub(super) fn title_case(name: &str) -> String {
    let mut after_hyphen = true;
    let letters = name.chars().map(|letter| {
        let upper = std::mem::replace(&mut after_hyphen, letter == '-');
        if upper {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    });
    letters.collect()
}
