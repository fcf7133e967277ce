//! Calls the hooks that change nothing for good: `script` with an empty list, and those that fill and free
//! an inventory. A restart or another clock would disturb whoever else uses the receiver.

use super::silence::{late, patiently};
use super::{Finding, Plan, RunContext};
use crate::probe::HookFailure;
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
            let Some(done) = done.await else {
                findings.push(self.broken_hook(name, &HookFailure::new(late())));
                // The others would probably wait as long.
                break;
            };
            findings.push(match done {
                Ok(()) => Finding::passed(hook_subject(name), "called".to_owned()),
                Err(failure) => self.broken_hook(name, &failure),
            });
        }
        let others = self.hooks.iter().filter(|(name, _)| !is_harmless(name));
        let (mut uncalled, mut missing) = (Vec::new(), Vec::new());
        for (name, hook) in others {
            match hook.missing_program() {
                Some(failure) => missing.push(self.broken_hook(name, &failure)),
                None => uncalled.push(name.as_str()),
            }
        }
        findings.append(&mut missing);
        if !uncalled.is_empty() {
            let message = format!(
                "not called, because they could disturb others who use the receiver: `{}`",
                uncalled.join("`, `")
            );
            findings.push(Finding::new("hooks", Verdict::NotChecked, message));
        }
        findings
    }

    fn broken_hook(&self, name: &str, failure: &HookFailure) -> Finding {
        let key = match name {
            Hook::SCRIPT => "script",
            Hook::RESTART => "restart",
            _ => "hooks",
        };
        Finding::broken(hook_subject(name), self.shown(failure))
            .help("check the hook in the profile")
            .key(key)
    }
}

fn hook_subject(name: &str) -> String {
    format!("hook `{name}`")
}
