//! Finds scenario files: by file, folder or glob, or in the bundled suite.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use include_dir::{Dir, include_dir};
use walkdir::{DirEntry, WalkDir};

use super::document::{Diagnostic, Diagnostics, SourceFile};
use super::{Case, Config};

static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// All cases of the bundled suite, sorted by path.
pub fn bundled_suite() -> Result<Vec<Case>, Diagnostics> {
    read_cases(bundled_sources().into_iter().map(Ok))
}

/// The files of the bundled suite, sorted by path.
pub fn bundled_sources() -> Vec<SourceFile> {
    let mut sources = Vec::new();
    let mut folders = vec![&BUNDLED];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            if let (true, Some(text)) = (is_yaml(file.path()), file.contents_utf8()) {
                let path = file.path().to_string_lossy().replace('\\', "/");
                sources.push(SourceFile::new(format!("scenarios/{path}"), text));
            }
        }
    }
    sources.sort_by(|left, right| left.name.cmp(&right.name));
    sources
}

/// All cases of the given files, folders and globs. Reports the mistakes in all files together.
pub(crate) fn load(paths: &[PathBuf]) -> Result<Vec<Case>, Diagnostics> {
    let files = find(paths)?;
    read_cases(files.iter().map(|path| SourceFile::read(path)))
}

fn read_cases(
    sources: impl Iterator<Item = Result<SourceFile, Diagnostics>>,
) -> Result<Vec<Case>, Diagnostics> {
    let mut cases = Vec::new();
    let mut problems = Diagnostics::default();
    for source in sources {
        let read = source.and_then(|source| Case::from_file(&source));
        cases.extend(problems.take(read).into_iter().flatten());
    }
    problems.into_result()?;
    Case::make_seeds_unique(&mut cases);
    Ok(cases)
}

/// The scenario files for paths and globs, without duplicates, sorted within each path.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Diagnostics> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut known = BTreeSet::new();
    for path in paths {
        for file in find_one(path)? {
            // A file can have several names: `a.yaml`, `./a.yaml`, a link to it. A missing file is
            // reported when it is read.
            let canonical = file.canonicalize().unwrap_or_else(|_| file.clone());
            if known.insert(canonical) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn find_one(path: &Path) -> Result<Vec<PathBuf>, Diagnostics> {
    let name = path.display().to_string();
    if path.is_dir() {
        let files = yaml_files_below(path, usize::MAX, |_| true)?;
        if files.is_empty() {
            let problem = Diagnostic::for_file(name, "no scenario files in this folder");
            return Err(problem
                .with_help("scenario files end in .yaml or .yml")
                .into());
        }
        return Ok(files);
    }
    if path.exists() || !name.contains(['*', '?', '[', '{']) {
        // A missing file is reported when it is read.
        return Ok(vec![path.to_owned()]);
    }
    let glob = GlobBuilder::new(&name)
        .literal_separator(true)
        .build()
        .map_err(|error| {
            Diagnostic::for_file(name.clone(), format!("invalid glob: {}", error.kind()))
        })?;
    let matcher = glob.compile_matcher();
    let (folder, depth) = (folder_of_glob(&name), depth_of_glob(&name));
    let files = yaml_files_below(&folder, depth, |file| matcher.is_match(file))?;
    if files.is_empty() {
        let help = "put the glob in quotes, and check that it matches .yaml or .yml files";
        let problem = Diagnostic::for_file(name, "no file matches this glob");
        return Err(problem.with_help(help).into());
    }
    Ok(files)
}

/// The folder to search: the part of a glob before its first wildcard.
fn folder_of_glob(glob: &str) -> PathBuf {
    let plain = &glob[..glob.find(['*', '?', '[', '{']).unwrap_or(glob.len())];
    match plain.rfind(['/', '\\']) {
        Some(0) => PathBuf::from(&plain[..1]),
        Some(separator) => PathBuf::from(&plain[..separator]),
        None => PathBuf::from("."),
    }
}

/// How many levels below that folder a glob can match. Deeper folders need not be readable.
fn depth_of_glob(glob: &str) -> usize {
    let wild = &glob[glob.find(['*', '?', '[', '{']).unwrap_or(glob.len())..];
    if wild.contains("**") {
        usize::MAX
    } else {
        wild.matches(['/', '\\']).count() + 1
    }
}

/// The YAML files below a folder, at most `depth` levels down, that `wanted` accepts. Links to files
/// count as files. Links to folders are not followed, since they can form cycles. Hidden files and
/// folders, such as `.github`, are skipped.
fn yaml_files_below(
    folder: &Path,
    depth: usize,
    wanted: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, Diagnostics> {
    let mut files = Vec::new();
    let mut problems = Diagnostics::default();
    let is_visible = |entry: &DirEntry| {
        entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let entries = WalkDir::new(folder).max_depth(depth).into_iter();
    for entry in entries.filter_entry(is_visible) {
        let entry = match entry {
            Ok(entry) => entry,
            // The folder of a glob does not exist: no file matches.
            Err(error) if error.depth() == 0 && !folder.exists() => break,
            Err(error) => {
                problems.extend([unreadable(folder, &error)]);
                continue;
            }
        };
        let path = entry.path();
        let path = path.strip_prefix("./").unwrap_or(path);
        // A broken link is reported when it is read.
        let is_file = !entry.path().is_dir();
        let is_config = path.ends_with(Config::FILE_NAME);
        if is_file && is_yaml(path) && wanted(path) && !is_config {
            files.push(path.to_owned());
        }
    }
    problems.into_result()?;
    files.sort();
    Ok(files)
}

fn unreadable(folder: &Path, error: &walkdir::Error) -> Diagnostic {
    let name = error.path().unwrap_or(folder).display().to_string();
    let reason = error
        .io_error()
        .map_or_else(|| error.to_string(), ToString::to_string);
    Diagnostic::for_file(name, format!("can't be read: {reason}"))
        .with_help("make it readable, or give the paths of the scenario files")
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SCENARIO: &str =
        "name: x\nevents: { e: {} }\nsteps: [{ deliver: e, expect: { status: 2xx } }]\n";

    #[test]
    fn copies_of_a_file_have_their_own_events() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["x", "y", "z"].map(|name| folder.path().join(name));
        for (name, extra) in names.iter().zip(["", "", "seed: 7\n"]) {
            fs::create_dir(name).expect("a folder");
            fs::write(name.join("a.yaml"), format!("{SCENARIO}{extra}")).expect("written");
        }
        fs::write(names[2].join("b.yaml"), format!("{SCENARIO}seed: 7\n")).expect("written");
        let cases = load(&[folder.path().to_owned()]).expect("scenarios");
        let seeds: BTreeSet<u64> = cases.iter().map(|case| case.seed(None).number()).collect();
        assert_eq!((cases.len(), seeds.len()), (4, 4));
        // The first copy has the same events as the file alone.
        let alone = load(&[names[0].join("a.yaml")]).expect("a scenario");
        assert_eq!(alone[0].seed(None).number(), cases[0].seed(None).number());
    }

    #[test]
    fn a_file_given_twice_is_read_once() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.yaml"), SCENARIO).expect("written");
        let names = ["a.yaml", "./a.yaml", "."].map(|name| folder.path().join(name));
        assert_eq!(find(&names).expect("files"), names[..1]);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_files_and_unreadable_folders_are_reported() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (inner, elsewhere) = (folder.path().join("suite"), folder.path().join("a.txt"));
        let closed = inner.join("closed");
        fs::create_dir_all(&closed).expect("a folder");
        fs::write(&elsewhere, SCENARIO).expect("written");
        let link = inner.join("a.yaml");
        let linked = vec![link];
        let below = |path: &Path| find(&[path.to_owned()]);
        symlink(&elsewhere, &linked[0]).expect("a link");
        assert_eq!(below(&inner).expect("a file"), linked);

        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("closed");
        // Root reads everything.
        if fs::read_dir(&closed).is_err() {
            let message = below(&inner).expect_err("a problem").to_string();
            assert!(message.contains("can't be read"), "{message}");
        }
        let plain = inner.join("*.yaml");
        assert_eq!(below(&plain).expect("a file"), linked);
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("open");

        fs::remove_file(&elsewhere).expect("removed");
        assert_eq!(below(&inner).expect("a broken link"), linked);
        assert!(load(&linked).is_err());
    }
}
