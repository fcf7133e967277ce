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

/// The CI systems and the files of their jobs.
#[cfg(unix)]
const SYSTEMS: [(&str, &str); 3] = [
    ("github", ".github/workflows/webhooks.yml"),
    ("gitlab", ".gitlab-ci.yml"),
    ("jenkins", "Jenkinsfile"),
];

/// All commands of a job, with its variables, for a shell in the root of the repository. Installs to
/// `programs`.
#[cfg(unix)]
fn script(system: &str, repository: &Path, file: &str, programs: &Path) -> String {
    let programs = programs.to_str().expect("UTF-8");
    let (variables, commands) = match system {
        "github" => {
            let job = &yaml(repository, file)["jobs"]["aghook"];
            let steps = job["steps"].as_array().expect("steps");
            let mut commands: Vec<&str> = vec![];
            commands.extend(steps.iter().filter_map(|step| step["run"].as_str()));
            let folder = job["defaults"]["run"]["working-directory"].as_str();
            let install = format!(
                "root=$PWD; GITHUB_PATH=$PWD/path; cd {programs}\n{}\nPATH=$(cat $GITHUB_PATH):$PATH\ncd \"$root/{}\"",
                commands[0],
                folder.expect("a folder")
            );
            let commands = [&[install.as_str()], &commands[1..]].concat().join("\n");
            (variables(&job["env"]), commands)
        }
        "gitlab" => {
            let job = &yaml(repository, file)["webhooks"];
            let parts =
                ["before_script", "script"].map(|key| job[key].as_array().expect("commands"));
            let commands: Vec<&str> = parts
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let commands = commands.join("\n").replace("/usr/local/bin", programs);
            (
                variables(&job["variables"]),
                format!("PATH={programs}:$PATH\n{commands}"),
            )
        }
        _ => {
            let text = std::fs::read_to_string(repository.join(file)).expect("readable");
            let block = text.split("\'\'\'").nth(1).expect("a shell command");
            let variables = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.starts_with("//"))
                .filter_map(|line| line.split_once(" = "));
            let variables = variables.map(|(name, value)| format!("export {name}={value}\n"));
            (variables.collect(), block.replace("\\'", "'"))
        }
    };
    format!("{variables}{commands}")
}

#[cfg(unix)]
fn variables(of: &Value) -> String {
    let variables = of.as_object().expect("variables").iter();
    let variables = variables
        .map(|(name, value)| format!("export {name}='{}'\n", value.as_str().expect("text")));
    variables.collect()
}

/// Runs a script as the strict shells of CI systems do.
#[cfg(unix)]
fn run(script: &str, folder: &Path) -> std::process::Output {
    Command::new("bash")
        .args(["-eo", "pipefail", "-c"])
        // In CI, background processes end with the machine.
        .arg(format!(
            "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}"
        ))
        .current_dir(folder)
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .env_remove("GITHUB_ACTIONS")
        .output()
        .expect("bash runs")
}

#[cfg(unix)]
fn is_installed(tool: &str) -> bool {
    let is_installed = Command::new(tool).arg("--version").output().is_ok();
    if !is_installed {
        eprintln!("left out: {tool} is not installed, so no job was run");
    }
    is_installed
}

/// A release with a package that runs the tested program.
#[cfg(unix)]
fn release() -> (TempDir, String) {
    let folder = TempDir::new().expect("a folder");
    let program = folder.path().join("aghook");
    let text = format!(
        "#!/bin/sh\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_aghook")
    );
    std::fs::write(&program, text).expect("written");
    let commands = "chmod +x aghook && tar -czf aghook-linux-x64.tar.gz aghook";
    assert!(run(commands, folder.path()).status.success());
    let url = format!("file://{}", folder.path().display());
    (folder, url)
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
fn each_job_installs_a_release_and_passes() {
    if !is_installed("bash") || !is_installed("curl") {
        return;
    }
    let (_release, url) = release();
    for (system, file) in SYSTEMS {
        let repository = repository();
        let root = repository.path();
        let name = "webhook tests";
        aghook(root, &["new", name, "--ci", system, "--release", &url])
            .assert()
            .success();
        let programs = TempDir::new().expect("a folder");
        let script = script(system, root, file, programs.path());
        let folder = root.join(name);
        let ended = run(&with_free_port(&script, &folder), root);
        let said = String::from_utf8_lossy(&ended.stdout);
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{system}: {said}{errors}");
        assert!(said.contains("1 scenario: 1 passed, 0 failed"), "{said}");
        for report in ["reports/junit.xml", "reports/run.har"] {
            let size = std::fs::metadata(folder.join(report)).expect(report).len();
            assert!(size > 100, "{report}");
        }
        // Where the CI system looks for the reports.
        let job = std::fs::read_to_string(root.join(file)).expect("readable");
        assert!(job.contains("webhook tests/reports/"), "{job}");
    }
}

#[cfg(unix)]
#[test]
fn a_job_without_a_release_fails_with_one_line() {
    if !is_installed("bash") {
        return;
    }
    for (system, file) in SYSTEMS {
        let repository = repository();
        let root = repository.path();
        aghook(root, &["new", "--ci", system]).assert().success();
        let ended = run(&script(system, root, file, root), root);
        assert!(!ended.status.success());
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(errors.lines().count(), 1, "{errors}");
        let expected =
            format!("AGHOOK_RELEASE: set it to the URL of a release of aghook, in {file}\n");
        assert!(errors.ends_with(&expected), "{errors}");
    }
}

#[test]
fn an_existing_job_is_kept() {
    for (system, existing, file, step) in [
        (
            "gitlab",
            ".gitlab-ci.yml",
            "aghook.gitlab-ci.yml",
            "- local: aghook.gitlab-ci.yml",
        ),
        (
            "jenkins",
            "Jenkinsfile",
            "Jenkinsfile.aghook",
            "the script path Jenkinsfile.aghook",
        ),
    ] {
        let repository = repository();
        let root = repository.path();
        std::fs::write(root.join(existing), "mine").expect("written");
        let ended = aghook(root, &["new", "--ci", system]).assert().success();
        let said = String::from_utf8_lossy(&ended.get_output().stdout).into_owned();
        assert!(said.contains(step), "{said}");
        assert!(root.join(file).exists());
        assert_eq!(
            std::fs::read_to_string(root.join(existing)).expect("readable"),
            "mine"
        );
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
