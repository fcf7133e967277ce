//! A machine that lets the program open few files or start few threads: it says so, and ends with 3.
#![cfg(unix)]

use crate::support::{Folder, SECRET, Transcript};

/// Runs `aghook` below a limit of the shell.
fn limited(limit: &str, arguments: &str) -> Transcript {
    let folder = Folder::new();
    let program = assert_cmd::cargo::cargo_bin("aghook");
    let script = format!("ulimit {limit} && exec \"$0\" {arguments}");
    let mut command = assert_cmd::Command::new("sh");
    command
        .current_dir(folder.root())
        .env("AGHOOK_SECRET", SECRET)
        .timeout(std::time::Duration::from_mins(2))
        .args(["-c", &script])
        .arg(program);
    Transcript::of(&mut command)
}

#[test]
fn few_file_descriptors_are_not_blamed_on_the_receiver() {
    for limit in ["-n 8", "-n 12", "-n 16", "-n 30", "-n 50"] {
        for command in ["run --tag smoke", "load --count 10"] {
            limited(limit, command)
                .ends_with(3)
                .says(&["this machine has no free file descriptors", "ulimit -n"]);
        }
    }
    limited("-n 200", "load --count 10 --connections 300")
        .ends_with(3)
        .says(&["this machine has no free file descriptors"]);
    limited("-n 200", "load --count 10 --connections 20").ends_with(0);
}

/// As on a full disk, the program ends by itself and says what it could not write.
#[test]
fn a_limit_of_file_sizes_is_an_error() {
    limited("-f 8", "run --tag smoke --record recorded")
        .ends_with(3)
        .says(&["File too large"]);
}
