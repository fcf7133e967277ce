//! `aghook new` writes files that pass on the first try, in the folder and in the CI job, and never
//! overwrites files.

use std::path::Path;
#[cfg(unix)]
use std::process::Command;

#[cfg(unix)]
use aghook::internals::scenario::document::{Node, SourceFile, decode};
#[cfg(unix)]
use serde_json::Value;
use tempfile::TempDir;

fn aghook(folder: &Path, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::cargo_bin("aghook").expect("built");
    command.current_dir(folder).args(arguments);
    command
}

/// A folder that looks like a git repository.
fn repository() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    std::fs::create_dir(folder.path().join(".git")).expect("a folder");
    folder
}

#[cfg(unix)]
/// Parses the file of a CI job.
fn yaml(folder: &Path, name: &str) -> Value {
    let source = SourceFile::read(&folder.join(name)).expect("readable");
    let tree = Node::parse(&source).expect("YAML");
    decode(&source, &tree).expect("JSON")
}

#[cfg(unix)]
/// The commands of the GitHub job without the installation, and the folder where they run.
fn github_script(repository: &Path) -> (String, String) {
    let workflow = yaml(repository, ".github/workflows/webhooks.yml");
    let job = &workflow["jobs"]["aghook"];
    let steps = job["steps"].as_array().expect("steps");
    let commands: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .collect();
    assert_installs_this_version(commands[0]);
    let folder = &job["defaults"]["run"]["working-directory"];
    let secret = job["env"]["AGHANIM_WEBHOOK_SECRET"].as_str().expect("text");
    let script = format!(
        "export AGHANIM_WEBHOOK_SECRET={secret}\n{}",
        commands[1..].join("\n")
    );
    (script, folder.as_str().expect("a folder").to_owned())
}

#[cfg(unix)]
/// The commands of the GitLab job, which changes to the folder itself.
fn gitlab_script(repository: &Path) -> String {
    let job = &yaml(repository, "aghook.gitlab-ci.yml")["webhooks"];
    assert_installs_this_version(job["before_script"][0].as_str().expect("text"));
    let commands = job["script"].as_array().expect("commands");
    let commands: Vec<&str> = commands.iter().filter_map(Value::as_str).collect();
    let secret = job["variables"]["AGHANIM_WEBHOOK_SECRET"]
        .as_str()
        .expect("text");
    format!(
        "export AGHANIM_WEBHOOK_SECRET={secret}\n{}",
        commands.join("\n")
    )
}

#[cfg(unix)]
fn assert_installs_this_version(command: &str) {
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!("cargo install --locked aghook --version {version}");
    assert_eq!(command, expected);
}

/// Runs a job's script in a shell with the strict options of a CI system. Returns `false` and
/// prints a note if a tool is missing.
#[cfg(unix)]
fn passes(script: &str, folder: &Path) -> bool {
    for tool in ["bash", "curl"] {
        if Command::new(tool).arg("--version").output().is_err() {
            eprintln!("left out: {tool} is not installed, so the job was not run");
            return false;
        }
    }
    let program = Path::new(env!("CARGO_BIN_EXE_aghook"));
    let programs = program.parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(programs).chain(std::env::split_paths(&path));
    let ended = Command::new("bash")
        .args(["-eo", "pipefail", "-c"])
        // In CI, background processes end with the machine.
        .arg(format!("trap 'kill $(jobs -p)' EXIT\n{script}"))
        .current_dir(folder)
        .env("PATH", std::env::join_paths(path).expect("a path"))
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .env_remove("GITHUB_ACTIONS")
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&ended.stdout);
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}{errors}");
    assert!(said.contains("1 scenario: 1 passed, 0 failed"), "{said}");
    true
}

/// Replaces the default port in the script and the config with a free one.
#[cfg(unix)]
fn with_free_port(script: &str, folder: &Path) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let config = folder.join("aghook.yaml");
    let text = std::fs::read_to_string(&config).expect("readable");
    std::fs::write(&config, text.replace("127.0.0.1:8080", &address)).expect("written");
    assert!(script.contains("127.0.0.1:8080"), "{script}");
    script.replace("127.0.0.1:8080", &address)
}

#[cfg(unix)]
#[test]
fn the_github_job_passes_on_the_first_try() {
    let repository = repository();
    aghook(repository.path(), &["new", "webhook tests"])
        .assert()
        .success();
    let (script, folder) = github_script(repository.path());
    assert_eq!(folder, "webhook tests");
    let folder = repository.path().join(folder);
    let script = with_free_port(&script, &folder);
    if passes(&script, &folder) {
        for report in ["reports/junit.xml", "reports/run.har", "summary.md"] {
            let size = std::fs::metadata(folder.join(report)).expect(report).len();
            assert!(size > 100, "{report}");
        }
    }
}

#[cfg(unix)]
#[test]
fn the_gitlab_job_passes_on_the_first_try() {
    let repository = repository();
    let folder = repository.path().join("webhook tests");
    aghook(
        repository.path(),
        &["new", "webhook tests", "--ci", "gitlab"],
    )
    .assert()
    .success();
    let script = with_free_port(&gitlab_script(repository.path()), &folder);
    if passes(&script, repository.path()) {
        assert!(folder.join("reports/junit.xml").exists());
    }
    let artifacts = &yaml(repository.path(), "aghook.gitlab-ci.yml")["webhooks"]["artifacts"];
    assert_eq!(
        artifacts["reports"]["junit"],
        "webhook tests/reports/junit.xml"
    );
}

#[test]
fn the_written_files_are_valid() {
    let folder = TempDir::new().expect("a folder");
    aghook(folder.path(), &["new"]).assert().success();
    let checked = aghook(folder.path(), &["check", "aghook.yaml", "scenarios/"]);
    let said = { checked }.assert().success().get_output().stdout.clone();
    assert_eq!(
        String::from_utf8_lossy(&said),
        "no errors in 2 files with 1 scenario and 1 profile\n"
    );
    // The CI job in `.github` is not a scenario.
    aghook(folder.path(), &["check", "."]).assert().success();
}

#[test]
fn an_existing_file_is_kept_and_nothing_is_written() {
    for (name, arguments) in [
        ("aghook.yaml", &["new"][..]),
        ("scenarios/first.yaml", &["new"]),
        (".github/workflows/webhooks.yml", &["new"]),
        ("aghook.gitlab-ci.yml", &["new", "--ci", "gitlab"]),
    ] {
        let repository = repository();
        let file = repository.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, "mine").expect("written");
        let ended = aghook(repository.path(), arguments);
        let errors = { ended }.assert().code(2).get_output().stderr.clone();
        let errors = String::from_utf8_lossy(&errors).into_owned();
        assert!(errors.contains("already exists"), "{errors}");
        assert_eq!(std::fs::read_to_string(&file).expect("readable"), "mine");
        let files = walkdir::WalkDir::new(repository.path()).into_iter();
        let files = files.filter(|entry| entry.as_ref().expect("an entry").file_type().is_file());
        assert_eq!(files.count(), 1, "{name}");
    }
}

#[test]
fn no_job_is_written_with_ci_none() {
    let repository = repository();
    aghook(repository.path(), &["new", "--ci", "none"])
        .assert()
        .success();
    assert!(repository.path().join("aghook.yaml").exists());
    assert!(!repository.path().join(".github").exists());
}
