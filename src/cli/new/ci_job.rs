//! The CI job that `aghook new` writes: for which system, where its file belongs, and its text.

use std::path::{self, Component, Path, PathBuf};

use clap::ValueEnum;

/// A system for which a job can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CiSystem {
    /// GitHub Actions: .github/workflows/webhooks.yml
    Github,
    /// GitLab: aghook.gitlab-ci.yml, to be included
    Gitlab,
    /// No job
    None,
}

impl CiSystem {
    /// The job's file and text, where there is one. The file goes to the root of the repository
    /// that `folder` is in, where these systems look for it; without a repository, into the folder.
    pub(super) fn job(self, folder: &Path) -> Option<(PathBuf, String)> {
        let (name, template) = match self {
            Self::Github => (
                ".github/workflows/webhooks.yml",
                include_str!("github.yaml"),
            ),
            Self::Gitlab => ("aghook.gitlab-ci.yml", include_str!("gitlab.yaml")),
            Self::None => return None,
        };
        let (root, from_root) = place_in_repository(folder);
        // The words of a shell for the one, a scalar of YAML for the other. Text in JSON is a scalar.
        let folder = match self {
            Self::Gitlab => shlex::try_quote(&from_root)
                .map_or_else(|_| from_root.clone(), std::borrow::Cow::into_owned),
            _ => from_root.clone(),
        };
        let below = |name: &str| match from_root.as_str() {
            "." => scalar(name),
            folder => scalar(&format!("{folder}/{name}")),
        };
        let text = template
            .replace(
                "- cd @FOLDER@",
                &format!("- {}", scalar(&format!("cd {folder}"))),
            )
            .replace("@FOLDER@", &scalar(&folder))
            .replace("@REPORTS@", &below("reports/"))
            .replace("@JUNIT@", &below("reports/junit.xml"))
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"));
        Some((root.join(name), text))
    }
}

/// The root of the repository in which a folder is, or will be, as the user would write it; and the
/// way from there to the folder, with slashes.
fn place_in_repository(folder: &Path) -> (PathBuf, String) {
    let here = (folder.to_owned(), ".".to_owned());
    let Ok(absolute) = path::absolute(folder) else {
        return here;
    };
    for (levels, ancestor) in absolute.ancestors().enumerate() {
        if !ancestor.join(".git").exists() {
            continue;
        }
        let Ok(below) = absolute.strip_prefix(ancestor) else {
            return here;
        };
        let parts = below.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy()),
            _ => None,
        });
        let parts: Vec<_> = parts.collect();
        if parts.is_empty() {
            return here;
        }
        // As short as the user wrote it, where it is a part of that.
        let root = folder.ancestors().nth(levels);
        let root = match root {
            Some(root) if root.as_os_str().is_empty() => PathBuf::from("."),
            Some(root) if folder.is_relative() && root != folder => root.to_owned(),
            _ => ancestor.to_owned(),
        };
        return (root, parts.join("/"));
    }
    here
}

/// A text as a scalar of YAML: plain where that is safe, otherwise in quotes.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./ ".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.');
    if begins && text.chars().all(is_plain) && !text.contains("  ") && !text.ends_with(' ') {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_written_where_its_system_looks_for_it() {
        let repository = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(repository.path().join(".git")).expect("a folder");
        let folder = repository.path().join("game \"one\"/webhooks");
        let (file, text) = CiSystem::Github.job(&folder).expect("a job");
        assert_eq!(
            file,
            repository.path().join(".github/workflows/webhooks.yml")
        );
        assert!(
            text.contains(r#"working-directory: "game \"one\"/webhooks""#),
            "{text}"
        );
        assert!(
            text.contains(r#"path: "game \"one\"/webhooks/reports/""#),
            "{text}"
        );
        let (file, text) = CiSystem::Gitlab.job(&folder).expect("a job");
        assert_eq!(file, repository.path().join("aghook.gitlab-ci.yml"));
        assert!(text.contains(r#"- "cd 'game \"one\"/webhooks'""#), "{text}");
        assert!(!text.contains('@'), "{text}");
        assert_eq!(CiSystem::None.job(&folder), None);
    }

    #[test]
    fn without_a_repository_the_folder_is_the_root() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, text) = CiSystem::Github.job(folder.path()).expect("a job");
        assert_eq!(file, folder.path().join(".github/workflows/webhooks.yml"));
        assert!(text.contains("working-directory: .\n"), "{text}");
        assert!(text.contains("path: reports/\n"), "{text}");
    }
}
