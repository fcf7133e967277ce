//! The repetitions of a scenario, which `run --repeat` names, as one scenario.

const LABEL: &str = " (repetition ";

/// The name of a scenario without its repetition, and the repetition's number.
pub(super) fn without_repetition(name: &str) -> (String, Option<u32>) {
    let split = || {
        let (before, rest) = name.rsplit_once(LABEL)?;
        let (number, after) = rest.split_once(')')?;
        Some((format!("{before}{after}"), number.parse().ok()?))
    };
    match split() {
        Some((name, number)) => (name, Some(number)),
        None => (name.to_owned(), None),
    }
}

/// How many repetitions each scenario of a run has, 0 if it is not repeated.
#[derive(Debug, Clone, Default)]
pub(super) struct Repetitions {
    pub(super) all: u32,
}

impl Repetitions {
    pub(super) fn observe(&mut self, name: &str) {
        let (_, number) = without_repetition(name);
        self.all = self.all.max(number.unwrap_or_default());
    }

    /// `in 3 of 20 repetitions`; `None` if the run has none.
    pub(super) fn text(&self, own: usize) -> Option<String> {
        (self.all > 1).then(|| format!("in {own} of {} repetitions", self.all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_is_not_part_of_the_name() {
        for (name, expected) in [
            ("a (repetition 12)", ("a", Some(12))),
            (
                "a (repetition 2) [layout=spaced]",
                ("a [layout=spaced]", Some(2)),
            ),
            ("a (repetition x)", ("a (repetition x)", None)),
            ("a", ("a", None)),
        ] {
            let (name, number) = without_repetition(name);
            assert_eq!((&*name, number), expected);
        }
    }

    #[test]
    fn a_run_without_repetitions_has_no_text() {
        let mut repetitions = Repetitions::default();
        repetitions.observe("a");
        assert_eq!(repetitions.text(1), None);
        repetitions.observe("a (repetition 20)");
        assert_eq!(
            repetitions.text(3).as_deref(),
            Some("in 3 of 20 repetitions")
        );
    }
}
