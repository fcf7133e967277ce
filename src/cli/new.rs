//! `aghook new`: creates a config, a first scenario and a CI job.

mod ci_job;

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use ci_job::CiSystem;

/// Create a config, a first scenario and a CI job
///
/// Creates aghook.yaml and scenarios/first.yaml, and a CI job in the root of the repository. Never
/// overwrites a file.
#[derive(Debug, Args)]
pub struct New {
    /// Folder for the files
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,

    /// CI system of the job
    #[arg(long, value_name = "SYSTEM", default_value = "github")]
    ci: CiSystem,
}

/// The file names and contents.
const FILES: [(&str, &str); 2] = [
    ("aghook.yaml", include_str!("new/aghook.yaml")),
    ("scenarios/first.yaml", include_str!("new/first.yaml")),
];

impl New {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let files = FILES.map(|(name, text)| (self.folder.join(name), text.to_owned()));
        let paths: Vec<(PathBuf, String)> =
            files.into_iter().chain(self.ci.job(&self.folder)).collect();
        // Write either all files or none.
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
                "\nThe CI job already passes. Replace the receiver in it with yours, and commit it."
            }
            CiSystem::Gitlab => {
                "\nThe CI job already passes. Replace the receiver in it with yours, include it in \
                 .gitlab-ci.yml, and commit it."
            }
            CiSystem::None => "",
        };
        let folder = match self.folder.as_path() {
            here if here == Path::new(".") => String::new(),
            folder => format!(", in {}", folder.display()),
        };
        writeln!(console, "\nNext{folder}:\n{steps}{job}")?;
        console.flush()?;
        Ok(ExitCode::Success)
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), CommandError> {
    let problem = |error: std::io::Error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return exists(path);
        }
        let help = "check that the folder is writable".to_owned();
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
    let help = "choose another folder, or move the file; `--ci none` creates no CI job".to_owned();
    CommandError::usage(format!("{} already exists", path.display()), help)
}
