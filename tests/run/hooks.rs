//! The hooks in a profile that let a scenario control the receiver: how they work, how they fail,
//! and what is reported without them.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::support::{Folder, Game, Peer, PeerResponse, Transcript};
use serde_json::Value;

const RESTARTING: &str = "name: granted once despite a restart
events: { coupon: { item: { quantity: 5 } } }
steps:
  - deliver: coupon
    expect: { status: 2xx }
  - restart: true
  - deliver: coupon
    expect: { status: 2xx }
effects:
  - granted: coupon
";

/// A game that grants each key in `keys` only once.
fn game(keys: Arc<Mutex<Vec<Value>>>) -> Game {
    Game::new(move |event, inventories| {
        let mut keys = keys.lock().expect("not poisoned");
        if !keys.contains(&event["idempotency_key"]) {
            keys.push(event["idempotency_key"].clone());
            Game::grant_item(inventories, event);
        }
        PeerResponse::new(200)
    })
}

fn run(game: &Game, profile: &str, options: &[&str]) -> Transcript {
    let folder = Folder::with_scenario(RESTARTING).with("aghook.yaml", game.config(profile));
    Transcript::of(&mut folder.run(options))
}

#[test]
fn without_a_restart_hook_the_scenario_is_not_checked_with_a_hint() {
    let game = game(Arc::default());
    run(&game, "", &[]).ends_with(0).says(&[
        "1 not checked",
        "in 1 scenario: the profile has no `restart`",
        "uncomment `restart`",
        "restart: {",
    ]);
    let line = "? not checked: ";
    run(&game, "", &[]).does_not_say(&[line]);
    run(&game, "", &["--verbose"]).says(&[line]);
    // `--strict` turns "not checked" into a failure.
    run(&game, "", &["--strict"])
        .ends_with(1)
        .says(&["1 failed", "the profile has no `restart`"]);
}

#[test]
fn a_restart_by_request_reveals_a_game_that_loses_its_keys() {
    for (forgets, code) in [(false, 0), (true, 1)] {
        let keys: Arc<Mutex<Vec<Value>>> = Arc::default();
        let forgotten = Arc::clone(&keys);
        let hook = Peer::answering(move |request| {
            assert_eq!(request.path, "/hook");
            if forgets {
                forgotten.lock().expect("not poisoned").clear();
            }
            PeerResponse::new(204)
        });
        let profile = format!("    restart: {{ http: POST {} }}\n", hook.url());
        let transcript = run(&game(keys), &profile, &["--strict"]).ends_with(code);
        assert_eq!(hook.connections(), 1);
        if forgets {
            transcript.says(&["2 times as much"]);
        }
    }
}

#[test]
fn deliveries_that_begin_apart_share_one_restart() {
    let scenario = "name: granted once despite a restart under load
events: { a: {}, b: {}, c: {}, d: {} }
steps:
  - deliver: [a, b, c, d]
    together: true
    apart: 5ms
    fault: { restart_in_flight: { after: [10ms] } }
    expect: { status: 2xx }
effects: [{ granted: a }, { granted: b }, { granted: c }, { granted: d }]
";
    let hook = Peer::answering(|_| PeerResponse::new(204));
    let profile = format!("    restart: {{ http: POST {} }}\n", hook.url());
    let game = game(Arc::default());
    let folder = Folder::with_scenario(scenario).with("aghook.yaml", game.config(&profile));
    let transcript = Transcript::of(&mut folder.run(&["--report", "json"])).ends_with(0);
    assert_eq!(hook.connections(), 1);
    // All are retried after it.
    transcript
        .says(&["\"delivery\":4", "\"attempts\":2"])
        .does_not_say(&["\"attempts\":1"]);
}

#[test]
fn a_failed_restart_is_broken_and_does_not_blame_the_receiver() {
    let refusing = Peer::answering(|_| PeerResponse::new(500));
    let by_request = format!("    restart: {{ http: POST {} }}\n", refusing.url());
    for (profile, message) in [
        (by_request.as_str(), "returned 500"),
        (
            "    restart: { command: [aghook-has-no-such-program] }\n",
            "failed to run",
        ),
    ] {
        run(&game(Arc::default()), profile, &[])
            .ends_with(3)
            .says(&["broken", message]);
    }
}

#[cfg(unix)]
pub(crate) const SUCCEEDS: &str = "[\"true\"]";
#[cfg(windows)]
pub(crate) const SUCCEEDS: &str = "[cmd, /c, exit, \"0\"]";

#[test]
fn a_run_continues_when_the_restart_command_ends() {
    let profile = format!("    restart: {{ command: {SUCCEEDS} }}\n");
    run(&game(Arc::default()), &profile, &["--strict"]).ends_with(0);
}

#[test]
fn a_receiver_that_does_not_come_back_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (is_down, down) = mpsc::channel::<()>();
    let goes_down = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&goes_down);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if stopping.load(Ordering::SeqCst) {
                break;
            }
            let stream = stream.expect("a connection");
            std::thread::spawn(move || {
                crate::support::serve_requests(stream, |_| PeerResponse::new(200));
            });
        }
        drop(listener);
        is_down.send(()).expect("waited for");
    });
    let down = Mutex::new(down);
    let hook = Peer::answering(move |_| {
        goes_down.store(true, Ordering::SeqCst);
        // Wakes up the listener.
        drop(TcpStream::connect(address));
        let down = down.lock().expect("not poisoned");
        down.recv().expect("the listener closes");
        PeerResponse::new(200)
    });
    let profile = format!(
        "profiles:\n  gone:\n    target: http://{address}/hook\n    \
         restart: {{ http: POST {}, timeout: 300ms }}\n",
        hook.url()
    );
    let folder = Folder::with_scenario(RESTARTING).with("aghook.yaml", profile);
    Transcript::of(&mut folder.run(&[])).ends_with(3).says(&[
        "broken",
        "the receiver did not accept connections within 300ms",
    ]);
}

#[test]
fn scenarios_with_restarts_run_alone_and_last() {
    let active = Arc::new(AtomicUsize::new(0));
    let (game_active, hook_active) = (Arc::clone(&active), Arc::clone(&active));
    let game = Game::new(move |event, inventories| {
        game_active.fetch_add(1, Ordering::SeqCst);
        Game::grant_item(inventories, event);
        game_active.fetch_sub(1, Ordering::SeqCst);
        PeerResponse::new(200)
    });
    let hook = Peer::answering(move |_| {
        assert_eq!(hook_active.load(Ordering::SeqCst), 0);
        PeerResponse::new(200)
    });
    let profile = format!("    restart: {{ http: POST {} }}\n", hook.url());
    let folder = Folder::new().with("aghook.yaml", game.config(&profile));
    let restarting = "name: NAME\nevents: { a: {} }\n\
        steps: [{ deliver: a, expect: { status: 2xx } }, { restart: true }]\n";
    let other = "name: NAME\nevents: { a: {} }\nsteps: [{ deliver: a, expect: { status: 2xx } }]\n";
    let mut files = Vec::new();
    for (name, text) in [
        ("a.yaml", restarting),
        ("b.yaml", other),
        ("c.yaml", restarting),
        ("d.yaml", other),
        ("e.yaml", other),
    ] {
        let text = text.replace("NAME", name);
        std::fs::write(folder.path(name), text).expect("written");
        files.push(name);
    }
    let arguments = [&["run", "--report", "json=run.jsonl"], &files[..]].concat();
    Transcript::of(&mut folder.aghook(&arguments)).ends_with(0);
    let mut ended = Vec::new();
    for line in folder.read("run.jsonl").lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        if event["event"] == "scenario_ended" {
            ended.push(event["scenario"].as_u64().expect("a number"));
        }
    }
    // In file order, after all other scenarios.
    assert_eq!(ended[3..], [1, 3]);
}

#[test]
fn unknown_names_suggest_similar_ones() {
    for (words, near) in [
        ("forge: wrong_secert", "did you mean `wrong_secret`?"),
        ("fault: timeout_overlaps", "did you mean `timeout_overlap`?"),
    ] {
        let scenario = format!(
            "name: a delivery\nevents: {{ a: {{}} }}\n\
             steps: [{{ deliver: a, {words}, expect: {{ status: 2xx }} }}]\n"
        );
        let folder = Folder::with_scenario(&scenario);
        Transcript::of(&mut folder.aghook(&["check", "scenario.yaml"]))
            .ends_with(2)
            .says(&[near]);
    }
    let forged = ["fire", "--dry-run", "--forge", "tampered_bdy"];
    Transcript::of(&mut Folder::new().aghook(&forged))
        .ends_with(2)
        .says(&["tampered_body"]);
    let flawed = ["receive", "--flaw", "first_piece_onli"];
    Transcript::of(&mut Folder::new().aghook(&flawed))
        .ends_with(2)
        .says(&["first_piece_only"]);
}

#[test]
fn a_generated_id_can_have_a_suffix() {
    let scenario = "name: an ID beyond ASCII
events:
  one: { player_id: { ending: -Zoë } }
  same: { player_id: { same_as: one }, transaction_id: { ending: -x } }
  another: { player_id: { ending: -Zoë } }
steps:
  - deliver: [one, same, another]
    expect: { status: 2xx }
";
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let recorded = Arc::clone(&seen);
    let peer = Peer::answering(move |request| {
        recorded.lock().expect("not poisoned").push(request.json());
        PeerResponse::new(200)
    });
    let folder = Folder::with_scenario(scenario);
    Transcript::of(&mut folder.run(&["--target", &peer.url()])).ends_with(0);
    let seen = seen.lock().expect("not poisoned");
    let player = |number: usize| seen[number]["event_data"]["player_id"].as_str();
    assert!(player(0).is_some_and(|id| id.ends_with("-Zoë") && id.len() > 8));
    assert_eq!(player(0), player(1));
    assert_ne!(player(0), player(2));
    let transaction = seen[1]["transaction_id"].as_str();
    assert!(transaction.is_some_and(|id| id.ends_with("-x")));

    for (wrong, message) in [
        ("{ ending: -a, same_as: one }", "one of `same_as`"),
        ("{ endin: -a }", "ending"),
    ] {
        let text = scenario.replacen("{ ending: -Zoë }", wrong, 1);
        let folder = Folder::with_scenario(&text);
        Transcript::of(&mut folder.aghook(&["check", "scenario.yaml"]))
            .ends_with(2)
            .says(&[message]);
    }
}

/// A script that is stopped between stopping the receiver and starting it would leave it down.
#[cfg(unix)]
#[test]
fn a_restart_ends_before_a_stopped_run_does() {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    let game = game(Arc::default());
    let script = "touch begun; while [ ! -e go ]; do sleep 0.01; done; touch done";
    let restart = format!("    restart: {{ command: [sh, -c, \"{script}\"] }}\n");
    let folder = Folder::with_scenario(RESTARTING).with("aghook.yaml", game.config(&restart));
    let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
        .args(["run", "scenario.yaml"])
        .current_dir(folder.root())
        .env("AGHOOK_SECRET", crate::support::SECRET)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("aghook starts");
    // As Ctrl-C on a terminal does, which reaches what aghook has started, too.
    let group = format!("-{}", process.id());
    let interrupt = || {
        let sent = Command::new("kill").args(["-INT", "--", &group]).status();
        assert!(sent.expect("kill runs").success());
    };
    while !folder.path("begun").exists() {
        std::thread::yield_now();
    }
    interrupt();
    let lines = BufReader::new(process.stderr.take().expect("piped")).lines();
    for line in lines.map(|line| line.expect("UTF-8")) {
        if line.contains("press Ctrl-C again") {
            interrupt();
        } else if line.contains("as soon as the restart") {
            std::fs::write(folder.path("go"), "").expect("written");
        }
    }
    assert_eq!(process.wait().expect("ends").code(), Some(130));
    assert!(folder.path("done").exists());
}
