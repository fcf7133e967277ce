//! Reads a run event back from its JSON line.

use serde::Deserialize;

use super::RunEvent;

#[derive(Deserialize)]
struct Tagged {
    event: EventTag,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventTag {
    RunStarted,
    ScenarioStarted,
    AttemptEnded,
    StepEnded,
    EffectsEnded,
    SnapshotCompared,
    ScenarioEnded,
    SnapshotsEnded,
    RunEnded,
}

impl RunEvent {
    /// Reads one line. Ignores unknown keys, because newer versions of aghook may add keys within a
    /// format version. An unknown event is an error.
    ///
    /// The line is parsed twice, first for its tag: serde's tagged enums can't hold integers beyond
    /// 64 bits, and probes can return those.
    pub fn from_json(line: &[u8]) -> serde_json::Result<Self> {
        let Tagged { event } = serde_json::from_slice(line)?;
        Ok(match event {
            EventTag::RunStarted => Self::RunStarted(serde_json::from_slice(line)?),
            EventTag::ScenarioStarted => Self::ScenarioStarted(serde_json::from_slice(line)?),
            EventTag::AttemptEnded => Self::AttemptEnded(serde_json::from_slice(line)?),
            EventTag::StepEnded => Self::StepEnded(serde_json::from_slice(line)?),
            EventTag::EffectsEnded => Self::EffectsEnded(serde_json::from_slice(line)?),
            EventTag::SnapshotCompared => Self::SnapshotCompared(serde_json::from_slice(line)?),
            EventTag::SnapshotsEnded => Self::SnapshotsEnded(serde_json::from_slice(line)?),
            EventTag::ScenarioEnded => Self::ScenarioEnded(serde_json::from_slice(line)?),
            EventTag::RunEnded => Self::RunEnded(serde_json::from_slice(line)?),
        })
    }
}

#[cfg(test)]
mod tests;
