//! `aghook verify --signed`: the text that a receiver signed.

use crate::support::{Folder, SECRET, Transcript};

const BODY: &str = "{\"name\": \"Кристалл 💎\", \"quantity\": 3}";

/// The signature of `text` with the secret of the tests.
fn sign(folder: &Folder, text: &str) -> String {
    // `sign` puts the timestamp and a dot before the body.
    let (timestamp, body) = text.split_once('.').expect("a dot");
    let arguments = ["sign", "--as", "signature", "--timestamp", timestamp];
    let ended = Transcript::of(folder.aghook(&arguments).write_stdin(body)).ends_with(0);
    ended.stdout.trim_end().to_owned()
}

/// `verify` of the body, with a signature and a file with the signed text.
fn verify(signature: &str, signed: &str, more: &[&str]) -> Transcript {
    let folder = Folder::new().with("body", BODY).with("signed", signed);
    let arguments = ["verify", "body", "--timestamp", "17", "--now", "17"];
    let arguments = [&arguments[..], &["--signed", "signed"], more].concat();
    Transcript::of(folder.aghook(&arguments).args(["--signature", signature]))
}

#[test]
fn the_first_difference_is_shown_with_its_mistake() {
    let folder = Folder::new();
    let compact = format!("17.{}", BODY.replace("\": ", "\":").replace(", ", ","));
    let lost = format!("17.{}", BODY.replace("💎", "?").replace('3', "4"));
    let genuine = sign(&folder, &format!("17.{BODY}"));
    let mut shown = String::new();
    for (title, signature, signed) in [
        (
            "explained by the signature",
            sign(&folder, &compact),
            &compact,
        ),
        ("a genuine signature", genuine.clone(), &compact),
        ("unknown", sign(&folder, &lost), &lost),
        ("ends early", sign(&folder, "17."), &"17.".to_owned()),
        ("another text was signed", "0".repeat(64), &lost),
        ("a secret", sign(&folder, &lost), &format!("{SECRET}{lost}")),
    ] {
        let ended = verify(&signature, signed, &[]).ends_with(1);
        assert!(!ended.stdout.contains(SECRET), "{title}");
        shown = format!("{shown}### {title}\n{}\n", ended.stdout);
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_signed_text_without_a_difference_is_named() {
    let text = format!("17.{BODY}");
    let genuine = sign(&Folder::new(), &text);
    // Files often end with a newline.
    let matches = verify(&genuine, &format!("{text}\n"), &[]).ends_with(0);
    let differs = verify(&"0".repeat(64), &text, &[]).ends_with(1);
    insta::assert_snapshot!(format!("{}\n{}", matches.stdout, differs.stdout));
}

#[test]
fn the_difference_is_also_written_as_json() {
    let signed = format!("17:{BODY}");
    let ended = verify(&"0".repeat(64), &signed, &["--json"]).ends_with(1);
    insta::assert_snapshot!(ended.stdout);
}

/// Other systems have other messages for a file that can't be read.
#[cfg(unix)]
#[test]
fn an_unusable_file_is_named() {
    let too_large = vec![b' '; 4 * 1024 * 1024 + 1];
    let folder = Folder::new().with("empty", "").with("large", too_large);
    let folder = folder
        .with("headers", "X-Aghanim-Signature: 00\n")
        .with("text", "17.");
    let mut shown = String::new();
    for arguments in [
        &[
            "--timestamp",
            "17",
            "--signature",
            "00",
            "--signed",
            "missing",
        ][..],
        &[
            "--timestamp",
            "17",
            "--signature",
            "00",
            "--signed",
            "empty",
        ],
        &[
            "--timestamp",
            "17",
            "--signature",
            "00",
            "--signed",
            "large",
        ],
        &["--timestamp", "17", "--signature", "00", "--signed", "."],
        &["--headers", "headers", "--signed", "text"],
    ] {
        let mut command = folder.aghook(&[&["verify"], arguments].concat());
        let ended = Transcript::of(command.write_stdin(BODY)).ends_with(2);
        shown.push_str(&ended.stderr);
    }
    insta::assert_snapshot!(shown);
}
