//! What a new player must hold after events: for those who have sent without a scenario, and look
//! only afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::expected_grant::{AcceptableGrants, Grant, acceptable_grants};
use super::grant_judgement::{Changes, GrantClaim, HeldOnce, Judgement, judge};
use super::probe_reading::PreparedProbe;
use super::watched_effect::{claim, describe};
use crate::delivery::Client;
use crate::protocol::Event;
use crate::scenario::Policy;

/// How often an event must have been granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantDemand {
    /// Exactly once.
    Once,
    /// Once or not at all.
    AtMostOnce,
    /// Not at all.
    Never,
}

/// What one player must hold, who held nothing before.
#[derive(Debug, Clone)]
pub struct PlayerClaims {
    player_id: String,
    claims: Vec<GrantClaim>,
    held_once: BTreeSet<String>,
}

/// Whether a player holds what is demanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldingsVerdict {
    /// It does.
    Right,
    /// It does not, and how it differs.
    Wrong(String),
    /// It can't be told, and why.
    Undecided(String),
}

impl PlayerClaims {
    /// The claims of a player's first event.
    pub fn new(event: &Event, demand: GrantDemand, policy: Policy) -> Self {
        Self {
            player_id: event.event_data.player_id.to_string(),
            claims: vec![claim_of(event, demand, policy)],
            held_once: BTreeSet::new(),
        }
    }

    /// The same where a player can hold one of these SKUs at most.
    #[must_use]
    pub fn holding_once(mut self, skus: &BTreeSet<String>) -> Self {
        self.held_once.clone_from(skus);
        self
    }

    /// Adds the claim of another event of the same player.
    pub fn add(&mut self, event: &Event, demand: GrantDemand, policy: Policy) {
        self.claims.push(claim_of(event, demand, policy));
    }

    /// The player.
    pub fn player_id(&self) -> &str {
        &self.player_id
    }

    /// Reads what the player holds of each SKU that its events name, and judges it.
    pub async fn check(&self, probe: &PreparedProbe, client: &Client) -> HoldingsVerdict {
        let skus: BTreeSet<&String> = self.claims.iter().flat_map(|claim| &claim.skus).collect();
        let mut holdings = BTreeMap::new();
        for sku in skus {
            match probe.read(client, &self.player_id, sku).await {
                Ok(quantity) => holdings.insert(sku.clone(), quantity),
                Err(reason) => return HoldingsVerdict::Undecided(reason),
            };
        }
        match (self.judge(&holdings), probe.leads_nowhere()) {
            (HoldingsVerdict::Wrong(_), Some(reason)) => HoldingsVerdict::Undecided(reason),
            (verdict, _) => verdict,
        }
    }

    /// Judges what the player holds, by SKU.
    pub fn judge(&self, holdings: &BTreeMap<String, i128>) -> HoldingsVerdict {
        let holding =
            |(sku, quantity): (&String, &i128)| ((self.player_id.clone(), sku.clone()), *quantity);
        let changes: Changes = holdings.iter().map(holding).collect();
        let claims: Vec<&GrantClaim> = self.claims.iter().collect();
        // Nothing was held before.
        let held_once = holdings
            .keys()
            .filter(|sku| self.held_once.contains(*sku))
            .map(|sku| ((self.player_id.clone(), sku.clone()), false));
        let held_once: HeldOnce = held_once.collect();
        let mut wrong = Vec::new();
        for judgement in judge(&claims, &changes, &held_once) {
            match judgement {
                Judgement::Holds => {}
                Judgement::Wrong(of_claim) => {
                    for one in of_claim {
                        if !wrong.contains(&one) {
                            wrong.push(one);
                        }
                    }
                }
                Judgement::Undecided => {
                    let reason = "there are too many right ways to grant this: say in the \
                                  profile's `policy` which is right";
                    return HoldingsVerdict::Undecided(reason.to_owned());
                }
            }
        }
        if wrong.is_empty() {
            HoldingsVerdict::Right
        } else {
            HoldingsVerdict::Wrong(describe(&wrong))
        }
    }
}

fn claim_of(event: &Event, demand: GrantDemand, policy: Policy) -> GrantClaim {
    let nothing = || AcceptableGrants::one(Grant::new());
    let acceptable = match demand {
        GrantDemand::Never => nothing(),
        GrantDemand::Once => acceptable_grants(event, policy),
        GrantDemand::AtMostOnce => {
            let once = acceptable_grants(event, policy);
            AcceptableGrants {
                complete: once.complete,
                grants: [nothing().grants, once.grants].concat(),
            }
        }
    };
    claim(event, acceptable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        serde_json::from_str(include_str!("../protocol/example-event.txt")).expect("an event")
    }

    fn verdict(demands: &[GrantDemand], quantity: i128) -> HoldingsVerdict {
        let event = event();
        let mut claims = PlayerClaims::new(&event, demands[0], Policy::default());
        for demand in &demands[1..] {
            claims.add(&event, *demand, Policy::default());
        }
        claims.judge(&BTreeMap::from([("crystals".to_owned(), quantity)]))
    }

    #[test]
    fn an_event_is_granted_as_often_as_is_demanded() {
        const ONCE: i128 = 480_000;
        for (demand, right) in [
            (GrantDemand::Once, [false, true, false]),
            (GrantDemand::AtMostOnce, [true, true, false]),
            (GrantDemand::Never, [true, false, false]),
        ] {
            for (times, right) in (0..).zip(right) {
                let verdict = verdict(&[demand], times * ONCE);
                let is_right = verdict == HoldingsVerdict::Right;
                assert_eq!(is_right, right, "{demand:?} {times}: {verdict:?}");
            }
        }
        assert_eq!(
            verdict(&[GrantDemand::Once], 2 * ONCE),
            HoldingsVerdict::Wrong(
                "crystals changed by 960000, not 480000, 2 times as much".to_owned()
            )
        );
    }

    #[test]
    fn of_what_is_held_once_one_is_right_however_many_events_grant_it() {
        let once = BTreeSet::from(["crystals".to_owned()]);
        let demand = GrantDemand::Once;
        let mut claims = PlayerClaims::new(&event(), demand, Policy::default()).holding_once(&once);
        claims.add(&event(), demand, Policy::default());
        let of = |quantity| claims.judge(&BTreeMap::from([("crystals".to_owned(), quantity)]));
        assert_eq!(of(1), HoldingsVerdict::Right);
        assert_ne!(of(0), HoldingsVerdict::Right);
        assert_ne!(of(480_000), HoldingsVerdict::Right);
    }

    #[test]
    fn events_of_one_player_are_judged_together() {
        let once = GrantDemand::Once;
        assert_eq!(verdict(&[once, once], 960_000), HoldingsVerdict::Right);
        assert_ne!(verdict(&[once, once], 480_000), HoldingsVerdict::Right);
        let forged = GrantDemand::Never;
        assert_eq!(verdict(&[once, forged], 480_000), HoldingsVerdict::Right);
    }
}
