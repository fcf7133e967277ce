//! Builds the requests of one worker: derives events, and signs or forges them.

use bytes::Bytes;

use super::event_source::{EventFacts, EventSource};
use super::treatment_mix::Treatment;
use crate::delivery::{ForgeInput, SignedRequest, forge, with_event_id};
use crate::generate::Seed;
use crate::policy::Forgery;
use crate::protocol::{
    CONTENT_TYPE_VALUE, SIGNATURE_HEADER, Signer, TIMESTAMP_HEADER, USER_AGENT_VALUE,
};
use crate::transport::{BulkRequest, ExtraHeaders, Target};

#[derive(Debug)]
pub(super) struct RequestBuilder {
    source: EventSource,
    signer: Signer,
    host: String,
    seed: Seed,
    /// Headers to add to every request.
    extra: ExtraHeaders,
}

impl RequestBuilder {
    pub(super) fn new(source: EventSource, signer: Signer, target: &Target, seed: Seed) -> Self {
        Self {
            source,
            signer,
            host: target.authority().to_owned(),
            seed: seed.derive("forgeries"),
            extra: ExtraHeaders::default(),
        }
    }

    /// Adds headers to every request.
    pub(super) fn with_extra(self, extra: ExtraHeaders) -> Self {
        Self { extra, ..self }
    }

    pub(super) fn treatment(&mut self, number: u64) -> Treatment {
        self.source.treatment(number)
    }

    /// Replaces `request` with the genuine request of an event, optionally with another event ID.
    pub(super) fn genuine(
        &mut self,
        number: u64,
        timestamp: u64,
        event_id: Option<&str>,
        request: &mut BulkRequest,
    ) -> EventFacts {
        request.clear();
        request.extra.clone_from(&self.extra);
        let event = self.source.derive(number);
        event.content.write(&mut request.body);
        if let Some(id) = event_id {
            let body = Bytes::copy_from_slice(&request.body);
            request.body.clear();
            request.body.extend_from_slice(&with_event_id(&body, id));
        }
        let mut digits = itoa::Buffer::new();
        let timestamp = digits.format(timestamp).as_bytes();
        let signature = self.signer.sign_text(timestamp, &request.body).to_hex();
        request.header("Content-Type", CONTENT_TYPE_VALUE.as_bytes());
        request.header("Host", self.host.as_bytes());
        request.header("User-Agent", USER_AGENT_VALUE.as_bytes());
        request.header(SIGNATURE_HEADER, &signature);
        request.header(TIMESTAMP_HEADER, timestamp);
        event.facts
    }

    pub(super) fn forged(
        &mut self,
        number: u64,
        forgery: Forgery,
        timestamp: u64,
        request: &mut BulkRequest,
    ) -> EventFacts {
        request.clear();
        request.extra.clone_from(&self.extra);
        let event = self.source.derive(number);
        event.content.write(&mut request.body);
        let input = ForgeInput {
            host: &self.host,
            body: &Bytes::copy_from_slice(&request.body),
            timestamp,
            signer: &self.signer,
            expired: None,
        };
        let mut random = self.seed.random();
        random.set_stream(number);
        let SignedRequest { headers, body, .. } = forge(forgery, &input, &mut random);
        for (name, value) in headers {
            request.header(name, value.as_bytes());
        }
        request.body.clear();
        request.body.extend_from_slice(&body);
        event.facts
    }
}

#[cfg(test)]
mod tests {
    use super::super::treatment_mix::TreatmentMix;
    use super::*;
    use crate::delivery::sign;
    use crate::generate::Generator;
    use crate::protocol::Secret;
    use crate::transport::AllowedHosts;

    fn target() -> Target {
        let url = "http://127.0.0.1:8080/hook?a=b";
        Target::parse(url, &AllowedHosts::loopback_only()).expect("a target")
    }

    fn builder() -> RequestBuilder {
        let start = "1763889831".parse().expect("a start time");
        let seed = Seed::new(42);
        let source = EventSource::new(Generator::new(seed, start), TreatmentMix::default(), seed);
        let signer = Signer::new(&Secret::new("whsec_1").expect("not empty"));
        RequestBuilder::new(source, signer, &target(), seed)
    }

    /// The bytes on an HTTP/1.1 connection.
    fn text(request: &BulkRequest) -> String {
        let mut bytes = b"old content".to_vec();
        request.write_http1(&target(), &mut bytes);
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// The same request, built by the code of all other commands.
    fn expected(builder: &mut RequestBuilder, number: u64) -> String {
        let mut body = Vec::new();
        builder.source.derive(number).content.write(&mut body);
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
        let mut request = BulkRequest::default();
        for number in [5, 0, 6] {
            builder.genuine(number, 1_763_889_900, None, &mut request);
            assert_eq!(text(&request), expected(&mut builder, number));
        }
    }

    #[test]
    fn extra_headers_follow_the_signature_over_both_http_versions() {
        let extra = ExtraHeaders::new([("x-key", "hunter2")]).expect("headers");
        let mut builder = builder().with_extra(extra);
        let mut request = BulkRequest::default();
        builder.genuine(5, 7, None, &mut request);
        let genuine = text(&request);
        assert!(genuine.contains("-Timestamp: 7\r\nX-Key: hunter2\r\nContent-Length: "));
        assert_eq!(
            request.to_http2().expect("a head").headers()["x-key"],
            "hunter2"
        );
        builder.forged(5, Forgery::MissingSignature, 7, &mut request);
        assert!(text(&request).contains("\r\nX-Key: hunter2\r\n"));
        assert!(!format!("{request:?}").contains("hunter2"));
    }

    #[test]
    fn a_retry_can_have_a_fresh_event_id() {
        let mut builder = builder();
        let mut request = BulkRequest::default();
        builder.genuine(3, 7, Some("whevt_other"), &mut request);
        let text = text(&request);
        assert!(text.contains(r#""event_id":"whevt_other""#), "{text}");
    }

    #[test]
    fn a_forgery_is_deterministic() {
        let mut builder = builder();
        let mut request = BulkRequest::default();
        let mut forged = |forgery| {
            builder.forged(3, forgery, 7, &mut request);
            text(&request)
        };
        let one = forged(Forgery::WrongSecret);
        assert_eq!(one, forged(Forgery::WrongSecret));
        let without = forged(Forgery::MissingSignature);
        assert!(!without.contains("X-Aghanim-Signature:"));
        builder.genuine(3, 7, None, &mut request);
        let genuine = text(&request);
        assert_ne!(one, genuine);
        assert_eq!(one.len(), genuine.len());
    }
}
