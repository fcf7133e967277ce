//! The CI job that `aghook new` creates: its CI system, path and content.

use std::path::{self, Component, Path, PathBuf};

use clap::ValueEnum;

/// A supported CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CiSystem {
    /// GitHub Actions: .github/workflows/webhooks.yml
    Github,
    /// GitLab: aghook.gitlab-ci.yml, to include in .gitlab-ci.yml
    Gitlab,
    /// No CI job
    None,
}

impl CiSystem {
    /// The job's path and content, or `None` without a CI system. The job belongs in the root of the
    /// repository that contains `folder`, or in `folder` if there is no repository.
    pub(super) fn job(self, folder: &Path) -> Option<(PathBuf, String)> {
        let (name, template) = match self {
            Self::Github => (
                ".github/workflows/webhooks.yml",
                include_str!("github.yaml"),
            ),
            Self::Gitlab => ("aghook.gitlab-ci.yml", include_str!("gitlab.yaml")),
            Self::None => return None,
        };
        let (root, from_root) = locate_in_repository(folder);
        // GitLab's job uses the folder in a shell command, GitHub's in a YAML value.
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

/// The root of the repository that contains the folder, as the user would write it, and the path
/// from the root to the folder, with slashes. The folder does not have to exist yet.
fn locate_in_repository(folder: &Path) -> (PathBuf, String) {
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
        // Keep the root relative if it is a prefix of what the user wrote.
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

/// Formats text as a YAML scalar: plain if that is safe, otherwise as a JSON string, which is valid
/// YAML.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./ ".contains(c);
    let safe_start = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.');
    if safe_start && text.chars().all(is_plain) && !text.contains("  ") && !text.ends_with(' ') {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_belongs_in_the_root_of_the_repository() {
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
