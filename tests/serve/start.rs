//! What `aghook serve` starts with, and command lines that it refuses.

use serde_json::json;

use crate::local_aghanim::{LocalAghanim, wait_until};
use crate::recorder::{Recorder, is_signed};
use crate::support::{Folder, SECRET};

#[test]
fn the_demo_receiver_grants_what_is_redeemed() {
    let folder = Folder::new();
    for restart in 0..2 {
        let aghanim = LocalAghanim::start(&folder, &["--demo-receiver"]);
        let printed = aghanim.output.join("\n");
        let url = format!("http://{}/s2s/v1/webhooks", aghanim.address);
        assert!(
            printed.contains(&url) && printed.contains("receiver "),
            "{printed}"
        );
        aghanim.redeem(&format!("P{restart}"), "STARTER");
        wait_until("it is delivered", || {
            aghanim.count("delivered") == restart + 1
        });
        let webhooks = aghanim.api("GET", "/webhooks", None).json;
        assert_eq!(webhooks.as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn reset_starts_from_the_beginning() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let key = aghanim.key.clone();
    aghanim.webhook("http://127.0.0.1:1/");
    drop(aghanim);
    let aghanim = LocalAghanim::start(&folder, &["--reset"]);
    assert_ne!(aghanim.key, key);
    assert_eq!(aghanim.api("GET", "/webhooks", None).json, json!([]));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_well() {
    let folder = Folder::new();
    assert!(LocalAghanim::start(&folder, &[]).interrupt());
}

const SEED: &str = "\
game_id: gm_team
api_key_env: AGHANIM_API_KEY
items:
  - { sku: box, contents: { gem: 5 } }
  - { sku: gem, name: Gem, price: 99 }
coupons:
  - code: TEAM
    items: { box: 1 }
webhooks:
  - url: URL
    events: [coupon.redeemed]
    secret_env: AGHOOK_SECRET
    delivery: { retry: { attempts: 2, delays: [1ms] } }
";

#[test]
fn a_seed_file_says_what_a_team_starts_with() {
    let receiver = Recorder::start();
    let folder = Folder::new().with("shop.yaml", SEED.replace("URL", &receiver.url()));
    for restart in 0..2 {
        let aghanim = LocalAghanim::start(&folder, &["--seed-file", "shop.yaml"]);
        assert_eq!(aghanim.key, "the-key-of-the-team");
        assert_eq!(aghanim.redeem(&format!("P{restart}"), "TEAM").status, 200);
        let request = receiver.wait_for(restart + 1).remove(restart);
        assert!(is_signed(&request, &json!(SECRET)));
        assert_eq!(request.json()["game_id"], "gm_team");
        assert_eq!(
            request.json()["event_data"]["item"]["nested_items"][0]["quantity"],
            5
        );
        aghanim.drain();
    }
}

#[test]
fn mistakes_are_explained() {
    let folder = Folder::new()
        .with("typo.yaml", "items:\n  - { sku: gem, prize: 5 }\n")
        .with(
            "unknown.yaml",
            "coupons:\n  - { code: X, items: { none: 1 } }\n",
        )
        .with(
            "remote.yaml",
            "webhooks:\n  - { url: 'https://a.example/', events: [coupon.redeemed] }\n",
        )
        .with("notes.txt", "These are my notes. ".repeat(100));
    for (arguments, code, message) in [
        (&["--listen", "0.0.0.0:0"][..], 2, "--allow-remote"),
        (&["--time-scale", "60"][..], 2, "such as `60x`"),
        (&["--seed-file", "typo.yaml"][..], 2, "prize"),
        (
            &["--seed-file", "unknown.yaml"][..],
            2,
            "no item with the SKU `none`",
        ),
        (
            &["--seed-file", "remote.yaml"][..],
            2,
            "--allow-host a.example",
        ),
        (&["--data", "notes.txt"][..], 3, "not a data file"),
    ] {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        if !arguments.contains(&"--data") {
            all.extend(["--data", "s.sqlite"]);
        }
        let listens = arguments.contains(&"--listen");
        let all: Vec<&str> = if listens {
            vec!["serve", "--data", "s.sqlite"]
                .into_iter()
                .chain(arguments.iter().copied())
                .collect()
        } else {
            all.into_iter().chain(arguments.iter().copied()).collect()
        };
        let ended = folder.aghook(&all).output().expect("ended");
        let error = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(message), "{arguments:?}: {error}");
    }
    let _running = LocalAghanim::start(&folder, &[]);
    let second = folder.aghook(&["serve", "--listen", "127.0.0.1:0", "--data", "serve.sqlite"]);
    let second = { second }.output().expect("ended");
    assert!(String::from_utf8_lossy(&second.stderr).contains("another `aghook serve`"));
}
