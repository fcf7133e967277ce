//! Which file a scenario's snapshot is: its own path, below the folder of the snapshots.

use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

/// The folder below which paths count, if there is one.
const SCENARIOS: &str = "scenarios";

/// The most bytes of a part of a name: file systems take 255, and endings are to come.
const LONGEST: usize = 100;

/// Names that Windows keeps for devices.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The path of a snapshot below the folder of the snapshots: that of the scenario's file below the
/// innermost folder `scenarios`, or else below the working folder, and the choice of its matrix
/// behind an `@`. It can be made on every file system, whether that tells small letters from
/// capitals or not.
pub fn snapshot_path(file: &str, choice: Option<&str>, working_folder: &Path) -> PathBuf {
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
    let mut name = safe(stem, false);
    if let Some(choice) = choice {
        name = format!("{name}@{}", safe(choice, true));
    }
    let mut path: PathBuf = parts.iter().map(|part| safe(part, false)).collect();
    path.push(format!("{name}.{}", super::snapshot_file::REVIEWED));
    path
}

/// A part of a name that any file system takes. What had to be changed is told apart by a few
/// digits that follow from it.
fn safe(text: &str, is_choice: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let kept = match character {
            'a'..='z' | '0'..='9' | '_' | '-' | '=' => true,
            '.' => !safe.is_empty(),
            // A file's own name may be in any language and case: it is there already.
            _ => !is_choice && character.is_alphanumeric(),
        };
        if safe.len() + character.len_utf8() > LONGEST {
            break;
        }
        if kept {
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
    let told = if is_choice {
        safe.replace(',', " ")
    } else {
        safe.to_owned()
    };
    let device = DEVICES.contains(&safe.to_lowercase().as_str());
    if told == text && !device && !safe.is_empty() {
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
    fn every_choice_has_a_name_of_its_own_on_every_file_system() {
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
