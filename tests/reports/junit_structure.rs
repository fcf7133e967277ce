//! The structure of a JUnit report that CI systems read: its elements and their attributes.
//!
//! The format has no official schema. `tests/junit.xsd` is our own, for Jenkins' `junit` step and
//! GitLab. The table here has the same rules, but needs no external tool.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// One element of the format.
struct Element {
    name: &'static str,
    /// The attributes that it must have.
    required: &'static [&'static str],
    /// The attributes that it may have.
    optional: &'static [&'static str],
    /// The allowed child elements, in this order.
    children: &'static [&'static str],
}

const ELEMENTS: [Element; 7] = [
    Element {
        name: "testsuites",
        required: &["name", "tests", "failures", "errors"],
        optional: &["skipped", "time"],
        children: &["testsuite"],
    },
    Element {
        name: "testsuite",
        required: &["name", "tests", "failures", "errors", "skipped"],
        optional: &["time", "timestamp"],
        children: &["testcase"],
    },
    Element {
        // GitLab uses `classname` as the suite and identifies cases by `classname` and `name`.
        name: "testcase",
        required: &["name", "classname"],
        optional: &["assertions", "time", "file", "line"],
        children: &["skipped", "error", "failure", "system-out"],
    },
    Element {
        name: "failure",
        required: &["message", "type"],
        optional: &[],
        children: &[],
    },
    Element {
        name: "error",
        required: &["message", "type"],
        optional: &[],
        children: &[],
    },
    Element {
        name: "skipped",
        required: &["message"],
        optional: &["type"],
        children: &[],
    },
    Element {
        name: "system-out",
        required: &[],
        optional: &[],
        children: &[],
    },
];

/// The maximum file size of GitLab in bytes.
const GITLAB_LIMIT: usize = 30 * 1024 * 1024;

/// An open element, with the table positions of its children so far.
struct OpenElement {
    element: &'static Element,
    children: Vec<usize>,
}

/// Fails unless the report has the structure in the table.
pub(crate) fn validate_structure(xml: &str) {
    assert!(xml.len() < GITLAB_LIMIT, "{} bytes", xml.len());
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<OpenElement> = Vec::new();
    let mut cases = BTreeSet::new();
    let mut seen = 0;
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(start) => {
                seen += 1;
                let element = entered(&mut open, &start, &mut cases);
                open.push(element);
            }
            Event::Empty(start) => {
                seen += 1;
                entered(&mut open, &start, &mut cases);
            }
            Event::End(_) => {
                let ended = open.pop().expect("an open element");
                let outcomes = ended.children.iter().filter(|place| **place < 3);
                let is_case = ended.element.name == "testcase";
                assert!(!is_case || outcomes.count() <= 1, "one outcome at most");
                assert!(ended.children.is_sorted(), "{}", ended.element.name);
            }
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {}
            Event::Decl(_) => assert_eq!(seen, 0, "the declaration comes first"),
            Event::Eof => break,
            other => panic!("CI systems do not expect {other:?}"),
        }
    }
    assert!(open.is_empty() && seen > 0);
}

/// Checks an element's position and attributes.
fn entered(
    open: &mut [OpenElement],
    start: &BytesStart<'_>,
    cases: &mut BTreeSet<(String, String)>,
) -> OpenElement {
    let name = String::from_utf8(start.name().as_ref().to_vec()).expect("UTF-8");
    let element = ELEMENTS.iter().find(|element| element.name == name);
    let element = element.unwrap_or_else(|| panic!("<{name}> is not an element of the format"));
    match open.last_mut() {
        Some(parent) => {
            let place = parent
                .element
                .children
                .iter()
                .position(|child| *child == name);
            let place = place.unwrap_or_else(|| panic!("<{name}> in <{}>", parent.element.name));
            parent.children.push(place);
        }
        None => assert_eq!(name, "testsuites", "the root"),
    }
    let attributes: BTreeMap<String, String> = start
        .attributes()
        .map(|attribute| {
            let attribute = attribute.expect("an attribute");
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
            (text(attribute.key.as_ref()), text(&attribute.value))
        })
        .collect();
    for key in element.required {
        assert!(attributes.contains_key(*key), "<{name}> has no {key}");
    }
    for (key, value) in &attributes {
        let known =
            element.required.contains(&key.as_str()) || element.optional.contains(&key.as_str());
        assert!(known, "<{name} {key}>");
        match key.as_str() {
            "tests" | "failures" | "errors" | "skipped" | "assertions" => {
                value.parse::<u32>().expect(key);
            }
            "line" => assert!(value.parse::<u32>().expect("a number") > 0),
            "time" => {
                let is_seconds = value.chars().all(|c| c.is_ascii_digit() || c == '.');
                assert!(is_seconds && value.parse::<f64>().is_ok(), "{value}");
            }
            "timestamp" => {
                value.parse::<jiff::Timestamp>().expect("a time");
            }
            "name" | "classname" | "file" => assert!(!value.is_empty(), "<{name} {key}>"),
            _ => {}
        }
    }
    if name == "testcase" {
        // Both systems show only the first of two cases with the same name.
        let case = (attributes["classname"].clone(), attributes["name"].clone());
        assert!(cases.insert(case.clone()), "duplicate case {case:?}");
    }
    let children = Vec::new();
    OpenElement { element, children }
}

#[test]
fn structural_errors_are_detected() {
    let sound = r#"<?xml version="1.0"?><testsuites name="a" tests="1" failures="1" errors="0"><testsuite name="s" tests="1" failures="1" errors="0" skipped="0"><testcase name="n" classname="c" time="0.1" file="f" line="1"><failure message="m" type="t">x</failure><system-out>o</system-out></testcase></testsuite></testsuites>"#;
    validate_structure(sound);
    for (text, replacement) in [
        (" classname=\"c\"", ""),
        (" time=\"0.1\"", " time=\"soon\""),
        (" line=\"1\"", " line=\"0\""),
        (" file=\"f\"", " path=\"f\""),
        (" message=\"m\"", ""),
        ("<system-out>o</system-out>", "<stdout>o</stdout>"),
        ("<failure", "<error message=\"m\" type=\"t\"/><failure"),
        (
            "<testcase",
            "<testcase name=\"n\" classname=\"c\"/><testcase",
        ),
        ("<testsuites", "<!DOCTYPE x><testsuites"),
    ] {
        assert!(sound.contains(text), "{text}");
        let wrong = sound.replacen(text, replacement, 1);
        let result = std::panic::catch_unwind(|| validate_structure(&wrong));
        assert!(
            result.is_err(),
            "{replacement:?} instead of {text:?} was accepted"
        );
    }
}
