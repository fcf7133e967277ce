//! Short descriptions of steps for reports.

use crate::scenario::{Action, Deliver, RequestStep};

pub(crate) fn describe(action: &Action) -> String {
    match action {
        Action::Deliver(deliver) => describe_deliveries(deliver),
        Action::Request(RequestStep {
            method, url, body, ..
        }) => {
            let default = if body.is_some() { "POST" } else { "GET" };
            let method = method.as_ref().map_or(default, |method| &method.value);
            format!("{method} {}", url.value)
        }
        Action::Script(script) => {
            let statuses: Vec<String> = script.answers.iter().map(u16::to_string).collect();
            format!("script {} for {}", statuses.join(", "), script.of.name)
        }
        Action::Restart => "restart the receiver".to_owned(),
        Action::Pause(pause) => format!("pause {pause}"),
    }
}

fn describe_deliveries(deliver: &Deliver) -> String {
    let events = deliver.events.iter();
    let names: Vec<&str> = events.map(|event| event.name.as_str()).collect();
    let mut text = format!("deliver {}", names.join(", "));
    if let Some(times) = deliver.times {
        text = format!("{text} {times} times");
    }
    if deliver.together {
        text.push_str(" together");
    }
    if deliver.shuffle {
        text.push_str(" shuffled");
    }
    if let Some(forgery) = deliver.forge {
        text = format!("{text} with forgery {}", forgery.name());
    }
    if let Some(fault) = deliver.fault() {
        text = format!("{text} with fault {}", fault.name());
    }
    text
}
