//! The config file, `aghook.yaml`.

use super::mistakes::check_mistakes;
use crate::generate::{EventShape, Seed, StartTime};
use crate::policy::schedule;
use crate::probe::{PreparedHook, PreparedProbe};
use crate::run::profile_generator;
use crate::scenario::document::SourceFile;
use crate::scenario::{Config, Profile};
use crate::transport::{AllowedHosts, Target};

/// The waits of a retry policy that are computed.
const WAITS: usize = 20;

/// Reads a config file, and prepares what its profiles describe.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let source = SourceFile::new("aghook.yaml", text);
    let config = match Config::parse(&source) {
        Ok(config) => config,
        Err(mistakes) => return check_mistakes(&source, &mistakes),
    };
    if let Err(mistakes) = config.pick(None, &source.name) {
        check_mistakes(&source, &mistakes);
    }
    for (name, profile) in &config.profiles {
        let (line, _) = Config::place(&source, name, "probes").expect("the profile's line");
        assert!(line <= text.split('\n').count(), "line {line}");
        prepare(profile);
    }
}

fn prepare(profile: &Profile) {
    let Ok(allowed) = AllowedHosts::new(&profile.allow_hosts) else {
        return;
    };
    let targets = profile.target.iter().chain(profile.targets.values());
    for target in targets.filter_map(|url| Target::parse(url, &allowed).ok()) {
        let again = Target::parse(target.as_str(), &allowed);
        assert_eq!(again.as_ref(), Ok(&target));
    }
    for probe in profile.probes.values() {
        let _ = PreparedProbe::new(probe, &allowed);
    }
    for (_, hook) in profile.named_hooks() {
        let _ = PreparedHook::new(hook, &allowed);
    }
    let seed = Seed::new(1);
    let policy = profile.retry_policy();
    let waits = schedule(&policy, &mut seed.random()).take(WAITS).count();
    assert!(
        waits
            < usize::try_from(policy.attempts)
                .unwrap_or(usize::MAX)
                .max(1)
    );
    let start: StartTime = "1725548450".parse().expect("a time");
    let event = profile_generator(profile, seed, start).event(&EventShape::default());
    let players = profile.listed_players();
    let player = event.event_data.player_id.as_ref();
    assert!(players.is_empty() || players.iter().any(|listed| listed == player));
}
