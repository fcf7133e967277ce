//! From a recorded request to the one that is sent again: the same bytes, or signed afresh.

use bytes::Bytes;
use http::Method;
use url::{Position, Url};

use crate::delivery::{
    ForgeInput, OutgoingRequest, SenderAbort, SignedRequest, Target, forge, sign,
};
use crate::generate::Seed;
use crate::harness::{AnswerRecord, AttemptEnded, Harness, RequestRecord};
use crate::protocol::TIMESTAMP_HEADER;
use crate::scenario::Forgery;

/// How recorded deliveries are signed when they are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// As they were: the recorded signature and the recorded timestamp.
    AsRecorded,
    /// Afresh, with the present secret, and as old as they were when they were sent. A forgery is
    /// forged again.
    Fresh,
}

/// Why a recorded request is not sent again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LeftOut {
    /// The fault lost the request, or cut its body.
    #[error("the fault kept the receiver from having the whole request")]
    NeverWhole,
    /// Something in it was not recorded.
    #[error("a credential or a secret stands in the request, and is not recorded")]
    Hidden,
    /// It can't be signed with the secret before the present one.
    #[error(
        "signed with the secret before the present one, which is not known: name it as \
         `expired_secret_env` in the profile"
    )]
    NoExpiredSecret,
    /// The receiver would have to be told how to answer.
    #[error(
        "the scenario tells the receiver how to answer, and the profile has no `script` to do so"
    )]
    NoScript,
    /// The receiver could not be told how to answer.
    #[error("the receiver could not be told how to answer: {0}")]
    ScriptFailed(String),
    /// The receiver would have to be restarted.
    #[error("the scenario restarts the receiver, and the profile has no `restart` to do so")]
    NoRestart,
    /// The receiver could not be restarted.
    #[error("the receiver could not be restarted: {0}")]
    RestartFailed(String),
    /// It is no request that can be sent, or not from here.
    #[error("it can't be sent: {0}")]
    NotSendable(String),
}

/// Sends recorded requests again to the target of a harness.
#[derive(Debug)]
pub(super) struct Resending<'run> {
    pub(super) harness: &'run Harness,
    /// Where the recorded run's deliveries went.
    pub(super) recorded_target: &'run Url,
    pub(super) signatures: Signatures,
}

impl Resending<'_> {
    /// Where a recorded request goes now, and as what.
    pub(super) fn request(
        &self,
        attempt: &AttemptEnded,
    ) -> Result<(Target, OutgoingRequest), LeftOut> {
        let record = &attempt.request;
        if let AnswerRecord::Failure { name, .. } = &attempt.answer
            && SenderAbort::leaves_request_incomplete(name)
        {
            return Err(LeftOut::NeverWhole);
        }
        let fresh = attempt.event_name.is_some() && self.signatures == Signatures::Fresh;
        if !record.is_whole() {
            return Err(LeftOut::Hidden);
        }
        let unsendable = |reason: String| LeftOut::NotSendable(reason);
        let body = record.body.bytes().filter(|_| !record.body.truncated);
        let body = body.ok_or_else(|| unsendable("its body was not kept whole".to_owned()))?;
        let body = Bytes::copy_from_slice(&body);
        let method = Method::from_bytes(record.method.as_bytes())
            .map_err(|_| unsendable(format!("`{}` is not an HTTP method", record.method)))?;
        let url = Url::parse(&record.url).map_err(|error| unsendable(error.to_string()))?;
        let target = self.target(attempt, &url)?;
        let headers = if fresh {
            let signed = self.sign(attempt, &target, &body)?;
            let headers = signed.headers.into_iter();
            headers
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        } else {
            recorded_headers(record, &url, &target)
        };
        let request = OutgoingRequest::new(method).body(body);
        let request = headers
            .iter()
            .try_fold(request, |request, (name, value)| {
                request.header(name, value)
            })
            .map_err(|error| unsendable(error.to_string()))?;
        Ok((target, request))
    }

    /// Deliveries go to the target, and other requests to the same place there as then, unless they
    /// went to another server.
    fn target(&self, attempt: &AttemptEnded, url: &Url) -> Result<Target, LeftOut> {
        let target = &self.harness.target;
        if attempt.event_name.is_some() {
            return Ok(target.clone());
        }
        let moved = if url.origin() == self.recorded_target.origin() {
            target.with_path(&url[Position::BeforePath..Position::AfterQuery])
        } else {
            Target::parse(url.as_str(), &self.harness.allowed)
        };
        moved.map_err(|error| LeftOut::NotSendable(error.to_string()))
    }

    fn sign(
        &self,
        attempt: &AttemptEnded,
        target: &Target,
        body: &Bytes,
    ) -> Result<SignedRequest, LeftOut> {
        let now = self.harness.clock.unix_seconds();
        let input = ForgeInput {
            host: target.authority(),
            body,
            timestamp: now,
            signer: &self.harness.signer,
            expired: self.harness.expired.as_ref(),
        };
        let Some(name) = attempt.forgery.as_deref() else {
            // A late retry was old when it was sent, and stays so.
            let age = age_when_sent(attempt).unwrap_or(0);
            let timestamp = now.saturating_add_signed(age.saturating_neg());
            return Ok(sign(&ForgeInput { timestamp, ..input }));
        };
        let known = Forgery::ALL
            .into_iter()
            .find(|forgery| forgery.name() == name);
        let forgery = known.ok_or_else(|| {
            LeftOut::NotSendable(format!("there is no forgery `{name}` any more"))
        })?;
        if forgery == Forgery::ExpiredSecret && self.harness.expired.is_none() {
            return Err(LeftOut::NoExpiredSecret);
        }
        let mut random = Seed::of_text("replay").random();
        if forgery != Forgery::TamperedBody {
            return Ok(forge(forgery, &input, &mut random));
        }
        // The recorded body is the one that was tampered with. It is sent as it was, with the
        // signature of another.
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

/// The recorded headers, but for the name of the host where that was the target's own, and for the
/// length, which the client writes.
fn recorded_headers(record: &RequestRecord, url: &Url, target: &Target) -> Vec<(String, String)> {
    let then = &url[Position::BeforeHost..Position::AfterPort];
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let kept = record.headers.iter();
    let kept = kept.filter(|(name, _)| !is(name, "content-length"));
    let mut headers: Vec<(String, String)> = kept
        .map(|(name, value)| {
            let own_host = is(name, "host") && value == then;
            let value = if own_host { target.authority() } else { value };
            (name.clone(), value.to_owned())
        })
        .collect();
    // HTTP/2 has no such header; HTTP/1.1 does not do without one.
    if !headers.iter().any(|(name, _)| is(name, "host")) {
        headers.insert(0, ("Host".to_owned(), target.authority().to_owned()));
    }
    headers
}

/// The timestamp that a recorded request was signed with, in Unix seconds.
pub(super) fn signed_timestamp(record: &RequestRecord) -> Option<u64> {
    let mut headers = record.headers.iter();
    let header = headers.find(|(name, _)| name.eq_ignore_ascii_case(TIMESTAMP_HEADER));
    header?.1.parse().ok()
}

/// How old the signature of a recorded request was when it was sent, in seconds.
fn age_when_sent(attempt: &AttemptEnded) -> Option<i64> {
    let signed = i64::try_from(signed_timestamp(&attempt.request)?).ok()?;
    attempt.started_at.as_second().checked_sub(signed)
}
