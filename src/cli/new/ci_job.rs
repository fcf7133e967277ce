//! The CI job that `aghook new` creates: its CI system, path and content.

use std::borrow::Cow;
use std::path::{self, Component, Path, PathBuf};

use clap::ValueEnum;

use super::release_url::ReleaseUrl;

/// A supported CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CiSystem {
    /// GitHub Actions: .github/workflows/webhooks.yml
    Github,
    /// GitLab: .gitlab-ci.yml, or aghook.gitlab-ci.yml to include in it if it exists
    Gitlab,
    /// Jenkins: Jenkinsfile, or Jenkinsfile.aghook if it exists
    Jenkins,
    /// No CI job
    None,
}

/// The file of a CI job.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CiJob {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// What the user has to do before the job passes.
    pub(super) next_steps: String,
}

const GITLAB_FILE: &str = ".gitlab-ci.yml";
const GITLAB_INCLUDE: &str = "aghook.gitlab-ci.yml";
const JENKINS_FILE: &str = "Jenkinsfile";
const JENKINS_OTHER: &str = "Jenkinsfile.aghook";

impl CiSystem {
    /// The job, or `None` without a CI system. It installs aghook from the folder `release`, or fails
    /// until its variable names one. It belongs in the root of the repository that contains `folder`,
    /// or in `folder` if there is no repository.
    pub(super) fn job(self, folder: &Path, release: Option<&ReleaseUrl>) -> Option<CiJob> {
        let (root, from_root) = locate_in_repository(folder);
        let exists = |name: &str| root.join(name).exists();
        let (name, template) = match self {
            Self::Github => (
                ".github/workflows/webhooks.yml",
                include_str!("github.yaml"),
            ),
            Self::Gitlab if exists(GITLAB_FILE) => (GITLAB_INCLUDE, include_str!("gitlab.yaml")),
            Self::Gitlab => (GITLAB_FILE, include_str!("gitlab.yaml")),
            Self::Jenkins if exists(JENKINS_FILE) => (JENKINS_OTHER, include_str!("Jenkinsfile")),
            Self::Jenkins => (JENKINS_FILE, include_str!("Jenkinsfile")),
            Self::None => return None,
        };
        // Only GitHub's job has the folder as a value. The others change to it in a shell.
        let change = format!("cd {}", quoted(&from_root));
        let (value, folder): (fn(&str) -> String, _) = match self {
            Self::Jenkins => (groovy, escaped_for_groovy(&change)),
            Self::Gitlab => (scalar, scalar(&change)),
            _ => (scalar, scalar(&from_root)),
        };
        let below = |name: &str| match from_root.as_str() {
            "." => value(name),
            folder => value(&format!("{folder}/{name}")),
        };
        let text = template
            .replace("@RELEASE@", &value(release.map_or("", ReleaseUrl::as_str)))
            .replace("@FILE@", name)
            .replace("@FOLDER@", &folder)
            .replace("@REPORTS@", &below("reports/"))
            .replace("@JUNIT@", &below("reports/junit.xml"));
        let path = root.join(name);
        let next_steps = next_steps(&path, name, release.is_none());
        Some(CiJob {
            path,
            text,
            next_steps,
        })
    }
}

fn next_steps(path: &Path, name: &str, needs_release: bool) -> String {
    let path = path.display();
    let set = if needs_release {
        "\n  - set `AGHOOK_RELEASE` to the URL of the folder with a release of aghook; until then, the \
         job fails"
    } else {
        ""
    };
    let include = match name {
        GITLAB_INCLUDE => format!(
            "\n  - add to {GITLAB_FILE}:\n      include:\n        - local: {GITLAB_INCLUDE}\n    or add \
             the line with `local` to its `include`"
        ),
        JENKINS_OTHER => format!(
            "\n  - create a pipeline in Jenkins with the script path {JENKINS_OTHER}, or copy the stage \
             to {JENKINS_FILE}"
        ),
        _ => String::new(),
    };
    format!(
        "Then the CI job, {path}:{set}\n  - replace the built-in receiver with yours{include}\n  - commit it"
    )
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

/// Quotes text for a POSIX shell if necessary.
fn quoted(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), Cow::into_owned)
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

/// Formats text as a string of Groovy, which Jenkinsfiles are written in.
fn groovy(text: &str) -> String {
    format!("'{}'", escaped_for_groovy(text))
}

fn escaped_for_groovy(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_belongs_in_the_root_of_the_repository() {
        let repository = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(repository.path().join(".git")).expect("a folder");
        let folder = repository.path().join("game \"one\"/webhooks");
        let job = CiSystem::Github.job(&folder, None).expect("a job");
        assert_eq!(
            job.path,
            repository.path().join(".github/workflows/webhooks.yml")
        );
        for line in [
            r#"working-directory: "game \"one\"/webhooks""#,
            r#"path: "game \"one\"/webhooks/reports/""#,
        ] {
            assert!(job.text.contains(line), "{}", job.text);
        }
        let job = CiSystem::Gitlab.job(&folder, None).expect("a job");
        assert_eq!(job.path, repository.path().join(GITLAB_FILE));
        let cd = r#"- "cd 'game \"one\"/webhooks'""#;
        assert!(job.text.contains(cd), "{}", job.text);
        assert!(!job.text.contains('@'), "{}", job.text);
        let job = CiSystem::Jenkins.job(&folder, None).expect("a job");
        assert_eq!(job.path, repository.path().join(JENKINS_FILE));
        let cd = r#"cd \'game "one"/webhooks\'"#;
        assert!(job.text.contains(cd), "{}", job.text);
        assert!(!job.text.contains('@'), "{}", job.text);
        assert_eq!(CiSystem::None.job(&folder, None), None);
    }

    #[test]
    fn without_a_repository_the_folder_is_the_root() {
        let folder = tempfile::tempdir().expect("a folder");
        let job = CiSystem::Github.job(folder.path(), None).expect("a job");
        assert_eq!(
            job.path,
            folder.path().join(".github/workflows/webhooks.yml")
        );
        for line in ["working-directory: .\n", "path: reports/\n"] {
            assert!(job.text.contains(line), "{}", job.text);
        }
    }
}
