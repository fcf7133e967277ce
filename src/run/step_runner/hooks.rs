//! Runs the profile's hooks: those of steps, and the one before the scenario. A hook that fails is
//! never the receiver's fault.

use std::time::Duration;

use super::StepRunner;
use crate::probe::{PreparedHook, in_braces, with_placeholders};
use crate::run::missing_capability::ends;
use crate::run::plan::{PlannedHook, event_values};
use crate::run::run_event::{HookRun, ScriptedResponses, StepEnded};
use crate::scenario::{Hook, Hooks, insert_captured};
use crate::verify::{Check, VerdictCounts};

impl<'run> StepRunner<'run> {
    /// Runs the hook `before_scenario`: once, or for each event if it has placeholders.
    pub(crate) async fn prepare(&mut self) -> (VerdictCounts, Result<(), Check>) {
        let mut checks = VerdictCounts::default();
        let name = Hooks::BEFORE_SCENARIO;
        let Some(hook) = self.context.hooks.get(name) else {
            return (checks, Ok(()));
        };
        let events = self
            .plan
            .events
            .values()
            .filter_map(|planned| planned.event.as_ref());
        let of_events = events.map(|event| event_values(event).to_vec());
        let runs: Vec<_> = if hook.has_placeholders() {
            of_events.collect()
        } else {
            vec![Vec::new()]
        };
        let mut ended = self.begun(0, &format!("hook {name}"));
        let mut done = Ok(());
        for values in runs {
            let run = self.run_hook(name, hook, &values).await;
            done = run.map(|run| ended.hooks.push(run));
            if done.is_err() {
                break;
            }
        }
        self.end(ended, &done, &mut checks);
        (checks, done)
    }

    /// Runs the hook of a step. If it moves the receiver's clock, later deliveries are signed by a
    /// clock that is ahead, too.
    pub(super) async fn hook(
        &mut self,
        planned: &'run PlannedHook,
        ended: &mut StepEnded,
    ) -> Result<(), Check> {
        let missing = self
            .context
            .capabilities
            .missing_hooks(&planned.of_scenario);
        if let Some(missing) = missing {
            return Err(missing.step_not_checked(&self.plan.requirement));
        }
        if let Some(advances) = planned.advances {
            let ahead = self.clock.ahead().saturating_add(advances);
            // Even a hook that fails may have moved it.
            self.moved_clock = Some(planned);
            return self.move_clock(planned, ahead, ended).await;
        }
        let values = self.values_of(planned);
        let values = values.iter();
        let values: Vec<_> = values
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let hook = self.named_hook(&planned.name).map_err(|check| *check)?;
        let run = self.run_hook(&planned.name, hook, &values).await?;
        ended.hooks.push(run);
        Ok(())
    }

    /// Moves the receiver's clock to `ahead` of real time, and the sender's too.
    pub(super) async fn move_clock(
        &mut self,
        planned: &PlannedHook,
        ahead: Duration,
        ended: &mut StepEnded,
    ) -> Result<(), Check> {
        ended.hooks.push(self.set_clock(planned, ahead).await?);
        self.clock = self.context.clock.ahead_by(ahead);
        Ok(())
    }

    /// Sets the receiver's clock to `ahead` of real time.
    async fn set_clock(&self, planned: &PlannedHook, ahead: Duration) -> Result<HookRun, Check> {
        let seconds = ahead.as_secs().to_string();
        let values = self.values_of(planned);
        let values = values.iter();
        let values = values.map(|(name, value)| (name.as_str(), value.as_str()));
        let values: Vec<_> = values.chain([(Hook::SECONDS, seconds.as_str())]).collect();
        let hook = self.named_hook(&planned.name).map_err(|check| *check)?;
        self.run_hook(&planned.name, hook, &values).await
    }

    /// The values of a hook's placeholders, with what steps captured.
    fn values_of(&self, planned: &PlannedHook) -> Vec<(String, String)> {
        let values = planned.values.iter();
        let values = values.map(|(name, value)| {
            let value = insert_captured(value, &self.captured, str::to_owned);
            (name.clone(), value)
        });
        values.collect()
    }

    fn named_hook(&self, name: &str) -> Result<&'run PreparedHook, Box<Check>> {
        let missing = || {
            let missing = self.context.capabilities.missing_hook(name);
            let missing = missing.map(|missing| missing.step_not_checked(&self.plan.requirement));
            missing.unwrap_or_else(|| self.failed(name, &"it is not prepared", &[]))
        };
        self.context
            .hooks
            .get(name)
            .ok_or_else(|| Box::new(missing()))
    }

    async fn run_hook(
        &self,
        name: &str,
        hook: &PreparedHook,
        values: &[(&str, &str)],
    ) -> Result<HookRun, Check> {
        let run = hook.run(&self.context.client, values, None).await;
        run.map_err(|failure| self.failed(name, &failure, values))?;
        let values = values.iter();
        let values = values.map(|(name, value)| ((*name).to_owned(), self.context.shown(value)));
        Ok(HookRun {
            name: name.to_owned(),
            values: values.collect(),
        })
    }

    pub(super) async fn script(
        &self,
        player_id: &str,
        statuses: &[u16],
    ) -> Result<ScriptedResponses, Check> {
        let hook = self.named_hook(Hook::SCRIPT).map_err(|check| *check)?;
        let set = hook.script(&self.context.client, player_id, statuses).await;
        let values = [("player_id", player_id)];
        set.map_err(|failure| self.failed(Hook::SCRIPT, &failure, &values))?;
        Ok(ScriptedResponses {
            player_id: self.context.shown(&player_id),
            answers: statuses.to_vec(),
        })
    }

    /// Restarts the receiver. A clock that a hook has moved may be right again after that, so the hook
    /// runs again; it sets the clock, so that one that kept the change is not moved further.
    pub(super) async fn restart(&self) -> Result<Option<HookRun>, Check> {
        let hook = self.named_hook(Hook::RESTART).map_err(|check| *check)?;
        let restarted = hook.restart(&self.context.client, self.context.instances());
        let restarted = restarted.await;
        restarted.map_err(|failure| self.failed(Hook::RESTART, &failure, &[]))?;
        match self.moved_clock {
            Some(planned) => {
                let clock = self.set_clock(planned, self.clock.ahead()).await?;
                Ok(Some(clock))
            }
            None => Ok(None),
        }
    }

    /// The check of a hook that did not work. Failures that differ only in `values` have one cause.
    fn failed(&self, name: &str, failure: &impl ToString, values: &[(&str, &str)]) -> Check {
        let reason = self.context.shown(failure);
        let cause = with_placeholders(&reason, &in_braces(values));
        let requirement = &self.plan.requirement;
        requirement
            .broken(name, ends(name), reason)
            .with_cause(cause)
    }
}
