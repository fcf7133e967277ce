//! The output of `aghook`, normalised so that it is the same on every machine.

use std::sync::LazyLock;

use regex::Regex;

/// The exit code, stdout and stderr of a command.
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

    /// Exit code and output as one text.
    pub(crate) fn text(&self) -> String {
        format!(
            "exit code {}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }

    /// Fails, showing all output, unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.text());
        self
    }

    /// Fails, showing all output, unless the output contains each of `words`.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.text().contains(word), "no `{word}` in {}", self.text());
        }
        self
    }

    #[track_caller]
    pub(crate) fn does_not_say(self, words: &[&str]) -> Self {
        for word in words {
            assert!(!self.text().contains(word), "`{word}` in {}", self.text());
        }
        self
    }
}

/// The normalised output of a command, for a snapshot.
pub(crate) fn transcript(command: &mut assert_cmd::Command) -> String {
    normalised(&Transcript::of(command).text())
}

/// Replaces what differs between runs: ports, durations, start times, error messages of the
/// operating system, request lines and versions.
pub(crate) fn normalised(text: &str) -> String {
    static VOLATILE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let patterns = [
            (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
            (r"--start-time \d\S*", "--start-time T"),
            (r"\b(took|observed|,) +[\d.]+ ?(s|ms|µs|ns)\b", "$1 TIME"),
            (r"\+[\d.]+ s\b", "+TIME"),
            // Other tests check the request lines.
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
    VOLATILE
        .iter()
        .fold(text.to_owned(), |text, (pattern, name)| {
            pattern.replace_all(&text, *name).into_owned()
        })
}
