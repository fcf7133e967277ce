//! `aghook sign`, `aghook verify` and common behaviour of all commands.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

const SECRET: &str = "whsec_test_1";
const TIMESTAMP: &str = "1725548450";
/// Signed by OpenSSL: `printf '%s' 'TIMESTAMP.BODY' | openssl dgst -sha256 -hmac 'SECRET'`
const BODY: &str = "{\"event_type\":\"coupon.redeemed\"}";
const SIGNATURE: &str = "f2f253cff43fc2f8115cc3d8a90e6a8b52b130720141c6bfe08a914f8749a1b9";

/// `aghook` with a known secret and without the environment variables that change its output.
fn aghook(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::cargo_bin("aghook").expect("built");
    command
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env("COLUMNS", "100")
        .env("AGHOOK_SECRET", SECRET)
        .args(arguments);
    command
}

/// The exit code, stdout and stderr as one text for a snapshot.
fn transcript(command: &mut assert_cmd::Command) -> String {
    let output = command.output().expect("runs");
    let code = output.status.code().expect("ends by itself");
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    format!("exit code {code}\n--- stdout\n{out}--- stderr\n{err}")
}

fn stdout(command: &mut assert_cmd::Command) -> String {
    let output = command.assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("UTF-8")
}

fn verify(signature: &str, timestamp: &str) -> assert_cmd::Command {
    aghook(&[
        "verify",
        "--now",
        "1725548460",
        "--signature",
        signature,
        "--timestamp",
        timestamp,
    ])
}

#[test]
fn sign_prints_the_same_signature_as_openssl() {
    let arguments = ["sign", "--timestamp", TIMESTAMP];
    let headers = stdout(aghook(&arguments).write_stdin(BODY));
    insta::assert_snapshot!("sign_headers", headers);
    assert!(headers.contains(SIGNATURE));

    let arguments = [&arguments[..], &["--as", "signature", "-"]].concat();
    let signature = stdout(aghook(&arguments).write_stdin(BODY));
    assert_eq!(signature.trim_end(), SIGNATURE);
}

#[test]
fn sign_writes_json_with_a_host() {
    let arguments = [
        "sign",
        "--timestamp",
        TIMESTAMP,
        "--as",
        "json",
        "--host",
        "a.b",
    ];
    insta::assert_snapshot!("sign_json", stdout(aghook(&arguments).write_stdin(BODY)));
}

#[test]
fn bodies_are_signed_byte_for_byte() {
    let folder = TempDir::new().expect("a folder");
    for body in [&b""[..], b"\xff\xfe\0\r\n", b"{}\n", b"\xef\xbb\xbf{}"] {
        let file = folder.path().join("body");
        fs::write(&file, body).expect("written");
        let file = file.to_str().expect("UTF-8");
        let sign = ["sign", "--timestamp", "7", "--as", "signature"];
        let from_file = stdout(&mut aghook(&[&sign[..], &[file]].concat()));
        let from_stdin = stdout(aghook(&sign).write_stdin(body));
        assert_eq!(from_file, from_stdin);
        verify(from_file.trim_end(), "7")
            .arg(file)
            .assert()
            .success();
    }
}

/// A shell splits the command into exactly the intended words.
#[cfg(unix)]
#[test]
fn the_curl_command_is_safe_to_paste() {
    let body = "{\"a\": \"it's $(touch x) `y` \\\\ ! %s\n\t\u{1f48e}\"}@";
    let target = "http://127.0.0.1:1/hook?a=1&b='$(z)'";
    let arguments = [
        "sign",
        "--timestamp",
        "7",
        "--as",
        "curl",
        "--target",
        target,
        "--host",
        "a b'c",
    ];
    let command = stdout(aghook(&arguments).write_stdin(body));
    let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}\n{command}");
    let output = Command::new("sh")
        .arg("-c")
        .arg(script)
        .output()
        .expect("sh");
    let words = String::from_utf8(output.stdout).expect("UTF-8");
    let words: Vec<&str> = words.split_terminator('\0').collect();
    assert_eq!(words[..2], ["--request", "POST"]);
    assert_eq!(words[2], "http://127.0.0.1:1/hook?a=1&b=%27$(z)%27");
    assert!(words.contains(&"Host: a b'c"));
    assert_eq!(words[words.len() - 2..], ["--data-raw", body]);
}

/// curl omits `Name:`; a header without a value must be written as `Name;`.
#[test]
fn the_curl_command_also_sends_empty_headers() {
    let fire = [
        "fire",
        "--forge",
        "empty_signature",
        "--dry-run",
        "--as",
        "curl",
    ];
    let command = stdout(aghook(&fire).args(["--target", "http://127.0.0.1:1/"]));
    assert!(
        command.contains("--header 'X-Aghanim-Signature;'"),
        "{command}"
    );
    assert!(!command.contains("X-Aghanim-Signature:"), "{command}");
}

#[test]
fn a_body_with_a_nul_byte_is_passed_as_a_file() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("it's a body");
    fs::write(&file, b"\0").expect("written");
    let arguments = [
        "sign",
        "--timestamp",
        "7",
        "--as",
        "curl",
        "--target",
        "http://127.0.0.1/",
    ];
    let from_file = stdout(aghook(&arguments).arg(&file));
    assert!(from_file.contains("--data-binary "), "{from_file}");
    aghook(&arguments).write_stdin("\0").assert().code(2);
}

#[test]
fn a_valid_signature_matches_and_an_old_timestamp_is_a_warning() {
    let fresh = transcript(verify(SIGNATURE, TIMESTAMP).write_stdin(BODY));
    insta::assert_snapshot!("verify_matches", fresh);
    let arguments = [
        "verify",
        "--signature",
        SIGNATURE,
        "--timestamp",
        TIMESTAMP,
        "--now",
        "1725735200",
    ];
    let old = transcript(aghook(&arguments).write_stdin(BODY));
    insta::assert_snapshot!("verify_matches_but_old", old);
}

#[test]
fn a_mistake_is_reported_with_its_fix() {
    let spaced = "{\"event_type\": \"coupon.redeemed\"}";
    let diagnosis = transcript(verify(SIGNATURE, TIMESTAMP).write_stdin(spaced));
    insta::assert_snapshot!("verify_json_compact", diagnosis);

    let json = transcript(
        verify(&SIGNATURE.to_uppercase(), TIMESTAMP)
            .arg("--json")
            .env("AGHOOK_SECRET", format!("{SECRET}\n"))
            .write_stdin(BODY),
    );
    insta::assert_snapshot!("verify_two_mistakes_json", json);
}

#[test]
fn a_signature_of_another_secret_names_its_variable() {
    let diagnosis = transcript(
        verify(SIGNATURE, TIMESTAMP)
            .env("AGHOOK_SECRET", "whsec_new")
            .env("OLD_SECRET", SECRET)
            .args(["--also-secret-env", "OLD_SECRET"])
            .write_stdin(BODY),
    );
    insta::assert_snapshot!("verify_other_secret", diagnosis);
}

#[test]
fn an_unexplained_signature_is_reported() {
    let diagnosis = transcript(verify(&"0".repeat(64), TIMESTAMP).write_stdin("{}"));
    insta::assert_snapshot!("verify_unexplained", diagnosis);
}

#[test]
fn headers_are_read_from_a_file() {
    let folder = TempDir::new().expect("a folder");
    let headers = folder.path().join("headers.txt");
    let lines = format!(
        "> POST /hook HTTP/1.1\r\n> x-aghanim-signature: {SIGNATURE}\r\n\
         > X-Aghanim-Signature-Timestamp:   {TIMESTAMP}  \r\n\r\n"
    );
    fs::write(&headers, lines).expect("written");
    let headers = headers.to_str().expect("UTF-8");
    let arguments = ["verify", "--headers", headers];
    aghook(&arguments).write_stdin(BODY).assert().success();

    fs::write(headers, "Content-Type: application/json\n").expect("written");
    let missing = transcript(aghook(&arguments).write_stdin(BODY));
    insta::assert_snapshot!("verify_headers_missing", missing);

    fs::write(headers, "nothing\n").expect("written");
    aghook(&arguments).write_stdin(BODY).assert().code(2);
}

#[test]
fn no_output_contains_the_secret() {
    let secret = "sUp3rs3cret-value";
    let folder = TempDir::new().expect("a folder");
    let empty = folder.path().join("empty");
    fs::write(&empty, "").expect("written");
    let empty = empty.to_str().expect("UTF-8");
    let verify = ["verify", "--signature", "00", "--timestamp", "1"];
    for (arguments, code) in [
        (vec!["sign"], 0),
        (verify.to_vec(), 1),
        ([&verify[..], &["--json"]].concat(), 1),
        (vec!["sign", "--secret-env", secret], 2),
        (vec!["sign", "--secret-file", secret], 2),
        (vec!["sign", "--secret-file", empty], 2),
        (vec!["sign", "--secret", secret], 2),
        (vec!["sign", "--secret=sUp3rs3cret-value"], 2),
        ([&verify[..], &["--also-secret-env", secret]].concat(), 2),
        (
            vec!["sign", "--secret-env", secret, "--secret-file", empty],
            2,
        ),
        (vec!["sign", "--secret-env", "AGHOOK_TEST_UNSET"], 2),
    ] {
        let mut command = aghook(&arguments);
        let text = transcript(command.env("AGHOOK_SECRET", secret).write_stdin("{}"));
        assert!(!text.contains(secret), "{arguments:?}: {text}");
        assert!(
            text.starts_with(&format!("exit code {code}\n")),
            "{arguments:?}: {text}"
        );
    }
    let mut empty = aghook(&["sign"]);
    let refusal = transcript(empty.env("AGHOOK_SECRET", "").write_stdin("{}"));
    insta::assert_snapshot!("secret_empty", refusal);
}

#[test]
fn one_final_newline_of_a_secret_file_is_ignored() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("secret");
    fs::write(&file, format!("{SECRET}\n")).expect("written");
    verify(SIGNATURE, TIMESTAMP)
        .env_remove("AGHOOK_SECRET")
        .arg("--secret-file")
        .arg(&file)
        .write_stdin(BODY)
        .assert()
        .success();
}

#[test]
fn help_and_usage_errors_have_their_exit_codes() {
    insta::assert_snapshot!("verify_help", stdout(&mut aghook(&["verify", "--help"])));
    aghook(&["--version"]).assert().success();
    for wrong in [
        &[][..],
        &["nonsense"],
        &["verify"],
        &["sign", "--as", "curl"],
    ] {
        aghook(wrong).write_stdin("{}").assert().code(2);
    }
    aghook(&["sign", "/no/such/file"]).assert().code(2);
}

#[test]
fn colours_follow_the_flag() {
    let escapes = |arguments: &[&str], no_color: &str| {
        let mut command = aghook(arguments);
        let text = transcript(command.env("NO_COLOR", no_color).write_stdin(BODY));
        text.contains('\u{1b}')
    };
    let verify = ["verify", "--signature", SIGNATURE, "--timestamp", TIMESTAMP];
    assert!(!escapes(&verify, ""));
    for (color, colored) in [("always", true), ("never", false), ("auto", false)] {
        assert_eq!(
            escapes(&[&verify[..], &["--color", color]].concat(), ""),
            colored
        );
        assert_eq!(escapes(&["--color", color, "--help"], ""), colored);
        assert_eq!(
            escapes(&["--color", color, "sign", "--nonsense"], ""),
            colored
        );
    }
}

#[test]
fn man_pages_and_completions_exist() {
    let page = stdout(&mut aghook(&["man"]));
    assert!(page.contains(".TH aghook 1") && page.contains("aghook\\-verify(1)"));

    let folder = TempDir::new().expect("a folder");
    let dir = folder.path().join("new/man1");
    aghook(&["man", "--dir"]).arg(&dir).assert().success();
    for name in ["aghook.1", "aghook-sign.1", "aghook-verify.1"] {
        assert!(dir.join(name).is_file(), "{name}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            stdout(&mut aghook(&["completions", shell])).contains("verify"),
            "{shell}"
        );
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("aghook"))
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// The receiver in Python, stopped when dropped.
struct TemplateProcess {
    process: Child,
    address: String,
}

impl TemplateProcess {
    /// Returns `None` and prints a note if there is no Python.
    fn start() -> Option<Self> {
        let python = ["python3", "python"].into_iter().find(|name| {
            let version = Command::new(name)
                .args(["-c", "import sys; sys.exit(sys.version_info < (3, 9))"])
                .status();
            version.is_ok_and(|status| status.success())
        });
        let Some(python) = python else {
            // Written directly to stderr, since the test harness hides the output of passing tests.
            let _ = writeln!(
                std::io::stderr(),
                "left out: the exchange with the receiver in Python; install Python 3.9 or newer \
                 (https://www.python.org, or the package python3) to run it"
            );
            return None;
        };
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receivers/template_receiver.py");
        let mut process = Command::new(python)
            .arg(script)
            .args(["--secret-env", "TEMPLATE_SECRET"])
            .env("TEMPLATE_SECRET", SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let address = line
            .trim_end()
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix("/hook"))
            .expect("the address")
            .to_owned();
        Some(Self { process, address })
    }

    /// Sends raw bytes and reads until the receiver closes the connection; returns the status and
    /// the complete response.
    fn exchange(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("connects");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("set");
        stream.write_all(request).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let mut response = Vec::new();
        stream.read_to_end(&mut response).expect("answered");
        let response = String::from_utf8_lossy(&response).into_owned();
        let status = response.get(9..12).and_then(|status| status.parse().ok());
        (status.unwrap_or(0), response)
    }

    fn post(&self, headers: &str, body: &str) -> u16 {
        let length = body.len();
        let host = &self.address;
        let request = format!(
            "POST /hook HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        self.exchange(request.as_bytes()).0
    }

    fn quantity(&self, player: &str, sku: &str) -> String {
        let request = format!(
            "GET /debug/players/{player}/items/{sku} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        let (_, response) = self.exchange(request.as_bytes());
        response
            .rsplit("\r\n")
            .next()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Drop for TemplateProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The headers from `aghook sign` with CRLF line ends.
fn signed(body: &str) -> String {
    stdout(aghook(&["sign"]).write_stdin(body)).replace('\n', "\r\n")
}

fn event(key: &str, item: &str) -> String {
    format!(
        r#"{{"event_type":"coupon.redeemed","idempotency_key":"{key}","event_data":{{"player_id":"P 1/ü","item":{item}}}}}"#
    )
}

const PLAYER: &str = "P%201%2F%C3%BC";

#[test]
fn a_receiver_in_python_accepts_signatures_of_aghook() {
    let Some(receiver) = TemplateProcess::start() else {
        return;
    };
    let body = event("idmpt_1", r#"{"sku":"gems","quantity":5,"type":"item"}"#);
    let headers = signed(&body);
    assert_eq!(receiver.post(&headers, &body), 200);
    assert_eq!(receiver.quantity(PLAYER, "gems"), r#"{"quantity": 5}"#);
    assert_eq!(receiver.post(&headers, &body), 200);
    assert_eq!(receiver.quantity(PLAYER, "gems"), r#"{"quantity": 5}"#);

    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(receiver.post(&headers, &body), 200));
        }
    });
    assert_eq!(receiver.quantity(PLAYER, "gems"), r#"{"quantity": 5}"#);

    let tampered = body.replace("idmpt_1", "idmpt_2");
    assert_eq!(receiver.post(&headers, &tampered), 403);
    assert_eq!(receiver.post("", &body), 403);
    assert_eq!(receiver.quantity(PLAYER, "gems"), r#"{"quantity": 5}"#);

    let bundle = event(
        "idmpt_3",
        r#"{"sku":"pack","quantity":2,"type":"bundle","nested_items":[
            {"sku":"inner","quantity":3,"type":"bundle","nested_items":[
                {"sku":"gems","quantity":4,"type":"item","nested_items":null}]},
            {"sku":"gold","quantity":1,"type":"item"}]}"#,
    );
    assert_eq!(receiver.post(&signed(&bundle), &bundle), 200);
    assert_eq!(receiver.quantity(PLAYER, "gems"), r#"{"quantity": 29}"#);
    assert_eq!(receiver.quantity(PLAYER, "gold"), r#"{"quantity": 2}"#);
    assert_eq!(receiver.quantity(PLAYER, "pack"), r#"{"quantity": 0}"#);
}

#[test]
fn a_receiver_in_python_handles_garbage() {
    let Some(receiver) = TemplateProcess::start() else {
        return;
    };
    let deep = "[".repeat(100_000);
    let negative = event("idmpt_1", r#"{"sku":"gems","quantity":-5,"type":"item"}"#);
    let no_key = event("idmpt_1", r#"{"sku":"gems"}"#).replace(r#""idmpt_1""#, "null");
    let other = r#"{"event_type":"item.add"}"#;
    let bodies = [
        "", "null", "[]", "{}", "nonsense", &deep, &negative, &no_key, other, "NaN",
    ];
    for body in bodies {
        let shown: String = body.chars().take(80).collect();
        assert_eq!(receiver.post(&signed(body), body), 400, "{shown}");
    }
    for (request, status) in [
        (&b"\x16\x03\x01\0\xff\r\n\r\n"[..], 400),
        (b"POST /hook HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (
            b"POST /hook HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
            413,
        ),
        (b"POST /hook HTTP/1.1\r\nContent-Length: 10\r\n\r\ncut", 400),
        (b"POST /hook HTTP/1.1\r\n\r\n", 411),
        (
            b"POST /hook HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
        ),
        (b"PUT /hook HTTP/1.1\r\n\r\n", 405),
        (
            b"GET /debug/players/%ff/items HTTP/1.1\r\nConnection: close\r\n\r\n",
            404,
        ),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
    ] {
        let shown = String::from_utf8_lossy(request);
        assert_eq!(receiver.exchange(request).0, status, "{shown}");
    }
    let not_ascii = "X-Aghanim-Signature: \u{fc}\r\nX-Aghanim-Signature-Timestamp: 1\r\n";
    assert_eq!(receiver.post(not_ascii, "{}"), 403);
    assert_eq!(receiver.quantity(PLAYER, "gems"), r#"{"quantity": 0}"#);
}
