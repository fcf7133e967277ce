//! aghook plays the part of Aghanim: it sends signed `coupon.redeemed` webhooks to a game's back
//! end, checks its responses, and verifies that every coupon is granted exactly once.
//!
//! A back end in Rust runs a [`Suite`] in its own tests. [`Event`] makes a single signed event, and
//! [`Receiver`] is a sound back end, for tests of programs that send webhooks. The program `aghook` does
//! the same for back ends in any language.
//!
//! Inside, data flows one way, so a module uses only those before it: `files` → `protocol` → `diagnose` →
//! `receiver` → `generate` → `policy` → `scenario` → `transport` → `delivery` → `probe` → `verify` →
//! `run` → `explore` → `load` → `report` → `explain` → `snapshots` → `serve` → `capture` → `api` → `cli`. The
//! built-in receiver uses only `protocol`, and only `api` and `cli` start it.

mod api;
mod capture;
mod cli;
mod delivery;
mod diagnose;
mod explain;
mod explore;
mod files;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz_targets;
mod generate;
mod load;
mod policy;
mod probe;
mod protocol;
mod receiver;
mod report;
mod run;
mod scenario;
mod serve;
mod snapshots;
mod transport;
mod verify;

pub use api::{
    Event, Quantity, Receiver, ReceiverStartError, RunReport, ScenarioReport, SignedEvent, Suite,
    SuiteError,
};
pub use protocol::{EmptySecret, Secret};
pub use run::RunOutcome;
pub use scenario::Level;
pub use verify::{Check, Verdict};

/// What the program, the tests and the benchmarks of this repository reach. Not part of the API, and
/// may change at any time.
#[doc(hidden)]
pub mod internals {
    pub mod cli {
        pub use crate::cli::run;
        pub mod arguments {
            pub use crate::cli::arguments::Arguments;
        }
    }
    pub mod delivery {
        pub use crate::delivery::{ForgeInput, SignedRequest, forge, sign};
    }
    pub mod explore {
        pub use crate::explore::Kind;
    }
    pub mod generate {
        pub use crate::generate::{
            BodyLayout, Catalogue, EventForm, EventShape, Generator, Seed, StartTime,
        };
    }
    pub mod load {
        pub use crate::load::{LoadReport, load_report_schema};
    }
    pub mod policy {
        pub use crate::policy::{Delays, Fault, Forgery, Outcome, RetryPolicy};
    }
    pub mod protocol {
        pub use crate::protocol::{
            Event, EventKind, SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER,
        };
    }
    pub mod receiver {
        pub use crate::receiver::{
            BundleHandling, CreditedEvent, Flaw, FlawClass, Receiver, ReceiverSettings, Store,
            Variant, system_clock,
        };
    }
    pub mod report {
        pub use crate::report::{Detail, KeptAttempts, ReportKind, RunRecorder, TerminalFormat};
    }
    pub mod run {
        pub use crate::run::{
            AttemptEnded, BodyRecord, ConnectionRecord, DeliveryEnded, EffectsEnded,
            FORMAT_VERSION, FaultDictionary, KnownHook, LikelyCause, Plan, PlanSettings,
            ProbeReading, ResponseRecord, RunEnded, RunEvent, RunStarted, ScenarioEnded,
            ScenarioStarted, SentRequestRecord, SnapshotCompared, SnapshotOutcome, SnapshotsEnded,
            StepEnded, Symptoms, TextReading, TimingsRecord, run_event_schema,
        };
    }
    pub mod scenario {
        pub use crate::scenario::{
            Action, Case, Config, Level, bundled_sources, bundled_suite, config_schema,
            scenario_schema,
        };
        pub mod document {
            pub use crate::scenario::document::{Diagnostics, Node, SourceFile, decode};
        }
    }
    pub mod snapshots {
        pub use crate::snapshots::SnapshotFile;
    }
    pub mod verify {
        pub use crate::verify::{Check, Verdict, VerdictCounts};
    }
}
