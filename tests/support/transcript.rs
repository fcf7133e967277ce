//! What the program printed, in a form that is the same on every machine and at any time.

use std::sync::LazyLock;

use regex::Regex;

/// The exit code and both outputs.
pub(crate) struct Transcript {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Transcript {
    pub(crate) fn of(command: &mut assert_cmd::Command) -> Self {
        let output = command.output().expect("runs");
        Self {
            code: output.status.code().expect("ends by itself"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// All of it as one text.
    pub(crate) fn text(&self) -> String {
        format!(
            "exit code {}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }

    /// Fails with everything that was printed unless the program ended with this code.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.text());
        self
    }

    /// Fails with everything that was printed unless it says all of these.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.text().contains(word), "no `{word}` in {}", self.text());
        }
        self
    }

    #[track_caller]
    pub(crate) fn says_nothing_of(self, words: &[&str]) -> Self {
        for word in words {
            assert!(!self.text().contains(word), "`{word}` in {}", self.text());
        }
        self
    }
}

/// What a command prints, for a snapshot.
pub(crate) fn transcript(command: &mut assert_cmd::Command) -> String {
    normalised(&Transcript::of(command).text())
}

/// A text without what differs between machines and times: ports, lengths of time, start times,
/// the words of the operating system, and signatures.
pub(crate) fn normalised(text: &str) -> String {
    static CHANGING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let patterns = [
            (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
            (r"--start-time \d\S*", "--start-time T"),
            (r"\b(took|observed|,) +[\d.]+ ?(s|ms|µs|ns)\b", "$1 TIME"),
            (r"\+[\d.]+ s\b", "+TIME"),
            // A request is the same in every report; its event is another test's business.
            (
                r"(?s)(      → )\w+ http.*?\n(      ← )",
                "${1}[the request]\n$2",
            ),
            (r": [^:\n]* \(os error \d+\)", ": OS ERROR"),
            (r"aghook\.exe", "aghook"),
            (r"aghook \d+\.\d+\.\d+", "aghook VERSION"),
        ];
        let compiled = patterns.map(|(pattern, name)| (Regex::new(pattern).expect(pattern), name));
        compiled.into()
    });
    CHANGING
        .iter()
        .fold(text.to_owned(), |text, (pattern, name)| {
            pattern.replace_all(&text, *name).into_owned()
        })
}
