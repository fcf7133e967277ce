//! The path of a scenario's snapshot, which mirrors the path of the scenario's file.

use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

/// The folder to which scenario paths are relative, if they contain it.
const SCENARIOS: &str = "scenarios";

/// The maximum length of a path component in bytes. File systems allow 255, and extensions follow.
const MAX_LENGTH: usize = 100;

/// Names that Windows reserves for devices.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The path of a snapshot in the snapshots folder: the path of the scenario's file relative to the
/// innermost folder `scenarios`, or else to the working folder, followed by `@` and the choice of
/// its matrix. The path is valid and unique on every file system, even if that ignores case.
pub(crate) fn snapshot_path(file: &str, choice: Option<&str>, working_folder: &Path) -> PathBuf {
    let file = file.replace('\\', "/");
    let path = Path::new(&file);
    let path = path.strip_prefix(working_folder).unwrap_or(path);
    let named = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    let mut parts: Vec<String> = named.collect();
    let name = parts.pop().unwrap_or_default();
    if let Some(at) = parts.iter().rposition(|part| part == SCENARIOS) {
        parts.drain(..=at);
    }
    let stem = name
        .rsplit_once('.')
        .map_or(name.as_str(), |(stem, _)| stem);
    let mut name = safe_component(stem, false);
    if let Some(choice) = choice {
        name = format!("{name}@{}", safe_component(choice, true));
    }
    let mut path: PathBuf = parts
        .iter()
        .map(|part| safe_component(part, false))
        .collect();
    path.push(format!("{name}.{}", super::snapshot_file::REVIEWED));
    path
}

/// Converts `text` to a path component that any file system accepts. If that changes it, a hash of
/// `text` keeps it unique.
fn safe_component(text: &str, is_choice: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let is_safe = match character {
            'a'..='z' | '0'..='9' | '_' | '-' | '=' => true,
            '.' => !safe.is_empty(),
            // File names may be in any language and case, because such a file already exists.
            _ => !is_choice && character.is_alphanumeric(),
        };
        if safe.len() + character.len_utf8() > MAX_LENGTH {
            break;
        }
        if is_safe {
            safe.push(character);
        } else if character == ' ' && is_choice {
            safe.push(',');
        } else if character.is_ascii_uppercase() {
            safe.push(character.to_ascii_lowercase());
        } else if !safe.ends_with('-') {
            safe.push('-');
        }
    }
    let safe = safe.trim_end_matches('.');
    let original = if is_choice {
        safe.replace(',', " ")
    } else {
        safe.to_owned()
    };
    let is_device = DEVICES.contains(&safe.to_lowercase().as_str());
    if original == text && !is_device && !safe.is_empty() {
        return safe.to_owned();
    }
    let digest = hex::encode(Sha256::digest(text));
    format!("{safe}-{}", &digest[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(file: &str, choice: Option<&str>) -> String {
        let path = snapshot_path(file, choice, Path::new("/projects/game"));
        path.to_str().expect("UTF-8").replace('\\', "/")
    }

    #[test]
    fn a_snapshot_mirrors_its_scenario() {
        for file in [
            "scenarios/idempotency/redelivery.yaml",
            "./tests/scenarios/idempotency/redelivery.yml",
            "/elsewhere/scenarios/old/scenarios/idempotency/redelivery.yaml",
            "/projects/game/idempotency/redelivery.yaml",
            "../idempotency/redelivery.yaml",
            r"scenarios\idempotency\redelivery.yaml",
        ] {
            assert_eq!(path(file, None), "idempotency/redelivery.snap", "{file}");
        }
        assert_eq!(path("tests/Łódź.v2.yaml", None), "tests/Łódź.v2.snap");
        assert_eq!(path("scenarios.yaml", None), "scenarios.snap");
    }

    #[test]
    fn a_choice_is_part_of_the_name() {
        let choice = |choice: &str| path("a.yaml", Some(choice));
        assert_eq!(choice("forge=wrong_secret"), "a@forge=wrong_secret.snap");
        assert_eq!(choice("count=2 sku=gems"), "a@count=2,sku=gems.snap");
    }

    #[test]
    fn every_choice_has_a_unique_name_on_every_file_system() {
        let choices = [
            "x=a",
            "x=A",
            "x=ä",
            "x=a/b",
            "x=a:b",
            "x=a b",
            "x=a,b",
            "x=../..",
            "x=",
            "x=a.",
            "x=\\",
            "x=-",
            "x=*",
            "x=?",
            &"x".repeat(300),
            &"x".repeat(301),
            "",
            ".",
        ];
        let paths = choices.map(|choice| path("a.yaml", Some(choice)));
        let mut names: Vec<String> = paths.iter().map(|path| path.to_lowercase()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), choices.len(), "{names:#?}");
        for path in paths {
            assert!(
                path.len() < 200 && !path.contains(['/', '\\', ':', '*', '?', ' ']),
                "{path}"
            );
        }
        assert_ne!(path("con.yaml", None), "con.snap");
    }
}
