//! Checks steps that run a hook of the profile.

use super::Checker;
use crate::scenario::document::Span;
use crate::scenario::hook_value::HookValue;
use crate::scenario::step::StepKeys;
use crate::scenario::{Hook, Hooks};

impl Checker<'_> {
    pub(super) fn check_hook(&mut self, span: Span, step: &StepKeys) {
        let Some(name) = &step.hook else {
            let keys = [
                ("of", step.of.is_some()),
                ("with", !step.with.is_empty()),
                ("advances", step.advances.is_some()),
            ];
            return self.report_misplaced(span, &keys, "`hook`");
        };
        if Hooks::is_reserved(name) {
            let message = format!("`{}` runs on its own", name.value);
            self.problem(
                name.span,
                message,
                "give the hook of this step another name",
            );
        }
        if let Hook::RESTART | Hook::SCRIPT = name.as_str() {
            let message = format!("`{}` is a step of its own", name.value);
            let help = format!("write `{}: …` instead of `hook: {0}`", name.value);
            self.problem(name.span, message, &help);
        }
        for (placeholder, value) in &step.with {
            let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
            if placeholder.is_empty() || !placeholder.chars().all(is_letter) {
                let message = format!("`{placeholder}` can't be the name of a placeholder");
                self.problem(value.span, message, "use only letters and `_`");
            }
            if matches!(value.value, HookValue::At(_)) && step.of.is_none() {
                let help = "add the event whose value it is";
                self.problem(value.span, "`at` needs `of`", help);
            }
            if placeholder == Hook::SECONDS && step.advances.is_some() {
                let message = "`advances` already gives the placeholder `{seconds}` its value";
                self.problem(value.span, message, "remove one of them");
            }
        }
    }
}
