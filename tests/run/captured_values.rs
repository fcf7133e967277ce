//! Values that steps capture from responses and use later.

use std::sync::{Arc, Mutex};

use crate::support::{Folder, Peer, PeerResponse, Transcript};

const SCENARIO: &str = "name: captured
vars: { path: receipts }
events: { coupon: {} }
steps:
  - deliver: coupon
    expect: { status: 2xx }
    capture: { receipt: $.receipt.id, count: $.count, etag: { header: ETag } }
  - request:
      url: /${path}/${captured.receipt}?count=${captured.count}
      headers: { If-Match: '${captured.etag}' }
      body: { receipt: '${captured.receipt}', note: 'no ${captured.count}' }
    expect: { status: 200 }
    capture: { next: { header: Location } }
  - request: { url: '${captured.next}' }
  - hook: note
    with: { receipt: '${captured.receipt}' }
";

fn run(scenario: &str, body: &'static str) -> (Transcript, Vec<String>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let recorded = Arc::clone(&seen);
    let peer = Peer::answering(move |request| {
        let matching = request.header("if-match").unwrap_or_default().to_owned();
        let line = format!("{} {} {matching}", request.method, request.path);
        let mut seen = recorded.lock().expect("not poisoned");
        seen.push(line.trim_end().to_owned());
        if request.path.starts_with("/receipts") {
            seen.push(String::from_utf8(request.body.clone()).expect("text"));
        }
        let response = PeerResponse::new(200).header("ETag", "tag7").body(body);
        response.header("Location", "/next/a%2Fb")
    });
    let base = format!("http://{}", peer.address);
    let config = format!(
        "profiles:\n  p:\n    target: {base}/hook\n    hooks:\n      \
         note: {{ http: \"PUT {base}/note/{{receipt}}\" }}\n"
    );
    let folder = Folder::with_scenario(scenario).with("aghook.yaml", config);
    let transcript = Transcript::of(&mut folder.run(&[]));
    let seen = seen.lock().expect("not poisoned").clone();
    (transcript, seen)
}

#[test]
fn requests_and_hooks_use_captured_values() {
    let (transcript, seen) = run(SCENARIO, r#"{"receipt":{"id":"r/1 \"x\""},"count":3}"#);
    transcript.ends_with(0);
    let expected = [
        "POST /hook",
        "POST /receipts/r%2F1%20%22x%22?count=3 tag7",
        r#"{"receipt":"r/1 \"x\"","note":"no 3"}"#,
        "GET /next/a%2Fb",
        "PUT /note/r%2F1%20%22x%22",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_response_without_the_value_leaves_the_scenario_undecided() {
    for body in ["{}", "no JSON"] {
        let (transcript, seen) = run(SCENARIO, body);
        let words = [
            "broken",
            "capture `receipt`",
            "at $.receipt.id",
            "status 200",
        ];
        transcript.ends_with(3).says(&words);
        assert_eq!(seen.len(), 1);
    }
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    for (right, wrong, words) in [
        (
            "'${captured.etag}' }",
            "'${captured.etga}' }",
            ["no earlier step captures `etga`", "did you mean `etag`?"],
        ),
        (
            "'${captured.next}' }",
            "'${captured.later}' }",
            [
                "no earlier step captures `later`",
                "add `capture: { later: $.path }`",
            ],
        ),
        (
            "vars: { path: receipts }",
            "vars: { path: receipts }\nabout: ${captured.next}",
            ["`${captured.next}` can't be used here", "scenario.yaml:3:"],
        ),
        (
            "  - hook: note\n",
            "  - hook: note\n    capture: { a: $.a }\n",
            ["`capture` needs a response", "move `capture`"],
        ),
        (
            "receipt: $.receipt.id",
            "receipt: receipt.id",
            ["invalid JSONPath", "RFC 9535"],
        ),
        (
            "{ header: ETag }",
            "{ headr: ETag }",
            ["headr", "did you mean `header`?"],
        ),
        (
            "count: $.count",
            "a-b: $.count",
            ["`a-b` can't be the name", "letters"],
        ),
    ] {
        let scenario = SCENARIO.replacen(right, wrong, 1);
        assert_ne!(scenario, SCENARIO);
        let (transcript, seen) = run(&scenario, "{}");
        transcript.ends_with(2).says(&words);
        assert!(seen.is_empty(), "{wrong}");
    }
}
