//! Checks the probes and hooks of a profile without the environment, and without running them.

use super::hook_error::HookError;
use super::http_hook::HttpHook;
use crate::scenario::{HookSource, Profile};
use crate::transport::AllowedHosts;

/// The probes and hooks of a profile that can't be used, such as "probe `quantity`".
pub(crate) fn unusable_hooks(
    profile: &Profile,
    allowed: &AllowedHosts,
) -> Vec<(String, HookError)> {
    let probes = profile.probes.iter();
    let probes = probes.map(|(name, probe)| (format!("probe `{name}`"), &probe.source));
    let hooks = profile.named_hooks();
    let hooks = hooks.map(|(name, hook)| (format!("hook `{name}`"), &hook.source));
    let checked = probes
        .chain(hooks)
        .filter_map(|(key, source)| match source {
            HookSource::Http { request, headers } => {
                let error = HttpHook::check(request, headers, allowed).err()?;
                Some((key, error))
            }
            HookSource::Command(_) => None,
        });
    checked.collect()
}
