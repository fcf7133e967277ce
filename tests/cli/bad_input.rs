//! Mistakes that users make, and the error messages: what is wrong, where, what was expected and
//! what to do.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use crate::support::{
    Folder, HttpsReceiver, Peer, Transcript, UNREACHABLE, expecting, transcript, with_effect,
};

/// The maximum number of lines of a message.
const ONE_SCREEN: usize = 24;

/// The messages of `check` for each text as a scenario file. `run` must print the same and send
/// nothing.
#[track_caller]
fn messages<T: AsRef<[u8]>>(cases: &[(&str, T)]) -> String {
    let mut messages = String::new();
    for (title, text) in cases {
        let folder = Folder::new().with("scenario.yaml", text);
        let checked = Transcript::of(&mut folder.aghook(&["check", "scenario.yaml"])).ends_with(2);
        let run = Transcript::of(&mut folder.run(&[])).ends_with(2);
        assert_eq!(checked.stderr, run.stderr, "{title}");
        assert_eq!(run.stdout, "", "{title}");
        let lines = checked.stderr.lines().count();
        assert!(lines <= ONE_SCREEN, "{title}: {}", checked.stderr);
        messages = format!("{messages}### {title}\n{}\n", checked.stderr);
    }
    crate::support::normalised(&messages)
}

/// The transcripts of several command lines in one folder.
#[track_caller]
fn transcripts(folder: &Folder, code: i32, lines: &[&[&str]]) -> String {
    let transcripts = lines.iter().map(|words| {
        let ended = Transcript::of(&mut folder.aghook(words)).ends_with(code);
        let output = crate::support::normalised(&ended.text());
        format!(
            "$ aghook {}\n{output}\n",
            crate::support::normalised(&words.join(" "))
        )
    });
    transcripts.collect()
}

#[test]
fn invalid_yaml() {
    let output = messages(&[
        ("empty", &b""[..]),
        ("only comments", b"# to be written\n"),
        ("not UTF-8", b"name: ok\nabout: caf\xe9\n"),
        (
            "a bracket too few",
            b"name: x\nsteps:\n  - deliver: [a\n    expect: {}\n",
        ),
        ("a tab", b"name: x\nsteps:\n\t- deliver: a\n"),
        ("a key twice", b"name: x\nsteps: []\nname: y\n"),
        (
            "two documents",
            b"name: x\nsteps: []\n---\nname: y\nsteps: []\n",
        ),
        ("a NUL", b"name: x\0\n"),
    ]);
    insta::assert_snapshot!(output);
}

#[test]
fn wrong_types() {
    let output = messages(&[
        ("text instead of the mapping", "hello\n".to_owned()),
        ("a list instead of the mapping", "- a\n- b\n".to_owned()),
        (
            "a list instead of text",
            "name: [a]\nsteps: []\n".to_owned(),
        ),
        (
            "a number instead of text",
            "name: 12\nsteps: []\n".to_owned(),
        ),
        ("a list of fields", expecting("[[2xx]]")),
        (
            "text instead of a number",
            with_effect("{ granted: welcome, times: often }"),
        ),
        ("a missing key", "name: x\n".to_owned()),
    ]);
    insta::assert_snapshot!(output);
}

#[test]
fn unknown_words() {
    let output = messages(&[
        ("key", expecting("{ sttaus: 2xx }")),
        (
            "key of a step",
            expecting("{ status: 2xx }").replace("expect:", "expct:"),
        ),
        (
            "forgery",
            expecting("{ status: 4xx }\n    forge: wrong_secrt"),
        ),
        ("outcome", expecting("{ outcome: deliverd }")),
        (
            "event",
            expecting("{ status: 2xx }").replace("deliver: welcome", "deliver: welcom"),
        ),
        ("event of an effect", with_effect("granted: wellcome")),
        (
            "probe",
            with_effect("{ probe: quantty, of: welcome, change: 1 }"),
        ),
        (
            "probe like no other",
            with_effect("{ probe: xyz, of: welcome, change: 1 }"),
        ),
        (
            "variable",
            with_effect("granted: welcome").replace("gems", "\"${skuu}\"") + "vars: { sku: x }\n",
        ),
        (
            "variable without quotes",
            with_effect("granted: welcome").replace("gems", "${sku}"),
        ),
        (
            "variable without any",
            with_effect("granted: welcome").replace("gems", "\"${sku}\""),
        ),
        (
            "key of a matcher",
            expecting("{ status: 2xx, body: { $.a: 1, $.b: { machtes: x } } }"),
        ),
    ]);
    insta::assert_snapshot!(output);
}

#[test]
fn invalid_texts() {
    let output = messages(&[
        ("JSONPath", expecting("{ body: { \"$.a[\": 1 } }")),
        ("JSONPath without $", expecting("{ body: { status: ok } }")),
        (
            "regular expression",
            expecting("{ body: { $.a: 1, $.b: { matches: \"(ab\" } } }"),
        ),
        ("duration", expecting("{ within: 5 sec }")),
        ("duration without a unit", expecting("{ within: 5 }")),
        ("status class", expecting("{ status: 6xx }")),
        ("status", expecting("{ status: 999 }")),
        ("status in a list", expecting("{ status: [200, ok] }")),
        ("no status", expecting("{ status: [] }")),
        (
            "no status that is wrong",
            expecting("{ status: { not: [] } }"),
        ),
        (
            "schema that is not there",
            expecting("{ schema: answer.json }"),
        ),
        ("count", expecting("{ attempts: 3..1 }")),
    ]);
    insta::assert_snapshot!(output);
}

#[test]
fn scenarios_that_make_no_sense() {
    let bundle =
        |item: &str| with_effect("granted: welcome").replace("{ sku: gems, quantity: 5 }", item);
    let output = messages(&[
        (
            "a bundle in itself",
            bundle("{ sku: chest, bundle: [{ sku: pouch, bundle: [{ sku: chest }] }] }"),
        ),
        ("an alias in its own anchor", bundle("&chest { sku: chest, bundle: [*chest] }")),
        (
            "same_as in a circle",
            "name: x\nevents:\n  a: { player_id: { same_as: b } }\n  b: { player_id: { same_as: a } }\n\
             steps:\n  - deliver: [a, b]\n    expect: { status: 2xx }\n"
                .to_owned(),
        ),
        ("an empty matrix", expecting("{ status: 2xx }") + "matrix: { forge: [] }\n"),
        ("a matrix of no list", expecting("{ status: 2xx }") + "matrix: { forge: x }\n"),
        ("nothing to check", expecting("{}")),
        (
            "a grant of nothing delivered",
            with_effect("granted: welcome").replace("- deliver: welcome", "- pause: 1s"),
        ),
        (
            "no steps",
            "name: x\nevents: { a: {} }\nsteps: []\neffects: [{ not_granted: a }]\n".to_owned(),
        ),
        (
            "no grant of nothing delivered",
            with_effect("not_granted: other").replace("steps:", "  other: {}\nsteps:"),
        ),
        (
            "a probe of nothing delivered",
            with_effect("{ probe: quantity, of: other, change: 0 }")
                .replace("steps:", "  other: {}\nsteps:"),
        ),
        ("a grant twice", with_effect("granted: welcome\n  - granted: welcome")),
        ("a grant and none", with_effect("granted: welcome\n  - not_granted: welcome")),
        ("one delivery together", expecting("{ status: 2xx }\n    together: true")),
    ]);
    insta::assert_snapshot!(output);
}

#[test]
fn malicious_files() {
    let deep = format!("name: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (previous, letter) in ('a'..='y').zip('b'..='z') {
        let aliases = vec![format!("*{previous}"); 10].join(", ");
        bomb = format!("{bomb}{letter}: &{letter} [{aliases}]\n");
    }
    let many = (0..11).map(|n| format!("  v{n}: [1, 2]\n"));
    let many = format!(
        "{}matrix:\n{}",
        expecting("{ status: 2xx }"),
        many.collect::<String>()
    );
    let lists = (0..11).map(|n| format!("  v{n}: [1]\n"));
    let lists = format!(
        "{}matrix:\n{}",
        expecting("{ status: 2xx }"),
        lists.collect::<String>()
    );
    let delivery = "steps: [{ deliver: e, expect: { status: 2xx } }]\n";
    let letters = "x".repeat(50_000);
    let long_text = format!(
        "name: x\nvars: {{ a: {letters} }}\nevents:\n  e:\n    raw: >\n      {}\n{delivery}",
        "${a}\n      ".repeat(200)
    );
    let long_events: Vec<String> = (0..300)
        .map(|n| format!("  e{n}: {{ raw: \"${{a}}\" }}\n"))
        .collect();
    let long_events = format!(
        "name: x\nvars: {{ a: {letters} }}\nevents:\n  e: {{}}\n{}{delivery}",
        long_events.concat()
    );
    let long_cases = format!(
        "name: x\nmatrix: {{ a: {:?}, b: [1, 2] }}\nevents:\n  \
         e: {{ raw: \"${{a}}{letters}{letters}{letters}\" }}\n{delivery}",
        (0..500).collect::<Vec<_>>()
    );
    let long_ids: Vec<String> = (0..400)
        .map(|n| format!("  e{n}: {{ player_id: {{ length: 10000 }}, transaction_id: {{ length: 10000 }} }}\n"))
        .collect();
    let long_ids = format!(
        "name: x\nevents:\n  e: {{}}\n{}{delivery}",
        long_ids.concat()
    );
    let deliveries = format!(
        "name: x\nevents: {{ e: {{}} }}\nsteps:\n{}",
        "  - { deliver: e, times: 10000, expect: { status: 2xx } }\n".repeat(7)
    );
    let events: Vec<String> = (0..2_000)
        .map(|n| format!("  e{n}: {{ player_id: {{ same_as: e }} }}\n"))
        .collect();
    let events = format!("name: x\nevents:\n  e: {{}}\n{}{delivery}", events.concat());
    let output = messages(&[
        ("10,000 levels", deep),
        ("an alias bomb", bomb),
        ("2,048 cases", many),
        ("11 lists", lists),
        ("a text of 10 MB made of a variable", long_text),
        ("a variable in 300 events", long_events),
        ("1,000 cases of 150 kB", long_cases),
        ("long IDs in 400 events", long_ids),
        ("70,000 deliveries", deliveries),
        ("2,001 events", events),
        (
            "escapes for the terminal",
            "\"na\\e[31mme\": x # \u{9b}2J\n".to_owned(),
        ),
    ]);
    insta::assert_snapshot!(output);
}

#[test]
fn invalid_paths() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("empty")).expect("a folder");
    let check = transcripts(
        &folder,
        2,
        &[
            &["check", "missing.yaml"],
            &["check", "empty"],
            &["check", "s*.yaml"],
            &["check", "--config", "missing.yaml", "s[.yaml"],
        ],
    );
    let run = transcripts(
        &folder,
        2,
        &[
            &["run", "missing.yaml"],
            &["run", "empty"],
            &["run", "s*.yaml"],
        ],
    );
    insta::assert_snapshot!(format!("{check}{run}"));
}

#[test]
fn a_huge_file_is_refused_without_reading_it() {
    let folder = Folder::new();
    let file = std::fs::File::create(folder.path("scenario.yaml")).expect("a file");
    file.set_len(100 * 1024 * 1024).expect("a sparse file");
    insta::assert_snapshot!(transcript(&mut folder.run(&[])), @r"
    exit code 2
    --- stdout
    --- stderr
    error: scenario.yaml: the file is too large: 104857600 bytes, at most 1048576 are allowed
     |
     = help: split it: each file holds one scenario
    ");
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_is_refused() {
    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("pipe.yaml"))
        .status();
    assert!(made.expect("mkfifo").success());
    for words in [
        ["check", "pipe.yaml"],
        ["run", "pipe.yaml"],
        ["check", "/dev/zero"],
    ] {
        Transcript::of(&mut folder.aghook(&words))
            .ends_with(2)
            .says(&["this is a pipe or a device, not a file"]);
    }
}

#[test]
fn invalid_options() {
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }"));
    let run = |words: &[&'static str]| [&["run", "scenario.yaml"], words].concat();
    let output = transcripts(
        &folder,
        2,
        &[
            &run(&["--report", "nonsense"]),
            &run(&["--report", "json="]),
            &run(&["--report", "json", "--report", "terminal"]),
            &run(&["--partition", "3/2"]),
            &run(&["--partition", "2/2"]),
            &run(&["--jobs", "0"]),
            &run(&["--seed", "x"]),
            &["fire", "--seed", "x"],
            &["fire", "--times", "0"],
            &["fire", "--count", "many"],
            &["sign", "--timestamp", "noon"],
            &["verify", "--now", "noon"],
            &run(&["--filter", "nothing like it"]),
            &run(&["--tag", "smoek"]),
            &run(&["--start-time", "noon"]),
            &run(&["--profile", "staging"]),
            &run(&["--cacert", "missing.pem"]),
            &run(&["--allow-host", "https://game.example"]),
            &["list", "--filter", "nothing like it"],
        ],
    );
    insta::assert_snapshot!(output);
}

#[test]
fn invalid_targets() {
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }"));
    let target = |url: &'static str| ["run", "scenario.yaml", "--target", url];
    let output = transcripts(
        &folder,
        2,
        &[
            &target("https://staging.game.example/hook"),
            &target("http://user:hunter2@127.0.0.1/hook"),
            &target("ftp://127.0.0.1/hook"),
            &target("127.0.0.1:8080/hook"),
            &target("http://127.0.0.1/hook#top"),
        ],
    );
    insta::assert_snapshot!(output);
}

#[test]
fn missing_secrets() {
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }")).with("empty.txt", "\n");
    let run = |words: &[&str]| {
        let mut command = folder.run(&["--target", "http://127.0.0.1:9/hook"]);
        command
            .env_remove("AGHOOK_SECRET")
            .env_remove("GAME_SECRET")
            .args(words);
        command
    };
    let output = [
        transcript(&mut run(&[])),
        transcript(&mut run(&["--secret-env", "GAME_SECRET"])),
        transcript(run(&[]).env("AGHOOK_SECRET", "")),
        transcript(&mut run(&["--secret-file", "missing.txt"])),
        transcript(&mut run(&["--secret-file", "empty.txt"])),
    ];
    insta::assert_snapshot!(output.join("\n"));
}

#[test]
fn invalid_configs() {
    let with = |config: &str| {
        Folder::with_scenario(&expecting("{ status: 2xx }")).with("aghook.yaml", config)
    };
    let local = "profiles:\n  local:\n    target: http://127.0.0.1:9/hook\n";
    let probe = |lines: &str| format!("{local}    probes:\n      quantity:\n        {lines}\n");
    let get = "http: GET http://127.0.0.1:9/players/{player_id}";
    let cases = [
        ("an unknown key", format!("{local}    secret_evn: X\n"), ""),
        ("an unknown profile", local.to_owned(), "locla"),
        (
            "a profile without a target",
            "profiles:\n  local: {}\n".to_owned(),
            "",
        ),
        (
            "two profiles",
            format!("{local}  staging:\n    target: http://127.0.0.1:9/\n"),
            "",
        ),
        (
            "a variable that is not set",
            probe(&format!(
                "{get}\n        headers: {{ Authorization: Bearer $AGHOOK_UNSET }}"
            )),
            "",
        ),
        (
            "a probe on another host",
            probe("http: GET https://game.example/players/{player_id}"),
            "",
        ),
        (
            "an unknown placeholder",
            probe("http: GET http://127.0.0.1:9/{player}"),
            "",
        ),
        (
            "no method",
            probe("http: http://127.0.0.1:9/{player_id}"),
            "",
        ),
        (
            "a header of a command",
            probe("command: [psql]\n        headers: { A: b }"),
            "",
        ),
        (
            "a host with a scheme",
            format!("{local}    allow_hosts: [\"https://game.example\"]\n"),
            "",
        ),
    ];
    let mut output = String::new();
    for (title, config, profile) in cases {
        let folder = with(&config);
        let mut command = folder.run(&[]);
        if !profile.is_empty() {
            command.args(["--profile", profile]);
        }
        let ended = Transcript::of(&mut command).ends_with(2);
        output = format!(
            "{output}### {title}\n{}\n",
            crate::support::normalised(&ended.stderr)
        );
    }
    insta::assert_snapshot!(output);
}

#[test]
fn check_reports_invalid_targets() {
    for (target, reason) in [
        ("127.0.0.1:8080/x", "invalid URL"),
        (
            "http://game.example/x",
            "`game.example` is not this machine",
        ),
    ] {
        let config = format!("profiles:\n  local:\n    target: {target}\n");
        let folder = Folder::new().with("aghook.yaml", &config);
        let output = Transcript::of(&mut folder.aghook(&["check", "aghook.yaml"])).ends_with(2);
        assert!(
            output.stderr.contains("aghook.yaml:3:13"),
            "{}",
            output.stderr
        );
        assert!(output.stderr.contains(reason), "{}", output.stderr);
    }
}

#[test]
fn check_also_reads_the_config() {
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }"))
        .with("aghook.yaml", "profiles:\n  local:\n    tarrget: x\n")
        .with("other.yaml", "profiles: 3\n");
    let output = transcripts(
        &folder,
        2,
        &[
            &["check", "scenario.yaml"],
            &[
                "check",
                "scenario.yaml",
                "aghook.yaml",
                "--config",
                "other.yaml",
            ],
        ],
    );
    insta::assert_snapshot!(output);
}

#[test]
fn unreachable_targets() {
    let untrusted = HttpsReceiver::new("127.0.0.1", &[b"http/1.1"]);
    let other_name = HttpsReceiver::new("game.example", &[b"http/1.1"]);
    let plain = Peer::raw(|mut stream, _| {
        let response = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        let _ = stream.write_all(response);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let closing = Peer::raw(|mut stream, _| {
        let _ = stream.read(&mut [0; 4096]);
    });
    let [to_plain, to_closing] = [plain, closing].map(|peer| peer.url().replace("http:", "https:"));
    let cacert = Folder::with_scenario(&expecting("{ status: 2xx }"))
        .with("other.pem", &other_name.certificate);
    let output = transcripts(
        &cacert,
        3,
        &[
            &["run", "scenario.yaml", "--target", UNREACHABLE],
            &["run", "scenario.yaml", "--target", &untrusted.url()],
            &[
                "run",
                "scenario.yaml",
                "--cacert",
                "other.pem",
                "--target",
                &other_name.url(),
            ],
            &["run", "scenario.yaml", "--target", &to_plain],
            &["run", "scenario.yaml", "--target", &to_closing],
        ],
    );
    insta::assert_snapshot!(output);
}

#[test]
fn http_to_an_https_port() {
    let encrypted = HttpsReceiver::new("127.0.0.1", &[b"http/1.1"]);
    let url = encrypted.url().replace("https:", "http:");
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }\n    retry: off"));
    insta::assert_snapshot!(transcript(&mut folder.run(&["--target", &url])));
}

/// Every file that a command line or a profile names. `FILE` stands for a device or a pipe.
#[cfg(unix)]
#[test]
fn no_input_file_is_read_without_end() {
    let profile =
        |keys: &str| format!("profiles:\n  game:\n    target: http://127.0.0.1:1/\n    {keys}\n");
    let profiles = [
        "players: { file: FILE }",
        "cacert: FILE",
        "client_cert: FILE",
        "headers: { X-Key: { file: FILE } }",
    ];
    let lines = [
        "run scenario.yaml --target http://127.0.0.1:1/ --secret-file FILE",
        "run scenario.yaml --cacert FILE",
        "run scenario.yaml --client-cert FILE",
        "report FILE",
        "replay FILE",
        "merge FILE",
        "sign FILE",
        "verify --signature 00 --timestamp 1 FILE",
        "verify --headers FILE body",
        "verify --signature 00 --timestamp 1 --signed FILE body",
    ];
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }")).with("body", "{}");
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("pipe"))
        .status();
    assert!(made.expect("mkfifo").success());
    for file in ["/dev/zero", "pipe"] {
        for keys in profiles {
            let folder = Folder::with_scenario(&expecting("{ status: 2xx }"));
            let made = std::process::Command::new("mkfifo")
                .arg(folder.path("pipe"))
                .status();
            assert!(made.expect("mkfifo").success());
            let config = profile(&keys.replace("FILE", file));
            let folder = folder.with("aghook.yaml", config);
            let code = Transcript::of(&mut folder.run(&[])).code;
            assert!(matches!(code, 2 | 3), "{keys} {file}: exit code {code}");
        }
        for line in lines {
            let words: Vec<String> = line
                .split(' ')
                .map(|word| word.replace("FILE", file))
                .collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let code = Transcript::of(&mut folder.aghook(&words)).code;
            assert!(matches!(code, 2 | 3), "{line} {file}: exit code {code}");
        }
    }
}

/// `<(command)` of a shell is a pipe, and its program may be slow.
#[cfg(unix)]
#[test]
fn standard_input_and_pipes_of_a_shell_are_read() {
    let folder = Folder::new().with("body", "{}");
    let signed = Transcript::of(&mut folder.aghook(&[
        "sign",
        "body",
        "--timestamp",
        "1",
        "--as",
        "signature",
    ]));
    for file in ["/dev/stdin", "-"] {
        let words = ["sign", file, "--timestamp", "1", "--as", "signature"];
        let piped = Transcript::of(folder.aghook(&words).write_stdin("{}"));
        assert_eq!(piped.ends_with(0).stdout, signed.stdout, "{file}");
    }
    let aghook = assert_cmd::cargo::cargo_bin("aghook");
    let script = format!(
        "{} sign <(sleep 0.1; printf '{{}}') --timestamp 1 --as signature",
        aghook.display()
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .env("AGHOOK_SECRET", crate::support::SECRET)
        .output()
        .expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stdout), signed.stdout);
}

/// GitHub reads a line that begins with `::` as a command, also from a name in a pull request.
#[cfg(unix)]
#[test]
fn names_of_files_and_scenarios_give_a_ci_system_no_command() {
    let folder = Folder::new().with("a\n::error::x.yaml", expecting("{ status: 2xx }"));
    for words in [
        &["check", "."][..],
        &["list", "."],
        &["run", ".", "--dry-run"],
        &["run", "."],
    ] {
        let transcript = Transcript::of(&mut folder.aghook(words)).ends_with(2);
        transcript.says(&["this file name has an invisible character or a line break"]);
    }
    let scenario = expecting("{ status: 2xx }").replace(
        "name: a delivery",
        "name: \"::error::x\\u200b\"\nabout: \"a\\n::error::y\\u2028\"\ntags: [\"::error::z\"]",
    );
    let folder = Folder::with_scenario(&scenario);
    for words in [
        &["list", "scenario.yaml"][..],
        &["run", "scenario.yaml", "--dry-run"],
    ] {
        let output = Transcript::of(&mut folder.aghook(words))
            .ends_with(0)
            .stdout;
        assert!(
            !output
                .lines()
                .any(|line| line.trim_start().starts_with("::")),
            "{output}"
        );
        assert!(!output.contains(['\u{200b}', '\u{2028}']), "{output}");
    }
}

/// What a run refuses is refused before, too.
#[test]
fn check_and_dry_run_refuse_unusable_probes_hooks_and_certificates() {
    for (keys, message) in [
        (
            "probes: { quantity: { http: \"GET http://10.99.99.1/\", read: $.x } }",
            "10.99.99.1",
        ),
        (
            "probes: { quantity: { http: \"GET http://u:p@127.0.0.1/\", read: $.x } }",
            "the URL has a user name or a password",
        ),
        (
            "probes: { quantity: { http: \"G@T http://127.0.0.1/\", read: $.x } }",
            "not an HTTP method",
        ),
        (
            "probes: { quantity: { http: \"GET http://127.0.0.1/\", headers: { X-A: \"a\\nb\" }, read: $.x } }",
            "contains a control character",
        ),
        (
            "restart: { http: \"POST http://10.99.99.1/\" }",
            "10.99.99.1",
        ),
        ("cacert: missing.pem", "missing.pem"),
    ] {
        let config = format!("profiles:\n  game:\n    target: {UNREACHABLE}\n    {keys}\n");
        let folder =
            Folder::with_scenario(&expecting("{ status: 2xx }")).with("aghook.yaml", config);
        for words in [
            &["check", "scenario.yaml"][..],
            &["run", "scenario.yaml", "--dry-run"],
            &["run", "scenario.yaml"],
        ] {
            Transcript::of(&mut folder.aghook(words))
                .ends_with(2)
                .says(&[message]);
        }
    }
}

/// A step can send a request to another host; which ones, the profile says.
#[test]
fn check_and_dry_run_refuse_requests_to_other_hosts() {
    let scenario = "name: a request\nsteps:\n  - request: { url: \"http://10.99.99.1/health\" }\n    expect: { status: 2xx }\n";
    let config = |hosts: &str| {
        format!("profiles:\n  game: {{ target: \"{UNREACHABLE}\", allow_hosts: [{hosts}] }}\n")
    };
    let folder = Folder::with_scenario(scenario).with("aghook.yaml", config(""));
    for words in [
        &["check", "scenario.yaml"][..],
        &["run", "scenario.yaml", "--dry-run"],
        &["run", "scenario.yaml"],
    ] {
        Transcript::of(&mut folder.aghook(words))
            .ends_with(2)
            .says(&["`10.99.99.1` is not this machine", "scenario.yaml:3:21"]);
    }
    let folder = Folder::with_scenario(scenario).with("aghook.yaml", config("10.99.99.1"));
    for words in [
        &["check", "scenario.yaml"][..],
        &["run", "scenario.yaml", "--dry-run"],
    ] {
        Transcript::of(&mut folder.aghook(words)).ends_with(0);
    }
}

/// Such a file is regular by its type, and reading it waits for the kernel's next message.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_waits_for_data_is_refused() {
    if std::fs::File::open("/proc/kmsg").is_err() {
        return;
    }
    let folder = Folder::new();
    for words in [
        &["check", "/proc/kmsg"][..],
        &["check", "--config", "/proc/kmsg"],
        &["report", "/proc/kmsg"],
        &["import", "/proc/kmsg"],
    ] {
        Transcript::of(&mut folder.aghook(words)).ends_with(2);
    }
}

/// A pull request can have such a file, and a CI system reads lines that begin with `::` as commands.
#[test]
fn texts_of_a_scenario_are_escaped_in_every_report() {
    const HOSTILE: &str = r#""x\e[31m\u009b\u202e\n::error::y ##[error]z""#;
    let scenario = format!(
        "name: {HOSTILE}\nabout: {HOSTILE}\ntags: [{HOSTILE}]\nsource: {HOSTILE}\nevents:\n  {HOSTILE}: {{}}\n\
         steps:\n  - deliver: {HOSTILE}\n    expect: {{ status: 4xx, headers: {{ a: {HOSTILE} }} }}\n"
    );
    let folder = Folder::with_scenario(&scenario);
    let reports = ["junit=r.xml", "html=r.html", "markdown=r.md", "har=r.har"];
    let mut words = vec!["-v"];
    for report in &reports {
        words.extend(["--report", report]);
    }
    let run = Transcript::of(&mut folder.run(&words)).ends_with(1);
    let quiet = Transcript::of(folder.run(&["-q"]).env("GITHUB_ACTIONS", "true")).ends_with(1);
    let files = reports.map(|report| folder.read(report.split_once('=').expect("a path").1));
    for text in files.iter().chain([&run.stdout, &quiet.stdout]) {
        let is_unsafe = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || c == '\u{202e}';
        assert!(!text.contains(is_unsafe), "{text:?}");
        assert!(!text.contains("\n::error::y"), "{text}");
        assert!(
            !text
                .lines()
                .any(|line| line.trim_start().starts_with("::error::y")),
            "{text}"
        );
    }
}

#[test]
fn costly_files_are_refused() {
    let one = |number: usize| format!("        $.a{number}: {{ matches: a{number} }}\n");
    let many = (0..1001).map(one).collect::<Vec<_>>().concat();
    for (body, message) in [
        (many.as_str(), "more than 500 regular expressions"),
        (
            "        $.a: { matches: '\\w{5000}' }\n",
            "exceeds size limit",
        ),
        ("        $..*..*: 1\n", "more than 5 wildcards"),
    ] {
        let expect = format!("\n      body:\n{body}");
        let folder = Folder::with_scenario(&expecting(&expect));
        let transcript = Transcript::of(&mut folder.aghook(&["check", "scenario.yaml"]));
        transcript.ends_with(2).says(&[message]);
    }
}
