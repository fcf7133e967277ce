//! `aghook new`: creates a config, a first scenario and a CI job.

mod ci_job;
mod release_url;

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use crate::scenario::{config_schema, scenario_schema};
use ci_job::{CiJob, CiSystem};
use release_url::ReleaseUrl;

/// Create a config, a first scenario and a CI job
///
/// Creates aghook.yaml and scenarios/first.yaml, their JSON Schemas for editors, .gitignore, and a CI
/// job in the root of the repository. Never overwrites a file.
#[derive(Debug, Args)]
pub struct New {
    /// Folder for the files
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,

    /// CI system of the job
    #[arg(long, value_name = "SYSTEM", default_value = "github")]
    ci: CiSystem,

    /// Folder with the packages of a release of aghook, from which the job installs it [default: the
    /// job fails until you set its variable `AGHOOK_RELEASE`]
    #[arg(long, value_name = "URL")]
    release: Option<ReleaseUrl>,
}

const IGNORED: &str = include_str!("new/ignored.txt");

impl New {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        if self.ci == CiSystem::None && self.release.is_some() {
            let help = "remove one of the options".to_owned();
            return Err(CommandError::usage(
                "`--release` needs a CI job, but `--ci none` creates none",
            )
            .with_help(help));
        }
        let job = self.ci.job(&self.folder, self.release.as_ref());
        let paths = self.files(job.as_ref());
        // Write either all files or none.
        if self.folder.exists() && !self.folder.is_dir() {
            let message = format!("{} is not a folder", self.folder.display());
            return Err(CommandError::usage(message).with_help("choose another name"));
        }
        let existing = paths.iter().map(|(path, _)| path.as_path());
        let existing: Vec<&Path> = existing.filter(|path| path.exists()).collect();
        if !existing.is_empty() {
            return Err(exist(&existing));
        }
        for (path, text) in &paths {
            write_new(path, text)?;
            writeln!(console, "wrote {}", path.display())?;
        }
        let ignore = self.folder.join(".gitignore");
        if ignore.exists() {
            let lines: Vec<&str> = IGNORED.lines().collect();
            let (ignore, lines) = (ignore.display(), lines.join("\n  "));
            writeln!(console, "\nAdd to {ignore}:\n  {lines}")?;
        } else {
            write_new(&ignore, IGNORED)?;
            writeln!(console, "wrote {}", ignore.display())?;
        }
        let steps = include_str!("new/next-steps.txt").trim_end();
        let job = job.map_or_else(String::new, |job| format!("\n{}", job.next_steps));
        let folder = match self.folder.as_path() {
            here if here == Path::new(".") => String::new(),
            folder => format!(", in {}", folder.display()),
        };
        writeln!(console, "\nNext{folder}:\n{steps}{job}")?;
        console.flush()?;
        Ok(ExitCode::Success)
    }

    /// The paths and contents of the files that must not exist.
    fn files(&self, job: Option<&CiJob>) -> Vec<(PathBuf, String)> {
        let schema = |schema: serde_json::Value| format!("{schema:#}\n");
        let files = [
            ("aghook.yaml", include_str!("new/aghook.yaml").to_owned()),
            (
                "scenarios/first.yaml",
                include_str!("new/first.yaml").to_owned(),
            ),
            (".aghook/config.schema.json", schema(config_schema())),
            (".aghook/scenario.schema.json", schema(scenario_schema())),
        ];
        let files = files.map(|(name, text)| (self.folder.join(name), text));
        let job = job.map(|job| (job.path.clone(), job.text.clone()));
        files.into_iter().chain(job).collect()
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), CommandError> {
    let problem = |error: std::io::Error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return exist(&[path]);
        }
        let help = "check that the folder is writable";
        CommandError::not_completed(format!("can't write {}: {error}", path.display()))
            .with_help(help)
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(problem)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(problem)?;
    file.write_all(text.as_bytes()).map_err(problem)
}

fn exist(paths: &[&Path]) -> CommandError {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let (exist, file) = match names.len() {
        1 => ("already exists", "the file"),
        _ => ("already exist", "these files"),
    };
    let help = format!(
        "nothing was written; choose another folder, or move {file}. `--ci none` creates no CI job"
    );
    CommandError::usage(format!("{} {exist}", names.join(", "))).with_help(help)
}
