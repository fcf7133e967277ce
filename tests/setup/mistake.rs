//! A mistake in the set-up, and what `doctor` and `run` must say about it.

use std::time::Duration;

use aghook::{Receiver, Secret};
use tokio::runtime::Runtime;

use crate::support::{Folder, Game, SECRET, Transcript};

/// A check-up that takes longer is killed. A user waits for less than five seconds, and a check-up here
/// takes far less than one: tests run several at once on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

/// In how many lines `run` and `load` name the mistake.
const FIRST_LINES: usize = 10;

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

    fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = self.folder.aghook(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn aghook(&self, arguments: &[&str]) -> Transcript {
        Transcript::of(&mut self.command(arguments))
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
        let mut doctor = self.command(&["doctor"]);
        let doctor = Transcript::of(doctor.timeout(LONGEST)).ends_with(code);
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
        names_at_once(&run, words);
        assert!(!run.stdout.contains("✗ failed"), "{}", run.text());
    }

    /// A load ends early: all of it would take 40 s.
    #[track_caller]
    pub(crate) fn is_named_by_load(&self, code: i32, words: &str) {
        let words_of_load = ["load", "--rate", "500", "--count", "20000"];
        let mut load = self.command(&words_of_load);
        let load = Transcript::of(load.timeout(LONGEST)).ends_with(code);
        names_at_once(&load, words);
        let blames = load.stdout.lines().any(|line| line.starts_with('✗'));
        assert!(!blames, "{}", load.text());
    }
}

/// Whether `words` are in the first lines of what a command wrote.
#[track_caller]
fn names_at_once(transcript: &Transcript, words: &str) {
    let Transcript { stdout, stderr, .. } = transcript;
    let lines = stderr.lines().chain(stdout.lines());
    let first = lines
        .filter(|line| !line.trim().is_empty())
        .take(FIRST_LINES);
    let first = unwrapped(&first.collect::<Vec<_>>().join("\n"));
    let text = transcript.text();
    assert!(first.contains(words), "no `{words}` at the start of {text}");
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
