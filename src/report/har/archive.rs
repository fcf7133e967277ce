//! The objects of HAR 1.2, named as the format names them. What is never known is left out where
//! the format allows, and -1 or empty where it does not.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use crate::harness::Verdict;

#[derive(Serialize)]
pub(super) struct Archive {
    pub(super) log: Log,
}

#[derive(Serialize)]
pub(super) struct Log {
    pub(super) version: &'static str,
    pub(super) creator: Creator,
    pub(super) pages: Vec<Page>,
    pub(super) entries: Vec<Entry>,
}

#[derive(Serialize)]
pub(super) struct Creator {
    pub(super) name: &'static str,
    pub(super) version: Cow<'static, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) started_date_time: String,
    pub(super) id: String,
    pub(super) title: String,
    #[serde(rename = "pageTimings")]
    pub(super) timings: PageTimings,
    #[serde(rename = "_verdict")]
    pub(super) verdict: Verdict,
    #[serde(rename = "_file")]
    pub(super) file: String,
    #[serde(rename = "_line")]
    pub(super) line: usize,
}

/// Nothing is loaded and rendered here.
#[derive(Serialize)]
pub(super) struct PageTimings {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// By which entries are ordered; written below.
    #[serde(skip)]
    pub(super) started_at: Timestamp,
    pub(super) pageref: String,
    pub(super) started_date_time: String,
    /// Milliseconds, the sum of the timings.
    pub(super) time: f64,
    pub(super) request: Request,
    pub(super) response: Response,
    pub(super) cache: Cache,
    pub(super) timings: Timings,
    #[serde(rename = "serverIPAddress", skip_serializing_if = "Option::is_none")]
    pub(super) server_ip_address: Option<String>,
    /// By which a browser's filter finds it.
    #[serde(rename = "_resourceType")]
    pub(super) resource_type: &'static str,
    #[serde(flatten)]
    pub(super) attempt: AttemptFields,
}

/// What only a sender of webhooks knows.
#[derive(Serialize)]
pub(super) struct AttemptFields {
    #[serde(rename = "_step")]
    pub(super) step: usize,
    #[serde(rename = "_delivery")]
    pub(super) delivery: usize,
    #[serde(rename = "_attempt")]
    pub(super) attempt: u32,
    #[serde(rename = "_event")]
    pub(super) event: Option<String>,
    #[serde(rename = "_forgery")]
    pub(super) forgery: Option<Cow<'static, str>>,
    #[serde(rename = "_virtualOffsetSeconds")]
    pub(super) virtual_offset: f64,
    #[serde(rename = "_connectionReused")]
    pub(super) connection_reused: Option<bool>,
}

/// Nothing is cached here.
#[derive(Serialize)]
pub(super) struct Cache {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) http_version: Cow<'static, str>,
    pub(super) cookies: [(); 0],
    pub(super) headers: Vec<Pair>,
    pub(super) query_string: Vec<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) post_data: Option<PostData>,
    pub(super) headers_size: i64,
    pub(super) body_size: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    /// 0 where there is no answer, as browsers write it.
    pub(super) status: u16,
    pub(super) status_text: &'static str,
    pub(super) http_version: Cow<'static, str>,
    pub(super) cookies: [(); 0],
    pub(super) headers: Vec<Pair>,
    pub(super) content: Content,
    #[serde(rename = "redirectURL")]
    pub(super) redirect_url: String,
    pub(super) headers_size: i64,
    pub(super) body_size: i64,
    /// Why there is no answer, where browsers look for it.
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PostData {
    pub(super) mime_type: String,
    pub(super) text: String,
    /// HAR 1.2 has no word for it in a request; later drafts call it `encoding`.
    #[serde(rename = "_encoding", skip_serializing_if = "Option::is_none")]
    pub(super) encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    pub(super) size: u64,
    pub(super) mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

/// Milliseconds; -1 for what does not apply or is part of another.
#[derive(Serialize)]
pub(super) struct Timings {
    pub(super) blocked: f64,
    pub(super) dns: f64,
    pub(super) connect: f64,
    pub(super) ssl: f64,
    pub(super) send: f64,
    pub(super) wait: f64,
    pub(super) receive: f64,
}
