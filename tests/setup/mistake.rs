//! A mistake in the set-up, and what `doctor` and `run` must say about it.

use std::time::{Duration, Instant};

use aghook::{Receiver, Secret};
use tokio::runtime::Runtime;

use crate::support::{Folder, Game, SECRET, Transcript};

/// The most time that a check-up may take. Tests run several at once, so this is not the five seconds
/// that a user waits.
const LONGEST: Duration = Duration::from_secs(30);

/// A set-up with one mistake.
pub(crate) struct SetUp {
    folder: Folder,
    environment: Vec<(&'static str, String)>,
}

impl SetUp {
    /// A profile with these lines.
    pub(crate) fn new(profile: &str) -> Self {
        let lines = profile.lines().map(|line| format!("    {line}\n"));
        let config = format!("profiles:\n  game:\n{}", lines.collect::<String>());
        let mut folder = Folder::new().with("aghook.yaml", config);
        std::fs::create_dir(folder.path("suite")).expect("a folder");
        for number in 1..=4 {
            let scenario = format!(
                "name: coupon {number}\nevents: {{ coupon: {{}} }}\n\
                 steps: [{{ deliver: coupon, expect: {{ status: 2xx }} }}]\n\
                 effects: [{{ granted: coupon }}]\n"
            );
            folder = folder.with(&format!("suite/{number}.yaml"), scenario);
        }
        Self {
            folder,
            environment: Vec::new(),
        }
    }

    /// The profile of a game.
    pub(crate) fn of_game(game: &Game) -> Self {
        let set_up = Self::new("");
        set_up.with_file("aghook.yaml", &game.config(""))
    }

    pub(crate) fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((variable, value.into()));
        self
    }

    pub(crate) fn with_file(mut self, name: &str, content: &str) -> Self {
        self.folder = self.folder.with(name, content);
        self
    }

    pub(crate) fn aghook(&self, arguments: &[&str]) -> Transcript {
        let mut command = self.folder.aghook(arguments);
        Transcript::of(command.envs(self.environment.iter().map(|(name, value)| (name, value))))
    }

    /// `doctor` finds nothing, and the scenarios pass.
    #[track_caller]
    pub(crate) fn works(&self, words: &[&str]) {
        self.aghook(&["doctor"]).ends_with(0).says(words);
        self.aghook(&["run", "suite"]).ends_with(0);
    }

    /// Both commands end with this exit code and say `words`: `doctor` anywhere, with the place of
    /// the `key` to change, and `run` in its first lines.
    #[track_caller]
    pub(crate) fn is_named(&self, code: i32, words: &str, key: &str) {
        self.is_named_by_doctor(code, words, key);
        self.is_named_by_run(code, words);
    }

    #[track_caller]
    pub(crate) fn is_named_by_doctor(&self, code: i32, words: &str, key: &str) {
        let started = Instant::now();
        let doctor = self.aghook(&["doctor"]).ends_with(code);
        assert!(started.elapsed() < LONGEST, "{}", doctor.text());
        let text = unwrapped(&doctor.text());
        assert!(text.contains(words), "no `{words}` in {}", doctor.text());
        let place = format!("`{key}`");
        let has_place = text.contains("aghook.yaml:") && text.contains(&place);
        assert!(
            key.is_empty() || has_place,
            "no place of {place} in {}",
            doctor.text()
        );
        assert!(!text.contains(SECRET), "{text}");
    }

    #[track_caller]
    pub(crate) fn is_named_by_run(&self, code: i32, words: &str) {
        let run = self.aghook(&["run", "suite"]).ends_with(code);
        let lines = run.stderr.lines().chain(run.stdout.lines());
        let first = lines.filter(|line| !line.trim().is_empty()).take(12);
        let first = unwrapped(&first.collect::<Vec<_>>().join("\n"));
        assert!(
            first.contains(words),
            "no `{words}` at the start of {}",
            run.text()
        );
        assert!(!run.stdout.contains("✗ failed"), "{}", run.text());
    }
}

/// The text without the line breaks that fit it into a terminal.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The built-in receiver as a game, on its own runtime.
pub(crate) struct GameServer {
    receiver: Receiver,
    /// Serves until the test ends.
    _runtime: Runtime,
}

impl GameServer {
    /// A sound game with this secret.
    pub(crate) fn with_secret(secret: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let secret = Secret::new(secret).expect("a secret");
        let receiver = runtime.block_on(Receiver::start(&secret)).expect("starts");
        Self {
            receiver,
            _runtime: runtime,
        }
    }

    /// A sound game with the secret of the tests.
    pub(crate) fn new() -> Self {
        Self::with_secret(SECRET)
    }

    pub(crate) fn url(&self) -> String {
        self.receiver.url()
    }

    /// `http://HOST:PORT`.
    pub(crate) fn base(&self) -> String {
        let url = self.url();
        let end = url.find("/webhooks").expect("the path of the webhook");
        url[..end].to_owned()
    }

    /// Its address.
    pub(crate) fn address(&self) -> String {
        self.base().replace("http://", "")
    }

    /// The lines of a correct profile.
    pub(crate) fn profile(&self) -> String {
        format!("target: {}\nsettle: 100ms\n{}", self.url(), self.probes())
    }

    pub(crate) fn probes(&self) -> String {
        format!(
            "probes:\n  quantity:\n    http: GET {}/debug/players/{{player_id}}/items/{{sku}}\n    \
             read: $.quantity\n",
            self.base()
        )
    }
}
