//! What receivers and players send has no effect on the pages.

use serde_json::{Value, json};

use crate::browser::in_browser;
use crate::local_aghanim::LocalAghanim;
use crate::support::{Folder, Peer, PeerResponse};

const MARKUP: &str =
    "<img src=x onerror=\"window.taken = 1\"></pre><script>window.taken = 2</script>";

#[test]
fn markup_from_receivers_and_players_is_shown_as_text() {
    in_browser(async |browser| {
        let receiver = Peer::answering(|_| {
            PeerResponse::new(500)
                .header("X-Markup", MARKUP)
                .body(format!("{{\"a\": {}}}", json!(MARKUP)))
        });
        let folder = Folder::new();
        let aghanim = LocalAghanim::start(&folder, &[]);
        let webhook = aghanim.webhook(&format!("{}?{}", receiver.url(), "<b>"));
        aghanim.change_delivery(&webhook, json!({ "retry": "off" }));
        let redeemed = aghanim.redeem(MARKUP, "WELCOME");
        assert_eq!(redeemed.status, 200);
        aghanim.drain();
        for path in [
            "/",
            "/deliveries/1",
            "/webhooks",
            "/faults",
            "/?player=%3Cimg%20src=x%3E",
        ] {
            let url = format!("http://{}{path}", aghanim.address);
            browser.driver.goto(url).await.expect("opened");
            let wait = "const look = () => document.querySelector('.live-state, .cards') ? done(1) : setTimeout(look, 5); look();";
            browser.js_later(wait).await;
            let elements = "return document.querySelectorAll('main img, main script').length";
            assert_eq!(browser.js(elements).await, 0, "{path}");
            assert_eq!(browser.js("return window.taken ?? null").await, Value::Null);
            assert_eq!(browser.console().await, Vec::<String>::new(), "{path}");
        }
        let url = format!("http://{}/deliveries/1", aghanim.address);
        browser.driver.goto(url).await.expect("opened");
        let text = browser
            .js("return document.body.innerText")
            .await
            .to_string();
        assert!(text.matches("onerror").count() >= 3, "{text}");
        // The policy refuses inline scripts and other sites.
        let blocked =
            "fetch('https://example.com').then(() => done('reached'), () => done('kept'))";
        assert_eq!(browser.js_later(blocked).await, "kept");
    });
}
