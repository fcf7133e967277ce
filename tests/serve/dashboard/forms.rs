//! The pages without JavaScript: plain requests, as a browser without scripts sends them.

use serde_json::json;

use crate::local_aghanim::LocalAghanim;
use crate::recorder::Recorder;
use crate::support::Folder;

#[test]
fn forms_work_without_javascript_and_say_what_is_wrong() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &[]);
    for (path, fields, part) in [
        (
            "/webhooks",
            &[("url", "nonsense"), ("coupon_redeemed", "on")][..],
            "url: ",
        ),
        (
            "/webhooks",
            &[("url", "https://example.com/")],
            "--allow-host example.com",
        ),
        (
            "/items",
            &[("sku", "x"), ("price", "1.5")],
            "Price: expected a whole number, found `1.5`",
        ),
        ("/items", &[("name", "x")], "SKU: fill in this field"),
        ("/items", &[("sku", "crystals")], "another item has the SKU"),
        (
            "/coupons",
            &[("code", "X")],
            "Items: choose at least one item",
        ),
        (
            "/coupons",
            &[("code", "X"), ("ends", "soon")],
            "Ends: expected a date and time",
        ),
        ("/redeem", &[("code", "X")], "Enter your player ID"),
    ] {
        let reply = aghanim.form(path, fields);
        let text = reply.text.replace("&#96;", "`");
        assert!(
            reply.status == 422 && text.contains(part),
            "{path} {fields:?}: {text}"
        );
    }
    let created = aghanim.form(
        "/webhooks",
        &[
            ("url", &receiver.url()),
            ("coupon_redeemed", "on"),
            ("enabled", "on"),
        ],
    );
    assert_eq!(created.status, 303, "{}", created.text);
    let id = aghanim.local("GET", "/webhooks", None).json[0]["id"].clone();
    let id = id.as_str().expect("an ID");
    let faults = format!("/webhooks/{id}/faults");
    let unchanged = [("layout", "compact"), ("revision", "source")];
    for (field, value, message) in [
        ("lost_responses", "200%", "from 0% to 100%"),
        ("retry", "attempts: 0", "at least 1"),
        ("retry", "{ attempts", "a mapping of retry settings"),
    ] {
        let fields = [("lost_responses_on", "on"), (field, value)];
        let refused = aghanim.form(&faults, &[&fields[..], &unchanged].concat());
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains(message), "{}", refused.text);
        let kept = format!("value=\"{value}\"");
        assert!(
            refused.text.contains(&kept),
            "the form keeps what was entered"
        );
    }
    assert_eq!(
        aghanim
            .form("/redeem/new-player", &[("code", "WELCOME")])
            .status,
        303
    );
    receiver.wait_for(1);
    aghanim.drain();
    let page = aghanim.page("/");
    assert!(page.text.contains("id=\"delivery-1\""), "{}", page.text);
    for (path, status) in [
        ("/deliveries/7", 404),
        ("/deliveries/x", 404),
        ("/webhooks/whk_x", 404),
        ("/items/itm_x", 404),
        ("/coupons/cpn_x", 404),
    ] {
        assert_eq!(aghanim.page(path).status, status, "{path}");
    }
}

#[test]
fn secrets_are_shown_only_by_reveal_and_other_sites_send_no_forms() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &[]);
    let webhook = aghanim.webhook(&receiver.url());
    let (id, secret) = (
        webhook["id"].as_str().expect("an ID"),
        webhook["secret"].as_str(),
    );
    let secret = secret.expect("a secret");
    aghanim.redeem("P1", "WELCOME");
    aghanim.drain();
    for path in [
        "/",
        "/webhooks",
        &format!("/webhooks/{id}"),
        "/faults",
        "/deliveries/1",
        "/deliveries/1/curl",
        "/deliveries/1/scenario",
        "/redeem",
        "/items",
        "/coupons",
    ] {
        let page = aghanim.page(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(
            !page.text.contains(secret) && !page.text.contains(&aghanim.key),
            "{path}"
        );
        assert!(
            page.head
                .contains("content-security-policy: default-src 'none'"),
            "{path}"
        );
    }
    let revealed = aghanim.form(&format!("/webhooks/{id}/reveal"), &[]);
    assert!(revealed.text.contains(secret) && revealed.head.contains("cache-control: no-store"));
    let other = aghanim.raw(&format!(
        "POST /webhooks/{id}/reveal HTTP/1.1\r\nHost: {}\r\nOrigin: https://evil.example\r\nConnection: \
         close\r\nContent-Length: 0\r\n\r\n",
        aghanim.address
    ));
    assert_eq!(other.status, 403);
}

#[test]
fn a_delivery_becomes_a_scenario_that_aghook_runs() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &[]);
    let webhook = aghanim.webhook_for(&receiver.url(), &["coupon.redeemed", "item.add"]);
    let all = json!({ "layout": "spaced", "faults": { "forgery": "wrong_secret", "duplicates": "100%", "lost_responses": "100%" } });
    aghanim.change_delivery(&webhook, all);
    let mut deliveries = Vec::new();
    for code in ["WELCOME", "FOUNDERS", "KNIGHT", "THREEGIFTS"] {
        let redeemed = aghanim.redeem("P1", code).json;
        deliveries.extend(redeemed["deliveries"].as_array().expect("IDs").clone());
    }
    let id = webhook["id"].as_str().expect("an ID");
    let tested = aghanim
        .local("POST", &format!("/webhooks/{id}/test"), None)
        .json;
    deliveries.extend(tested["deliveries"].as_array().expect("IDs").clone());
    assert_eq!(deliveries.len(), 30);
    let (mut scenarios, mut names) = (Folder::new(), vec!["run".to_owned()]);
    for id in deliveries {
        let scenario = aghanim.page(&format!("/deliveries/{id}/scenario"));
        assert_eq!(scenario.status, 200, "{}", scenario.text);
        assert!(
            scenario.text.contains("layout: spaced"),
            "{}",
            scenario.text
        );
        let name = format!("delivery-{id}.yaml");
        scenarios = scenarios.with(&name, scenario.text);
        names.push(name);
    }
    // Without a target, the built-in receiver gets the events.
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    scenarios.aghook(&names).assert().success();
}
