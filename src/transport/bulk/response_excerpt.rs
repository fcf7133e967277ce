//! The parts of a response that show what sent it.

/// The headers and the beginning of the body of a response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ResponseExcerpt {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// How many bytes of a body are kept.
const BODY_LIMIT: usize = 4096;

impl ResponseExcerpt {
    pub(super) fn add_header(&mut self, name: &str, value: &[u8]) {
        let value = String::from_utf8_lossy(value).into_owned();
        self.headers.push((name.to_owned(), value));
    }

    pub(super) fn add_body(&mut self, bytes: &[u8]) {
        let left = BODY_LIMIT.saturating_sub(self.body.len());
        self.body.extend_from_slice(&bytes[..bytes.len().min(left)]);
    }
}
