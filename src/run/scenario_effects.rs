//! The effects of one scenario: reads their probes before and after the steps, and checks them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::missing_capability::MissingCapability;
use super::plan::{Plan, PlannedEffect};
use super::run_context::RunContext;
use super::run_event::{EffectsEnded, ProbeReading, TextReading};
use crate::probe::{HookFailure, ProbePair, ProbeProblem, QUANTITY_PROBE, with_placeholders};
use crate::scenario::{BundlePolicy, Policy};
use crate::verify::{
    Changes, Check, EffectProbe, EffectWatch, EventOutcomes, GrantCheck, GrantExpectation,
    HeldOnce, ProbeQuery, Verdict, check_grants,
};

/// What each query returned, or why it failed.
type Results<T> = BTreeMap<ProbeQuery, Result<T, HookFailure>>;

#[derive(Default)]
struct ProbeResults {
    numbers: Results<i128>,
    /// Of the effects that compare text.
    texts: Results<String>,
}

impl ProbeResults {
    /// Whether every number was read. A text may be missing before the steps.
    fn has_numbers(&self) -> bool {
        self.numbers.values().all(Result::is_ok)
    }

    fn is_complete(&self) -> bool {
        self.has_numbers() && self.texts.values().all(Result::is_ok)
    }
}

pub(crate) struct ScenarioEffects<'run> {
    context: &'run RunContext,
    scenario: usize,
    patience: Option<Duration>,
    effects: Vec<EffectProbe<'run>>,
    /// The effects if the game grants all bundles in one way, for each way. Empty if the profile says
    /// which, or there is no bundle.
    by_bundles: Vec<Vec<EffectProbe<'run>>>,
    before: ProbeResults,
}

impl<'run> ScenarioEffects<'run> {
    /// Reads all probes before the first step. If a grace period is set, retries failed readings
    /// for that long, for example while the receiver restarts.
    pub(crate) async fn begin(
        context: &'run RunContext,
        plan: &'run Plan,
        scenario: usize,
    ) -> Self {
        let effects = |policy: Policy| -> Vec<EffectProbe<'run>> {
            let effects = plan.effects.iter().map(|effect| {
                let probe = effect.probe(policy, context.settle);
                let mut probe = probe.held_as(&context.capabilities.held_items);
                probe.cap_held_once(&context.held_once);
                probe
            });
            effects.collect()
        };
        let policy = context.capabilities.policy;
        let is_open =
            policy.bundles.is_none() && plan.effects.iter().any(PlannedEffect::has_bundle);
        let ways = BundlePolicy::ALL.into_iter().filter(|_| is_open);
        let by_bundles = ways.map(|way| {
            effects(Policy {
                bundles: Some(way),
                ..policy
            })
        });
        let mut begun = Self {
            context,
            scenario,
            patience: plan.patience.effects,
            effects: effects(policy),
            by_bundles: by_bundles.collect(),
            before: ProbeResults::default(),
        };
        if plan.missing.is_some() {
            return begun;
        }
        let settles = begun.effects.iter().filter_map(|effect| effect.settle);
        let mut watch = EffectWatch::for_up_to(settles.max().unwrap_or_default());
        loop {
            begun.before = begun.read().await;
            if begun.before.has_numbers() || !watch.look_again(false).await {
                return begun;
            }
        }
    }

    /// Reads all probes after the last step until a reading is final.
    ///
    /// Failed readings are repeated as well, because the receiver may be restarting. If the readings
    /// before the first step failed, there is nothing to compare with, and waiting does not help.
    ///
    /// The failures of a pilot are kept even if a probe has never returned a value: the pilots
    /// together show whether it works.
    pub(crate) async fn end(mut self, outcomes: &EventOutcomes, is_pilot: bool) -> EffectsEnded {
        for effect in self
            .effects
            .iter_mut()
            .chain(self.by_bundles.iter_mut().flatten())
        {
            let before = &self.before.numbers;
            let mut held = effect.queries.iter().map(|query| before.get(query));
            let held_before = held.any(|held| matches!(held, Some(Ok(1..))));
            effect.apply_outcomes(outcomes, held_before);
        }
        let mut watch = if self.before.has_numbers() {
            EffectWatch::new(self.effects.iter().map(|effect| effect.settle))
                .for_at_most(self.patience)
        } else {
            EffectWatch::for_up_to(Duration::ZERO)
        };
        loop {
            let after = self.read().await;
            let checks = self.check_effects(&after);
            let mixed = self.mixed_bundles(&after, &checks);
            let has = |verdict| checks.iter().any(|check| check.verdict == verdict);
            let unread = !after.is_complete();
            let is_undecidable = has(Verdict::Broken) && !unread;
            let mut verdicts = checks.iter().map(|check| check.verdict);
            let as_expected = verdicts.all(Verdict::is_passed_or_not_checked) && mixed.is_none();
            if is_undecidable || !watch.look_again(as_expected).await {
                let checks = if is_pilot {
                    checks
                } else {
                    self.report_probe_problems(checks)
                };
                return EffectsEnded {
                    scenario: self.scenario,
                    readings: self.readings(&after),
                    texts: self.texts(&after),
                    checks: checks.into_iter().chain(mixed).collect(),
                    settled_after: watch.read_after(),
                };
            }
        }
    }

    /// If a check fails and its probe has never returned a value, reports the probe instead: it is
    /// then unknown what was granted.
    fn report_probe_problems(&self, checks: Vec<Check>) -> Vec<Check> {
        let is_wrong = |check: &Check| matches!(check.verdict, Verdict::Failed | Verdict::Warned);
        if !checks.iter().any(is_wrong) {
            return checks;
        }
        let effects = self.effects.iter().zip(checks);
        effects
            .map(|(effect, check)| {
                let mut probes = effect.queries.iter();
                let problem = probes
                    .find_map(|(name, ..)| Some((name, self.context.probes.get(name)?.problem()?)));
                let Some((name, ProbeProblem { reason, help })) = problem else {
                    return check;
                };
                let reason = self.context.shown(&format!("probe `{name}`: {reason}"));
                Check {
                    hint: Some(help.to_owned()),
                    cause: Some(reason.clone()),
                    ..effect.broken(reason)
                }
            })
            .collect()
    }

    /// The checks if the steps could not run, with the same reason.
    pub(crate) fn not_checked(self, reason: &Check) -> EffectsEnded {
        let check = |effect: &EffectProbe<'_>| Check {
            verdict: reason.verdict,
            hint: reason.hint.clone(),
            cause: reason.cause.clone(),
            ..effect.broken(&reason.observed)
        };
        EffectsEnded {
            scenario: self.scenario,
            checks: self.effects.iter().map(check).collect(),
            readings: Vec::new(),
            texts: Vec::new(),
            settled_after: Duration::ZERO,
        }
    }

    /// Reads all probes, each with as few requests as possible.
    async fn read(&self) -> ProbeResults {
        let (client, redaction) = (&self.context.client, &self.context.redaction);
        let shown = |failure: HookFailure| failure.redacted(redaction);
        let mut results = ProbeResults::default();
        for (name, probe) in &self.context.probes {
            let queries = self.queries(name, false);
            let numbers = probe.read_numbers(client, &pairs(&queries)).await;
            let numbers = numbers.into_iter().map(|number| number.map_err(shown));
            results.numbers.extend(queries.into_iter().zip(numbers));
            let queries = self.queries(name, true);
            let texts = probe.read_texts(client, &pairs(&queries)).await;
            let texts = texts.into_iter().map(|text| {
                let text = text.map_err(shown)?;
                Ok(redaction.text(&text).into_owned())
            });
            results.texts.extend(queries.into_iter().zip(texts));
        }
        results
    }

    /// What a probe reads, as texts or as numbers.
    fn queries(&self, probe: &str, as_text: bool) -> Vec<ProbeQuery> {
        let effects = self.effects.iter();
        let effects = effects.filter(|effect| effect.is_text() == as_text);
        let queries = effects.flat_map(|effect| &effect.queries);
        let own: BTreeSet<_> = queries.filter(|(name, ..)| name == probe).collect();
        own.into_iter().cloned().collect()
    }

    fn check_effects(&self, after: &ProbeResults) -> Vec<Check> {
        let expectations: Vec<&GrantExpectation> =
            self.effects.iter().filter_map(EffectProbe::grant).collect();
        let held_once = self.held_once();
        let mut removals = self.effects.iter().filter(|effect| effect.removes());
        if removals.next().is_some()
            && let Some((_, sku)) = held_once.keys().next()
        {
            let missing = MissingCapability::StackableItem(sku.clone());
            let effects = self.effects.iter();
            return effects
                .map(|effect| missing.effect_not_checked(effect))
                .collect();
        }
        let mut grant_checks =
            check_grants(&expectations, &self.changes(after), &held_once).into_iter();
        let effects = self.effects.iter();
        effects
            .map(|effect| {
                let grant_check = effect.grant().and_then(|_| grant_checks.next());
                if effect.is_text() {
                    return match text(effect, after) {
                        Ok(text) => effect.check_text(text),
                        Err(check) => *check,
                    };
                }
                let numbers = match self.numbers(effect, after) {
                    Ok(numbers) => numbers,
                    Err(check) => return *check,
                };
                if let (Some(GrantCheck::Passed), Some(sku)) =
                    (&grant_check, effect.hidden_by_held_item(&held_once))
                {
                    let missing = MissingCapability::PlayerWithout(sku.to_owned());
                    return missing.effect_not_checked(effect);
                }
                match (grant_check, numbers.first()) {
                    (Some(grant_check), _) => effect.check_grant(&grant_check),
                    (None, Some((before, after))) => effect.check_number(*before, *after),
                    (None, None) => effect.broken("no probe was read"),
                }
            })
            .collect()
    }

    /// A warning if each grant is correct, but the game opened some bundles and granted others by their
    /// SKU.
    fn mixed_bundles(&self, after: &ProbeResults, checks: &[Check]) -> Option<Check> {
        let all_passed = checks.iter().all(|check| check.verdict == Verdict::Passed);
        if self.by_bundles.is_empty() || !all_passed {
            return None;
        }
        let (changes, held_once) = (self.changes(after), self.held_once());
        let is_consistent = self.by_bundles.iter().any(|effects| {
            let expectations: Vec<&GrantExpectation> =
                effects.iter().filter_map(EffectProbe::grant).collect();
            let checks = check_grants(&expectations, &changes, &held_once);
            !checks
                .iter()
                .any(|check| matches!(check, GrantCheck::Failed(_)))
        });
        let effect = self.effects.first().filter(|_| !is_consistent)?;
        Some(effect.requirement.mixed_bundles())
    }

    /// The numbers before and after for each query of an effect, or the check that reports why
    /// there are none.
    fn numbers(
        &self,
        effect: &EffectProbe<'_>,
        after: &ProbeResults,
    ) -> Result<Vec<(i128, i128)>, Box<Check>> {
        let queries = effect.queries.iter();
        queries
            .map(|query| {
                let before = read(effect, &self.before.numbers, query)?;
                Ok((*before, *read(effect, &after.numbers, query)?))
            })
            .collect()
    }

    /// The change of each quantity that could be read both before and after.
    fn changes(&self, after: &ProbeResults) -> Changes {
        let change = |(query, result): (&ProbeQuery, &Result<i128, HookFailure>)| {
            let (probe, player_id, sku) = query;
            let before = self.before.numbers.get(query)?.as_ref().ok()?;
            let change = result.as_ref().ok()?.checked_sub(*before)?;
            (probe == QUANTITY_PROBE).then(|| ((player_id.clone(), sku.clone()), change))
        };
        after.numbers.iter().filter_map(change).collect()
    }

    /// The SKUs that can be held only once, and whether each player held them before.
    fn held_once(&self) -> HeldOnce {
        let once = self.before.numbers.iter().filter_map(|(query, result)| {
            let (probe, player_id, sku) = query;
            let held = *result.as_ref().ok()? > 0;
            let counts = probe == QUANTITY_PROBE && self.context.held_once.contains(sku);
            counts.then(|| ((player_id.clone(), sku.clone()), held))
        });
        once.collect()
    }

    fn readings(&self, after: &ProbeResults) -> Vec<ProbeReading> {
        let reading = |(query, result): (&ProbeQuery, &Result<i128, HookFailure>)| {
            let before = *self.before.numbers.get(query)?.as_ref().ok()?;
            let after = *result.as_ref().ok()?;
            let (probe, player_id, sku) = query.clone();
            Some(ProbeReading {
                probe,
                player_id,
                sku,
                before,
                after,
            })
        };
        after.numbers.iter().filter_map(reading).collect()
    }

    fn texts(&self, after: &ProbeResults) -> Vec<TextReading> {
        let reading = |(query, result): (&ProbeQuery, &Result<String, HookFailure>)| {
            let before = self.before.texts.get(query);
            let before = before.and_then(|before| before.as_ref().ok());
            let (probe, player_id, sku) = query.clone();
            Some(TextReading {
                probe,
                player_id,
                sku,
                before: before.cloned(),
                after: result.as_ref().ok()?.clone(),
            })
        };
        after.texts.iter().filter_map(reading).collect()
    }
}

fn pairs(queries: &[ProbeQuery]) -> Vec<ProbePair<'_>> {
    let queries = queries.iter();
    queries
        .map(|(_, player_id, sku)| (player_id.as_str(), sku.as_str()))
        .collect()
}

/// The value that a query returned, or the check that reports why there is none.
fn read<'a, T>(
    effect: &EffectProbe<'_>,
    results: &'a Results<T>,
    query: &ProbeQuery,
) -> Result<&'a T, Box<Check>> {
    let (name, player_id, sku) = query;
    match results.get(query) {
        Some(Ok(value)) => Ok(value),
        Some(Err(reason)) => {
            let reason = format!("probe `{name}` failed: {reason}");
            let values = [("{player_id}", player_id.as_str()), ("{sku}", sku.as_str())];
            let cause = with_placeholders(&reason, &values);
            Err(Box::new(effect.broken(reason).with_cause(cause)))
        }
        None => {
            let missing = MissingCapability::Probe(name.clone());
            Err(Box::new(missing.effect_not_checked(effect)))
        }
    }
}

/// The text after the steps, or the check that reports why there is none.
fn text<'a>(effect: &EffectProbe<'_>, after: &'a ProbeResults) -> Result<&'a str, Box<Check>> {
    let Some(query) = effect.queries.first() else {
        return Err(Box::new(effect.broken("no probe was read")));
    };
    read(effect, &after.texts, query).map(String::as_str)
}
