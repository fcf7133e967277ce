//! A history as the text of a scenario file.

use serde::Serialize;
use serde_json::{Map, Value};
use serde_saphyr::{FlowMap, FoldStr};

use super::history::History;

#[derive(Serialize)]
struct ScenarioText<'text> {
    name: &'text str,
    about: FoldStr<'text>,
    tags: [&'static str; 1],
    events: Map<String, Value>,
    steps: Vec<FlowMap<Value>>,
    effects: Vec<FlowMap<Value>>,
}

impl History {
    /// The scenario file that sends this history and expects what a sound receiver does.
    pub(super) fn scenario_text(&self, name: &str, about: &str) -> String {
        let text = ScenarioText {
            name,
            about: FoldStr(about),
            tags: ["explore"],
            events: self.events.clone(),
            steps: self.expected_steps().into_iter().map(FlowMap).collect(),
            effects: self.effects().into_iter().map(FlowMap).collect(),
        };
        serde_saphyr::to_string(&text).expect("text and JSON values can be written as YAML")
    }
}
