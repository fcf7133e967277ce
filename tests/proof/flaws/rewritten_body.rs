//! Flaws that change the body before they verify its signature.

use aghook::internals::receiver::Flaw;
use bytes::Bytes;
use serde_json::{Value, json};

use super::peer::{PLAYER, Pair, QUANTITY, SKU, event, pair};

/// An event of ASCII letters, without spaces.
fn plain() -> Value {
    let mut event = event();
    event["event_data"]["item"]["name"] = json!("Crystals");
    event["event_data"]["item"]["description"] = Value::Null;
    event
}

/// The text of an event with another name of the item.
fn named(name: &str) -> String {
    let mut event = plain();
    event["event_data"]["item"]["name"] = json!(name);
    event.to_string()
}

fn indented(event: &Value) -> String {
    serde_json::to_string_pretty(event).expect("JSON")
}

/// The sound receiver accepts all bodies, the flawed one only those of `accepted`.
async fn refuses(flaw: Flaw, refused: &[String], accepted: &[String]) {
    let Pair { sound, flawed } = pair(flaw).await;
    for body in refused {
        assert_eq!(sound.deliver_body(Bytes::from(body.clone())).await, 200);
        assert_eq!(
            flawed.deliver_body(Bytes::from(body.clone())).await,
            403,
            "{body}"
        );
    }
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    for body in accepted {
        assert_eq!(
            flawed.deliver_body(Bytes::from(body.clone())).await,
            200,
            "{body}"
        );
    }
    let each: usize = QUANTITY.parse().expect("a number");
    let held = flawed.held(PLAYER, SKU).await;
    assert_eq!(held, (each * accepted.len()).to_string());
}

pub(crate) async fn body_dumped_by_python() {
    let spaced = |text: &str| text.replace("\":", "\": ").replace(",\"", ", \"");
    let accepted = [
        spaced(&plain().to_string()),
        spaced(&named("Zo\u{eb}")).replace('\u{eb}', "\\u00eb"),
    ];
    let refused = [plain().to_string(), spaced(&named("Zo\u{eb}"))];
    refuses(Flaw::BodyDumpedByPython, &refused, &accepted).await;
}

pub(crate) async fn body_dumped_compactly() {
    let accepted = [
        plain().to_string(),
        named("a/b <'+"),
        named("é").replace('é', "\\u00e9"),
    ];
    refuses(Flaw::BodyDumpedCompactly, &[named("é")], &accepted).await;
}

pub(crate) async fn body_encoded_by_php() {
    let accepted = [
        plain().to_string(),
        named("a <'+ b"),
        named("a/b").replace("a/b", "a\\/b"),
    ];
    let refused = [named("é"), named("a/b")];
    refuses(Flaw::BodyEncodedByPhp, &refused, &accepted).await;
}

pub(crate) async fn body_serialised_by_dotnet() {
    let accepted = [
        plain().to_string(),
        named("a / b"),
        named("é").replace('é', "\\u00E9"),
    ];
    let refused = [
        named("é"),
        named("é").replace('é', "\\u00e9"),
        named("it's"),
        named("1 + 1"),
        named("<b>"),
        named("\""),
    ];
    refuses(Flaw::BodySerialisedByDotnet, &refused, &accepted).await;
}

pub(crate) async fn body_spaces_removed() {
    let refused = [
        named("two words"),
        plain().to_string().replacen("\":", "\": ", 1),
    ];
    let accepted = [plain().to_string(), named("é/<'+")];
    refuses(Flaw::BodySpacesRemoved, &refused, &accepted).await;
}

pub(crate) async fn body_lines_joined() {
    let refused = [
        indented(&plain()),
        indented(&plain()).replace('\n', "\r\n"),
        plain().to_string() + "\n",
    ];
    let spaced = plain().to_string().replace("\":", "\": ");
    refuses(Flaw::BodyLinesJoined, &refused, &[spaced]).await;
}

pub(crate) async fn body_line_breaks_normalised() {
    let refused = [indented(&plain()).replace('\n', "\r\n")];
    let accepted = [indented(&plain()), plain().to_string() + "\n"];
    refuses(Flaw::BodyLineBreaksNormalised, &refused, &accepted).await;
}

pub(crate) async fn body_trimmed() {
    let refused = [plain().to_string() + "\n", format!("\n  {}", plain())];
    let accepted = [plain().to_string(), indented(&plain())];
    refuses(Flaw::BodyTrimmed, &refused, &accepted).await;
}
