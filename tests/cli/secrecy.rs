//! No command writes the secret anywhere: not on success, not on failure, not if a receiver sends
//! it back, and not in hex or base64.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{
    Folder, Game, Peer, PeerResponse, Transcript, UNREACHABLE, expecting, with_effect,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A secret that JSON, URLs and shells each escape differently.
const SECRET: &str = "whsec_Zq/9\"x+J'u4pÜ";
const TOKEN: &str = "tok_Vb/3\"k+W'e8rß";

/// All encodings that would reveal the secret.
fn forms(secret: &str) -> Vec<String> {
    let in_json = json!(secret).to_string();
    let in_json = in_json.trim_matches('"').to_owned();
    vec![
        in_json.replace('/', "\\/"),
        in_json.replace('Ü', "\\u00dc").replace('ß', "\\u00df"),
        in_json,
        hex::encode(secret),
        hex::encode_upper(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        format!("{secret:?}").trim_matches('"').to_owned(),
        secret.replace('\'', r"'\''"),
        secret.to_owned(),
    ]
}

/// Forms that a receiver's log, page or encoder makes of a text with the secret.
fn forms_in_text(secret: &str) -> Vec<String> {
    let json_in_json = json!(json!(secret).to_string()).to_string();
    let percent = |kept: &str, digits: fn(u8) -> String| {
        let bytes = secret.bytes().map(move |byte| match char::from(byte) {
            plain if plain.is_ascii_alphanumeric() || kept.contains(plain) => plain.to_string(),
            _ => digits(byte),
        });
        bytes.collect::<String>()
    };
    let entities: String = secret
        .chars()
        .map(|character| match character {
            '\'' => "&#39;".to_owned(),
            '"' => "&quot;".to_owned(),
            '+' => "&#x2B;".to_owned(),
            other => other.to_string(),
        })
        .collect();
    let hex = hex::encode(secret);
    let (first, rest) = hex.split_at(9);
    // The characters that only the secret determines.
    let core = |before: &str, skipped: usize| {
        let bytes = before.len() + secret.len();
        let text = STANDARD_NO_PAD.encode(format!("{before}{secret}"));
        text[skipped..bytes * 8 / 6].to_owned()
    };
    vec![
        json_in_json.trim_matches(['"', '\\']).to_owned(),
        secret.replace('+', "\\u002B"),
        secret.replace('+', "\\u002b").replace('\'', "\\u0027"),
        percent("_", |byte| format!("%{byte:02x}")),
        percent("_/", |byte| format!("%{byte:02X}")),
        entities,
        format!("{}{rest}", first.to_uppercase()),
        core("x", 2),
        core("xx", 3),
    ]
}

#[track_caller]
fn assert_hidden(secret: &str, place: &str, written: &[u8]) {
    let text = String::from_utf8_lossy(written);
    for form in [forms(secret), forms_in_text(secret)].concat() {
        assert!(!text.contains(&form), "`{form}` in {place}:\n{text}");
    }
    // Reports contain binary content as base64, where a plain search would not find the secret.
    for word in text.split(|c: char| !c.is_ascii_graphic() || c == '"') {
        let decoded = STANDARD.decode(word).unwrap_or_default();
        let found = String::from_utf8_lossy(&decoded).contains(secret);
        assert!(!found, "the secret in base64 in {place}: {word}");
    }
}

/// Checks all files that commands have written to the folder.
#[track_caller]
fn assert_hidden_in_files(secret: &str, folder: &Folder) {
    for entry in walkdir::WalkDir::new(folder.root())
        .into_iter()
        .filter_map(Result::ok)
    {
        let is_secret_file = entry.file_name() == "secret.txt";
        if entry.file_type().is_file() && !is_secret_file {
            let written = fs::read(entry.path()).expect("a file");
            assert_hidden(secret, &entry.path().display().to_string(), &written);
        }
    }
}

/// A receiver that reveals the secret in every encoding and every part of the response.
fn leaking_receiver(status: u16, body: impl Fn(&Value) -> Vec<u8> + Send + Sync + 'static) -> Peer {
    Peer::answering(move |request| {
        let all: Vec<String> = forms(SECRET);
        let content = json!({
            "secret": SECRET,
            "token": TOKEN,
            SECRET: "as a key",
            "in a list": [[SECRET], { "deep": format!("x{SECRET}y") }],
            "long": format!("{}{SECRET}", "x".repeat(190)),
            "encoded": all,
            "request": String::from_utf8_lossy(&request.body),
        });
        let signature = request.header("X-Aghanim-Signature").unwrap_or_default();
        PeerResponse::new(status)
            .header("Content-Type", "application/json")
            .header("X-Secret", SECRET)
            .header("X-Encoded", &all[3..7].join(" "))
            .header("X-Signature", signature)
            .body(body(&content))
    })
}

/// `aghook` with the secret and with variables that enable verbose output.
fn aghook(folder: &Folder, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = folder.aghook(arguments);
    command
        .env("AGHOOK_SECRET", SECRET)
        .env("OLD_SECRET", format!("{SECRET}-old"))
        // Wide lines, so that the secret is never split between lines.
        .env("COLUMNS", "100000")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .env("DEBUG", "*");
    command
}

#[track_caller]
fn run_and_check(folder: &Folder, arguments: &[&str]) -> Transcript {
    let transcript = Transcript::of(aghook(folder, arguments).write_stdin("{}"));
    let line = arguments.join(" ");
    assert_hidden(SECRET, &line, transcript.stdout.as_bytes());
    assert_hidden(SECRET, &line, transcript.stderr.as_bytes());
    assert_hidden_in_files(SECRET, folder);
    transcript
}

/// Every command, with success and failure. `TARGET` stands for a receiver that reveals the secret,
/// `UNREACHABLE` for a port without a receiver.
const LINES: &[(&str, &[&str])] = &[
    (
        "doctor",
        &[
            "doctor --target TARGET",
            "doctor --target TARGET --secret-file secret.txt",
            "doctor --target UNREACHABLE",
        ],
    ),
    (
        "explore",
        &[
            "explore --target TARGET --cases 2 --budget 5s",
            "explore --target TARGET --secret-file secret.txt --cases 2 --budget 5s",
            "explore --target UNREACHABLE",
        ],
    ),
    (
        "run",
        &[
            "run scenario.yaml -v",
            "run scenario.yaml --report json",
            "run scenario.yaml -v --target TARGET --report json=run.jsonl --report terminal=run.txt",
            "run scenario.yaml --target TARGET --report json",
            "run scenario.yaml --target TARGET --secret-file secret.txt -q",
            "run scenario.yaml --target UNREACHABLE",
            "run scenario.yaml --target TARGET --secret-env NOT_SET",
        ],
    ),
    (
        "report",
        &[
            "run scenario.yaml --target TARGET --record kept",
            "report kept -v",
            "report kept --report json",
            "report kept --report har=run.har --report junit=junit.xml --report markdown=run.md",
            "report missing",
        ],
    ),
    (
        "replay",
        &[
            "run scenario.yaml --target TARGET --record kept",
            "replay kept -v",
            "replay kept --resign -v --target TARGET",
            "replay kept --compare status --secret-file secret.txt",
            "replay kept --resign --secret-env NOT_SET",
            "replay kept --target UNREACHABLE",
            "replay missing",
        ],
    ),
    (
        "receive",
        &["receive --listen 0.0.0.0:0", "receive --path nowhere"],
    ),
    (
        "serve",
        &[
            "serve --listen 0.0.0.0:0",
            "serve --data data.db --seed-file missing.yaml",
        ],
    ),
    (
        "capture",
        &[
            "capture --forward https://game.example.com",
            "capture --listen 0.0.0.0:0 --forward http://127.0.0.1:1",
            "capture --forward TARGET --secret-env NOT_SET",
        ],
    ),
    (
        "import",
        &[
            "run scenario.yaml --target TARGET --report har=run.har",
            "import run.har",
            "import run.har --output other.jsonl --secret-file secret.txt --scenarios again",
            "import secret.txt",
        ],
    ),
    (
        "compare",
        &[
            "run scenario.yaml --target TARGET --report har=run.har",
            "import run.har",
            "compare captured.jsonl --write-profile seen.yaml",
            "compare captured.jsonl --json",
            "compare secret.txt",
        ],
    ),
    (
        "sign",
        &[
            "sign",
            "sign --as json --host x",
            "sign --as curl --target TARGET",
            "sign --as signature --secret-file secret.txt",
            "sign missing.json",
        ],
    ),
    (
        "verify",
        &[
            "verify --signature 00 --timestamp 1",
            "verify --signature 00 --timestamp 1 --json --also-secret-env OLD_SECRET",
            "verify --signature x --timestamp y",
        ],
    ),
    ("check", &["check scenario.yaml", "check missing.yaml"]),
    (
        "list",
        &["list", "list --json scenario.yaml", "list --what forgeries"],
    ),
    ("explain", &["explain lost_update", "explain unknown"]),
    ("schema", &["schema"]),
    ("completions", &["completions bash", "completions zsh"]),
    ("man", &["man"]),
    (
        "fire",
        &[
            "fire --target TARGET",
            "fire --target TARGET -v",
            "fire --target TARGET --dry-run",
            "fire --target TARGET --dry-run --as curl",
            "fire --target TARGET --dry-run --as json",
            "fire --target TARGET --forge wrong_secret",
            "fire --target UNREACHABLE",
        ],
    ),
    (
        "load",
        &[
            "load --rate max --count 5 --drain 0s --target TARGET",
            "load --rate max --count 5 --drain 0s --forgeries 50% --target TARGET --report json=load.json",
            "load --rate max --count 5 --drain 0s --report json --report hdr=load.hlog",
            "load --target UNREACHABLE",
            "load --rate fast",
        ],
    ),
    ("merge", &["merge scenario.yaml", "merge missing.json"]),
    ("new", &["new", "new"]),
    (
        "snapshots",
        &[
            "run scenario.yaml --target TARGET --snapshots snapshots --snapshots-mode new",
            "snapshots status --diff",
            "snapshots accept",
            "run scenario.yaml --target TARGET --snapshots snapshots --snapshots-mode no",
        ],
    ),
];

#[test]
fn no_command_reveals_the_secret() {
    let help = Transcript::of(&mut aghook(&Folder::new(), &["--help"]))
        .ends_with(0)
        .stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(
        commands.contains(&"run") && commands.contains(&"verify"),
        "{help}"
    );
    let peer = leaking_receiver(500, |content| content.to_string().into_bytes());
    for command in commands {
        let known = LINES.iter().find(|(name, _)| *name == command);
        let Some((_, lines)) = known else {
            panic!("`aghook {command}` is new: add its command lines to this table");
        };
        let scenario =
            expecting("{ status: 2xx, body: { $.secret: x } }\n    retry: { attempts: 2 }");
        let folder = Folder::with_scenario(&scenario).with("secret.txt", SECRET);
        for line in *lines {
            let line = line
                .replace("TARGET", &peer.url())
                .replace("UNREACHABLE", UNREACHABLE);
            run_and_check(&folder, &line.split(' ').collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_receiver_can_not_reveal_the_secret() {
    let escaped = |content: &Value| {
        let text = content
            .to_string()
            .replace('/', "\\/")
            .replace("whsec", "\\u0077hse\\u0063");
        text.into_bytes()
    };
    let binary = |content: &Value| {
        [
            b"\xff\xfe\0",
            content.to_string().as_bytes(),
            SECRET.as_bytes(),
        ]
        .concat()
    };
    let not_json = |content: &Value| format!("{SECRET} {SECRET}{content}{SECRET}").into_bytes();
    let plain = |content: &Value| content.to_string().into_bytes();
    let expectation = "[{ status: 404 }, { same_response: false }, { headers: { X-Secret: x, X-Encoded: x } }, \
        { body: { $.secret: x, $.long: x, $.encoded: x, \"$['in a list']\": x, $: x } }]\n    times: 2\n    retry: off";
    let peers = [
        leaking_receiver(500, plain),
        leaking_receiver(200, plain),
        leaking_receiver(200, escaped),
        leaking_receiver(500, binary),
        leaking_receiver(403, not_json),
    ];
    for peer in peers {
        let folder = Folder::with_scenario(&expecting(expectation));
        let options = ["-v", "--report", "json=run.jsonl", "--target", &peer.url()];
        let transcript =
            run_and_check(&folder, &[&["run", "scenario.yaml"], &options[..]].concat());
        transcript.ends_with(1).says(&["[secret not shown]"]);
        assert!(folder.read("run.jsonl").contains("[secret not shown]"));
    }
}

#[test]
fn a_receiver_can_not_reveal_the_secret_in_the_forms_of_texts() {
    for (status, kind) in [(500, "text/html"), (403, "text/plain"), (200, "text/plain")] {
        let peer = Peer::answering(move |_| {
            let forms = forms_in_text(SECRET);
            let title = &forms[5];
            let utf16: Vec<u8> = format!("in UTF-16: {SECRET} ")
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect();
            let text = format!("<html><title>{title}</title>{}</html>", forms.join("\n"));
            let body = match kind {
                "text/html" => text.into_bytes(),
                _ => [text.as_bytes(), &utf16].concat(),
            };
            let headers = forms.iter().enumerate();
            headers.fold(
                PeerResponse::new(status)
                    .header("Content-Type", kind)
                    .body(body),
                |response, (index, form)| response.header(&format!("X-Form-{index}"), form),
            )
        });
        let url = peer.url();
        let folder = Folder::with_scenario(&expecting("[{ status: 404 }, { headers: { X-Form-3: x, X-Form-7: x } }]"))
            .with("aghook.yaml", format!("profiles:\n  default:\n    target: {url}\n    probes:\n      quantity: {{ http: \"GET {url}\", read: $.x }}\n"));
        let lines = [
            "run scenario.yaml -v --report json=run.jsonl --report html=run.html --report junit=run.xml",
            "run scenario.yaml -v --skip-setup-check --report har=run.har --record kept",
            "fire -v",
            "doctor",
            "load --duration 1s --rate 20 --report json=load.json",
        ];
        for line in &lines[..if status == 500 { 5 } else { 3 }] {
            let transcript = run_and_check(&folder, &line.split(' ').collect::<Vec<_>>());
            let written = format!("{}{}", transcript.stdout, transcript.stderr);
            let utf16: Vec<u8> = SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(
                !written
                    .as_bytes()
                    .windows(utf16.len())
                    .any(|window| window == utf16),
                "{written}"
            );
        }
    }
}

/// The kept part of a body can end within the secret, which is then shortened and not hidden as a whole.
#[test]
fn a_body_cut_within_the_secret_does_not_reveal_it() {
    const LIMIT: usize = 256 * 1024;
    for shown in [9, 12, 17] {
        let peer = Peer::answering(move |_| {
            let body = format!("{}{SECRET}{}", "x".repeat(LIMIT - shown), "y".repeat(100));
            PeerResponse::new(500).body(body.into_bytes())
        });
        let folder = Folder::with_scenario(&expecting("{ status: 404 }"));
        let line = [
            "run",
            "scenario.yaml",
            "--report",
            "json=run.jsonl",
            "--target",
            &peer.url(),
        ];
        run_and_check(&folder, &line).ends_with(1);
        let report = folder.read("run.jsonl");
        assert!(!report.contains("whsec_Z"), "shown up to {shown} bytes");
    }
}

/// A response with the secret is checked before the secret is hidden.
#[test]
fn hiding_the_secret_changes_no_verdict() {
    let peer = leaking_receiver(200, |content| content.to_string().into_bytes());
    let length = SECRET.chars().count();
    let passing = expecting(&format!(
        "{{ body: {{ $.secret: {{ length: {length} }} }} }}"
    ));
    let folder = Folder::with_scenario(&passing);
    run_and_check(&folder, &["run", "scenario.yaml", "--target", &peer.url()]).ends_with(0);
    let failing = expecting("{ body: { $.secret: { contains: secret not shown } } }");
    let folder = Folder::with_scenario(&failing);
    run_and_check(&folder, &["run", "scenario.yaml", "--target", &peer.url()]).ends_with(1);
}

#[test]
fn a_secret_given_instead_of_a_name_is_not_repeated() {
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }"));
    for word in [
        "--secret-env",
        "--secret-file",
        "--secret",
        "--also-secret-env",
    ] {
        // With a `/` or a dot, the secret would look like a path.
        let secret = SECRET.replace('/', "-");
        for command in [
            "run --target http://127.0.0.1:9/",
            "sign",
            "verify",
            "receive",
        ] {
            let mut line = aghook(&folder, &[]);
            line.args(command.split(' ')).args([word, &secret]);
            let transcript = Transcript::of(&mut line).ends_with(2);
            assert_hidden(
                &secret,
                &format!("{command} {word}"),
                transcript.text().as_bytes(),
            );
        }
    }
    let profile = format!(
        "profiles:\n  local:\n    target: http://127.0.0.1:9/\n    secret_env: {}\n",
        json!(SECRET)
    );
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }")).with("aghook.yaml", profile);
    let transcript = Transcript::of(&mut aghook(&folder, &["run", "scenario.yaml"])).ends_with(2);
    assert_hidden(
        SECRET,
        "an error of the profile",
        transcript.text().as_bytes(),
    );
}

/// Environment variables in a profile's probes are credentials too.
#[test]
fn a_probe_can_not_reveal_its_credentials() {
    let run = |config: &str| {
        let folder =
            Folder::with_scenario(&with_effect("granted: welcome")).with("aghook.yaml", config);
        let mut command = aghook(
            &folder,
            &["run", "scenario.yaml", "-v", "--report", "json=run.jsonl"],
        );
        let transcript = Transcript::of(command.env("TOKEN", TOKEN)).ends_with(3);
        assert_hidden(TOKEN, "the terminal", transcript.text().as_bytes());
        assert_hidden(TOKEN, "the report", folder.read("run.jsonl").as_bytes());
        transcript.says(&["1 broken", "[secret not shown]"]);
    };
    let headers = "\n        headers: { Authorization: \"Bearer $TOKEN\" }\n        read: $.";
    let echoing = || {
        Game::with_probe(
            |_, _| PeerResponse::new(500).body(TOKEN),
            |_| {
                PeerResponse::new(200)
                    .json(&json!({ "quantity": TOKEN, "x": "y".repeat(180), "token": TOKEN }))
            },
        )
    };
    run(&echoing().config("").replace("\n        read: $.", headers));
    run(&echoing()
        .config("")
        .replace("\n        read: $.quantity", &format!("{headers}missing")));

    let peer = Peer::answering(|_| PeerResponse::new(200));
    let command = |words: &[&str]| {
        let command = json!(words);
        format!(
            "profiles:\n  game:\n    target: {}\n    probes: {{ quantity: {{ command: {command} }} }}\n",
            peer.url()
        )
    };
    let (print, say): (&[&str], &[&str]) = if cfg!(windows) {
        (&["cmd", "/c", "type"], &["cmd", "/c", "echo"])
    } else {
        (&["cat"], &["echo"])
    };
    run(&command(&[say, &["no number: $TOKEN"]].concat()));
    // Error messages of commands contain their arguments.
    run(&command(&[print, &["no-such-$TOKEN"]].concat()));
    run(&command(&["no-such-program-$TOKEN"]));
}

/// The value of a header of deliveries appears nowhere, even if the receiver sends it back.
#[test]
fn no_command_reveals_a_header_of_deliveries() {
    let received = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&received);
    let peer = Peer::answering(move |request| {
        let words = format!("Bearer {TOKEN}");
        for (name, value) in [("x-env", TOKEN), ("x-words", &words), ("x-file", TOKEN)] {
            let is_sent = request.header(name) == Some(value);
            counted.fetch_add(usize::from(is_sent), Ordering::SeqCst);
        }
        let headers = format!("{:?}", request.headers);
        PeerResponse::new(200)
            .header("X-Token", TOKEN)
            .json(&json!({ "token": TOKEN, "headers": headers, "forms": forms(TOKEN) }))
    });
    let config = format!(
        "profiles:\n  game:\n    target: {}\n    headers:\n      X-Env: {{ env: TOKEN }}\n      \
         X-Words: Bearer $TOKEN\n      X-File: {{ file: secret.txt }}\n",
        peer.url()
    );
    let scenario = expecting("{ status: 404, body: { $.token: x } }");
    let folder = Folder::with_scenario(&scenario)
        .with("aghook.yaml", config)
        .with("secret.txt", format!("{TOKEN}\n"));
    for (line, code, sent) in [
        (
            "run scenario.yaml -v --record kept --snapshots snapshots --snapshots-mode new",
            1,
            3,
        ),
        ("run scenario.yaml --dry-run", 0, 0),
        (
            "run scenario.yaml --report json=run.jsonl --report html=run.html",
            1,
            3,
        ),
        (
            "report kept -v --report har=run.har --report junit=junit.xml --report markdown=run.md",
            1,
            0,
        ),
        ("snapshots status --diff", 1, 0),
        ("replay kept -v", 0, 3),
        ("replay kept -v --resign --compare status", 0, 3),
        ("fire", 0, 3),
        ("fire --forge wrong_secret", 1, 3),
        ("fire --dry-run", 0, 0),
        ("fire --dry-run --as curl", 0, 0),
        (
            "load --rate max --count 3 --drain 0s --report json=load.json --report hdr=load.hlog",
            0,
            9,
        ),
        (
            "load --rate max --count 4 --drain 0s --forgeries 100% --http-version 2",
            1,
            0,
        ),
        ("check --config aghook.yaml", 0, 0),
    ] {
        received.store(0, Ordering::SeqCst);
        let arguments: Vec<&str> = line.split(' ').collect();
        let transcript = Transcript::of(aghook(&folder, &arguments).env("TOKEN", TOKEN));
        assert_hidden(TOKEN, line, transcript.text().as_bytes());
        assert_hidden_in_files(TOKEN, &folder);
        let transcript = transcript.ends_with(code);
        assert!(
            received.load(Ordering::SeqCst) >= sent,
            "{line}: {}",
            transcript.text()
        );
    }
}

/// Neither the receiver's ledger nor its log contains the secret.
#[test]
fn the_receiver_does_not_reveal_the_secret() {
    let folder = Folder::with_scenario(&with_effect("granted: welcome"));
    let mut receiver = Command::new(env!("CARGO_BIN_EXE_aghook"))
        .current_dir(folder.root())
        .args(["receive", "--listen", "127.0.0.1:0", "--store", "ledger.db"])
        .env("AGHOOK_SECRET", SECRET)
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut stdout = BufReader::new(receiver.stdout.take().expect("a pipe"));
    let mut first = String::new();
    stdout.read_line(&mut first).expect("a line");
    let url = first.split_whitespace().last().expect("a URL").to_owned();
    let deliver = |body: Value| {
        let scenario = format!(
            "name: x\nevents:\n  raw: {{ raw: {} }}\n  sound: {{}}\nsteps:\n  - deliver: [raw, sound]\n    expect: {{ status: 2xx }}\n",
            json!(body.to_string())
        );
        let folder = Folder::with_scenario(&scenario);
        run_and_check(&folder, &["run", "scenario.yaml", "--target", &url]);
        run_and_check(
            &folder,
            &[
                "run",
                "scenario.yaml",
                "--target",
                &url,
                "--secret-env",
                "OLD_SECRET",
            ],
        );
    };
    deliver(json!({ "event_type": "coupon.redeemed" }));
    deliver(json!("no event"));
    receiver.kill().expect("ends");
    receiver.wait().expect("ended");
    let (mut out, mut err) = (first, String::new());
    stdout.read_to_string(&mut out).expect("UTF-8");
    let mut stderr = receiver.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut err).expect("UTF-8");
    assert!(out.contains("granted"), "{out}");
    assert_hidden(SECRET, "the receiver's lines", out.as_bytes());
    assert_hidden(SECRET, "the receiver's errors", err.as_bytes());
    assert!(folder.path("ledger.db").exists());
    assert_hidden_in_files(SECRET, &folder);
}
