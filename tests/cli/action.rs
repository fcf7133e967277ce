//! The steps of action.yml, run as GitHub does. Needs bash, curl and tar.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use sha2::{Digest as _, Sha256};

use crate::support::Folder;

const SCENARIO: &str = "
name: a coupon is accepted
events: { coupon: {} }
steps:
  - deliver: coupon
    expect: { status: 2xx }
";

/// The scripts of the steps, without their indentation.
fn scripts() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
    let text = fs::read_to_string(path).expect("action.yml");
    let scripts = text.split("run: |\n").skip(1);
    let indentation = " ".repeat(8);
    let lines = |script: &str| {
        let lines = script.lines();
        let lines = lines.map_while(|line| line.strip_prefix(indentation.as_str()));
        lines.collect::<Vec<_>>().join("\n")
    };
    scripts.map(lines).collect()
}

/// A folder with a release, whose program is the one under test, and with a scenario.
fn release() -> Folder {
    let folder = Folder::new()
        .with("aghook", "#!/bin/sh\nexec \"$AGHOOK\" \"$@\"\n")
        .with("scenario.yaml", SCENARIO)
        .with("path", "");
    let packed = Command::new("sh")
        .args([
            "-c",
            "chmod +x aghook && tar -czf aghook-linux-x64.tar.gz aghook && rm aghook",
        ])
        .current_dir(folder.root())
        .status();
    assert!(packed.expect("sh").success());
    let archive = fs::read(folder.path("aghook-linux-x64.tar.gz")).expect("the archive");
    let sum = hex::encode(Sha256::digest(archive));
    let other = "0".repeat(64);
    let sums = format!("{other}  aghook-darwin-arm64.tar.gz\n{sum}  aghook-linux-x64.tar.gz\n");
    folder.with("SHA256SUMS", sums)
}

fn run(script: &str, folder: &Folder, arguments: &str) -> Output {
    let installed = folder.read("path");
    let path = format!(
        "{}:{}",
        installed.trim(),
        std::env::var("PATH").expect("a PATH")
    );
    let run = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(folder.root())
        .env("PATH", path)
        .env("AGHOOK", env!("CARGO_BIN_EXE_aghook"))
        .env("RELEASE", format!("file://{}", folder.root().display()))
        .env("PLATFORM", "Linux-X64")
        .env("FOLDER", folder.path("installed"))
        .env("GITHUB_PATH", folder.path("path"))
        .env("GITHUB_STEP_SUMMARY", folder.path("summary.md"))
        .env("GITHUB_ACTIONS", "true")
        .env("ARGUMENTS", arguments)
        .output();
    run.expect("bash")
}

#[test]
fn the_action_installs_and_runs_aghook() {
    let scripts = scripts();
    let [install, start] = scripts.as_slice() else {
        panic!("{scripts:?}");
    };
    let folder = release();
    let installed = run(install, &folder, "");
    assert!(installed.status.success(), "{installed:?}");
    let passed = run(start, &folder, "scenario.yaml --wait 1s");
    assert_eq!(passed.status.code(), Some(0), "{passed:?}");
    assert!(folder.read("summary.md").contains("aghook: passed"));
    // Arguments are words, and nothing else.
    let refused = run(start, &folder, "$(touch${IFS}made)");
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(!folder.path("made").exists());
    let folder = folder.with("scenario.yaml", SCENARIO.replace("2xx", "418"));
    let failed = run(start, &folder, "scenario.yaml");
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    let output = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert!(output.contains("::error file=scenario.yaml"), "{output}");
}

#[test]
fn the_action_refuses_a_program_with_another_checksum() {
    let sums = format!("{}  aghook-linux-x64.tar.gz\n", "0".repeat(64));
    let folder = release().with("SHA256SUMS", sums);
    let refused = run(&scripts()[0], &folder, "");
    assert!(!refused.status.success(), "{refused:?}");
    assert_eq!(folder.read("path"), "");
}
