//! Scenario files.

use std::sync::Arc;

use serde_json::Value;

use super::mistakes::check_mistakes;
use crate::generate::{EventForm, StartTime};
use crate::protocol::EventKind;
use crate::run::{Plan, PlanSettings};
use crate::scenario::Case;
use crate::scenario::document::{Node, SourceFile, decode};

/// The cases of a file that are planned: all cases of a matrix have the same steps.
const PLANNED: usize = 3;

/// Reads a scenario file and plans its cases.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let source = SourceFile::new("scenario.yaml", text);
    check_tree(&source);
    let cases = match Case::from_file(&source) {
        Ok(cases) => cases,
        Err(mistakes) => return check_mistakes(&source, &mistakes),
    };
    assert!(!cases.is_empty());
    for case in cases.into_iter().take(PLANNED) {
        let title = case.title();
        assert!(!title.contains(char::is_control), "{title:?}");
        match Plan::new(case.clone(), &settings()) {
            Ok(plan) => check_again(case, &plan),
            Err(mistakes) => check_mistakes(&source, &mistakes),
        }
    }
}

fn settings() -> PlanSettings {
    PlanSettings {
        seed: None,
        start: "1725548450".parse::<StartTime>().expect("a time"),
        catalogue: None,
        game_id: None,
        form: EventForm::default(),
        players: Arc::default(),
        first_player: 0,
        usual_kind: EventKind::CouponRedeemed,
        probes: vec!["quantity".to_owned()],
        hooks: Vec::new(),
        strict: false,
        http2_only: false,
    }
}

/// A case has the same events whenever it is planned.
fn check_again(case: Case, plan: &Plan) {
    let again = Plan::new(case, &settings()).expect("the same plan");
    assert_eq!(plan.events.len(), again.events.len());
    for (name, event) in &plan.events {
        assert_eq!(event.body, again.events[name].body, "event {name}");
    }
}

/// A document that is written as JSON, which is YAML, has the same values.
fn check_tree(source: &SourceFile) {
    let Ok(tree) = Node::parse(source) else {
        return;
    };
    let value: Value = decode(source, &tree).expect("a tree has JSON values");
    let written = SourceFile::new("written.yaml", value.to_string());
    // YAML has no escape for half of a character, and no place for some characters, even in quotes.
    let Ok(tree) = Node::parse(&written) else {
        return;
    };
    let again: Value = decode(&written, &tree).expect("a tree has JSON values");
    assert_eq!(value, again);
}
