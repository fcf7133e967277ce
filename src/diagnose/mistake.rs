//! A mistake in making or verifying a signature, described for people, and the candidates to which
//! mistakes of one kind lead.

use std::borrow::Cow;

/// One mistake: its stable name, what happened, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Mistake {
    pub name: Cow<'static, str>,
    pub happened: Cow<'static, str>,
    pub fix: Cow<'static, str>,
}

impl Mistake {
    pub(super) const fn new(name: &'static str, happened: &'static str, fix: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            happened: Cow::Borrowed(happened),
            fix: Cow::Borrowed(fix),
        }
    }
}

/// Defines the mistakes of one kind. The table begins with the usual fix. Each further line has the
/// constant, the name, what happened, and the fix if it is another one.
macro_rules! mistakes {
    ($usual:expr; $($constant:ident $name:literal $happened:literal $($fix:expr)?;)*) => {
        $(
            pub(super) const $constant: $crate::diagnose::Mistake =
                $crate::diagnose::Mistake::new($name, $happened, mistakes!(@fix $usual $(, $fix)?));
        )*

        #[cfg(test)]
        pub(super) const NAMES: &[&str] = &[$($name),*];
    };
    (@fix $usual:expr) => { $usual };
    (@fix $usual:expr, $fix:expr) => { $fix };
}

pub(super) use mistakes;

/// What may have been used to sign, and the mistakes that lead to it.
pub(super) struct Candidate<T> {
    pub(super) value: T,
    pub(super) mistakes: Vec<Mistake>,
}

/// The candidates of one kind: the correct one first, then the simplest.
pub(super) struct Candidates<T>(pub(super) Vec<Candidate<T>>);

impl<T> Candidates<T> {
    /// Only the correct candidate.
    pub(super) fn correct(value: T) -> Self {
        Self(vec![Candidate {
            value,
            mistakes: Vec::new(),
        }])
    }

    /// Adds a candidate that differs from all others.
    pub(super) fn push(&mut self, value: T, mistakes: impl Into<Vec<Mistake>>) {
        self.0.push(Candidate {
            value,
            mistakes: mistakes.into(),
        });
    }

    /// Adds a candidate, unless an earlier one, which has the simpler explanation, is equal.
    pub(super) fn add(&mut self, value: T, mistakes: impl Into<Vec<Mistake>>)
    where
        T: PartialEq,
    {
        if self.0.iter().all(|known| known.value != value) {
            self.push(value, mistakes);
        }
    }
}
