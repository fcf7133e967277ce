//! Recorded events with new identities, so that a receiver takes them for new ones. Their layout stays.

use std::collections::HashMap;

use serde_json::Value;

use super::json_tokens::tokens;
use super::redaction::Redactor;
use crate::probe::Redaction;

/// Gives each recorded identity the same new one every time.
pub(crate) struct FreshIdentities {
    redactor: Redactor,
    game_id: Option<String>,
    /// The players to use in turn. If empty, players are made up.
    players: Vec<String>,
    /// The number of each player.
    numbers: HashMap<String, usize>,
}

impl FreshIdentities {
    /// Uses the game's own ID and players, if they are known.
    pub(crate) fn new(
        game_id: Option<String>,
        players: Vec<String>,
    ) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self {
            redactor: Redactor::new(&key, Redaction::new([])),
            game_id,
            players,
            numbers: HashMap::new(),
        })
    }

    /// The text of an event with new identities; `None` if it is not JSON.
    pub(crate) fn renew(&mut self, text: &str) -> Option<String> {
        let mut renewed = self.redactor.event(text)?;
        if let Some(game_id) = &self.game_id {
            replace(&mut renewed, &["game_id"], game_id);
        }
        let event: Value = serde_json::from_str(text).ok()?;
        if let Some(player) = event.pointer("/event_data/player_id")
            && !self.players.is_empty()
        {
            let next = self.numbers.len();
            let number = *self.numbers.entry(player.to_string()).or_insert(next);
            let player = &self.players[number % self.players.len()];
            replace(&mut renewed, &["event_data", "player_id"], player);
        }
        Some(renewed)
    }
}

/// Replaces the value at a path.
fn replace(text: &mut String, path: &[&str], value: &str) {
    let found = tokens(text).unwrap_or_default();
    // The last token at the path is the value; the first is its name.
    if let Some(token) = found.iter().rfind(|token| token.is_at(path)) {
        text.replace_range(token.range.clone(), &Value::from(value).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_new_and_the_layout_stays() {
        let text = r#"{ "event_type":"coupon.redeemed", "event_data":{"player_id":"AB12-CD34"},
            "event_id":"whevt_eCacGbJVbvToOgzjXUgOCitkQE", "game_id":"gm_exTAyxPsVwh" }"#;
        let players = vec!["tester-1".to_owned(), "tester-2".to_owned()];
        let mut fresh =
            FreshIdentities::new(Some("gm_own".to_owned()), players).expect("randomness");
        let renewed = fresh.renew(text).expect("JSON");
        assert_eq!(fresh.renew(text).as_ref(), Some(&renewed));
        let event: Value = serde_json::from_str(&renewed).expect("JSON");
        assert_eq!(event["game_id"], "gm_own");
        assert_eq!(event["event_data"]["player_id"], "tester-1");
        assert!(!renewed.contains("eCacGbJVbv") && renewed.contains("whevt_"));
        assert!(renewed.starts_with("{ \"event_type\":\"coupon.redeemed\", \"event_data\""));
        let other = fresh.renew(&text.replace("AB12", "EF56")).expect("JSON");
        assert!(other.contains("tester-2"));
    }
}
