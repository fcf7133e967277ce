//! What must be true of the mistakes that are found in a file.

use crate::scenario::document::{Diagnostics, SourceFile};

/// The mistakes that are shown, and the line that counts the others.
const MOST_MISTAKES: usize = 21;

/// Every mistake has a message and a place inside the file, and can be shown.
pub(super) fn check_mistakes(source: &SourceFile, mistakes: &Diagnostics) {
    assert!(!mistakes.0.is_empty(), "an error without a mistake");
    assert!(mistakes.0.len() <= MOST_MISTAKES, "{}", mistakes.0.len());
    let lines: Vec<&str> = source.text.split('\n').collect();
    for mistake in &mistakes.0 {
        assert!(!mistake.message.is_empty());
        let place = mistake.location();
        let place = place.strip_prefix(&*source.name).expect("this file");
        let mut numbers = place.split(':').skip(1).map(str::parse::<usize>);
        let (Some(Ok(line)), Some(Ok(column))) = (numbers.next(), numbers.next()) else {
            assert_eq!(place, "", "a place is a line and a column");
            continue;
        };
        let text = lines[line - 1];
        assert!(column <= text.chars().count() + 1, "{place}: {text:?}");
    }
    let shown = mistakes.render(false, 90);
    let is_unsafe = |character: char| character.is_control() && character != '\n';
    assert!(!shown.contains(is_unsafe), "{shown:?}");
}
