//! The games in `examples/`, which set themselves up at a local Aghanim.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Output};

use crate::local_aghanim::LocalAghanim;
use crate::support::Folder;

#[test]
fn the_game_in_python_receives_what_is_redeemed() {
    let is_recent = "import sys; sys.exit(sys.version_info < (3, 9))";
    if is_there("python3", &["-c", is_recent], "Python 3.9", "python3") {
        sets_itself_up("python3", "local_aghanim.py");
    }
}

#[test]
fn the_game_in_node_receives_what_is_redeemed() {
    let is_recent = "process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)";
    if is_there("node", &["-e", is_recent], "Node 18", "nodejs") {
        sets_itself_up("node", "local_aghanim.mjs");
    }
}

fn is_there(program: &str, check: &[&str], name: &str, package: &str) -> bool {
    let checked = Command::new(program).args(check).status();
    let is_there = checked.is_ok_and(|status| status.success());
    if !is_there {
        // Written directly to stderr, since the test harness hides the output of passing tests.
        let _ = writeln!(
            std::io::stderr(),
            "left out: the example in {name}; install {name} or newer (the package {package}) to run it"
        );
    }
    is_there
}

fn sets_itself_up(program: &str, example: &str) {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let run = |key: &str| -> Output {
        let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
        let output = Command::new(program)
            .arg(format!("{examples}/{example}"))
            .env("AGHANIM_URL", format!("http://{}", aghanim.address))
            .env("AGHANIM_API_KEY", key)
            .env("PORT", port.to_string())
            .output();
        output.expect("it starts")
    };
    // The second time, it finds what the first time created.
    for _ in 0..2 {
        let output = run(&aghanim.key);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{output:?}");
        assert!(printed.contains("25 example-gems for P-"), "{printed}");
    }
    aghanim.drain();
    assert_eq!(aghanim.count("delivered"), 2);
    let refused = run("another key");
    let printed = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{refused:?}");
    assert!(printed.contains("401"), "{printed}");
}
