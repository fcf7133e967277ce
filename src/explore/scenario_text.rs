//! A history as the text of a scenario file.

use serde::Serialize;
use serde_json::{Map, Value, json};
use serde_saphyr::{FlowMap, FoldStr};

use super::history::{History, coupon_of};

#[derive(Serialize)]
struct ScenarioText<'text> {
    name: &'text str,
    about: FoldStr<'text>,
    tags: [&'static str; 1],
    seed: u64,
    events: Map<String, Value>,
    steps: Vec<FlowMap<Value>>,
    effects: Vec<FlowMap<Value>>,
}

impl History {
    /// The scenario file that sends this history and expects what a sound receiver does.
    pub(super) fn scenario_text(&self, about: &str) -> String {
        self.text(self.events.clone(), about)
    }

    /// The same for one try: its coupon codes are used in no other.
    pub(super) fn text_of_try(&self, number: u32) -> String {
        let events = self.events.iter().map(|(name, event)| {
            let mut event = event.clone();
            if coupon_of(&event).is_none() {
                let code = event["coupon"]["code"].as_str().unwrap_or(name);
                event["coupon"] = json!({ "code": format!("{code}-{number}") });
            }
            (name.clone(), event)
        });
        self.text(events.collect(), "")
    }

    fn text(&self, events: Map<String, Value>, about: &str) -> String {
        let text = ScenarioText {
            name: &self.name(),
            about: FoldStr(about),
            tags: ["explore"],
            seed: self.seed,
            events,
            steps: self.expected_steps().into_iter().map(FlowMap).collect(),
            effects: self.effects().into_iter().map(FlowMap).collect(),
        };
        serde_saphyr::to_string(&text).expect("text and JSON values can be written as YAML")
    }
}
