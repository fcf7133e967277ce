//! A running `aghook serve`, and requests to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::Folder;

/// No test waits longer than this for something to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process of `aghook serve` on a free port, killed when dropped.
pub(crate) struct LocalAghanim {
    process: Child,
    pub(crate) address: String,
    pub(crate) key: String,
    pub(crate) output: Vec<String>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl LocalAghanim {
    /// Starts it with the data file `serve.sqlite` in the folder.
    pub(crate) fn start(folder: &Folder, options: &[&str]) -> Self {
        Self::start_in(folder.root(), options)
    }

    fn start_in(folder: &Path, options: &[&str]) -> Self {
        let mut process = Command::new(assert_cmd::cargo::cargo_bin("aghook"))
            .current_dir(folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--data", "serve.sqlite"])
            .args(options)
            .env("AGHOOK_SECRET", crate::support::SECRET)
            .env("AGHANIM_API_KEY", "the-key-of-the-team")
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut output = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            let is_last = line.contains("/local/redeem");
            output.push(line);
            if is_last {
                break;
            }
        }
        // What it prints later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let value = |name: &str| {
            let line = output.iter().find_map(|line| line.strip_prefix(name));
            let line = line.unwrap_or_else(|| panic!("no {name:?} in {output:?}"));
            line.trim().to_owned()
        };
        let address = value("dashboard")
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let key = value("API key");
        Self {
            process,
            address,
            key,
            output,
        }
    }

    /// Kills the process as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
    }

    /// Sends the signal of Ctrl-C, and returns whether the process succeeded.
    #[cfg(unix)]
    pub(crate) fn interrupt(mut self) -> bool {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("sent").success());
        self.process.wait().expect("ended").success()
    }

    /// A request with the API key.
    pub(crate) fn api(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let key = format!("Authorization: Bearer {}", self.key);
        self.request(method, &format!("/s2s/v1{path}"), &[&key], body)
    }

    /// A request to the control API.
    pub(crate) fn local(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.request(method, &format!("/local{path}"), &[], body)
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: Option<Value>,
    ) -> Reply {
        let body = body.map(|body| body.to_string());
        let mut lines: Vec<String> = headers.iter().map(ToString::to_string).collect();
        if !headers.iter().any(|line| line.starts_with("Host:")) {
            lines.push(format!("Host: {}", self.address));
        }
        if let Some(body) = &body {
            lines.push("Content-Type: application/json".to_owned());
            lines.push(format!("Content-Length: {}", body.len()));
        }
        lines.push("Connection: close".to_owned());
        let body = body.unwrap_or_default();
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\n{}\r\n\r\n{body}",
            lines.join("\r\n")
        ))
    }

    /// A page of the dashboard.
    pub(crate) fn page(&self, path: &str) -> Reply {
        self.request("GET", path, &[], None)
    }

    /// Sends a form of the dashboard, as browsers do.
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.raw(&format!(
            "POST {path} HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {1}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }

    /// Sends these bytes, and reads the response.
    pub(crate) fn raw(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(&self.address).expect("connected");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        let (head, body) = response.split_once("\r\n\r\n").expect("a head");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Reply {
            status: status.expect("a status"),
            head: head.to_ascii_lowercase(),
            text: body.to_owned(),
            json: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    /// Creates a webhook for `coupon.redeemed`, and returns its JSON.
    pub(crate) fn webhook(&self, url: &str) -> Value {
        self.webhook_for(url, &["coupon.redeemed"])
    }

    pub(crate) fn webhook_for(&self, url: &str, events: &[&str]) -> Value {
        let body = json!({ "events": events, "url": url, "method": "POST" });
        let created = self.api("POST", "/webhooks", Some(body));
        assert_eq!(created.status, 201, "{created:?}");
        created.json
    }

    pub(crate) fn change_delivery(&self, webhook: &Value, change: Value) {
        let id = webhook["id"].as_str().expect("an ID");
        let changed = self.local("PATCH", &format!("/webhooks/{id}/delivery"), Some(change));
        assert_eq!(changed.status, 200, "{changed:?}");
    }

    pub(crate) fn redeem(&self, player: &str, code: &str) -> Reply {
        let body = json!({ "player_id": player, "code": code });
        self.local("POST", "/redeem", Some(body))
    }

    /// How many deliveries are in this state.
    pub(crate) fn count(&self, state: &str) -> u64 {
        self.local("GET", "/status", None).json["deliveries"][state]
            .as_u64()
            .expect("a number")
    }

    /// Waits until no delivery is pending.
    pub(crate) fn drain(&self) {
        wait_until("the queue is empty", || self.count("pending") == 0);
    }
}

impl Drop for LocalAghanim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::yield_now();
    }
}
