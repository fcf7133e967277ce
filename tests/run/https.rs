//! Runs over HTTPS with a self-signed certificate.

use crate::support::{Folder, HttpsReceiver, Transcript, expecting};
use http::Version;

const BOTH: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Runs two deliveries with these options and returns the HTTP versions of the requests.
#[track_caller]
fn versions(server: &HttpsReceiver, options: &[&str], code: i32) -> Vec<Version> {
    let scenario = expecting("{ status: 200, body: { $.status: ok } }\n    times: 2");
    let folder = Folder::with_scenario(&scenario).with("ca.pem", &server.certificate);
    let mut command = folder.run(&["--target", &server.url()]);
    Transcript::of(command.args(options)).ends_with(code);
    server.versions()
}

#[test]
fn a_given_certificate_is_trusted() {
    let server = HttpsReceiver::new("127.0.0.1", &BOTH);
    let versions = versions(&server, &["--cacert", "ca.pem"], 0);
    assert_eq!(versions, [Version::HTTP_11; 2]);
}

#[test]
fn a_profile_can_give_the_certificate() {
    let server = HttpsReceiver::new("127.0.0.1", &BOTH);
    let config = format!(
        "profiles:\n  local:\n    target: {}\n    cacert: ca.pem\n    http_version: auto\n",
        server.url()
    );
    let folder = Folder::with_scenario(&expecting("{ status: 200 }"))
        .with("ca.pem", &server.certificate)
        .with("aghook.yaml", config);
    Transcript::of(&mut folder.run(&[])).ends_with(0);
    assert_eq!(server.versions(), [Version::HTTP_2]);
}

#[test]
fn insecure_trusts_any_certificate() {
    let server = HttpsReceiver::new("game.example", &BOTH);
    assert_eq!(versions(&server, &["--insecure"], 0), [Version::HTTP_11; 2]);
}

#[test]
fn http_2_is_negotiated() {
    let server = HttpsReceiver::new("127.0.0.1", &BOTH);
    let options = ["--cacert", "ca.pem", "--http-version", "2"];
    assert_eq!(versions(&server, &options, 0), [Version::HTTP_2; 2]);
}

#[test]
fn http_2_fails_if_it_is_not_negotiated() {
    let server = HttpsReceiver::new("127.0.0.1", &[b"http/1.1"]);
    let options = ["--cacert", "ca.pem", "--http-version", "2"];
    assert_eq!(versions(&server, &options, 3), []);
}

#[test]
fn nothing_is_sent_to_a_receiver_that_is_not_trusted() {
    let server = HttpsReceiver::new("127.0.0.1", &BOTH);
    assert_eq!(versions(&server, &[], 3), []);
}
