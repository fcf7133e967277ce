//! Every action of the dashboard, clicked: on a desktop and on a phone, in light and dark.

use serde_json::{Value, json};
use thirtyfour::Key;

use super::visit::Visit;
use crate::browser::in_browser;
use crate::local_aghanim::LocalAghanim;
use crate::recorder::Recorder;
use crate::support::Folder;

/// The screens and color schemes.
const LOOKS: [(u32, &str); 4] = [
    (1280, "light"),
    (1280, "dark"),
    (375, "light"),
    (375, "dark"),
];

#[expect(clippy::needless_pass_by_value, reason = "a closure at each call")]
fn everywhere(options: &[&str], visit: impl AsyncFn(&Visit<'_>)) {
    in_browser(async |browser| {
        for (width, scheme) in LOOKS {
            let folder = Folder::new();
            let aghanim = LocalAghanim::start(&folder, options);
            let look = Visit::begin(browser, &aghanim, width, scheme).await;
            visit(&look).await;
            browser.driver.goto("about:blank").await.expect("left");
        }
    });
}

#[test]
fn one_click_shows_a_delivery_that_can_be_sent_again_and_copied() {
    everywhere(&["--demo-receiver"], async |visit| {
        visit.open("/").await;
        visit.go("#redeem-now").await;
        visit.wait_for_text("#delivery-1", "delivered").await;
        visit.go("#delivery-1 a").await;
        assert!(visit.text("#attempt-1").await.contains("200 OK"));
        let signature = visit.text("#attempt-1 .headers").await;
        assert!(signature.contains("X-Aghanim-Signature"), "{signature}");
        let key = visit.text("#body .json-key").await;
        assert_eq!(key, "\"event_type\"");

        visit.go("#resend").await;
        visit.wait_for("document.querySelector('#attempt-2')").await;

        let copied = "navigator.clipboard.writeText = async (text) => done(text);
            document.querySelector('#curl + .copy').click();";
        let copied = visit.browser.js_later(copied).await;
        let words = shlex::split(&copied.as_str().expect("text").replace("\\\n", ""));
        let words = words.expect("words of a shell");
        assert!(
            words
                .iter()
                .any(|word| word.starts_with("X-Aghanim-Signature: ")),
            "{words:?}"
        );
        visit.wait_for_text("#curl + .copy", "Copied").await;

        visit.click("#scenario").await;
        visit
            .wait_for("document.body.innerText.includes('tags:')")
            .await;
    });
}

#[test]
fn webhooks_are_created_changed_tested_and_deleted() {
    let receiver = Recorder::start();
    let url = receiver.url();
    everywhere(&[], async |visit| {
        visit.open("/").await;
        visit.go(".heading .main").await;
        visit.fill("[name=url]", &url).await;
        visit.fill("[name=description]", "The handler").await;
        visit.go(".form .main").await;
        let webhook = webhooks(visit)[0].clone();
        assert_eq!(webhook["description"], "The handler");

        visit.go("form[action$='/reveal'] button").await;
        let secret = visit.text(".secret").await;
        assert_eq!(json!(secret), revealed(visit, &webhook));
        visit.confirm(".confirm:has([action$='/expire'])").await;
        assert_ne!(json!(secret), revealed(visit, &webhook));
        assert!(!visit.text("main").await.contains(&secret));

        for (action, key, value) in [
            ("disable", "enabled", json!(false)),
            ("enable", "enabled", json!(true)),
            ("pause", "paused", json!(true)),
            ("resume", "paused", json!(false)),
        ] {
            visit.go(&format!("form[action$='/{action}'] button")).await;
            let now = &webhooks(visit)[0];
            let found = now.get(key).unwrap_or(&now["delivery"][key]);
            assert_eq!(*found, value, "{action}");
        }

        visit.go(".actions a[href^='/webhooks/']").await;
        visit.click("[name=item_add]").await;
        visit.go(".form .main").await;
        assert_eq!(
            webhooks(visit)[0]["events"],
            json!(["coupon.redeemed", "item.add"])
        );

        visit.go("form[action$='/test'] button").await;
        visit.wait_for_text("#facts .state", "delivered").await;
        assert!(visit.text("#body").await.contains("\"trigger\": \"test\""));

        visit.open("/webhooks").await;
        visit.confirm(".confirm:has([action$='/delete'])").await;
        assert_eq!(webhooks(visit), Vec::<Value>::new());
    });
}

fn webhooks(visit: &Visit<'_>) -> Vec<Value> {
    let list = visit.aghanim.local("GET", "/webhooks", None).json;
    list.as_array().expect("a list").clone()
}

fn revealed(visit: &Visit<'_>, webhook: &Value) -> Value {
    let id = webhook["id"].as_str().expect("an ID");
    let reply = visit
        .aghanim
        .api("POST", &format!("/webhooks/{id}/reveal"), None);
    reply.json["secret"].clone()
}

#[test]
fn items_and_coupons_are_created_changed_and_deleted_and_players_redeem_them() {
    everywhere(&["--demo-receiver"], async |visit| {
        visit.open("/items").await;
        visit.go(".heading .main").await;
        visit.fill("[name=sku]", "chest").await;
        visit.fill("[name=name]", "Chest").await;
        visit
            .click(".row:nth-of-type(1) [name=row_item] option:nth-child(2)")
            .await;
        visit
            .fill(".row:nth-of-type(1) [name=row_quantity]", "7")
            .await;
        visit.go(".form .main").await;
        assert!(
            visit
                .text(".card:last-child")
                .await
                .contains("7 × Crystals")
        );
        visit.go(".card:last-child a").await;
        visit.fill("[name=name]", "Treasure").await;
        visit.go(".form .main").await;
        assert!(visit.text(".card:last-child").await.contains("Treasure"));

        visit.open("/coupons").await;
        visit.go(".heading .main").await;
        visit.fill("[name=code]", "TREASURE").await;
        visit
            .click(".row:nth-of-type(1) [name=row_item] option:last-child")
            .await;
        visit.go(".form .main").await;
        visit.go(".card:last-child a").await;
        visit.fill("[name=max_redemptions]", "1").await;
        visit.go(".form .main").await;
        assert!(
            visit
                .text(".card:last-child")
                .await
                .contains("at most 1 redemptions")
        );

        let messages = [
            ("P1", "TREASURE", "1 × Treasure"),
            ("P1", "TREASURE", "You have already redeemed this code."),
            ("P2", "TREASURE", "no longer available"),
            ("P1", "NOSUCHCODE", "does not exist"),
            ("P1", "SUMMER25", "has expired"),
        ];
        visit.open("/redeem").await;
        for (player, code, message) in messages {
            visit.fill("[name=player]", player).await;
            visit.fill("[name=code]", code).await;
            visit.browser.keys(&Key::Escape.value().to_string()).await;
            visit.go(".shop form .main").await;
            let shown = visit.text(".message-to-player").await;
            assert!(shown.contains(message), "{shown}");
        }

        visit.open("/items").await;
        visit.confirm(".card:last-child .confirm").await;
        assert!(
            visit.text(".card:last-child").await.contains("Treasure"),
            "a coupon grants it"
        );
        visit.open("/coupons").await;
        visit.confirm(".card:last-child .confirm").await;
        visit.open("/items").await;
        visit.confirm(".card:last-child .confirm").await;
        assert!(!visit.text("main").await.contains("Treasure"));
    });
}

#[test]
fn faults_are_switched_on_and_seen_in_the_deliveries() {
    everywhere(
        &["--demo-receiver", "--time-scale", "100x"],
        async |visit| {
            visit.open("/faults").await;
            for share in ["lost_responses", "duplicates"] {
                visit.click(&format!("[name={share}_on]")).await;
                visit.fill(&format!("[name={share}]"), "100").await;
            }
            visit.click("[name=delay_on]").await;
            visit.fill("[name=delay]", "10ms").await;
            visit.choose("[name=forgery]", "wrong_secret").await;
            visit.choose("[name=layout]", "spaced").await;
            visit.go(".form .main").await;

            visit.open("/").await;
            visit.go("#redeem-now").await;
            visit
                .wait_for("document.querySelectorAll('#deliveries .delivered').length === 2")
                .await;
            visit
                .wait_for_text("#delivery-1", "forgery: wrong_secret")
                .await;
            visit.wait_for_text("#delivery-1", "refused").await;
            visit
                .wait_for_text("#delivery-2", "first response lost")
                .await;
            visit.wait_for_text("#delivery-2", "2 attempts").await;
            visit.wait_for_text("#delivery-3", "duplicate of 2").await;
            visit.go("#delivery-1 a").await;
            assert!(
                visit
                    .text("#facts")
                    .await
                    .contains("signed with another secret")
            );
            visit.go("main > p a").await;
            visit.go("#delivery-2 a").await;
            assert!(visit.text("#wait-1").await.contains("waits"));
            visit.click("#exact summary").await;
            assert!(
                visit
                    .text("#exact")
                    .await
                    .contains("\"event_type\": \"coupon.redeemed\", ")
            );

            visit.open("/faults").await;
            for share in ["lost_responses", "duplicates", "delay"] {
                visit.click(&format!("[name={share}_on]")).await;
            }
            visit.click("[name=reordered_on]").await;
            visit.choose("[name=forgery]", "").await;
            visit.choose("[name=layout]", "compact").await;
            visit.choose("[name=revision]", "2026-05-25").await;
            visit
                .fill("[name=retry]", "{ attempts: 2, delays: [1s] }")
                .await;
            visit.go(".form .main").await;
            let delivery = &webhooks(visit)[0]["delivery"];
            assert_eq!(delivery["revision"], "2026-05-25");
            assert_eq!(delivery["retry"]["attempts"], 2);
            visit.fill("[name=retry]", "off").await;
            visit.go(".form .main").await;
            assert_eq!(webhooks(visit)[0]["delivery"]["retry"], "off");
            let faults = &delivery["faults"];
            let off = json!(["0%", "0%", "50%", "0s", null]);
            let keys = [
                "lost_responses",
                "duplicates",
                "reordered",
                "delay",
                "forgery",
            ];
            assert_eq!(json!(keys.map(|key| faults[key].clone())), off);
            visit.click("[name=reordered_on]").await;
            visit.click("[name=ordered]").await;
            visit.go(".form .main").await;
            assert_eq!(webhooks(visit)[0]["delivery"]["ordered"], true);
        },
    );
}

#[test]
fn dead_letters_are_filtered_and_sent_again() {
    everywhere(&[], async |visit| {
        let receiver = Recorder::answering(|request| if request <= 2 { 403 } else { 200 });
        visit.aghanim.webhook(&receiver.url());
        visit.aghanim.redeem("P1", "WELCOME");
        visit.aghanim.redeem("P2", "WELCOME");
        visit.aghanim.drain();
        visit.open("/").await;
        visit.choose("[name=state]", "dead").await;
        visit.fill("[name=player]", "P2").await;
        visit.go(".filters button").await;
        let rows = "return document.querySelectorAll('#deliveries li').length";
        assert_eq!(visit.browser.js(rows).await, 1);
        visit.go(".filters a").await;
        assert_eq!(visit.browser.js(rows).await, 2);
        visit.choose("[name=state]", "dead").await;
        visit.go(".filters button").await;
        visit.go("#resend-dead").await;
        visit
            .wait_for("document.querySelectorAll('#deliveries .delivered').length === 2")
            .await;

        // Live updates can be paused.
        visit.click(".live-state button").await;
        visit.aghanim.redeem("P3", "WELCOME");
        visit.aghanim.drain();
        assert_eq!(visit.browser.js(rows).await, 2);
        visit.click(".live-state button").await;
        visit
            .wait_for("document.querySelectorAll('#deliveries li').length === 3")
            .await;
    });
}

#[test]
fn keys_alone_redeem_a_code_and_open_its_delivery() {
    everywhere(&["--demo-receiver"], async |visit| {
        visit.open("/").await;
        let tab = Key::Tab.value().to_string();
        let enter = Key::Enter.value().to_string();
        let focused = "return document.activeElement.id || document.activeElement.className";
        visit.browser.keys(&tab).await;
        assert_eq!(visit.browser.js(focused).await, "skip");
        visit.browser.keys(&enter).await;
        visit.browser.keys(&tab).await;
        assert_eq!(visit.browser.js(focused).await, "redeem-now");
        visit.browser.keys(&enter).await;
        visit.wait_for_text("#delivery-1", "delivered").await;
        // The focus is visible, and a live update does not take it away.
        let focus = "document.querySelector('#delivery-1 a').focus(); return true";
        visit.browser.js(focus).await;
        visit.aghanim.redeem("P9", "WELCOME");
        visit.wait_for_text("#delivery-2", "delivered").await;
        let row = "return document.activeElement.closest('li')?.id";
        assert_eq!(visit.browser.js(row).await, "delivery-1");
        visit.browser.keys(&enter).await;
        visit
            .wait_for("location.pathname === '/deliveries/1'")
            .await;
    });
}
