//! Calls the hooks that change nothing for good: `script` with an empty list, and those that fill and free
//! an inventory. A restart or another clock would disturb whoever else uses the receiver.

use super::silence::{late, patiently};
use super::{Finding, Plan, RunContext};
use crate::probe::{HookFailure, PreparedHook};
use crate::run::plan::event_values;
use crate::scenario::Hook;
use crate::verify::Verdict;

/// The order matters: what was filled is freed again.
const HARMLESS: [&str; 3] = [Hook::SCRIPT, Hook::FILL_INVENTORY, Hook::FREE_INVENTORY];

impl RunContext {
    pub(super) async fn try_hooks(&self, plan: &Plan) -> Vec<Finding> {
        let event = plan.events.values().find_map(|event| event.event.as_ref());
        let Some(values) = event.map(event_values) else {
            return Vec::new();
        };
        let [(_, player_id), ..] = values;
        // Filling an inventory that can't be freed would not be harmless.
        let can_free = self.hooks.contains_key(Hook::FREE_INVENTORY);
        let is_harmless =
            |name: &str| HARMLESS.contains(&name) && (name != Hook::FILL_INVENTORY || can_free);
        let mut findings = Vec::new();
        for (name, hook) in HARMLESS
            .iter()
            .filter_map(|name| self.hooks.get_key_value(*name))
        {
            if !is_harmless(name) {
                continue;
            }
            let done = patiently(async {
                if name == Hook::SCRIPT {
                    hook.script(&self.client, player_id, &[]).await
                } else {
                    hook.run(&self.client, &values, None).await
                }
            });
            let done = done.await;
            let subject = format!("hook `{name}`");
            let done = done.unwrap_or_else(|| Err(HookFailure::new(late())));
            findings.push(match done {
                Ok(()) => Finding::passed(subject, "called".to_owned()),
                Err(failure) => Finding::broken(subject, self.shown(&failure))
                    .help("check the hook in the profile")
                    .key(if name == Hook::SCRIPT {
                        "script"
                    } else {
                        "hooks"
                    }),
            });
        }
        let others = self
            .hooks
            .iter()
            .map(|(name, _): (&String, &PreparedHook)| name);
        let others: Vec<&str> = others
            .map(String::as_str)
            .filter(|name| !is_harmless(name))
            .collect();
        if !others.is_empty() {
            let message = format!("not called: `{}`", others.join("`, `"));
            findings.push(Finding::new("hooks", Verdict::NotChecked, message));
        }
        findings
    }
}
