//! Names, descriptions and parameters of faults in files.

use std::time::Duration;

use super::*;
use crate::policy::duration_text::DurationText;
use crate::scenario::document::decode;
use crate::scenario::document::{Node, SourceFile};

/// The documented names.
const NAMES: &str = "lost_ack cut_body slow_body timeout_overlap reset duplicate out_of_order \
    late_retry restart_in_flight";

fn read(text: &str) -> Result<Fault, String> {
    let source = SourceFile::new("fault.yaml", text);
    let tree = Node::parse(&source).map_err(|error| error.to_string())?;
    decode(&source, &tree).map_err(|problem| {
        let help = problem.help.as_deref().unwrap_or_default();
        format!("{problem} / {help}")
    })
}

#[test]
fn the_names_are_as_documented() {
    let names: Vec<_> = Fault::ALL.into_iter().map(Fault::name).collect();
    assert_eq!(names, NAMES.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn every_description_says_what_the_fault_reveals() {
    for fault in Fault::ALL {
        let about = fault.about();
        assert!(
            about.contains(": reveals ") && about.ends_with('.'),
            "{fault}: {about}"
        );
    }
}

#[test]
fn a_name_alone_is_a_fault_with_default_parameters() {
    for fault in Fault::ALL {
        assert_eq!(read(fault.name()), Ok(fault));
        let json = serde_json::to_string(&fault).expect("serialises");
        assert_eq!(json, format!("\"{fault}\""));
    }
}

#[test]
fn parameters_are_read_and_written() {
    let slow = SlowBody {
        per_byte: DurationText(Duration::from_millis(10)),
    };
    let overlap = TimeoutOverlap {
        after: DurationText(Duration::from_millis(200)),
    };
    let late = LateRetry {
        lost: Lost::Request,
    };
    for (text, fault) in [
        ("slow_body: { per_byte: 10ms }", Fault::SlowBody(slow)),
        (
            "timeout_overlap: { after: 200ms }",
            Fault::TimeoutOverlap(overlap),
        ),
        ("late_retry: { lost: request }", Fault::LateRetry(late)),
        ("slow_body: {}", Fault::SlowBody(SlowBody::default())),
    ] {
        assert_eq!(read(text), Ok(fault));
        let json = serde_json::to_string(&fault).expect("serialises");
        assert_eq!(serde_json::from_str::<Fault>(&json).ok(), Some(fault));
    }
}

#[test]
fn mistakes_are_reported() {
    for (text, expected) in [
        ("lost_acks", "did you mean `lost_ack`?"),
        ("slow_bod: {}", "did you mean `slow_body`?"),
        ("slow_body: { perbyte: 1ms }", "did you mean `per_byte`?"),
        ("slow_body: { per_byte: 1 }", "a duration such as `300ms`"),
        ("late_retry: { lost: anser }", "did you mean `answer`?"),
        ("reset: {}", "`reset` takes no parameters"),
        ("{}", "the name of a fault"),
        (
            "{ slow_body: {}, late_retry: {} }",
            "found a list of 2 values",
        ),
        ("5", "the name of a fault"),
    ] {
        let message = read(text).expect_err(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn allowed_combinations() {
    let names = |predicate: fn(Fault) -> bool| {
        let matching = Fault::ALL.into_iter().filter(|fault| predicate(*fault));
        matching.map(Fault::name).collect::<Vec<_>>()
    };
    assert_eq!(names(Fault::needs_http1), ["cut_body", "reset"]);
    assert_eq!(names(Fault::allows_forgery), ["slow_body", "duplicate"]);
    let together = ["lost_ack", "reset", "late_retry"];
    assert_eq!(names(Fault::allows_together), together);
}

#[test]
fn the_schema_accepts_what_can_be_read() {
    let schema = schemars::schema_for!(Fault);
    let validator = jsonschema::validator_for(schema.as_value()).expect("a schema");
    let is_valid = |text: &str| {
        let value = serde_json::from_str(text).expect("JSON");
        validator.is_valid(&value)
    };
    for fault in Fault::ALL {
        assert!(is_valid(&format!("\"{fault}\"")), "{fault}");
    }
    for text in [
        r#"{"slow_body":{"per_byte":"10ms"}}"#,
        r#"{"timeout_overlap":{}}"#,
        r#"{"late_retry":{"lost":"request"}}"#,
    ] {
        assert!(is_valid(text), "{text}");
    }
    for text in [r#""lost""#, r#"{"reset":{}}"#, r#"{"slow_body":{"x":1}}"#] {
        assert!(!is_valid(text), "{text}");
    }
}
