//! The user's folder for the data of programs.

use std::env;
use std::path::PathBuf;

use crate::cli::CommandError;

/// Where the data file is, unless the user chooses another place.
pub(super) fn default_data_file() -> Result<PathBuf, CommandError> {
    let folder = data_folder(|name| env::var_os(name).map(PathBuf::from));
    let folder = folder.ok_or_else(|| {
        CommandError::usage("the user's data folder is unknown")
            .with_help("name a data file with --data FILE")
    })?;
    Ok(folder.join("aghook").join("serve.sqlite"))
}

/// `variable` reads an environment variable. A relative path is no folder of the user.
fn data_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return absolute("LOCALAPPDATA");
    }
    if cfg!(target_os = "macos") {
        return Some(absolute("HOME")?.join("Library/Application Support"));
    }
    absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_folder_follows_the_xdg_specification() {
        let folder = |variables: &[(&str, &str)]| {
            let folder = data_folder(|name| {
                let found = variables.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| PathBuf::from(value))
            });
            folder.map(|folder| folder.display().to_string())
        };
        let home = ("HOME", "/home/me");
        assert_eq!(folder(&[home]).as_deref(), Some("/home/me/.local/share"));
        assert_eq!(
            folder(&[home, ("XDG_DATA_HOME", "/data")]).as_deref(),
            Some("/data")
        );
        let relative = [home, ("XDG_DATA_HOME", "data")];
        assert_eq!(folder(&relative).as_deref(), Some("/home/me/.local/share"));
        assert_eq!(folder(&[]), None);
    }
}
