//! Rebuilds a recorded request to send it again, with the same bytes or a fresh signature.

use std::borrow::Cow;

use bytes::Bytes;
use http::Method;
use url::{Position, Url};

use super::Replay;
use crate::delivery::{ForgeInput, SignedRequest, forge, sign};
use crate::generate::Seed;
use crate::policy::{Forgery, HttpVersion};
use crate::protocol::TIMESTAMP_HEADER;
use crate::run::run_event::{AttemptEnded, ResponseRecord, SentRequestRecord, header};
use crate::transport::{ExtraHeaders, OutgoingRequest, SenderAbort, Target};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signatures {
    AsRecorded,
    /// With a fresh signature by the current secret, as old as the recorded one was when it was
    /// sent. Forgeries are forged again.
    Fresh,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum SkipReason {
    #[error("the fault cuts off the request")]
    IncompleteRequest,
    #[error(
        "the request contains a credential or a secret, which is not recorded; if it is a header, add it \
         with `headers` in the profile or with `--header`"
    )]
    Redacted,
    #[error(
        "it is signed with the expired secret, which the profile does not name; set \
         `expired_secret_env` in the profile"
    )]
    NoExpiredSecret,
    #[error("the scenario sets the receiver's responses, but the profile has no `script` hook")]
    NoScript,
    #[error("failed to set the receiver's responses: {0}")]
    ScriptFailed(String),
    #[error("the scenario restarts the receiver, but the profile has no `restart` hook")]
    NoRestart,
    #[error("failed to restart the receiver: {0}")]
    RestartFailed(String),
    #[error("`{0}` needs HTTP/1.1; pass `--http-version 1.1`")]
    NeedsHttp1(&'static str),
    #[error("the scenario runs the hook `{0}`, which the profile does not have")]
    NoHook(String),
    #[error("the hook `{0}` failed: {1}")]
    HookFailed(String, String),
    #[error("the request can't be sent: {0}")]
    NotSendable(String),
}

impl Replay<'_> {
    /// The request to send again, and where to.
    pub(super) fn rebuild(
        &self,
        attempt: &AttemptEnded,
    ) -> Result<(Target, OutgoingRequest), SkipReason> {
        let record = &attempt.request;
        if let ResponseRecord::Failure { name, .. } = &attempt.response
            && SenderAbort::leaves_request_incomplete(name)
        {
            return Err(SkipReason::IncompleteRequest);
        }
        let body = record.body.bytes().map(Cow::into_owned);
        let body = body.ok_or_else(|| unsendable(&"its body is incomplete"))?;
        let body = Bytes::from(body);
        let wire = record.wire.clone().unwrap_or_default();
        if let Some(key) = wire.http1_key()
            && self.context.capabilities.http_version == HttpVersion::Http2
        {
            return Err(SkipReason::NeedsHttp1(key));
        }
        let method = Method::from_bytes(record.method.as_bytes())
            .map_err(|_| unsendable(&format!("`{}` is not an HTTP method", record.method)))?;
        let url = Url::parse(&record.url).map_err(|error| unsendable(&error))?;
        let target = self.target(attempt, &url)?;
        let none = ExtraHeaders::default();
        let extra = if target.origin() == self.context.target.origin() {
            &self.context.headers
        } else {
            &none
        };
        if !record.is_complete(|name| extra.contains(name)) {
            return Err(SkipReason::Redacted);
        }
        let headers = if attempt.event_name.is_some() && self.signatures == Signatures::Fresh {
            let headers = self.sign(attempt, &target, &body)?.headers.into_iter();
            headers
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        } else {
            let mut headers = recorded_headers(record, &url, &target);
            headers.retain(|(name, _)| !extra.contains(name));
            headers
        };
        let mut request = OutgoingRequest::new(method).body(body);
        for (name, value) in headers {
            request = request
                .header(&name, value)
                .map_err(|error| unsendable(&error))?;
        }
        Ok((target, request.with_wire(wire).with_extra(extra)))
    }

    /// Deliveries go to the new target. Other requests go to the same path there, unless they went
    /// to another server.
    fn target(&self, attempt: &AttemptEnded, url: &Url) -> Result<Target, SkipReason> {
        let target = &self.context.target;
        if attempt.event_name.is_some() {
            return Ok(target.clone());
        }
        let moved = if url.origin() == self.recorded_target.origin() {
            target.with_path(&url[Position::BeforePath..Position::AfterQuery])
        } else {
            Target::parse(url.as_str(), &self.context.allowed)
        };
        moved.map_err(|error| unsendable(&error))
    }

    fn sign(
        &self,
        attempt: &AttemptEnded,
        target: &Target,
        body: &Bytes,
    ) -> Result<SignedRequest, SkipReason> {
        let now = self.context.clock.unix_seconds();
        let input = ForgeInput {
            host: target.authority(),
            body,
            timestamp: now,
            signer: &self.context.signer,
            expired: self.context.expired.as_ref(),
        };
        let Some(name) = attempt.forgery.as_deref() else {
            // A late retry had an old timestamp, so it gets an equally old one.
            let age = age_when_sent(attempt).unwrap_or(0);
            let timestamp = now.saturating_add_signed(age.saturating_neg());
            return Ok(sign(&ForgeInput { timestamp, ..input }));
        };
        let mut known = Forgery::ALL.into_iter();
        let forgery = known
            .find(|forgery| forgery.name() == name)
            .ok_or_else(|| unsendable(&format!("this aghook has no forgery `{name}`")))?;
        if forgery == Forgery::ExpiredSecret && self.context.expired.is_none() {
            return Err(SkipReason::NoExpiredSecret);
        }
        let mut random = Seed::of_text("replay").random();
        if forgery != Forgery::TamperedBody {
            return Ok(forge(forgery, &input, &mut random));
        }
        // The recorded body is the tampered one. It is sent unchanged, with the signature of
        // another body.
        let other = forge(forgery, &input, &mut random).body;
        let signed = sign(&ForgeInput {
            body: &other,
            ..input
        });
        Ok(SignedRequest {
            body: body.clone(),
            ..signed
        })
    }
}

fn unsendable(reason: &impl ToString) -> SkipReason {
    SkipReason::NotSendable(reason.to_string())
}

/// The recorded headers, but without those that announce the body, which the client adds, and with the new target's
/// host if they named the old target's.
fn recorded_headers(
    record: &SentRequestRecord,
    url: &Url,
    target: &Target,
) -> Vec<(String, String)> {
    let recorded_host = &url[Position::BeforeHost..Position::AfterPort];
    let mut headers = record.headers.clone();
    let announcing = ["content-length", "transfer-encoding", "expect"];
    headers.retain(|(name, _)| !announcing.contains(&name.to_ascii_lowercase().as_str()));
    for (name, value) in &mut headers {
        if name.eq_ignore_ascii_case("host") && value == recorded_host {
            target.authority().clone_into(value);
        }
    }
    // HTTP/2 requests have no `Host` header, but HTTP/1.1 requires one.
    if header(&headers, "host").is_none() {
        headers.insert(0, ("Host".to_owned(), target.authority().to_owned()));
    }
    headers
}

/// The signed timestamp of a recorded request, in Unix seconds.
pub(super) fn signed_timestamp(record: &SentRequestRecord) -> Option<u64> {
    header(&record.headers, TIMESTAMP_HEADER)?.parse().ok()
}

/// The age of a recorded request's signature when it was sent, in seconds.
fn age_when_sent(attempt: &AttemptEnded) -> Option<i64> {
    let signed = i64::try_from(signed_timestamp(&attempt.request)?).ok()?;
    attempt.started_at.as_second().checked_sub(signed)
}
