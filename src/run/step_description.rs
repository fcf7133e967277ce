//! Short descriptions of steps for reports.

use crate::scenario::{RequestStep, Step};

/// Describes a step.
pub(crate) fn describe(step: &Step) -> String {
    if let Some(pause) = step.pause {
        return format!("pause {pause}");
    }
    if let Some(script) = &step.script {
        let statuses: Vec<String> = script.answers.iter().map(u16::to_string).collect();
        return format!("script {} for {}", statuses.join(", "), script.of.value);
    }
    if step.restart {
        return "restart the receiver".to_owned();
    }
    if let Some(request) = &step.request {
        return describe_request(request);
    }
    let names: Vec<&str> = step
        .deliver
        .0
        .iter()
        .map(|name| name.value.as_str())
        .collect();
    let mut text = format!("deliver {}", names.join(", "));
    if let Some(times) = step.times {
        text = format!("{text} {} times", times.value);
    }
    if step.together {
        text.push_str(" together");
    }
    if step.shuffle {
        text.push_str(" shuffled");
    }
    if let Some(forgery) = step.forge {
        text = format!("{text} with forgery {}", forgery.name());
    }
    if let Some(fault) = step.fault {
        text = format!("{text} with fault {}", fault.name());
    }
    text
}

/// Describes a request.
pub(crate) fn describe_request(request: &RequestStep) -> String {
    let method = match (&request.method, &request.body) {
        (Some(method), _) => method.value.as_str(),
        (None, Some(_)) => "POST",
        (None, None) => "GET",
    };
    format!("{method} {}", request.url.value)
}
