//! A run event read back from its line of JSON.

use serde::Deserialize;

use super::RunEvent;

/// What says which event a line is.
#[derive(Deserialize)]
struct Tagged {
    event: Name,
}

/// The names of the events.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
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
    /// Reads one line. Keys that are not known are passed over: within a format version, there may
    /// be more of them. An event that is not known is an error.
    ///
    /// The line is read twice, for its event and then as that: serde's own way of telling tagged
    /// variants apart can't hold the numbers of probes beyond 64 bits.
    pub fn from_json(line: &[u8]) -> serde_json::Result<Self> {
        let Tagged { event } = serde_json::from_slice(line)?;
        Ok(match event {
            Name::RunStarted => Self::RunStarted(serde_json::from_slice(line)?),
            Name::ScenarioStarted => Self::ScenarioStarted(serde_json::from_slice(line)?),
            Name::AttemptEnded => Self::AttemptEnded(serde_json::from_slice(line)?),
            Name::StepEnded => Self::StepEnded(serde_json::from_slice(line)?),
            Name::EffectsEnded => Self::EffectsEnded(serde_json::from_slice(line)?),
            Name::SnapshotCompared => Self::SnapshotCompared(serde_json::from_slice(line)?),
            Name::SnapshotsEnded => Self::SnapshotsEnded(serde_json::from_slice(line)?),
            Name::ScenarioEnded => Self::ScenarioEnded(serde_json::from_slice(line)?),
            Name::RunEnded => Self::RunEnded(serde_json::from_slice(line)?),
        })
    }
}

#[cfg(test)]
mod tests;
