//! `aghook new`: a config, a first scenario and a CI job to start from.

mod ci_job;

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use ci_job::CiSystem;

/// Write a config, a first scenario and a CI job to start from
///
/// Writes aghook.yaml, scenarios/first.yaml and the job, and never over a file that is there. The
/// job goes to the root of the repository, where the CI system looks for it.
#[derive(Debug, Args)]
pub struct New {
    /// The folder to write into
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,

    /// The CI system that a job is written for
    #[arg(long, value_name = "SYSTEM", default_value = "github")]
    ci: CiSystem,
}

/// The files and what is in them.
const FILES: [(&str, &str); 2] = [
    ("aghook.yaml", include_str!("new/aghook.yaml")),
    ("scenarios/first.yaml", include_str!("new/first.yaml")),
];

impl New {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let files = FILES.map(|(name, text)| (self.folder.join(name), text.to_owned()));
        let paths: Vec<(PathBuf, String)> =
            files.into_iter().chain(self.ci.job(&self.folder)).collect();
        // Nothing is written unless everything can be.
        if let Some((path, _)) = paths.iter().find(|(path, _)| path.exists()) {
            return Err(exists(path));
        }
        for (path, text) in &paths {
            write_new(path, text)?;
            writeln!(console, "wrote {}", path.display())?;
        }
        let steps = include_str!("new/next-steps.txt").trim_end();
        let job = match self.ci {
            CiSystem::Github => {
                "\nThe CI job passes as it is: put your receiver into it, and commit it."
            }
            CiSystem::Gitlab => {
                "\nThe CI job passes as it is: put your receiver into it, include it in .gitlab-ci.yml, \
                 and commit it."
            }
            CiSystem::None => "",
        };
        let folder = match self.folder.as_path() {
            here if here == Path::new(".") => String::new(),
            folder => format!(", in {}", folder.display()),
        };
        writeln!(console, "\nNext{folder}:\n{steps}{job}")?;
        console.flush()?;
        Ok(ExitCode::ChecksHeld)
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), CommandError> {
    let problem = |error: std::io::Error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return exists(path);
        }
        let help = "check that the folder can be written to".to_owned();
        CommandError::not_completed(format!("can't write {}: {error}", path.display()), help)
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

fn exists(path: &Path) -> CommandError {
    let help =
        "choose another folder, or move the file away; `--ci none` writes no CI job".to_owned();
    CommandError::usage(format!("{} is there already", path.display()), help)
}
