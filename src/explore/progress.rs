//! How far an exploration is.

use std::fmt;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(super) cases: u64,
    pub(super) deliveries: u64,
    pub(super) kinds: usize,
    pub(super) found: usize,
    /// The number of events of the failure that is being shrunk.
    pub(super) shrinking: Option<usize>,
    /// Whether the bundled suite runs.
    pub(super) is_diagnosing: bool,
}

impl fmt::Display for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cases,
            deliveries,
            kinds,
            found,
            ..
        } = self;
        write!(
            formatter,
            "{cases} cases, {deliveries} deliveries, {kinds} kinds, {found} failures"
        )?;
        match self.shrinking {
            Some(1) => formatter.write_str(", shrinking one (1 event left)"),
            Some(events) => write!(formatter, ", shrinking one ({events} events left)"),
            None if self.is_diagnosing => {
                formatter.write_str(", running the bundled suite for the likely cause")
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_goes_on() {
        let progress = |shrinking, is_diagnosing| {
            let progress = Progress {
                cases: 120,
                deliveries: 900,
                kinds: 50,
                found: 2,
                shrinking,
                is_diagnosing,
            };
            progress.to_string()
        };
        let line = "120 cases, 900 deliveries, 50 kinds, 2 failures";
        assert_eq!(progress(None, false), line);
        assert_eq!(
            progress(Some(21), false),
            format!("{line}, shrinking one (21 events left)")
        );
        assert_eq!(
            progress(None, true),
            format!("{line}, running the bundled suite for the likely cause")
        );
    }
}
