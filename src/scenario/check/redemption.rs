//! Rules for the events of one redemption: `kind`, `for`, and the effects that refer to them.

use super::{Checker, StepKeys};
use crate::generate::{CouponShape, ItemShape};
use crate::protocol::EventKind;
use crate::scenario::document::{Span, Spanned};
use crate::scenario::event_spec::EventSpec;

impl Checker<'_> {
    pub(super) fn check_kind(&mut self, name: &str, span: Span, event: &EventSpec) {
        let is_item_event = matches!(event.kind, Some(EventKind::ItemAdd | EventKind::ItemRemove));
        if event.raw.is_some() && event.kind.is_some() {
            let message =
                format!("event `{name}`: `raw` is the exact body, which has its own type");
            self.problem(span, message, "remove `kind`, or `raw`");
        }
        let Some(coupon_event) = &event.coupon_event else {
            if let Some(kind) = event.kind.filter(|_| is_item_event) {
                let message = format!("event `{name}`: `kind: {}` needs `for`", kind.name());
                let help = "add `for: EVENT`, the event of the coupon whose items it is about; that \
                            event need not be delivered";
                self.problem(span, message, help);
            }
            let is_relative = event.has_own_key() || event.shares_key();
            let keys = [("idempotency_key", is_relative)];
            self.report_misplaced(span, &keys, "`for`");
            return;
        };
        if !is_item_event {
            let keys = [("for", true)];
            self.report_misplaced(
                coupon_event.span,
                &keys,
                "`kind: item.add` or `kind: item.remove`",
            );
            return;
        }
        let of_coupon = [
            ("player_id", event.player_id.is_some()),
            ("coupon", event.coupon != CouponShape::default()),
            ("item", event.item != ItemShape::default()),
            ("sandbox", event.sandbox.is_some()),
            ("transaction_id", event.transaction_id.is_some()),
            ("revision", event.revision.is_some()),
        ];
        for (key, _) in of_coupon.iter().filter(|(_, is_given)| *is_given) {
            let message = format!(
                "event `{name}`: its `{key}` is that of `{}`",
                coupon_event.value
            );
            self.problem(span, message, "set it there, or use `set`");
        }
        let Some(coupon) = self.scenario.events.get(&coupon_event.value) else {
            return;
        };
        let is_coupon = matches!(coupon.kind, None | Some(EventKind::CouponRedeemed));
        if !is_coupon || coupon.coupon_event.is_some() || coupon.raw.is_some() {
            let message = format!("`{}` is not the event of a coupon", coupon_event.value);
            let help = "name an event of `kind: coupon.redeemed`, without `raw`";
            self.problem(coupon_event.span, message, help);
        }
    }

    /// Rejects `granted` and `not_granted` of an event that is made for another one.
    pub(super) fn require_coupon(&mut self, effect: &str, name: &Spanned<String>) {
        let event = self.scenario.events.get(&name.value);
        let Some(coupon_event) = event.and_then(|event| event.coupon_event.as_ref()) else {
            return;
        };
        let message = format!("`{effect}` needs the event of the coupon");
        let help = format!(
            "use `{effect}: {}`, which counts all events of its redemption",
            coupon_event.value
        );
        self.problem(name.span, message, &help);
    }

    /// Rejects `removed` of an event that takes nothing away.
    pub(super) fn require_removal(&mut self, name: &Spanned<String>) {
        let event = self.scenario.events.get(&name.value);
        if event.is_some_and(|event| event.kind != Some(EventKind::ItemRemove)) {
            let message = format!("`{}` takes nothing away", name.value);
            self.problem(name.span, message, "name an event of `kind: item.remove`");
        }
    }

    /// Whether the step delivers the event, or an `item.add` of the same redemption.
    pub(super) fn delivers_redemption(&self, step: &StepKeys, name: &Spanned<String>) -> bool {
        step.deliver.0.iter().any(|delivered| {
            let event = self.scenario.events.get(&delivered.value);
            let is_made_for = event.is_some_and(|event| {
                let coupon_event = event.coupon_event.as_ref();
                event.kind == Some(EventKind::ItemAdd)
                    && coupon_event.is_some_and(|coupon| coupon.value == name.value)
            });
            delivered.value == name.value || is_made_for
        })
    }
}
