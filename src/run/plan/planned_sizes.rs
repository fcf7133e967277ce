//! How much the planned events of a file may need. Generated values can be much longer than the text
//! that asks for them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Plan;
use crate::scenario::document::{Diagnostic, Diagnostics};

const MEBIBYTE: usize = 1024 * 1024;
const FILE_LIMIT: usize = 64 * MEBIBYTE;
/// The memory that an event needs besides its text.
const EVENT_SIZE: usize = 2048;

/// The sizes of the planned events of each file.
#[derive(Default)]
pub(crate) struct PlannedSizes {
    by_file: HashMap<Arc<str>, usize>,
    /// The file and matrix values of each case, to count repetitions once.
    counted: HashSet<(Arc<str>, Option<String>)>,
}

/// The size of a scenario's events so far.
#[derive(Default)]
pub(super) struct EventSizes(usize);

impl EventSizes {
    const LIMIT: usize = 8 * MEBIBYTE;

    pub(super) fn is_exceeded(&self) -> bool {
        self.0 > Self::LIMIT
    }

    pub(super) fn add(&mut self, body: &[u8]) -> Result<(), String> {
        self.0 += body.len() + EVENT_SIZE;
        if self.is_exceeded() {
            let limit = Self::LIMIT / MEBIBYTE;
            return Err(format!("the scenario's events have more than {limit} MiB"));
        }
        Ok(())
    }
}

impl PlannedSizes {
    /// Counts a plan, unless it repeats a case.
    pub(crate) fn add(&mut self, plan: &Plan) -> Result<(), Diagnostics> {
        let case = &plan.case;
        let file = Arc::clone(&case.source.name);
        if !self
            .counted
            .insert((Arc::clone(&file), case.choice.clone()))
        {
            return Ok(());
        }
        let events = plan.events.values();
        let size = self.by_file.entry(file);
        let size = size.or_default();
        let was_within = *size <= FILE_LIMIT;
        *size += events
            .map(|event| event.body.len() + EVENT_SIZE)
            .sum::<usize>();
        if was_within && *size > FILE_LIMIT {
            let limit = FILE_LIMIT / MEBIBYTE;
            let message = format!("the events of all its cases have more than {limit} MiB");
            return Err(
                Diagnostic::at(&case.source, case.scenario.name.span, message)
                    .with_help("split the file, or remove values from the matrix")
                    .into(),
            );
        }
        Ok(())
    }
}
