//! What a sound receiver does in a history, in the words of scenario files.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::history::{
    History, coupon_of, delivered, fault_of, is_genuine, is_other_type, is_removal,
};

/// From this quantity on, a game may have reached its own limit and refuse the event.
const LARGE: u64 = 1 << 15;
/// A game may have a limit for longer texts and larger bundles.
const LONG_TEXT: usize = 5_000;
const MANY_PARTS: u64 = 50;

/// The status of scripted responses.
pub(super) const SCRIPTED_STATUS: u64 = 503;

/// How the deliveries of a step may be answered, with the fewest choices first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Freedom {
    /// With 2xx.
    Accept,
    /// With 2xx or 4xx.
    Refuse,
    /// With anything but 5xx.
    NoError,
    Anything,
}

/// What may happen in a step.
#[derive(Debug, Clone, Copy)]
struct Outlook {
    response: Freedom,
    /// Whether all of its deliveries may be refused, so that it grants nothing.
    may_be_lost: bool,
}

impl Outlook {
    fn allow(&mut self, response: Freedom, may_be_lost: bool) {
        self.response = self.response.max(response);
        self.may_be_lost |= may_be_lost;
    }
}

impl History {
    /// The steps with their expectations.
    pub(super) fn expected_steps(&self) -> Vec<Value> {
        let steps = self
            .steps
            .iter()
            .zip(self.outlooks())
            .map(|(step, outlook)| {
                let mut step = step.clone();
                if let (Some(expected), Some(keys)) =
                    (expected(&step, outlook), step.as_object_mut())
                {
                    keys.insert("expect".to_owned(), expected);
                }
                step
            });
        steps.collect()
    }

    /// What each event must have granted or taken away after all steps. What an `item.add` grants
    /// belongs to its coupon.
    pub(super) fn effects(&self) -> Vec<Value> {
        let outlooks = self.outlooks();
        let genuine: BTreeSet<&str> = self
            .steps
            .iter()
            .filter(|step| is_genuine(step))
            .flat_map(delivered)
            .collect();
        let sent: BTreeSet<&str> = self.deliveries().collect();
        // The coupons of the `item.add` among these events, too.
        let redeemed = |names: &BTreeSet<&str>| {
            let coupons = names.iter().filter_map(|name| coupon_of(self.event(name)));
            let names = names.iter().map(|name| (*name).to_owned());
            names.chain(coupons).collect::<BTreeSet<String>>()
        };
        let (is_redeemed, is_sent) = (redeemed(&genuine), redeemed(&sent));
        let effects = self.events.iter().filter_map(|(name, event)| {
            let mut effect = Map::new();
            if is_removal(event) {
                if !genuine.contains(name.as_str()) {
                    return None;
                }
                effect.insert("removed".to_owned(), json!(name));
            } else if coupon_of(event).is_some() || !is_sent.contains(name) {
                return None;
            } else if !is_redeemed.contains(name) || is_other_type(event) {
                effect.insert("not_granted".to_owned(), json!(name));
                // What a similar player was granted may be held by this one, too.
                if self.has_similar_player(name) {
                    effect.insert("level".to_owned(), json!("should"));
                }
            } else {
                effect.insert("granted".to_owned(), json!(name));
                // Only the game says which IDs are equal, and only a changelog has `items`.
                if self.has_similar_player(name) || event.get("items").is_some() {
                    effect.insert("level".to_owned(), json!("should"));
                }
                if self.may_be_refused(name) || self.may_be_lost(name, &outlooks) {
                    effect.insert("if_delivered".to_owned(), json!(true));
                }
            }
            Some(Value::Object(effect))
        });
        effects.collect()
    }

    /// Whether the model knows what a sound receiver does: scripted responses are errors that are retried,
    /// a redemption has one `item.add` or `item.remove` at most, and an `item.remove` comes only after its
    /// coupon was granted.
    pub(super) fn is_lawful(&self) -> bool {
        let scripted = self
            .steps
            .iter()
            .filter_map(|step| step["script"]["answers"].as_array());
        if !scripted.flatten().all(|status| *status == SCRIPTED_STATUS) {
            return false;
        }
        let coupons: Vec<String> = self.events.values().filter_map(coupon_of).collect();
        let different: BTreeSet<&String> = coupons.iter().collect();
        if different.len() < coupons.len() {
            return false;
        }
        let mut removals = self.events.iter().filter(|(_, event)| is_removal(event));
        removals.all(|(name, event)| {
            let Some(coupon) = coupon_of(event) else {
                return false;
            };
            let removes = |step: &Value| delivered(step).any(|other| other == name);
            let before = Self {
                events: self.events.clone(),
                steps: self
                    .steps
                    .iter()
                    .take_while(|step| !removes(step))
                    .cloned()
                    .collect(),
                ..Self::default()
            };
            let before = before.without_unused_events();
            let outlooks = before.outlooks();
            before.steps.iter().zip(outlooks).any(|(step, outlook)| {
                is_genuine(step)
                    && outlook.response == Freedom::Accept
                    && delivered(step).any(|other| other == coupon)
            })
        })
    }

    fn outlooks(&self) -> Vec<Outlook> {
        // The players with scripted responses, and those for whom the game can't grant something.
        let mut scripted = BTreeSet::new();
        let mut full = BTreeSet::new();
        let steps = self.steps.iter().map(|step| {
            scripted.extend(step["script"]["of"].as_str().map(|name| self.player(name)));
            if let (Some(hook), Some(name)) = (step["hook"].as_str(), step["of"].as_str()) {
                match hook {
                    "fill_inventory" => full.insert(self.player(name)),
                    _ => full.remove(self.player(name)),
                };
            }
            let of_players = |players: &BTreeSet<&str>| {
                delivered(step).any(|name| players.contains(self.player(name)))
            };
            let mut outlook = self.outlook(step);
            // A late retry is the last one.
            let is_retried = step["retry"] != "off" && fault_of(step) != Some("late_retry");
            if of_players(&full) || (!is_retried && of_players(&scripted)) {
                outlook.allow(Freedom::Anything, true);
            }
            outlook
        });
        steps.collect()
    }

    fn outlook(&self, step: &Value) -> Outlook {
        let mut outlook = Outlook {
            response: Freedom::Accept,
            may_be_lost: false,
        };
        match fault_of(step) {
            Some("timeout_overlap" | "restart_in_flight" | "reset") => {
                outlook.allow(Freedom::Anything, true);
            }
            Some("late_retry") => outlook.allow(Freedom::NoError, true),
            _ => {}
        }
        // No document says that Aghanim sends such requests.
        let unusual = ["/wire/transfer", "/wire/content_type", "/signed_at"];
        if unusual
            .iter()
            .any(|pointer| step.pointer(pointer).is_some())
        {
            outlook.allow(Freedom::Refuse, true);
        }
        if step.get("together").is_some() || step["retry"].get("event_id").is_some() {
            outlook.allow(Freedom::Anything, false);
        }
        for name in delivered(step) {
            let event = self.event(name);
            if is_other_type(event) || coupon_of(event).is_some() {
                outlook.allow(Freedom::Anything, false);
            } else if self.may_be_refused(name) {
                outlook.allow(Freedom::Refuse, false);
            }
        }
        outlook
    }

    /// Whether it is the game's choice to refuse this event.
    fn may_be_refused(&self, name: &str) -> bool {
        let event = self.event(name);
        let item = &event["item"];
        let player = self.player(name);
        let events = self.events.iter();
        let of_player = events.filter(|(other, _)| self.player(other) == player);
        let mut quantities = of_player.filter_map(|(_, event)| event["item"]["quantity"].as_u64());
        let key = &event["idempotency_key"];
        let has_long_key = |key: &Value| key.get("length").is_some();
        event["sandbox"] == true
            || event["trigger"] == "test"
            || item.get("type").is_some()
            || event.get("items").is_some()
            || item["sku"].get("length").is_some()
            || item["description"].as_str().map_or(0, str::len) > LONG_TEXT
            || item["bundle"]["parts"].as_u64() > Some(MANY_PARTS)
            || has_long_key(key)
            || key["like"]
                .as_str()
                .is_some_and(|like| has_long_key(&self.event(like)["idempotency_key"]))
            || self.event(player)["player_id"].get("ending").is_some()
            || self.has_similar_player(name)
            || quantities.any(|quantity| quantity >= LARGE)
    }

    /// Whether another player's ID is easily taken for that of this event's player.
    fn has_similar_player(&self, name: &str) -> bool {
        let like = |name: &str| self.event(name)["player_id"]["like"].as_str();
        let player = self.player(name);
        let mut others = self.events.keys().filter_map(|other| like(other));
        like(player).is_some() || others.any(|other| self.player(other) == player)
    }

    /// Whether a receiver may have refused each delivery of an event because of how it was sent.
    fn may_be_lost(&self, name: &str, outlooks: &[Outlook]) -> bool {
        let steps = self.steps.iter().zip(outlooks);
        let mut steps = steps
            .filter(|(step, _)| is_genuine(step) && delivered(step).any(|other| other == name));
        steps.all(|(_, outlook)| outlook.may_be_lost)
    }
}

fn expected(step: &Value, outlook: Outlook) -> Option<Value> {
    step.get("deliver")?;
    if !is_genuine(step) {
        return Some(json!({ "status": ["4xx", "5xx"] }));
    }
    match outlook.response {
        Freedom::Accept => Some(json!({ "status": "2xx" })),
        Freedom::Refuse => Some(json!({ "status": ["2xx", "4xx"] })),
        Freedom::NoError => Some(json!({ "status": { "not": "5xx" } })),
        Freedom::Anything => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(event: Value, steps: Vec<Value>) -> History {
        History {
            events: Map::from_iter([("a".to_owned(), event)]),
            steps,
            ..History::default()
        }
    }

    #[test]
    fn what_the_game_may_decide_is_not_required() {
        let granted = json!([{ "granted": "a" }]);
        let open = json!([{ "granted": "a", "if_delivered": true }]);
        let forbidden = json!([{ "not_granted": "a" }]);
        let accepted = json!({ "status": "2xx" });
        let refusable = json!({ "status": ["2xx", "4xx"] });
        let plain = json!({ "deliver": "a" });
        let with = |key: &str, value: Value| {
            let mut step = plain.clone();
            step[key] = value;
            step
        };
        let event = |key: &str, value: Value| json!({ key: value });
        for (event, step, status, effects) in [
            (json!({}), plain.clone(), &accepted, &granted),
            (
                event("sandbox", json!(true)),
                plain.clone(),
                &refusable,
                &open,
            ),
            (
                event("item", json!({ "quantity": 65_535 })),
                plain.clone(),
                &refusable,
                &open,
            ),
            (
                event("player_id", json!({ "ending": "-ß" })),
                plain.clone(),
                &refusable,
                &open,
            ),
            (
                event("idempotency_key", json!({ "length": 200 })),
                plain.clone(),
                &refusable,
                &open,
            ),
            (
                event("set", json!({ "/event_type": "x" })),
                plain.clone(),
                &Value::Null,
                &forbidden,
            ),
            (
                json!({}),
                with("forge", json!("wrong_secret")),
                &json!({ "status": ["4xx", "5xx"] }),
                &forbidden,
            ),
            (
                json!({}),
                with("fault", json!("reset")),
                &Value::Null,
                &open,
            ),
            (
                json!({}),
                with("signed_at", json!("+2s")),
                &refusable,
                &open,
            ),
            (
                json!({}),
                with("wire", json!({ "transfer": "chunked" })),
                &refusable,
                &open,
            ),
            (json!({}), with("retry", json!("off")), &accepted, &granted),
        ] {
            let history = history(event, vec![step]);
            assert_eq!(
                history.expected_steps()[0]["expect"],
                *status,
                "{history:?}"
            );
            assert_eq!(json!(history.effects()), *effects, "{history:?}");
        }
    }

    #[test]
    fn what_the_game_can_not_grant_may_be_refused_until_it_can() {
        let deliver = json!({ "deliver": "a" });
        let hook = |name: &str| json!({ "hook": name, "of": "a" });
        let steps = vec![
            hook("fill_inventory"),
            deliver.clone(),
            hook("free_inventory"),
            deliver.clone(),
        ];
        let steps = history(json!({}), steps).expected_steps();
        assert_eq!(steps[1]["expect"], Value::Null);
        assert_eq!(steps[3]["expect"]["status"], "2xx");
        let script = json!({ "script": { "of": "a", "answers": [503] } });
        for (key, value) in [("retry", "off"), ("fault", "late_retry")] {
            let once = json!({ "deliver": "a", key: value });
            let steps = vec![script.clone(), once, deliver.clone()];
            let steps = history(json!({}), steps).expected_steps();
            assert_eq!(steps[1]["expect"], Value::Null, "{value}");
            assert_eq!(steps[2]["expect"]["status"], "2xx");
        }
    }

    #[test]
    fn only_the_game_knows_whether_similar_ids_are_equal() {
        let mut history = history(json!({}), vec![json!({ "deliver": ["a", "b", "c"] })]);
        let like = json!({ "player_id": { "like": "a", "differing_in": "case" } });
        history.events.insert("b".to_owned(), like);
        history.events.insert("c".to_owned(), json!({}));
        let warned =
            |name: &str| json!({ "granted": name, "level": "should", "if_delivered": true });
        assert_eq!(
            history.effects(),
            [warned("a"), warned("b"), json!({ "granted": "c" })]
        );
        history.steps = vec![json!({ "deliver": ["a", "b", "c"], "forge": "wrong_secret" })];
        let warned = |name: &str| json!({ "not_granted": name, "level": "should" });
        assert_eq!(
            history.effects(),
            [warned("a"), warned("b"), json!({ "not_granted": "c" })]
        );
    }

    #[test]
    fn a_redemption_has_one_item_add() {
        let add = json!({ "kind": "item.add", "for": "a" });
        let mut history = history(json!({}), vec![json!({ "deliver": "add" })]);
        history.events.insert("add".to_owned(), add.clone());
        assert!(history.is_lawful());
        history.events.insert("other".to_owned(), add);
        assert!(!history.is_lawful());
    }

    #[test]
    fn a_scripted_response_is_an_error() {
        let script = |status: u64| json!({ "script": { "of": "a", "answers": [status] } });
        assert!(history(json!({}), vec![script(503)]).is_lawful());
        assert!(!history(json!({}), vec![script(251)]).is_lawful());
    }

    #[test]
    fn an_item_is_taken_away_only_after_it_was_granted() {
        let removal = json!({ "kind": "item.remove", "for": "a" });
        let (coupon, remove) = (json!({ "deliver": "a" }), json!({ "deliver": "removal" }));
        let uncertain = json!({ "deliver": "a", "fault": "timeout_overlap" });
        for (steps, is_lawful) in [
            (vec![coupon.clone(), remove.clone()], true),
            (vec![remove.clone(), coupon], false),
            (vec![uncertain, remove], false),
        ] {
            let mut history = history(json!({}), steps);
            history.events.insert("removal".to_owned(), removal.clone());
            assert_eq!(history.is_lawful(), is_lawful, "{history:?}");
            for kind in ["item.add", "item.remove"] {
                let other = json!({ "kind": kind, "for": "a" });
                history.events.insert("other".to_owned(), other);
                assert!(!history.is_lawful(), "{kind}");
            }
        }
    }
}
