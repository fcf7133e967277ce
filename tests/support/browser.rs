//! A headless Chromium, driven through chromedriver.

#![allow(dead_code, reason = "no test binary uses all of it")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Once;

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{
    CapabilitiesHelper as _, ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver,
};

/// The names of Chromium's executable.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The browser's options: no window and no background activity.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with a folder for pages.
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    folder: TempDir,
}

/// Runs `test` in a new browser. Prints a note if none is installed.
pub(crate) fn in_browser(test: impl AsyncFnOnce(&Browser)) {
    let (Some(chromium), true) = (
        BROWSERS.iter().find_map(|name| find_program(name)),
        find_program("chromedriver").is_some(),
    ) else {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // Written directly to stderr, since the test harness hides the output of passing tests.
            let _ = writeln!(
                std::io::stderr(),
                "left out: pages in a browser; install chromium and chromedriver (on Debian the \
                 packages chromium and chromium-driver) to test them"
            );
        });
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let driver = Driver::start();
        let profile = tempfile::tempdir().expect("a folder");
        let mut wanted = DesiredCapabilities::chrome();
        let binary = chromium.to_str().expect("a path of text");
        wanted.set_binary(binary).expect("a capability");
        let profile_argument = format!("--user-data-dir={}", profile.path().display());
        for argument in ARGUMENTS.iter().copied().chain([profile_argument.as_str()]) {
            wanted.add_arg(argument).expect("a capability");
        }
        let logs = json!({ "browser": "ALL", "performance": "ALL" });
        wanted.set("goog:loggingPrefs", logs).expect("a capability");
        let session = WebDriver::new(&driver.url, wanted).await;
        let browser = Browser {
            driver: session.expect("a session"),
            folder: tempfile::tempdir().expect("a folder"),
        };
        let ended = AssertUnwindSafe(test(&browser)).catch_unwind().await;
        let quit = browser.driver.quit().await;
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
        quit.expect("the browser ends");
    });
}

/// Finds a program in `PATH`.
fn find_program(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.find(|place| place.is_file())
}

impl Browser {
    /// Opens a page from a file, at an anchor such as `#scenario-2`.
    pub(crate) async fn open(&self, page: &str, anchor: &str) {
        let file = self.folder.path().join("report.html");
        std::fs::write(&file, page).expect("a file");
        // If only the anchor differs, the browser would not reload the file.
        self.driver.goto("about:blank").await.expect("a page");
        let url = url::Url::from_file_path(&file).expect("an absolute path");
        let opened = self.driver.goto(format!("{url}{anchor}")).await;
        opened.expect("the page opens");
    }

    /// Runs the body of a JavaScript function and returns its result.
    pub(crate) async fn js(&self, script: &str) -> Value {
        let returned = self.driver.execute(script, Vec::new()).await;
        returned.expect(script).json().clone()
    }

    /// Runs the body of a JavaScript function and returns what it passes to `done`.
    pub(crate) async fn js_later(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0]; {script}");
        let returned = self.driver.execute_async(&*script, Vec::new()).await;
        returned.expect(&script).json().clone()
    }

    /// Sends a command of the Chrome `DevTools` protocol.
    pub(crate) async fn command(&self, name: &str, parameters: Value) {
        let done = self.driver.cdp().send_raw(name, parameters).await;
        done.expect(name);
    }

    /// Emulates a screen of this width.
    pub(crate) async fn screen(&self, width: u32, mobile: bool) {
        let screen =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": mobile });
        self.command("Emulation.setDeviceMetricsOverride", screen)
            .await;
    }

    /// Emulates the system colour scheme `light` or `dark`.
    pub(crate) async fn colours(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.command("Emulation.setEmulatedMedia", features).await;
    }

    /// The entries of the browser's console.
    pub(crate) async fn console(&self) -> Vec<String> {
        let entries = self.driver.get_log("browser").await.expect("a log");
        entries
            .into_iter()
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect()
    }

    /// The URLs that pages from files requested.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let entries = self.driver.get_log("performance").await.expect("a log");
        let messages = entries.into_iter().filter_map(|entry| {
            let event: Value = serde_json::from_str(&entry.message).ok()?;
            let event = &event["message"];
            let of_page = event["params"]["documentURL"]
                .as_str()?
                .starts_with("file:");
            let asked = of_page && event["method"] == "Network.requestWillBeSent";
            asked.then(|| {
                event["params"]["request"]["url"]
                    .as_str()
                    .map(str::to_owned)
            })?
        });
        messages.collect()
    }

    /// Sends keys to the focused element.
    pub(crate) async fn keys(&self, keys: &str) {
        let chain = self.driver.action_chain().send_keys(keys);
        chain.perform().await.expect("keys are pressed");
    }
}

/// A chromedriver process on a free port, killed when dropped.
struct Driver {
    process: Child,
    url: String,
    /// Kept open, since chromedriver writes to it.
    output: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts chromedriver. It takes a free port of IPv4 and ends if IPv6's is taken, so it may need another
    /// one.
    fn start() -> Self {
        const TRIES: usize = 5;
        let driver = (0..TRIES).find_map(|_| Self::try_to_start());
        driver.expect("chromedriver ended before it was ready")
    }

    fn try_to_start() -> Option<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut driver = Self {
            process,
            url: String::new(),
            output,
        };
        loop {
            let mut line = String::new();
            if driver.output.read_line(&mut line).expect("text") == 0 {
                return None;
            }
            let words = line.trim_end().trim_end_matches('.');
            if let Some((_, port)) = words.rsplit_once("successfully on port ") {
                driver.url = format!("http://127.0.0.1:{port}");
                return Some(driver);
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
