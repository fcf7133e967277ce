//! The objects of HAR 1.2, named after the format's objects. Values that are never known are left out
//! if the format allows that; otherwise they are -1 or empty.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use crate::verify::Verdict;

#[derive(Serialize)]
pub(super) struct HarArchive {
    pub(super) log: HarLog,
}

#[derive(Serialize)]
pub(super) struct HarLog {
    pub(super) version: &'static str,
    pub(super) creator: HarCreator,
    pub(super) pages: Vec<HarPage>,
    pub(super) entries: Vec<HarEntry>,
}

#[derive(Serialize)]
pub(super) struct HarCreator {
    pub(super) name: &'static str,
    pub(super) version: Cow<'static, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HarPage {
    pub(super) started_date_time: String,
    pub(super) id: String,
    pub(super) title: String,
    #[serde(rename = "pageTimings")]
    pub(super) timings: HarPageTimings,
    #[serde(rename = "_verdict")]
    pub(super) verdict: Verdict,
    #[serde(rename = "_file")]
    pub(super) file: String,
    #[serde(rename = "_line")]
    pub(super) line: usize,
}

/// Empty: no page is loaded or rendered.
#[derive(Serialize)]
pub(super) struct HarPageTimings {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HarEntry {
    /// The sort key; `started_date_time` is the written form.
    #[serde(skip)]
    pub(super) started_at: Timestamp,
    pub(super) pageref: String,
    pub(super) started_date_time: String,
    /// The sum of the timings, in milliseconds.
    pub(super) time: f64,
    pub(super) request: HarRequest,
    pub(super) response: HarResponse,
    pub(super) cache: HarCache,
    pub(super) timings: HarTimings,
    #[serde(rename = "serverIPAddress", skip_serializing_if = "Option::is_none")]
    pub(super) server_ip_address: Option<String>,
    /// The type that a browser's filter uses.
    #[serde(rename = "_resourceType")]
    pub(super) resource_type: &'static str,
    #[serde(flatten)]
    pub(super) attempt: HarAttemptFields,
}

/// The custom fields of an attempt.
#[derive(Serialize)]
pub(super) struct HarAttemptFields {
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

/// Empty: nothing is cached.
#[derive(Serialize)]
pub(super) struct HarCache {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HarRequest {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) http_version: Cow<'static, str>,
    pub(super) cookies: [(); 0],
    pub(super) headers: Vec<HarPair>,
    pub(super) query_string: Vec<HarPair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) post_data: Option<HarPostData>,
    pub(super) headers_size: i64,
    pub(super) body_size: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HarResponse {
    /// 0 if there is no response, as browsers write it.
    pub(super) status: u16,
    pub(super) status_text: &'static str,
    pub(super) http_version: Cow<'static, str>,
    pub(super) cookies: [(); 0],
    pub(super) headers: Vec<HarPair>,
    pub(super) content: HarContent,
    #[serde(rename = "redirectURL")]
    pub(super) redirect_url: String,
    pub(super) headers_size: i64,
    pub(super) body_size: i64,
    /// Why there is no response, where browsers look for it.
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Serialize)]
pub(super) struct HarPair {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HarPostData {
    pub(super) mime_type: String,
    pub(super) text: String,
    /// HAR 1.2 has no such field for requests; later drafts call it `encoding`.
    #[serde(rename = "_encoding", skip_serializing_if = "Option::is_none")]
    pub(super) encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HarContent {
    pub(super) size: u64,
    pub(super) mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

/// In milliseconds; -1 if a part does not apply or is included in another.
#[derive(Serialize)]
pub(super) struct HarTimings {
    pub(super) blocked: f64,
    pub(super) dns: f64,
    pub(super) connect: f64,
    pub(super) ssl: f64,
    pub(super) send: f64,
    pub(super) wait: f64,
    pub(super) receive: f64,
}
