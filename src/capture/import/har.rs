//! HAR 1.2, as browsers, proxies and `aghook run` write it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::ImportError;
use crate::capture::exchange::{Exchange, ExchangeTimings, RawBody, RawRequest, RawResponse};

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: Option<Timestamp>,
    /// In milliseconds; negative if it is not known.
    time: Option<f64>,
    request: Request,
    response: Option<Response>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    http_version: Option<String>,
    headers: Vec<Header>,
    post_data: Option<Content>,
}

#[derive(Deserialize)]
struct Response {
    /// 0 if there was none.
    status: u16,
    headers: Vec<Header>,
    content: Option<Content>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
struct Content {
    #[serde(default)]
    text: String,
    #[serde(alias = "_encoding")]
    encoding: Option<String>,
}

pub(super) fn read(document: &Value) -> Result<Vec<Exchange>, ImportError> {
    let har = Har::deserialize(document).map_err(ImportError::Har)?;
    Ok(har.log.entries.into_iter().map(Entry::exchange).collect())
}

impl Entry {
    fn exchange(self) -> Exchange {
        let took = self
            .time
            .and_then(|ms| Duration::try_from_secs_f64(ms / 1e3).ok());
        let response = self.response.filter(|response| response.status > 0);
        Exchange {
            at: self.started_date_time,
            response: response.map(|response| RawResponse {
                status: response.status,
                headers: owned(response.headers),
                body: response.content.unwrap_or_default().body(),
            }),
            timings: took.map(|end| ExchangeTimings {
                request_end: Duration::ZERO,
                response_begin: None,
                end,
            }),
            ..Exchange::of_log(self.request.raw())
        }
    }
}

impl Request {
    fn raw(self) -> RawRequest {
        let version = self.http_version.unwrap_or_default();
        let version = version.to_ascii_uppercase();
        let url = Url::parse(&self.url);
        RawRequest {
            method: self.method,
            path: url.map_or(self.url, |url| url[url::Position::BeforePath..].to_owned()),
            version: version.strip_prefix("HTTP/").map(str::to_owned),
            headers: owned(self.headers),
            body: self.post_data.unwrap_or_default().body(),
            is_chunked: false,
        }
    }
}

impl Content {
    fn body(self) -> RawBody {
        let decoded = match self.encoding.as_deref() {
            Some("base64") => STANDARD.decode(&self.text).ok(),
            _ => None,
        };
        RawBody::whole(decoded.unwrap_or_else(|| self.text.into_bytes()))
    }
}

fn owned(headers: Vec<Header>) -> Vec<(String, String)> {
    let headers = headers.into_iter();
    headers.map(|header| (header.name, header.value)).collect()
}
