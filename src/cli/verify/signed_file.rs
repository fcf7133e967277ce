//! `aghook verify --signed`: the text that a receiver signed.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{BAD, GOOD, STRONG, print_mistakes};
use crate::cli::{CommandError, Console};
use crate::diagnose::{Excerpt, SignatureVerdict, SignedText};
use crate::files;
use crate::report::sanitize;

/// The maximum size in bytes. A larger file is not the text for one webhook.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

pub(super) fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let shown = path.display();
    let text = files::read_start(path, FILE_LIMIT).map_err(|error| {
        CommandError::usage(format!("can't read the signed text from {shown}: {error}"))
    })?;
    let wrong = match text.len() as u64 {
        0 => "is empty",
        length if length > FILE_LIMIT => "is larger than 4 MiB",
        _ => return Ok(text),
    };
    let help = "save the text that your receiver passes to HMAC for one webhook, byte for byte";
    Err(CommandError::usage(format!("the signed text `{shown}` {wrong}")).with_help(help))
}

pub(super) fn print(
    console: &mut Console,
    signed: &SignedText,
    verdict: &SignatureVerdict,
) -> Result<(), CommandError> {
    let Some(difference) = &signed.difference else {
        writeln!(
            console,
            "\n{GOOD}The signed text is as it should be.{GOOD:#}"
        )?;
        if *verdict != SignatureVerdict::Matches {
            let line = "So the secret, the algorithm or the notation of the signature is wrong.";
            writeln!(console, "{line}")?;
        }
        return Ok(());
    };
    let (offset, line, column) = (difference.offset, difference.line, difference.column);
    writeln!(
        console,
        "\n{BAD}The signed text differs{BAD:#} from `{{timestamp}}.{{body}}` at offset {offset} \
         (line {line}, column {column})."
    )?;
    match &difference.excerpt {
        Some(excerpt) => print_excerpt(console, excerpt)?,
        None => writeln!(
            console,
            "It contains a secret, so it is not shown. Never sign or log a secret."
        )?,
    }
    let explained = match verdict {
        SignatureVerdict::Mistaken(mistakes) => mistakes.as_slice(),
        SignatureVerdict::Matches | SignatureVerdict::Unexplained => &[],
    };
    let known = &difference.mistakes;
    if known.iter().any(|mistake| !explained.contains(mistake)) {
        print_mistakes(console, known)?;
    }
    if let (true, Some(hint)) = (known.is_empty(), difference.hint) {
        writeln!(console, "{hint}")?;
    }
    if *verdict != SignatureVerdict::Matches && !signed.makes_signature {
        writeln!(
            console,
            "\nThe signature is not the HMAC-SHA256 of this text, so the receiver signed another text, \
             or the secret, the algorithm or the notation is also wrong."
        )?;
    }
    Ok(())
}

fn print_excerpt(console: &mut Console, excerpt: &Excerpt) -> Result<(), CommandError> {
    writeln!(
        console,
        "  {STRONG}after:{STRONG:#}    `{}`",
        sanitize(&excerpt.after)
    )?;
    for (name, side) in [
        ("expected:", &excerpt.expected),
        ("signed:  ", &excerpt.signed),
    ] {
        let text = sanitize(&side.text);
        write!(console, "  {STRONG}{name}{STRONG:#} ")?;
        match &*side.hex {
            "" => writeln!(console, "the end")?,
            hex => writeln!(console, "`{text}` ({hex})")?,
        }
    }
    Ok(())
}

pub(super) fn to_json(signed: &SignedText) -> Value {
    let difference = signed.difference.as_ref().map(|difference| {
        json!({
            "offset": difference.offset,
            "line": difference.line,
            "column": difference.column,
            "excerpt": difference.excerpt,
            "mistakes": difference.mistakes,
            "hint": difference.hint,
        })
    });
    json!({ "makes_signature": signed.makes_signature, "difference": difference })
}
