//! Limits the rate of deliveries.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::receiver::refusal::Refusal;

use super::{Variant, Variants};

/// The maximum number of deliveries per [`PERIOD`].
const LIMIT: usize = 10;
const PERIOD: Duration = Duration::from_secs(1);

/// The times of the last accepted deliveries.
#[derive(Debug)]
pub(in crate::receiver) struct RateLimiter(Option<Mutex<VecDeque<Instant>>>);

impl RateLimiter {
    pub(in crate::receiver) fn new(variants: &Variants) -> Self {
        let is_limited = variants.has(Variant::RateLimited);
        Self(is_limited.then(Mutex::default))
    }

    /// Accepts one more delivery, or refuses it if the limit is reached.
    pub(in crate::receiver) fn accept(&self) -> Result<(), Refusal> {
        let Some(accepted) = &self.0 else {
            return Ok(());
        };
        let now = Instant::now();
        let mut accepted = accepted.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.retain(|at| now.duration_since(*at) < PERIOD);
        if accepted.len() >= LIMIT {
            return Err(Refusal::RateLimited);
        }
        accepted.push_back(now);
        Ok(())
    }
}
