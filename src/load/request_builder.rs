//! Builds the bytes of requests. The head is rendered once; bodies are written and signed in reused
//! buffers.

use bytes::Bytes;

use super::event_source::EventSource;
use crate::delivery::{ForgeInput, SignedRequest, forge, with_event_id};
use crate::generate::Seed;
use crate::policy::Forgery;
use crate::protocol::{
    CONTENT_TYPE_VALUE, SIGNATURE_HEADER, Signer, TIMESTAMP_HEADER, USER_AGENT_VALUE,
};
use crate::transport::Target;

/// Builds the requests of one worker.
#[derive(Debug)]
pub(super) struct RequestBuilder {
    source: EventSource,
    signer: Signer,
    host: String,
    request_line: Vec<u8>,
    /// The head up to the signature.
    head: Vec<u8>,
    body: Vec<u8>,
    seed: Seed,
}

impl RequestBuilder {
    pub(super) fn new(source: EventSource, signer: Signer, target: &Target, seed: Seed) -> Self {
        let host = target.authority().to_owned();
        let request_line = format!("POST {} HTTP/1.1\r\n", target.path_and_query()).into_bytes();
        let mut head = request_line.clone();
        for (name, value) in [
            ("Content-Type", CONTENT_TYPE_VALUE),
            ("Host", &host),
            ("User-Agent", USER_AGENT_VALUE),
        ] {
            write_header(&mut head, name, value.as_bytes());
        }
        head.extend_from_slice(SIGNATURE_HEADER.as_bytes());
        head.extend_from_slice(b": ");
        Self {
            source,
            signer,
            host,
            request_line,
            head,
            body: Vec::with_capacity(4096),
            seed: seed.derive("forgeries"),
        }
    }

    pub(super) fn source(&mut self) -> &mut EventSource {
        &mut self.source
    }

    /// Replaces `request` with the genuine request of an event, optionally with another event ID.
    pub(super) fn genuine(
        &mut self,
        number: u64,
        timestamp: u64,
        event_id: Option<&str>,
        request: &mut Vec<u8>,
    ) {
        self.source.write_body(number, &mut self.body);
        if let Some(id) = event_id {
            let body = Bytes::copy_from_slice(&self.body);
            self.body.clear();
            self.body.extend_from_slice(&with_event_id(&body, id));
        }
        let mut digits = itoa::Buffer::new();
        let timestamp = digits.format(timestamp).as_bytes();
        let signature = self.signer.sign_text(timestamp, &self.body);
        request.clear();
        request.extend_from_slice(&self.head);
        request.extend_from_slice(&signature.to_hex());
        request.extend_from_slice(b"\r\n");
        write_header(request, TIMESTAMP_HEADER, timestamp);
        finish(request, &self.body);
    }

    /// Replaces `request` with a forgery of the event.
    pub(super) fn forged(
        &mut self,
        number: u64,
        forgery: Forgery,
        timestamp: u64,
        request: &mut Vec<u8>,
    ) {
        self.source.write_body(number, &mut self.body);
        let input = ForgeInput {
            host: &self.host,
            body: &Bytes::copy_from_slice(&self.body),
            timestamp,
            signer: &self.signer,
            expired: None,
        };
        let mut random = self.seed.random();
        random.set_stream(number);
        let SignedRequest { headers, body, .. } = forge(forgery, &input, &mut random);
        request.clear();
        request.extend_from_slice(&self.request_line);
        for (name, value) in headers {
            write_header(request, name, value.as_bytes());
        }
        finish(request, &body);
    }
}

fn write_header(request: &mut Vec<u8>, name: &str, value: &[u8]) {
    request.extend_from_slice(name.as_bytes());
    request.extend_from_slice(b": ");
    request.extend_from_slice(value);
    request.extend_from_slice(b"\r\n");
}

fn finish(request: &mut Vec<u8>, body: &[u8]) {
    let mut digits = itoa::Buffer::new();
    write_header(
        request,
        "Content-Length",
        digits.format(body.len()).as_bytes(),
    );
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::super::treatment_mix::TreatmentMix;
    use super::*;
    use crate::delivery::sign;
    use crate::generate::Generator;
    use crate::protocol::Secret;
    use crate::transport::AllowedHosts;

    fn builder() -> RequestBuilder {
        let start = "1763889831".parse().expect("a start time");
        let seed = Seed::new(42);
        let source = EventSource::new(Generator::new(seed, start), TreatmentMix::default(), seed);
        let signer = Signer::new(&Secret::new("whsec_1").expect("not empty"));
        let target = Target::parse(
            "http://127.0.0.1:8080/hook?a=b",
            &AllowedHosts::loopback_only(),
        );
        RequestBuilder::new(source, signer, &target.expect("a target"), seed)
    }

    /// The same request, built by the code of all other commands.
    fn expected(builder: &mut RequestBuilder, number: u64) -> String {
        let mut body = Vec::new();
        builder.source.write_body(number, &mut body);
        let body = Bytes::from(body);
        let signed = sign(&ForgeInput {
            host: "127.0.0.1:8080",
            body: &body,
            timestamp: 1_763_889_900,
            signer: &builder.signer,
            expired: None,
        });
        let headers = signed.headers.iter();
        let headers: Vec<String> = headers
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        format!(
            "POST /hook?a=b HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{}",
            headers.concat(),
            body.len(),
            String::from_utf8_lossy(&body)
        )
    }

    #[test]
    fn a_genuine_request_equals_that_of_other_commands() {
        let mut builder = builder();
        let mut request = b"old content".to_vec();
        for number in [5, 0, 6] {
            builder.genuine(number, 1_763_889_900, None, &mut request);
            let expected = expected(&mut builder, number);
            assert_eq!(String::from_utf8_lossy(&request), expected);
        }
    }

    #[test]
    fn a_retry_can_have_a_fresh_event_id() {
        let mut builder = builder();
        let mut request = Vec::new();
        builder.genuine(3, 7, Some("whevt_other"), &mut request);
        let text = String::from_utf8_lossy(&request).into_owned();
        assert!(text.contains(r#""event_id":"whevt_other""#), "{text}");
    }

    #[test]
    fn a_forgery_is_deterministic() {
        let mut builder = builder();
        let (mut one, mut again, mut genuine) = (Vec::new(), Vec::new(), Vec::new());
        builder.forged(3, Forgery::WrongSecret, 7, &mut one);
        builder.genuine(3, 7, None, &mut genuine);
        builder.forged(3, Forgery::WrongSecret, 7, &mut again);
        assert_eq!(one, again);
        assert_ne!(one, genuine);
        assert_eq!(one.len(), genuine.len());
        builder.forged(3, Forgery::MissingSignature, 7, &mut one);
        assert!(!String::from_utf8_lossy(&one).contains("X-Aghanim-Signature:"));
    }
}
