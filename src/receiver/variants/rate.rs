//! How many deliveries have come of late, for receivers that take only so many.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::receiver::refusal::Refusal;

use super::{Variant, Variants};

/// How many deliveries are taken in [`PERIOD`].
const MOST: usize = 10;
const PERIOD: Duration = Duration::from_secs(1);

/// When the last deliveries were taken.
#[derive(Debug)]
pub(in crate::receiver) struct Rate(Option<Mutex<VecDeque<Instant>>>);

impl Rate {
    pub(in crate::receiver) fn of(variants: &Variants) -> Self {
        let is_limited = variants.has(Variant::RateLimited);
        Self(is_limited.then(Mutex::default))
    }

    /// Takes one more delivery, or refuses it.
    pub(in crate::receiver) fn take(&self) -> Result<(), Refusal> {
        let Some(taken) = &self.0 else {
            return Ok(());
        };
        let now = Instant::now();
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|at| now.duration_since(*at) < PERIOD);
        if taken.len() >= MOST {
            return Err(Refusal::TooMany);
        }
        taken.push_back(now);
        Ok(())
    }
}
