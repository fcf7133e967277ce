//! The words of a scenario file: what a user can ask for.
//!
//! Nothing here sends anything or looks at a clock: these are values with a text form, a schema
//! and plain error messages.

mod duration_text;
mod forgery;
mod retry_policy;
mod status_class;

pub use duration_text::{DurationText, DurationTextError};
pub use forgery::Forgery;
pub use retry_policy::{
    Delays, Exponential, Jitter, JitterError, RetryOn, RetryOnError, RetryOverride, RetryPolicy,
    RetrySetting,
};
pub use status_class::{StatusClass, StatusPattern, StatusPatternError};
