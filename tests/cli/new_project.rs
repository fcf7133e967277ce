//! `aghook new` writes valid files and a CI job that passes once it installs aghook, and never overwrites
//! files.

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

/// A job's script, with its variables.
#[cfg(unix)]
struct Script {
    /// From the first command to the one that installs aghook.
    install: String,
    run: String,
    folder: String,
}

#[cfg(unix)]
impl Script {
    fn new(variables: &Value, commands: &[&str], folder: &str) -> Self {
        let variables = variables.as_object().expect("variables").iter();
        let variables: Vec<String> = variables
            .map(|(name, value)| format!("export {name}='{}'\n", value.as_str().expect("text")))
            .collect();
        let variables = variables.concat();
        let install = commands.iter().position(|line| line.contains("install"));
        let (install, run) = commands.split_at(install.expect("an installation") + 1);
        let script = |commands: &[&str]| format!("{variables}{}", commands.join("\n"));
        Self {
            install: script(install),
            run: script(run),
            folder: folder.to_owned(),
        }
    }

    /// Of the GitHub job.
    fn github(repository: &Path) -> Self {
        let workflow = yaml(repository, ".github/workflows/webhooks.yml");
        let job = &workflow["jobs"]["aghook"];
        let steps = job["steps"].as_array().expect("steps");
        let commands: Vec<&str> = steps
            .iter()
            .filter_map(|step| step["run"].as_str())
            .collect();
        let folder = &job["defaults"]["run"]["working-directory"];
        Self::new(&job["env"], &commands, folder.as_str().expect("a folder"))
    }

    /// Of the GitLab job, which changes to the folder itself.
    fn gitlab(repository: &Path, file: &str) -> Self {
        let job = &yaml(repository, file)["webhooks"];
        let commands =
            ["before_script", "script"].map(|key| job[key].as_array().expect("commands"));
        let commands: Vec<&str> = commands
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        Self::new(&job["variables"], &commands, ".")
    }
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
fn the_github_job_passes_once_aghook_is_installed() {
    let repository = repository();
    aghook(repository.path(), &["new", "webhook tests"])
        .assert()
        .success();
    let script = Script::github(repository.path());
    assert_eq!(script.folder, "webhook tests");
    let folder = repository.path().join(script.folder);
    let script = with_free_port(&script.run, &folder);
    if passes(&script, &folder) {
        for report in ["reports/junit.xml", "reports/run.har", "summary.md"] {
            let size = std::fs::metadata(folder.join(report)).expect(report).len();
            assert!(size > 100, "{report}");
        }
    }
}

#[cfg(unix)]
#[test]
fn the_gitlab_job_passes_once_aghook_is_installed() {
    let repository = repository();
    let folder = repository.path().join("webhook tests");
    aghook(
        repository.path(),
        &["new", "webhook tests", "--ci", "gitlab"],
    )
    .assert()
    .success();
    let script = Script::gitlab(repository.path(), ".gitlab-ci.yml");
    let script = with_free_port(&script.run, &folder);
    if passes(&script, repository.path()) {
        assert!(folder.join("reports/junit.xml").exists());
    }
    let artifacts = &yaml(repository.path(), ".gitlab-ci.yml")["webhooks"]["artifacts"];
    assert_eq!(
        artifacts["reports"]["junit"],
        "webhook tests/reports/junit.xml"
    );
}

#[cfg(unix)]
#[test]
fn a_job_without_a_repository_of_aghook_fails_with_one_line() {
    let repository = repository();
    aghook(repository.path(), &["new"]).assert().success();
    aghook(repository.path(), &["new", "other", "--ci", "gitlab"])
        .assert()
        .success();
    for (script, file) in [
        (
            Script::github(repository.path()),
            ".github/workflows/webhooks.yml",
        ),
        (
            Script::gitlab(repository.path(), ".gitlab-ci.yml"),
            ".gitlab-ci.yml",
        ),
    ] {
        let ended = Command::new("sh")
            .args(["-ec", &script.install])
            .output()
            .expect("a shell");
        assert!(!ended.status.success());
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(errors.lines().count(), 1, "{errors}");
        let expected =
            format!("AGHOOK_GIT: set it to the URL of the Git repository of aghook, in {file}\n");
        assert!(errors.ends_with(&expected), "{errors}");
        assert!(
            script
                .install
                .ends_with("cargo install --locked --git \"$AGHOOK_GIT\" aghook"),
            "{}",
            script.install
        );
    }
}

#[cfg(unix)]
#[test]
fn with_git_the_job_installs_from_that_repository() {
    let url = "https://git.example.com/tools/aghook";
    let repository = repository();
    aghook(repository.path(), &["new", "--git", url])
        .assert()
        .success();
    std::fs::write(repository.path().join(".gitlab-ci.yml"), "stages: [test]").expect("written");
    let ended = aghook(
        repository.path(),
        &["new", "other", "--ci", "gitlab", "--git", url],
    )
    .assert()
    .success();
    let said = String::from_utf8_lossy(&ended.get_output().stdout).into_owned();
    assert!(said.contains("- local: aghook.gitlab-ci.yml"), "{said}");
    for script in [
        Script::github(repository.path()),
        Script::gitlab(repository.path(), "aghook.gitlab-ci.yml"),
    ] {
        let expected = format!(
            "export AGHANIM_WEBHOOK_SECRET='whsec_of_this_job_only'\n\
             cargo install --locked --git {url} aghook"
        );
        assert_eq!(script.install, expected);
    }
}

#[test]
fn editors_find_the_schemas_and_git_ignores_what_aghook_writes() {
    let folder = TempDir::new().expect("a folder");
    aghook(folder.path(), &["new"]).assert().success();
    for (name, what) in [
        ("aghook.yaml", "config"),
        ("scenarios/first.yaml", "scenario"),
    ] {
        let file = folder.path().join(name);
        let text = std::fs::read_to_string(&file).expect("readable");
        let schema = text.lines().next().expect("a line");
        let schema = schema.strip_prefix("# yaml-language-server: $schema=");
        let schema = file.with_file_name(schema.expect("a schema"));
        let printed = aghook(folder.path(), &["schema", what]).assert().success();
        assert_eq!(
            std::fs::read_to_string(&schema).expect("readable"),
            String::from_utf8_lossy(&printed.get_output().stdout)
        );
    }
    let ignored = std::fs::read_to_string(folder.path().join(".gitignore")).expect("readable");
    for line in ["reports/", "*.snap.new", "aghook-failures.jsonl"] {
        assert!(ignored.lines().any(|ignored| ignored == line), "{line}");
    }
}

#[test]
fn an_existing_gitignore_is_kept() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join(".gitignore");
    std::fs::write(&file, "mine").expect("written");
    let ended = aghook(folder.path(), &["new"]).assert().success();
    let said = String::from_utf8_lossy(&ended.get_output().stdout).into_owned();
    assert!(said.contains("*.snap.new"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).expect("readable"), "mine");
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
        (".aghook/scenario.schema.json", &["new"]),
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
fn all_files_in_the_way_are_named() {
    let repository = repository();
    let root = repository.path();
    aghook(root, &["new", "."]).assert().success();
    let again = aghook(root, &["new", "."]).assert().code(2);
    let errors = String::from_utf8_lossy(&again.get_output().stderr).into_owned();
    for name in [
        "aghook.yaml, ",
        "first.yaml, ",
        "already exist",
        "nothing was written",
    ] {
        assert!(errors.contains(name), "no {name} in {errors}");
    }
    std::fs::write(root.join("file"), "mine").expect("written");
    let on_file = aghook(root, &["new", "file"]).assert().code(2);
    let errors = String::from_utf8_lossy(&on_file.get_output().stderr).into_owned();
    assert!(errors.contains("file is not a folder"), "{errors}");
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
