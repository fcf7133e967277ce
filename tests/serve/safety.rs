//! Who can use the local Aghanim, and what other sites can't.

use serde_json::json;

use crate::local_aghanim::LocalAghanim;
use crate::support::Folder;

#[test]
fn other_hosts_and_other_sites_are_refused() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &["--server-name", "aghanim.test"]);
    let status = |headers: &[&str]| {
        aghanim
            .request("GET", "/local/status", headers, None)
            .status
    };
    let port = aghanim.address.rsplit(':').next().expect("a port");
    assert_eq!(status(&[]), 200);
    assert_eq!(status(&[&format!("Host: localhost:{port}")]), 200);
    assert_eq!(status(&["Host: aghanim.test"]), 200);
    assert_eq!(status(&["Host: evil.example"]), 403);
    assert_eq!(status(&["Origin: http://evil.example"]), 403);
    assert_eq!(
        status(&[&format!("Origin: http://{}", aghanim.address)]),
        200
    );
    let redeem = json!({ "player_id": "P1", "code": "WELCOME" });
    let foreign = ["Origin: http://evil.example"];
    assert_eq!(
        aghanim
            .request("POST", "/local/redeem", &foreign, Some(redeem))
            .status,
        403
    );
    assert_eq!(
        aghanim
            .request("POST", "/local/deliveries/resend", &foreign, None)
            .status,
        403
    );
}

#[test]
fn every_response_has_a_strict_policy() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    for (path, host) in [
        ("/", None),
        ("/none", None),
        ("/local/status", Some("Host: evil.example")),
    ] {
        let headers: Vec<&str> = host.into_iter().collect();
        let head = aghanim.request("GET", path, &headers, None).head;
        assert!(
            head.contains("content-security-policy: default-src 'none'"),
            "{path}: {head}"
        );
        assert!(
            head.contains("frame-ancestors 'none'") && head.contains("nosniff"),
            "{head}"
        );
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_data_file_and_no_output_has_a_secret() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &["--demo-receiver"]);
    let webhooks = aghanim.api("GET", "/webhooks", None).json;
    let id = webhooks[0]["id"].as_str().expect("the demo's webhook");
    let revealed = aghanim
        .api("POST", &format!("/webhooks/{id}/reveal"), None)
        .json;
    let secret = revealed["secret"].as_str().expect("a secret");
    assert!(!aghanim.output.join("\n").contains(secret));
    assert!(
        !aghanim
            .local("GET", "/webhooks", None)
            .json
            .to_string()
            .contains(secret)
    );
    for entry in std::fs::read_dir(folder.root()).expect("a folder") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.path());
    }
}
