//! Checks whether `wire` and `signed_at` can be combined with the other keys of a step.

use super::Checker;
use crate::policy::{ConnectionChoice, Fault, HeaderCase, WireForm};
use crate::scenario::document::{Span, Spanned};
use crate::scenario::step::StepKeys;

impl Checker<'_> {
    pub(super) fn check_wire(&mut self, wire: &Spanned<WireForm>, step: &StepKeys) {
        let span = wire.span;
        if wire.is_documented() {
            let help = "add `transfer`, `pieces`, `header_case`, `content_type` or `expect`";
            self.problem(span, "`wire` changes nothing", help);
        }
        let is_visible = |text: &str| {
            let mut letters = text.bytes();
            !text.trim().is_empty() && letters.all(|letter| matches!(letter, b' '..=b'~'))
        };
        if let Some(text) = &wire.content_type
            && !is_visible(text)
        {
            let help = "use ASCII letters, as in `application/json; charset=utf-8`";
            self.problem(span, "`content_type` is not the value of a header", help);
        }
        if wire.pieces.is_some() {
            if step.together {
                let message = "`pieces` can't be combined with `together`";
                let help = "`together` sends all but the last byte at once; use two steps";
                self.problem(span, message, help);
            }
            if let Some(fault) = &step.fault
                && matches!(fault.value, Fault::CutBody | Fault::SlowBody(_))
            {
                let name = fault.name();
                let message = format!("`pieces` can't be combined with the fault `{name}`");
                let help = "the fault decides how much of the body is sent at once; remove one of \
                            the two";
                self.problem(span, message, help);
            }
        }
        if wire.header_case != HeaderCase::AsDocumented
            && step.connection == Some(ConnectionChoice::Reuse)
        {
            let message = "`header_case` can't be combined with `connection: reuse`";
            let help = "it always uses a new connection; remove `connection`";
            self.problem(span, message, help);
        }
    }

    pub(super) fn check_signed_at(&mut self, span: Span, step: &StepKeys) {
        if step.forge.is_some() {
            let message = "`signed_at` can't be combined with `forge`";
            let help = "a forgery has its own timestamp; use two steps";
            self.problem(span, message, help);
        }
        if let Some(fault) = &step.fault
            && matches!(fault.value, Fault::LateRetry(_))
        {
            let message = "`signed_at` can't be combined with the fault `late_retry`";
            let help = "the fault decides how old the signature is; remove one of the two";
            self.problem(span, message, help);
        }
    }
}
