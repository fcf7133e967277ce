//! Aghanim's API for webhooks: statuses, secrets, and what the local one can't do.

use serde_json::{Value, json};

use crate::local_aghanim::LocalAghanim;
use crate::support::Folder;

const URL: &str = "http://127.0.0.1:1/hook";

fn body() -> Value {
    json!({ "events": ["coupon.redeemed"], "url": URL, "method": "POST" })
}

#[test]
fn a_webhook_is_created_read_changed_and_deleted() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let created = aghanim.api("POST", "/webhooks", Some(body()));
    assert_eq!(created.status, 201);
    let webhook = created.json;
    assert_eq!(webhook["events"], json!(["coupon.redeemed"]));
    assert_eq!(
        (&webhook["enabled"], &webhook["method"]),
        (&json!(true), &json!("POST"))
    );
    assert!(
        webhook["secret"]
            .as_str()
            .is_some_and(|secret| secret.len() >= 32)
    );
    assert!(webhook.get("secret_redacted").is_none());
    let path = format!("/webhooks/{}", webhook["id"].as_str().expect("an ID"));

    let read = aghanim.api("GET", &path, None);
    assert_eq!((read.status, &read.json["url"]), (200, &json!(URL)));
    assert!(read.json.get("secret").is_none() && read.json["secret_redacted"].is_string());
    let change = json!({ "description": "mine", "events": ["item.add", "coupon.redeemed"] });
    let changed = aghanim.api("PUT", &path, Some(change));
    assert_eq!(
        (changed.status, &changed.json["description"]),
        (200, &json!("mine"))
    );
    assert_eq!(
        changed.json["events"],
        json!(["item.add", "coupon.redeemed"])
    );
    assert_eq!(changed.json["url"], json!(URL));

    let reveal = aghanim.api("POST", &format!("{path}/reveal"), None);
    assert_eq!(
        (reveal.status, &reveal.json["secret"]),
        (200, &webhook["secret"])
    );
    let expired = aghanim.api("POST", &format!("{path}/expire_secret"), None);
    assert_eq!(expired.status, 200);
    assert_ne!(expired.json["secret"], webhook["secret"]);
    let revealed = aghanim.api("POST", &format!("{path}/reveal"), None);
    assert_eq!(revealed.json["secret"], expired.json["secret"]);

    assert_eq!(aghanim.api("DELETE", &path, None).status, 204);
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/reveal")),
        ("POST", format!("{path}/expire_secret")),
        ("GET", "/webhook".to_owned()),
    ] {
        let missing = aghanim.api(method, &path, None);
        assert_eq!(missing.status, 404, "{method} {path}");
        assert!(missing.json["detail"].is_string());
    }
    assert_eq!(aghanim.api("PATCH", "/webhooks", None).status, 405);
}

#[test]
fn a_list_has_a_limit_and_an_offset() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let ids: Vec<Value> = (0..3).map(|_| aghanim.webhook(URL)["id"].clone()).collect();
    let list = |query: &str| {
        let list = aghanim.api("GET", &format!("/webhooks{query}"), None).json;
        let list = list.as_array().expect("a list").iter();
        list.map(|webhook| webhook["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(""), ids);
    assert_eq!(list("?limit=2"), ids[..2]);
    assert_eq!(list("?limit=2&offset=1"), ids[1..]);
    assert_eq!(list("?offset=9"), ids[3..]);
    for query in ["?limit=x", "?offset=-1"] {
        let refused = aghanim.api("GET", &format!("/webhooks{query}"), None);
        assert_eq!(refused.status, 422);
        assert_eq!(refused.json["detail"][0]["loc"][0], "query");
    }
}

#[test]
fn requests_without_the_key_are_refused() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let get =
        |authorization: &[&str]| aghanim.request("GET", "/s2s/v1/webhooks", authorization, None);
    let none = get(&[]);
    assert_eq!(none.status, 401);
    assert!(
        none.head.contains("www-authenticate: bearer"),
        "{}",
        none.head
    );
    assert_eq!(get(&["Authorization: Bearer wrong"]).status, 401);
    let basic = assert_cmd::Command::new("base64")
        .write_stdin(format!("{}:", aghanim.key))
        .args(["-w0"])
        .output();
    if let Ok(basic) = basic {
        let basic = String::from_utf8(basic.stdout).expect("text");
        assert_eq!(get(&[&format!("Authorization: Basic {basic}")]).status, 200);
    }
}

#[test]
fn invalid_fields_and_unsupported_ones_are_told_apart() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let with = |key: &str, value: Value| {
        let mut body = body();
        body[key] = value;
        let reply = aghanim.api("POST", "/webhooks", Some(body));
        (reply.status, reply.json["detail"].to_string())
    };
    for (key, value, status, part) in [
        (
            "method",
            json!("PUT"),
            422,
            "value is not a valid enumeration member",
        ),
        ("method", json!("GET"), 400, "as POST"),
        (
            "events",
            json!(["coupon.redeem"]),
            422,
            "value is not a valid enumeration member",
        ),
        (
            "events",
            json!("coupon.redeemed"),
            422,
            "value is not a valid list",
        ),
        (
            "events",
            json!(["order.paid"]),
            400,
            "does not emit `order.paid`",
        ),
        ("batch_mode", json!(true), 400, "in batches"),
        ("batch_mode", json!("yes"), 422, "boolean"),
        ("enabled", json!(1), 422, "boolean"),
        ("url", json!(7), 422, "str type expected"),
        ("url", json!("/hook"), 422, "give a full URL"),
        (
            "url",
            json!("https://live.example.com/"),
            400,
            "--allow-host live.example.com",
        ),
        ("enabled", json!(null), 422, "none is not an allowed value"),
    ] {
        let (found, detail) = with(key, value.clone());
        assert_eq!(found, status, "{key} {value}: {detail}");
        assert!(detail.contains(part), "{key} {value}: {detail}");
    }
    for (key, value) in [("batch_mode", json!(false)), ("description", json!(null))] {
        assert_eq!(with(key, value).0, 201, "{key}");
    }
    let key = format!("Authorization: Bearer {}", aghanim.key);
    let head = format!(
        "POST /s2s/v1/webhooks HTTP/1.1\r\nHost: {}\r\n{key}\r\nConnection: close\r\n",
        aghanim.address
    );
    let json = "Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{";
    let broken = aghanim.raw(&format!("{head}{json}"));
    assert_eq!(broken.status, 422);
    assert_eq!(broken.json["detail"][0]["type"], "value_error.jsondecode");
    let form = aghanim.raw(&format!("{head}Content-Length: 1\r\n\r\n{{"));
    assert_eq!(form.status, 422, "the document has no 415");
    assert_eq!(form.json["detail"][0]["loc"], json!(["body"]));
    let empty = aghanim.api("POST", "/webhooks", Some(json!({})));
    assert_eq!(empty.json["detail"].as_array().map(Vec::len), Some(3));
}

#[test]
fn more_than_a_thousand_requests_a_minute_are_refused() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let statuses: Vec<u16> = (0..1001)
        .map(|_| aghanim.api("GET", "/webhooks", None).status)
        .collect();
    assert!(statuses[..1000].iter().all(|status| *status == 200));
    assert_eq!(statuses[1000], 429);
    let refused = aghanim.api("GET", "/webhooks", None);
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    assert_eq!(aghanim.local("GET", "/status", None).status, 200);
}
