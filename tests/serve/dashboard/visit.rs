//! A visit to the dashboard: goes through pages as people do, and checks each of them.

use std::path::Path;
use std::sync::Once;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::By;

use crate::browser::Browser;
use crate::local_aghanim::LocalAghanim;

/// No test waits longer than this for something to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `axe-core` must not find.
const VIOLATIONS: &str = "axe.run(document, { resultTypes: ['violations'] }).then(
    ({ violations }) => done(violations.map(({ id, nodes }) => [id, nodes[0].html, nodes[0].failureSummary])),
    (error) => done(String(error)))";

pub(super) struct Visit<'a> {
    pub(super) browser: &'a Browser,
    pub(super) aghanim: &'a LocalAghanim,
    width: u32,
    axe: Option<String>,
}

impl<'a> Visit<'a> {
    pub(super) async fn begin(
        browser: &'a Browser,
        aghanim: &'a LocalAghanim,
        width: u32,
        scheme: &str,
    ) -> Self {
        browser.screen(width, width < 500).await;
        browser.colours(scheme).await;
        Self {
            browser,
            aghanim,
            width,
            axe: axe(),
        }
    }

    /// Opens a page, and checks it.
    pub(super) async fn open(&self, path: &str) {
        let url = format!("http://{}{path}", self.aghanim.address);
        self.browser.driver.goto(url).await.expect("opened");
        self.check().await;
    }

    /// Clicks on the element that the selector finds.
    pub(super) async fn click(&self, selector: &str) {
        let element = self.browser.driver.find(By::Css(selector)).await;
        let element = element.unwrap_or_else(|error| panic!("no {selector}: {error}"));
        let clicked = element.click().await;
        clicked.unwrap_or_else(|error| panic!("can't click {selector}: {error}"));
    }

    /// Clicks on something that leads to another page, and checks that page.
    pub(super) async fn go(&self, selector: &str) {
        self.browser.js("window.isOld = true").await;
        self.click(selector).await;
        self.wait_for("!window.isOld && document.readyState === 'complete'")
            .await;
        self.check().await;
    }

    /// Clicks on the button of a form in the open `details` after it.
    pub(super) async fn confirm(&self, summary: &str) {
        self.click(&format!("{summary} > summary")).await;
        self.go(&format!("{summary} button")).await;
    }

    /// Types text into a field, instead of what it contains.
    pub(super) async fn fill(&self, selector: &str, text: &str) {
        let element = self.browser.driver.find(By::Css(selector)).await;
        let element = element.unwrap_or_else(|error| panic!("no {selector}: {error}"));
        element.clear().await.expect("cleared");
        element.send_keys(text).await.expect("typed");
    }

    /// Chooses from a list.
    pub(super) async fn choose(&self, selector: &str, value: &str) {
        self.click(&format!("{selector} option[value='{value}']"))
            .await;
        let chosen = format!("document.querySelector(\"{selector}\").value === '{value}'");
        self.wait_for(&chosen).await;
    }

    /// The visible text of an element.
    pub(super) async fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector(\"{selector}\")?.innerText ?? ''");
        self.browser
            .js(&script)
            .await
            .as_str()
            .expect("text")
            .to_owned()
    }

    /// Waits until a condition in JavaScript holds, on this page or the one that it leads to.
    pub(super) async fn wait_for(&self, condition: &str) {
        let script = format!("return Boolean({condition})");
        let began = Instant::now();
        // A script that waits in a page ends with the page, so each look is a script of its own.
        while !self.holds(&script).await {
            if began.elapsed() > PATIENCE {
                let page = self.browser.js("return document.body.innerText").await;
                panic!("waited too long until {condition}; the page: {page}");
            }
            tokio::task::yield_now().await;
        }
    }

    /// Whether a script returns true. It fails while a page is being left.
    async fn holds(&self, script: &str) -> bool {
        let returned = self.browser.driver.execute(script, Vec::new()).await;
        returned.is_ok_and(|value| *value.json() == true)
    }

    /// Waits until an element contains a text.
    pub(super) async fn wait_for_text(&self, selector: &str, text: &str) {
        let condition = format!(
            "document.querySelector(\"{selector}\")?.innerText.includes({})",
            json!(text)
        );
        self.wait_for(&condition).await;
    }

    /// No messages in the console, nothing wider than the screen, one main heading, and no violations.
    async fn check(&self) {
        let page = self.browser.js("return location.pathname").await;
        let mut messages = self.browser.console().await;
        // Chromium reports a form that was refused.
        messages.retain(|message| !message.contains("422 (Unprocessable Entity)"));
        assert_eq!(messages, Vec::<String>::new(), "{page}");
        let width = self
            .browser
            .js("return document.documentElement.scrollWidth")
            .await;
        assert!(width.as_u64() <= Some(self.width.into()), "{page}: {width}");
        let headings = "return document.querySelectorAll('h1').length";
        assert_eq!(self.browser.js(headings).await, 1, "{page}");
        if let Some(axe) = &self.axe {
            self.browser
                .js(&format!("{axe}; window.axe = axe; return true"))
                .await;
            let violations = self.browser.js_later(VIOLATIONS).await;
            assert_eq!(violations, Value::Array(Vec::new()), "{page}");
        }
    }
}

/// The script of `axe-core`, if it is installed.
fn axe() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/dashboard");
    let script = std::fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js")).ok();
    if script.is_none() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            eprintln!(
                "left out: accessibility by axe-core; run `npm ci --ignore-scripts` in {}",
                folder.display()
            );
        });
    }
    script
}
