//! The recipes of docs/cookbook.md: each passes against the built-in receiver and fails if the
//! receiver makes the mistake that the recipe is about.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use crate::support::Folder;
use aghook::internals::scenario::document::{Node, SourceFile, decode};
use serde_json::Value;

const SECRET: (&str, &str) = ("AGHANIM_WEBHOOK_SECRET", "whsec_of/the+cookbook");
const OLD_SECRET: (&str, &str) = ("AGHANIM_WEBHOOK_OLD_SECRET", "whsec_before");

/// The address in the profiles of the recipes.
const ADDRESS: &str = "127.0.0.1:8080";

/// One section of the cookbook.
struct CookbookRecipe {
    title: String,
    /// The recipe's own profile, or the shared one.
    profile: String,
    scenario: String,
    /// The command that starts a receiver with the mistake.
    mistake_command: String,
}

fn cookbook() -> String {
    std::fs::read_to_string("docs/cookbook.md").expect("the cookbook")
}

/// The code block of this kind in a section.
fn block(section: &str, kind: &str) -> Option<String> {
    let (_, rest) = section.split_once(&format!("```yaml {kind}\n"))?;
    let (text, _) = rest.split_once("```\n").expect("the block's end");
    Some(text.to_owned())
}

fn recipes() -> Vec<CookbookRecipe> {
    let text = cookbook();
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    let shared = block(sections[0], "profile").expect("the shared profile");
    let recipes = sections.iter().filter_map(|section| {
        let title = section.lines().next()?.to_owned();
        let scenario = block(section, "scenario")?;
        let (_, mistake_command) = section.split_once("See it fail: `").expect(&title);
        let (mistake_command, _) = mistake_command.split_once('`').expect("the command's end");
        Some(CookbookRecipe {
            profile: block(section, "profile").unwrap_or_else(|| shared.clone()),
            title,
            scenario,
            mistake_command: mistake_command.to_owned(),
        })
    });
    recipes.collect()
}

/// An `aghook receive` process, killed when dropped.
struct ReceiverProcess {
    process: Child,
    address: String,
}

impl ReceiverProcess {
    /// Starts `aghook receive` with more options.
    fn start(options: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args([
                "receive",
                "--listen",
                "127.0.0.1:0",
                "--secret-env",
                SECRET.0,
            ])
            .args(options)
            .envs([SECRET, OLD_SECRET])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a receiver");
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert_ne!(output.read_line(&mut line).expect("a line"), 0);
        }
        let (_, rest) = line.split_once("http://").expect("a URL");
        let (address, _) = rest.split_once('/').expect("a path");
        let address = address.to_owned();
        // Drain its output so that a full pipe does not block it.
        std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
        Self { process, address }
    }

    /// Runs a recipe with `aghook run`; returns the exit code and the output.
    fn run(&self, recipe: &CookbookRecipe) -> (Option<i32>, String) {
        let profile = recipe.profile.replace(ADDRESS, &self.address);
        let folder = Folder::new()
            .with("aghook.yaml", profile)
            .with("recipe.yaml", &recipe.scenario);
        let path = databases(&folder, &self.address);
        let output = folder
            .aghook(&["check", "aghook.yaml", "recipe.yaml"])
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let output = folder
            .aghook(&["run", "recipe.yaml", "--strict"])
            .envs([SECRET, OLD_SECRET])
            .env("PATH", path)
            .output()
            .expect("runs");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        (output.status.code(), format!("{stdout}{errors}"))
    }
}

impl Drop for ReceiverProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A `PATH` where `psql` and `redis-cli` are scripts that read the receiver's inventory and accept
/// exactly the arguments of the recipes.
#[cfg(unix)]
fn databases(folder: &Folder, address: &str) -> std::ffi::OsString {
    use std::os::unix::fs::PermissionsExt as _;

    let ask = |player: &str, sku: &str| {
        format!(
            "curl --silent --fail http://{address}/debug/players/{player}/items/{sku} | \
             sed 's/.*\"quantity\": *\\([0-9]*\\).*/\\1/'\n"
        )
    };
    let psql = format!(
        "#!/bin/sh\nfor word; do case $word in\n\
         --set=player=*) player=${{word#--set=player=}} ;;\n\
         --set=sku=*) sku=${{word#--set=sku=}} ;;\n\
         -w|--set=ON_ERROR_STOP=1|--no-psqlrc|--tuples-only|--no-align|--file=scenarios/held.sql) ;;\n\
         *) echo \"psql: $word\" >&2; exit 1 ;;\nesac; done\n{}",
        ask("$player", "$sku")
    );
    let redis = format!(
        "#!/bin/sh\n[ \"$1 $2 $3 $4\" = '-h 127.0.0.1 --raw HGET' ] || exit 1\n\
         player=${{5#inventory:}}\nheld=$({})\n\
         if [ \"$held\" = 0 ]; then echo; else echo \"$held\"; fi\n",
        ask("$player", "$6")
    );
    std::fs::create_dir(folder.path("bin")).expect("a folder");
    for (name, text) in [("psql", psql), ("redis-cli", redis)] {
        let file = folder.path("bin").join(name);
        std::fs::write(&file, text).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))
            .expect("executable");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(folder.path("bin")).chain(std::env::split_paths(&path));
    std::env::join_paths(path).expect("a path")
}

#[cfg(not(unix))]
fn databases(_folder: &Folder, _address: &str) -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// Whether this system can run a recipe's probe.
fn can_run(recipe: &CookbookRecipe) -> bool {
    let needs_shell = recipe.profile.contains("command:");
    let has_curl = || Command::new("curl").arg("--version").output().is_ok();
    if needs_shell && !(cfg!(unix) && has_curl()) {
        eprintln!("left out: {} needs a shell and curl", recipe.title);
        return false;
    }
    true
}

#[test]
fn every_recipe_passes() {
    let receiver = ReceiverProcess::start(&[]);
    let recipes = recipes();
    assert!(recipes.len() >= 12, "{}", recipes.len());
    for recipe in recipes.iter().filter(|recipe| can_run(recipe)) {
        let (code, output) = receiver.run(recipe);
        assert_eq!(code, Some(0), "{}: {output}", recipe.title);
        assert!(output.contains("0 failed"), "{}: {output}", recipe.title);
    }
}

#[test]
fn every_recipe_fails_if_the_receiver_makes_its_mistake() {
    let mut missed = Vec::new();
    for recipe in recipes().iter().filter(|recipe| can_run(recipe)) {
        let options = recipe.mistake_command.strip_prefix("aghook receive ");
        let options: Vec<&str> = options.expect(&recipe.title).split(' ').collect();
        let receiver = ReceiverProcess::start(&options);
        let (code, output) = receiver.run(recipe);
        let failing = ["✗ grant of", "✗ no grant of"].map(|check| output.contains(check));
        if code != Some(1) || failing == [false; 2] {
            missed.push(format!("{}: {output}", recipe.title));
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn a_receiver_that_responds_early_passes_the_recipe_for_it() {
    let receiver = ReceiverProcess::start(&["--flaw", "early_answer"]);
    let recipes = recipes();
    let queue = recipes
        .iter()
        .find(|recipe| recipe.profile.contains("settle:"));
    let (code, output) = receiver.run(queue.expect("the recipe"));
    assert_eq!(code, Some(0), "{output}");
}

#[test]
fn the_commands_of_the_ci_job_work() {
    let text = cookbook();
    let section = text.split("\n## ").last().expect("a section");
    let workflow = block(section, "workflow").expect("a workflow");
    let source = SourceFile::new("workflow.yaml", workflow);
    let workflow: Value = decode(&source, &Node::parse(&source).expect("YAML")).expect("JSON");
    let steps = workflow["jobs"]["webhooks"]["steps"]
        .as_array()
        .expect("steps");
    let commands = steps.iter().filter_map(|step| step["run"].as_str());
    let own: Vec<&str> = commands
        .filter_map(|command| command.strip_prefix("aghook "))
        .collect();
    assert_eq!(own.len(), 3);

    let receiver = ReceiverProcess::start(&[]);
    let recipes = recipes();
    let folder = Folder::new().with(
        "aghook.yaml",
        recipes[0].profile.replace(ADDRESS, &receiver.address),
    );
    std::fs::create_dir(folder.path("scenarios")).expect("a folder");
    let folder = folder.with("scenarios/own.yaml", &recipes[0].scenario);
    for command in own {
        let words: Vec<&str> = command.split(' ').collect();
        folder.aghook(&words).envs([SECRET]).assert().success();
    }
    for report in ["own", "bundled"] {
        let xml = folder.read(&format!("reports/{report}.xml"));
        assert!(xml.contains("<testcase"), "{xml}");
    }
}
