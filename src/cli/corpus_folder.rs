//! The folder of `aghook explore --corpus`: one JSON file for each interesting history.

use std::fs;
use std::io;
use std::path::Path;

use super::CommandError;
use crate::explore::CorpusCase;
use crate::files;

/// The maximum size of a case in bytes.
const FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// The cases of this folder, in the order of its files. A folder that does not exist has none.
pub(super) fn read(folder: &Path) -> Result<Vec<CorpusCase>, CommandError> {
    let files = match fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    let mut paths = Vec::new();
    for file in files {
        let path = file.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read_case(path)).collect()
}

fn read_case(path: &Path) -> Result<CorpusCase, CommandError> {
    let text = files::read_text(path, FILE_LIMIT).map_err(|error| unreadable(path, &error))?;
    CorpusCase::from_json(&text).map_err(|problem| {
        let path = path.display();
        CommandError::usage(format!("{path} is not a history of a corpus: {problem}"))
            .with_help("delete it, or choose another folder with `--corpus`")
    })
}

/// Adds these cases to the folder.
pub(super) fn add(folder: &Path, cases: &[CorpusCase]) -> Result<(), CommandError> {
    let write = |case: &CorpusCase| {
        let path = folder.join(case.file_stem()).with_extension("json");
        fs::write(path, case.to_json())
    };
    let written = fs::create_dir_all(folder).and_then(|()| cases.iter().try_for_each(write));
    written.map_err(|error| {
        let folder = folder.display();
        CommandError::not_completed(format!("can't write to the corpus {folder}: {error}"))
            .with_help("choose a writable folder with `--corpus`")
    })
}

fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::usage(format!("can't read {}: {error}", path.display()))
}
