//! Scripted statuses: one list for all deliveries, and one list per player so that scenarios that
//! run concurrently do not consume each other's.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use super::error::ReceiverError;
use super::refusal::Refusal;

/// The remaining scripted statuses, the next one first.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    general: VecDeque<StatusCode>,
    by_player: HashMap<String, VecDeque<StatusCode>>,
}

impl Scripts {
    /// Starts with the list for all deliveries.
    pub(super) fn new(general: &[StatusCode]) -> Result<Self, ReceiverError> {
        if let Some(invalid) = general.iter().find(|status| !is_final(**status)) {
            return Err(ReceiverError::ScriptedStatus(invalid.as_u16()));
        }
        Ok(Self {
            lists: Mutex::new(Lists {
                general: general.iter().copied().collect(),
                by_player: HashMap::new(),
            }),
        })
    }

    /// Replaces a player's list. An empty script removes it.
    pub(super) fn set_player(&self, player_id: String, script: Vec<StatusCode>) {
        let mut lists = self.lists();
        if script.is_empty() {
            lists.by_player.remove(&player_id);
        } else {
            lists.by_player.insert(player_id, script.into());
        }
    }

    /// Takes the status for the next delivery: from the player's list if there is one, otherwise
    /// from the general list.
    pub(super) fn next(&self, player_id: Option<&str>) -> Option<StatusCode> {
        let mut lists = self.lists();
        if let Some(player_id) = player_id
            && let Some(list) = lists.by_player.get_mut(player_id)
        {
            let status = list.pop_front();
            if list.is_empty() {
                lists.by_player.remove(player_id);
            }
            return status;
        }
        lists.general.pop_front()
    }

    /// A panic can't leave a list half changed, so a poisoned lock is usable.
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Parses a script: a JSON array of statuses.
pub(super) fn parse(body: &[u8]) -> Result<Vec<StatusCode>, Refusal> {
    let numbers: Vec<u16> = serde_json::from_slice(body).map_err(|_| Refusal::MalformedScript)?;
    numbers
        .into_iter()
        .map(|number| {
            StatusCode::from_u16(number)
                .ok()
                .filter(|status| is_final(*status))
                .ok_or(Refusal::MalformedScript)
        })
        .collect()
}

/// Whether this can be the final status of a response. A 1xx status only precedes another one, and
/// statuses above 599 are not defined.
fn is_final(status: StatusCode) -> bool {
    (200..600).contains(&status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(numbers: &[u16]) -> Vec<StatusCode> {
        numbers
            .iter()
            .map(|number| StatusCode::from_u16(*number).expect("a status"))
            .collect()
    }

    #[test]
    fn a_players_list_comes_first_and_leaves_the_general_list_alone() {
        let scripts = Scripts::new(&statuses(&[500, 501])).expect("statuses");
        scripts.set_player("a".to_owned(), statuses(&[503]));
        assert_eq!(
            scripts.next(Some("a")),
            Some(StatusCode::SERVICE_UNAVAILABLE)
        );
        assert_eq!(
            scripts.next(Some("a")),
            Some(StatusCode::INTERNAL_SERVER_ERROR)
        );
        assert_eq!(scripts.next(None), Some(StatusCode::NOT_IMPLEMENTED));
        assert_eq!(scripts.next(Some("a")), None);
    }

    #[test]
    fn an_empty_list_removes_the_players_list() {
        let scripts = Scripts::default();
        scripts.set_player("a".to_owned(), statuses(&[503]));
        scripts.set_player("a".to_owned(), Vec::new());
        assert_eq!(scripts.next(Some("a")), None);
    }

    #[test]
    fn a_script_contains_only_final_statuses() {
        assert_eq!(parse(b"[503, 200]"), Ok(statuses(&[503, 200])));
        assert_eq!(parse(b"[]"), Ok(Vec::new()));
        for bad in [
            "",
            "503",
            "[100]",
            "[600]",
            "[99999]",
            "[-1]",
            "[\"200\"]",
            "[200.0]",
        ] {
            assert_eq!(
                parse(bad.as_bytes()),
                Err(Refusal::MalformedScript),
                "{bad}"
            );
        }
        assert!(Scripts::new(&statuses(&[101])).is_err());
        assert!(Scripts::new(&statuses(&[999])).is_err());
    }
}
