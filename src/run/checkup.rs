//! Checks the set-up in a few seconds: connects, reads the probes, delivers one event twice and one for each
//! listed item, and sends one forgery and a burst of them.

mod body_layouts;
mod genuine;
mod hooks;
mod listed_items;
mod silence;
mod single_delivery;

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::join_all;
use jiff::Timestamp;

use super::missing_capability::MissingCapability;
use super::plan::Plan;
use super::run_context::RunContext;
use super::run_event::{AttemptEnded, EffectsEnded, ResponseRecord, RunEvent};
use super::session::Secrets;
use super::setup_problem::UNCHANGED;
use super::turn::Turn;
use crate::diagnose::SetupMistake;
use crate::policy::Forgery;
use crate::probe::{HookFailure, PreparedProbe, QUANTITY_PROBE};
use crate::scenario::Case;
use crate::scenario::document::{Diagnostics, SourceFile};
use crate::verify::{Check, Verdict};
pub(crate) use listed_items::ItemEvents;
use silence::{PATIENCE, late, patiently};

/// What one part of the check-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What was checked.
    pub(crate) subject: String,
    /// Broken if the set-up is wrong, failed if the receiver is.
    pub(crate) verdict: Verdict,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// The key of the profile to change, with its parents, such as `probes.quantity`.
    pub(crate) key: Option<&'static str>,
}

/// How many forgeries are sent at the same time to find a limit of the request rate.
const BURST: usize = 20;
/// How far the receiver's clock may be off before it is mentioned, in seconds.
const CLOCK_DIFFERENCE: i64 = 30;

/// The scenario that a check-up runs.
pub(crate) fn checkup_case() -> Result<Vec<Case>, Diagnostics> {
    Case::from_file(&SourceFile::new("doctor", include_str!("checkup.yaml")))
}

impl RunContext {
    /// Checks the set-up, and reports each finding as soon as it is known.
    pub(crate) async fn check_up(
        &self,
        mut plan: Plan,
        secrets: &Secrets,
        items: &ItemEvents,
        mut report: impl FnMut(Finding),
    ) {
        plan.patience.responses = Some(PATIENCE);
        let plan = &plan;
        if let Err(failure) = self.client.probe_connection(&self.target).await {
            return report(self.unreachable(&failure));
        }
        report(Finding::passed(
            "connection",
            self.shown_target().into_owned(),
        ));
        let ((probes, are_late), silence) = tokio::join!(self.read_probes(plan), self.silence());
        let mut all = probes.iter();
        let are_readable = all.all(|(probe, _)| probe.verdict != Verdict::Broken);
        // What found nothing is reported after the grant, which may change that, and what can't be read
        // for this player after it is clear whether the game knows the player.
        let (waiting, probes): (Vec<_>, Vec<_>) =
            probes.into_iter().partition(|(probe, depends_on_player)| {
                *depends_on_player || probe.verdict == Verdict::NotChecked && are_readable
            });
        let probes: Vec<Finding> = probes.into_iter().map(|(probe, _)| probe).collect();
        let mut helps = probes.iter().filter_map(|probe| probe.help.as_deref());
        let is_protected = helps.any(|help| help == CREDENTIALS_HELP);
        let waits = are_late || silence.is_some();
        probes.into_iter().for_each(&mut report);
        if let Some(silence) = silence {
            report(silence);
        }
        if waits {
            for (probe, _) in waiting {
                report(probe);
            }
            let message = "not sent, because each delivery would wait".to_owned();
            let finding = Finding::new("genuine delivery", Verdict::NotChecked, message);
            return report(finding);
        }
        let events = Mutex::new(Vec::new());
        let collect = |event| {
            let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
            events.push(event);
        };
        self.run_scenario(1, plan, &collect, Turn::default(), true)
            .await;
        let results = Results {
            events: events.into_inner().unwrap_or_else(PoisonError::into_inner),
        };
        let Some(genuine) = results.attempt(1) else {
            return waiting.into_iter().for_each(|(probe, _)| report(probe));
        };
        let finding = self.genuine(genuine, plan, secrets, is_protected).await;
        let accepted = finding.verdict == Verdict::Passed;
        let is_of_items = finding.key == Some("items");
        let is_player_unknown = finding.key == Some("players");
        report(finding);
        for (probe, depends_on_player) in waiting {
            report(if depends_on_player && is_player_unknown {
                let message = "not read: the game does not know the player".to_owned();
                Finding::new(probe.subject, Verdict::NotChecked, message)
            } else {
                self.after_grant(probe, &results)
            });
        }
        if accepted {
            let redelivery = results.redelivery();
            // Otherwise, the key may be the reason of a refusal.
            let is_compared = redelivery.verdict == Verdict::Passed;
            report(redelivery);
            if is_compared && let Some(finding) = self.other_layout(plan).await {
                report(finding);
            }
            report(if are_readable {
                self.grant(&results)
            } else {
                let message = "the probe could not be read".to_owned();
                Finding::new("grant", Verdict::NotChecked, message)
            });
        }
        if accepted || is_of_items {
            self.try_items(items)
                .await
                .into_iter()
                .for_each(&mut report);
        }
        let forgery = results.forgery(accepted);
        let refused = forgery.verdict == Verdict::Passed;
        report(forgery);
        if let Some(finding) = clock(genuine) {
            report(finding);
        }
        self.try_hooks(plan).await.into_iter().for_each(&mut report);
        // A burst shows nothing if a single request is not handled.
        if accepted && refused && self.rate_limit.is_none() {
            report(self.burst(plan).await);
        }
    }

    /// Reads the probes, each with whether another player could be read; also whether one takes too long.
    async fn read_probes(&self, plan: &Plan) -> (Vec<(Finding, bool)>, bool) {
        let missing = MissingCapability::Probe(QUANTITY_PROBE.to_owned());
        if !self.can_read_inventories() {
            let (reason, hint) = missing.reason_and_hint();
            let finding = Finding::new("probe", Verdict::NotChecked, reason);
            return (vec![(finding.help(hint).key("probes"), false)], false);
        }
        let Some(event) = plan.events.values().find_map(|event| event.event.as_ref()) else {
            return (Vec::new(), false);
        };
        let (player, sku) = (&event.event_data.player_id, event.event_data.sku());
        let (mut findings, mut are_late) = (Vec::new(), false);
        for (name, probe) in &self.probes {
            let subject = probe_subject(name);
            let Some(read) = patiently(probe.read(&self.client, player, sku)).await else {
                are_late = true;
                let finding = Finding::broken(subject, late());
                let finding = finding.help("check the probe in the profile").key("probes");
                findings.push((finding, false));
                // The others would probably wait as long.
                break;
            };
            let failure = read.as_ref().err();
            let depends_on_player = failure.is_some_and(HookFailure::depends_on_player);
            let finding = match (read, probe.problem()) {
                // Perhaps the player holds nothing yet, so the reading after the grant decides.
                (Ok(number), Some(problem)) => {
                    let message = format!(
                        "{number} {sku} for {player}: {}",
                        self.shown(&problem.reason)
                    );
                    Finding::new(subject, Verdict::NotChecked, message)
                }
                (Ok(number), None) => {
                    Finding::passed(subject, format!("{number} {sku} for {player}"))
                }
                (Err(failure), _) => {
                    let message = self.shown(&failure);
                    let wants = |status| message.contains(&format!(" returned {status}"));
                    let help = if wants(401) || wants(403) {
                        CREDENTIALS_HELP
                    } else {
                        "check the probe in the profile"
                    };
                    Finding::broken(subject, message).help(help).key("probes")
                }
            };
            findings.push((finding, depends_on_player));
        }
        (findings, are_late)
    }

    /// A probe that found nothing before the grant: with what it reads after it, if it works by then.
    fn after_grant(&self, finding: Finding, results: &Results) -> Finding {
        let works = self.probes.iter().any(|(name, probe)| {
            probe_subject(name) == finding.subject && probe.problem().is_none()
        });
        let mut readings = results
            .effects()
            .into_iter()
            .flat_map(|effects| &effects.readings);
        match readings.find(|reading| reading.before != reading.after) {
            Some(reading) if works => {
                let message = format!("nothing found before the grant, {} after it", reading.after);
                Finding::passed(finding.subject, message)
            }
            _ => finding,
        }
    }

    fn grant(&self, results: &Results) -> Finding {
        let subject = "grant";
        let Some(effects) = results.effects() else {
            return Finding::new(subject, Verdict::NotChecked, "no effects".to_owned());
        };
        let Some(check) = effects.checks.first() else {
            return Finding::new(subject, Verdict::NotChecked, "no effects".to_owned());
        };
        let readings = effects
            .readings
            .iter()
            .map(|reading| format!("{} {} → {}", reading.sku, reading.before, reading.after));
        let readings = readings.collect::<Vec<_>>().join(", ");
        let problem = self.probes.values().find_map(PreparedProbe::problem);
        let unchanged = effects
            .readings
            .iter()
            .all(|reading| reading.before == reading.after);
        match check.verdict {
            Verdict::Passed => Finding::passed(subject, readings),
            Verdict::Failed | Verdict::Warned => match problem {
                Some(problem) => Finding::broken(subject, self.shown(&problem.reason))
                    .help(problem.help)
                    .key("probes"),
                None if unchanged => {
                    let message = format!("accepted, but nothing changed: {readings}");
                    Finding::broken(subject, message)
                        .help(UNCHANGED)
                        .key("items")
                }
                None => Finding::new(subject, Verdict::Failed, check.observed.clone()),
            },
            verdict => Finding::new(subject, verdict, check.observed.clone())
                .help(check.hint.clone().unwrap_or_default()),
        }
    }

    /// Whether the receiver, or a proxy before it, limits the request rate. Forgeries are harmless.
    async fn burst(&self, plan: &Plan) -> Finding {
        let subject = "request rate";
        let bodies = body(plan).into_iter().cycle().take(BURST);
        let forgery = Some(Forgery::WrongSecret);
        let requests = bodies.map(|body| self.deliver_once(&self.signer, body, forgery));
        let deliveries = join_all(requests).await;
        let attempts = deliveries.iter().flat_map(|delivery| &delivery.attempts);
        let limited = attempts.filter(|attempt| {
            let mistake = attempt.exchange.setup_mistake();
            matches!(
                mistake,
                Some(SetupMistake::RateLimit(_) | SetupMistake::ProxyError(_))
            )
        });
        match limited.count() {
            0 => Finding::passed(subject, format!("{BURST} requests at once were handled")),
            count => {
                let limit = SetupMistake::RateLimit(429);
                let message =
                    format!("{count} of {BURST} requests at once were refused by a limit");
                Finding::broken(subject, message)
                    .help(limit.help())
                    .key("max_rate")
            }
        }
    }
}

const CREDENTIALS_HELP: &str = "check the probe; if it needs credentials, add `headers` to the probe itself: \
                          the profile's are sent with deliveries only";

/// The events of the scenario.
struct Results {
    events: Vec<RunEvent>,
}

impl Results {
    fn attempt(&self, step: usize) -> Option<&AttemptEnded> {
        self.events.iter().find_map(|event| match event {
            RunEvent::AttemptEnded(attempt) if attempt.step == step => Some(&**attempt),
            _ => None,
        })
    }

    fn effects(&self) -> Option<&EffectsEnded> {
        self.events.iter().find_map(|event| match event {
            RunEvent::EffectsEnded(effects) => Some(effects),
            _ => None,
        })
    }

    /// The check of the response in a step.
    fn check(&self, step: usize) -> Option<&Check> {
        self.events.iter().find_map(|event| match event {
            RunEvent::StepEnded(ended) if ended.step == step => {
                ended.deliveries.first()?.checks.first()
            }
            _ => None,
        })
    }

    fn redelivery(&self) -> Finding {
        self.response(
            2,
            "redelivery",
            "respond 2xx to a redelivery: any other status is retried",
        )
    }

    /// If no genuine delivery is accepted, it says nothing about forgeries that they are not, either.
    fn forgery(&self, accepted: bool) -> Finding {
        let subject = "forgery";
        let response = self.attempt(3).map(|forged| forged.response.status());
        if !accepted && !matches!(response, Some(Some(200..300))) {
            let message = "no genuine delivery was accepted either, so this would show nothing";
            return Finding::new(subject, Verdict::NotChecked, message.to_owned());
        }
        let help = "refuse what is not signed with the secret: 401 or 403";
        self.response(3, subject, help)
    }

    fn response(&self, step: usize, subject: &str, help: &str) -> Finding {
        match self.check(step) {
            Some(check) if check.verdict == Verdict::Passed => Finding::passed(
                subject,
                format!("responded {}, as expected", check.observed),
            ),
            Some(check) => {
                let message = format!("expected {}, observed {}", check.expected, check.observed);
                Finding::new(subject, check.verdict, message).help(help)
            }
            None => Finding::new(subject, Verdict::NotChecked, "not sent".to_owned()),
        }
    }
}

impl Finding {
    pub(crate) fn new(subject: impl Into<String>, verdict: Verdict, message: String) -> Self {
        Self {
            subject: subject.into(),
            verdict,
            message,
            help: None,
            key: None,
        }
    }

    fn passed(subject: impl Into<String>, message: String) -> Self {
        Self::new(subject, Verdict::Passed, message)
    }

    fn broken(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Broken, message.into())
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        let help = Some(help.into()).filter(|help| !help.is_empty());
        Self { help, ..self }
    }

    pub(crate) fn key(self, key: &'static str) -> Self {
        let key = Some(key);
        Self { key, ..self }
    }
}

fn probe_subject(name: &str) -> String {
    format!("probe `{name}`")
}

fn body(plan: &Plan) -> Option<Bytes> {
    plan.events.values().next().map(|event| event.body.clone())
}

/// How far the receiver's clock is off, by the `Date` header of its response.
fn clock(attempt: &AttemptEnded) -> Option<Finding> {
    let ResponseRecord::Response { headers, .. } = &attempt.response else {
        return None;
    };
    let mut dates = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("date"));
    let date = httpdate::parse_http_date(&dates.next()?.1).ok()?;
    let date = Timestamp::try_from(date).ok()?;
    let seconds = date.duration_since(attempt.started_at).as_secs();
    let how = if seconds < 0 { "behind" } else { "ahead" };
    (seconds.abs() > CLOCK_DIFFERENCE).then(|| {
        let message = format!("the receiver's clock is {} s {how}", seconds.abs());
        Finding::new("clock", Verdict::Warned, message).help(SetupMistake::Clock.help())
    })
}
