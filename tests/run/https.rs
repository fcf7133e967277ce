//! Runs over HTTPS with a self-signed certificate.

use crate::support::{Folder, HttpsReceiver, Peer, Transcript, expecting};
use http::Version;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

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

/// A certificate as `openssl req -x509` makes it: self-signed, and also a CA's.
fn self_signed_ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

#[test]
fn a_self_signed_certificate_that_is_also_a_cas_is_trusted_if_it_is_given() {
    let server = HttpsReceiver::with(&self_signed_ca("127.0.0.1"), &BOTH, None);
    let trusted = versions(&server, &["--cacert", "ca.pem"], 0);
    assert_eq!(trusted, [Version::HTTP_11; 2]);
    let other_name = HttpsReceiver::with(&self_signed_ca("game.example"), &BOTH, None);
    let mut expired = self_signed_ca("127.0.0.1");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let expired = HttpsReceiver::with(&expired, &BOTH, None);
    let other = HttpsReceiver::with(&self_signed_ca("127.0.0.1"), &BOTH, None);
    for (server, given, reason) in [
        (&other_name, &other_name, "it is for another host"),
        (&expired, &expired, "it has expired"),
        (
            &server,
            &other,
            "it is a self-signed certificate or a CA's, and not the one in `--cacert`",
        ),
    ] {
        let folder =
            Folder::with_scenario(&expecting("{ status: 200 }")).with("ca.pem", &given.certificate);
        Transcript::of(&mut folder.run(&["--target", &server.url(), "--cacert", "ca.pem"]))
            .ends_with(3)
            .says(&["the receiver's certificate is not trusted", reason]);
    }
}

#[test]
fn a_receiver_can_demand_a_client_certificate() {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["aghook".to_owned()]).expect("a name");
    let client = params.self_signed(&key).expect("a certificate");
    let name = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
    let server = HttpsReceiver::with(&name, &BOTH, Some(&client));
    let config = format!(
        "profiles:\n  local:\n    target: {}\n    insecure: true\n    client_cert: client.pem\n",
        server.url()
    );
    let folder = Folder::with_scenario(&expecting("{ status: 200 }"))
        .with("client.pem", client.pem() + &key.serialize_pem())
        .with("only.pem", client.pem())
        .with("key.pem", key.serialize_pem())
        .with(
            "other.pem",
            KeyPair::generate().expect("a key").serialize_pem(),
        )
        .with("aghook.yaml", config);
    Transcript::of(&mut folder.run(&[])).ends_with(0);
    let separate = ["--client-cert", "only.pem", "--client-key", "key.pem"];
    Transcript::of(&mut folder.run(&separate)).ends_with(0);
    let load = "load --rate max --count 2 --drain 0s --http-version auto";
    let load: Vec<&str> = load.split(' ').collect();
    Transcript::of(&mut folder.aghook(&load)).ends_with(0);
    for (options, code, message) in [
        (
            ["only.pem", "other.pem"],
            2,
            "does not belong to the client certificate in only.pem",
        ),
        (
            ["only.pem", "only.pem"],
            2,
            "it contains no unencrypted private key",
        ),
        (["key.pem", "key.pem"], 2, "it contains no certificate"),
        (["no.pem", "key.pem"], 2, "can't be used: no.pem"),
    ] {
        let options = ["--client-cert", options[0], "--client-key", options[1]];
        Transcript::of(&mut folder.run(&options))
            .ends_with(code)
            .says(&[message]);
    }
    let without = [
        "--target",
        &server.url(),
        "--insecure",
        "--config",
        "none.yaml",
    ];
    let folder = folder.with("none.yaml", "profiles: { a: {} }\n");
    for line in [&["run", "scenario.yaml"][..], &["fire"], &["load"]] {
        Transcript::of(&mut folder.aghook(&[line, &without].concat()))
            .ends_with(3)
            .says(&[
                "the receiver demands a client certificate",
                "`--client-cert`",
            ]);
    }
}

#[test]
fn the_wrong_scheme_is_named() {
    let encrypted = HttpsReceiver::new("127.0.0.1", &BOTH);
    let folder = Folder::with_scenario(&expecting("{ status: 200 }\n    retry: off"));
    let http = format!("http://{}/hook", encrypted.address);
    for version in ["1.1", "2"] {
        let line = [
            "fire",
            "--no-retry",
            "--target",
            &http,
            "--http-version",
            version,
        ];
        Transcript::of(&mut folder.aghook(&line)).says(&["this port speaks TLS; use https://"]);
    }
    let peer = Peer::raw(|mut stream, _| {
        use std::io::{Read as _, Write as _};
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let https = format!("https://{}/hook", peer.address);
    Transcript::of(&mut folder.run(&["--target", &https]))
        .ends_with(3)
        .says(&["this port speaks plain HTTP; use http://"]);
}

/// Node.js closes a plain connection to its TLS port without a word.
#[test]
fn fire_names_the_wrong_scheme_even_if_the_port_only_closes_the_connection() {
    use std::io::{Read as _, Write as _};
    let closing = |is_encrypted: bool| {
        Peer::raw(move |mut stream, _| {
            let mut first = [0];
            if stream.read_exact(&mut first).is_ok() && first == [0x16] && is_encrypted {
                let _ = stream.write_all(b"\x15\x03\x03\0\x02\x02\x28");
            }
        })
    };
    let fire = |peer: &Peer| {
        let folder = Folder::new();
        Transcript::of(&mut folder.aghook(&["fire", "--no-retry", "--target", &peer.url()]))
    };
    fire(&closing(true))
        .ends_with(3)
        .says(&["this port speaks TLS; use https://"]);
    fire(&closing(false))
        .ends_with(1)
        .does_not_say(&["https://"]);
}
