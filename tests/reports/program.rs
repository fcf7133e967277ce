//! Runs of the program with several reports at once.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use assert_cmd::Command;

use crate::sample_run::AWKWARD;
use crate::schemas::{validate_har, validate_json_lines, validate_junit};

const SECRET: &str = "whsec_never/shown+42";

const SCENARIO: &str = "\
name: 'a coupon: granted, or not'
events:
  welcome: { item: { sku: crystals } }
steps:
  - deliver: welcome
    retry: off
    expect: { status: 2xx, headers: { x-echo: nothing }, body: { $.status: ok } }
  - deliver: welcome
    forge: tampered_body
    expect: { status: 401, level: should }
effects:
  - granted: welcome
";

/// `aghook` in this folder, without the environment variables of CI systems.
fn aghook(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("aghook").expect("the program");
    command
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env("NO_COLOR", "1")
        .env("AGHOOK_SECRET", SECRET);
    command
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("grant.yaml"), SCENARIO).expect("a scenario");
    folder
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect(name)
}

/// Encodings of the secret that could appear in a response.
fn forms_of_secret() -> [String; 4] {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(SECRET);
    [
        SECRET.to_owned(),
        hex::encode(SECRET),
        base64,
        SECRET.replace('/', "\\/"),
    ]
}

/// A receiver that responds to every request with 500, the secret and hostile text.
fn leaking_receiver() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // aghook closes its first connection without a request, to check that the target is
            // reachable.
            let _ = respond(stream);
        }
    });
    address
}

fn respond(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let forms = forms_of_secret().join("\n");
    let body = format!("{AWKWARD}\n::error::taken\n{forms}\n");
    let (length, echo) = (body.len(), SECRET);
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nX-Echo: {echo}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[test]
fn all_reports_of_a_failing_run_at_once() {
    let folder = folder();
    let target = format!("http://{}/hook", leaking_receiver());
    let ended = aghook(folder.path())
        .env("GITHUB_ACTIONS", "true")
        .args(["run", "grant.yaml", "--verbose", "--target", &target])
        .args(["--report", "junit=reports/junit.xml"])
        .args(["--report", "markdown=reports/summary.md"])
        .args(["--report", "har=reports/run.har"])
        .args(["--report", "json=reports/run.jsonl"])
        .args(["--report", "terminal=reports/terminal.txt"])
        .args(["--report", "html=reports/run.html"])
        .output()
        .expect("it runs");
    let output = String::from_utf8(ended.stdout).expect("UTF-8");
    assert_eq!(ended.status.code(), Some(1), "{output}");

    let reports = folder.path().join("reports");
    let files = [
        "junit.xml",
        "summary.md",
        "run.har",
        "run.jsonl",
        "terminal.txt",
        "run.html",
    ];
    let mut all: Vec<String> = files.iter().map(|name| read(&reports, name)).collect();
    validate_junit(&all[0]);
    validate_har(&all[2]);
    assert!(all[1].starts_with("## ❌ aghook: failed\n"), "{}", all[1]);
    validate_json_lines(&all[3]);
    assert!(
        all[4].contains("✗ failed: a coupon: granted, or not"),
        "{}",
        all[4]
    );

    // The annotation follows the terminal report, and is the only command in the output.
    let commands: Vec<&str> = output
        .lines()
        .filter(|line| line.trim_start().starts_with("::") || line.contains("##["))
        .collect();
    assert_eq!(commands.len(), 1, "{output}");
    assert!(
        commands[0].starts_with("::error file=grant.yaml,line=1,title=failed%3A a coupon%3A"),
        "{}",
        commands[0]
    );
    assert_eq!(output.lines().last(), Some(commands[0]));

    all.push(output);
    for (index, report) in all.iter().enumerate() {
        for form in forms_of_secret() {
            assert!(
                !report.contains(&form),
                "report {index} has {form}: {report}"
            );
        }
        assert!(
            report.contains("not shown"),
            "report {index} shows no response: {report}"
        );
    }
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn the_bundled_suite_in_all_formats() {
    let folder = folder();
    aghook(folder.path())
        .args(["run", "--report", "junit=junit.xml"])
        .args(["--report", "har=run.har", "--report", "markdown=summary.md"])
        .args(["--report", "json=run.jsonl"])
        .assert()
        .success();
    validate_json_lines(&read(folder.path(), "run.jsonl"));
    let junit = read(folder.path(), "junit.xml");
    validate_junit(&junit);
    validate_har(&read(folder.path(), "run.har"));
    let listed = aghook(folder.path())
        .args(["list", "--json"])
        .output()
        .expect("it runs");
    let scenarios = String::from_utf8_lossy(&listed.stdout).lines().count();
    assert!(junit.contains(&format!(
        "<testsuites name=\"aghook\" tests=\"{scenarios}\""
    )));
    assert!(read(folder.path(), "summary.md").contains(&format!("- {scenarios} scenarios: ")));
}

#[test]
fn a_report_on_standard_output_is_the_only_output() {
    let folder = folder();
    let target = format!("http://{}/hook", leaking_receiver());
    for kind in ["junit", "html", "markdown", "har", "json"] {
        let ended = aghook(folder.path())
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", "summary.md")
            .args(["run", "grant.yaml", "--report", kind, "--target", &target])
            .output()
            .expect("it runs");
        assert_eq!(ended.status.code(), Some(1), "{kind}");
        let output = String::from_utf8(ended.stdout).expect("UTF-8");
        match kind {
            "junit" => validate_junit(&output),
            "har" => validate_har(&output),
            "markdown" => assert!(output.starts_with("## ❌ aghook: failed\n"), "{output}"),
            "html" => assert!(output.starts_with("<!doctype html>\n"), "{output}"),
            _ => assert!(output.lines().all(|line| line.starts_with("{\"event\":"))),
        }
        let errors = String::from_utf8(ended.stderr).expect("UTF-8");
        assert!(
            errors.starts_with("::error file=grant.yaml,line=1,"),
            "{kind}: {errors}"
        );
        assert!(!folder.path().join("summary.md").exists());
    }
}

#[test]
fn an_unwritable_report_is_an_error_before_sending() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "old content").expect("a file");
    std::fs::create_dir(folder.path().join("folder")).expect("a folder");
    for path in ["file/junit.xml", "folder"] {
        let ended = aghook(folder.path())
            .args(["run", "grant.yaml", "--report", "html=file"])
            .args(["--report", &format!("junit={path}"), "--record", "kept"])
            .output()
            .expect("it runs");
        let errors = String::from_utf8(ended.stderr).expect("UTF-8");
        assert_eq!(ended.status.code(), Some(2), "{errors}");
        let message = format!("error: can't write the report {path}: ");
        assert!(errors.starts_with(&message), "{errors}");
        assert!(errors.contains("nothing was sent"), "{errors}");
        assert_eq!(ended.stdout, b"");
        assert!(!folder.path().join("kept").exists());
        assert!(!read(folder.path(), "file").contains("old content"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_at_the_end() {
    let folder = folder();
    for kind in ["junit", "html", "markdown", "har", "json"] {
        let ended = aghook(folder.path())
            .args([
                "run",
                "grant.yaml",
                "--report",
                &format!("{kind}=/dev/full"),
            ])
            .output()
            .expect("it runs");
        assert_eq!(ended.status.code(), Some(3), "{kind}");
        let output = String::from_utf8(ended.stdout).expect("UTF-8");
        assert!(output.contains("1 scenario: "), "{kind}: {output}");
        let errors = String::from_utf8(ended.stderr).expect("UTF-8");
        let message = "error: failed to write the report /dev/full: ";
        assert!(errors.starts_with(message), "{kind}: {errors}");
    }
}

#[test]
fn invalid_report_options_are_refused_before_the_run() {
    let folder = folder();
    for (reports, message) in [
        (["junit=a", "har=a"], "two reports have the same path a"),
        (
            ["junit", "har"],
            "only one report can go to standard output",
        ),
        (
            ["junit=a", "harr"],
            "unknown report `harr`; did you mean `har`?",
        ),
        (
            ["junit=a", "nonsense"],
            "known: terminal, json, junit, html, markdown, har",
        ),
    ] {
        let ended = aghook(folder.path())
            .args(["run", "--report", reports[0], "--report", reports[1]])
            .output()
            .expect("it runs");
        let errors = String::from_utf8(ended.stderr).expect("UTF-8");
        assert_eq!(ended.status.code(), Some(2), "{errors}");
        assert!(errors.contains(message), "{errors}");
        assert!(!folder.path().join("a").exists());
    }
}

/// DEL and C1 control characters stand unescaped in JSON. A terminal would interpret them, a JSON
/// report has to keep them.
#[test]
fn a_report_on_standard_output_keeps_every_byte() {
    let peer = crate::support::Peer::answering(|_| {
        crate::support::PeerResponse::new(200).body("a\u{7f}b\u{9b}31mc")
    });
    let folder = folder();
    let arguments = ["run", "grant.yaml", "--report", "json", "--target"];
    let output = aghook(folder.path())
        .args(arguments)
        .arg(peer.url())
        .output();
    let text = String::from_utf8(output.expect("runs").stdout).expect("UTF-8");
    assert!(text.contains("a\u{7f}b\u{9b}31mc"), "{text}");
}
