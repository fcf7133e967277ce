//! How much a file's variables may expand to.
//!
//! A variable can be much longer than the text that names it, and a matrix repeats the whole file. Without a
//! limit, a small file could fill the memory.

use std::collections::BTreeSet;

use super::{DecodeError, NodeValue};

/// What all cases of a file may still expand to, and the case that is being expanded.
#[derive(Debug)]
pub(crate) struct Expansion {
    left_in_file: usize,
    left_in_case: usize,
    is_exceeded: bool,
    /// The different regular expressions in the file.
    patterns: BTreeSet<String>,
}

const MEBIBYTE: usize = 1024 * 1024;
/// More than any file of the maximum size without variables.
const CASE_LIMIT: usize = 8 * MEBIBYTE;
const FILE_LIMIT: usize = 64 * MEBIBYTE;
/// The memory that a value needs besides its text, and that a planned delivery needs.
const VALUE_SIZE: usize = 128;
/// The most different regular expressions in a file. Each is compiled to check it.
const MOST_PATTERNS: usize = 500;

impl Default for Expansion {
    fn default() -> Self {
        Self {
            left_in_file: FILE_LIMIT,
            left_in_case: CASE_LIMIT,
            is_exceeded: false,
            patterns: BTreeSet::new(),
        }
    }
}

impl Expansion {
    pub(crate) fn begin_case(&mut self) {
        self.left_in_case = CASE_LIMIT;
    }

    /// Whether a case did not fit, so that further ones need not be read.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }

    /// Counts a value and everything in it.
    pub(super) fn add(&mut self, value: &NodeValue) -> Result<(), DecodeError> {
        match value {
            NodeValue::Text(text) => self.add_text(text.len()),
            NodeValue::Sequence(items) => {
                self.add_text(0)?;
                items.iter().try_for_each(|item| self.add(&item.value))
            }
            NodeValue::Mapping(entries) => {
                self.add_text(0)?;
                entries.iter().try_for_each(|(key, item)| {
                    self.add_text(key.len())?;
                    self.add_pattern(key, &item.value)?;
                    self.add(&item.value)
                })
            }
            _ => self.add_text(0),
        }
    }

    pub(super) fn add_text(&mut self, length: usize) -> Result<(), DecodeError> {
        let size = length.saturating_add(VALUE_SIZE);
        let help = "use shorter values, or fewer of them";
        self.add_size("variables replaced", help, size)
    }

    /// Counts the value of a key, if it is a regular expression.
    pub(super) fn add_pattern(&mut self, key: &str, value: &NodeValue) -> Result<(), DecodeError> {
        let NodeValue::Text(text) = value else {
            return Ok(());
        };
        if key != "matches" || self.patterns.contains(text) {
            return Ok(());
        }
        if self.patterns.len() == MOST_PATTERNS {
            self.is_exceeded = true;
            let message = format!("the file has more than {MOST_PATTERNS} regular expressions");
            let help = "split the file, or remove values from the matrix";
            return Err(DecodeError::new(message, Some(help.to_owned())));
        }
        self.patterns.insert(text.clone());
        Ok(())
    }

    pub(crate) fn add_deliveries(&mut self, count: u64) -> Result<(), DecodeError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let size = count.saturating_mul(VALUE_SIZE);
        self.add_size("deliveries", "use `aghook load` for more deliveries", size)
    }

    fn add_size(&mut self, why: &str, help: &str, size: usize) -> Result<(), DecodeError> {
        let mut too_large = |what: &str, limit: usize, help: &str| {
            let limit = limit / MEBIBYTE;
            self.is_exceeded = true;
            let message = format!("{what} larger than {limit} MiB");
            Err(DecodeError::new(message, Some(help.to_owned())))
        };
        if size > self.left_in_case {
            return too_large(
                &format!("with its {why}, the scenario is"),
                CASE_LIMIT,
                help,
            );
        }
        if size > self.left_in_file {
            let help = "split the file, or remove values from the matrix";
            return too_large("together, the matrix's cases are", FILE_LIMIT, help);
        }
        self.left_in_case -= size;
        self.left_in_file -= size;
        Ok(())
    }
}
