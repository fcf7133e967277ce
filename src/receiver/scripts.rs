//! Scripted statuses: one list for all deliveries, and one list per player so that scenarios that
//! run concurrently do not consume each other's.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use super::error::ReceiverError;
use super::refusal::Refusal;

/// The remaining scripted statuses of each player, the next one first. The list for all deliveries
/// is that of no player.
#[derive(Debug, Default)]
pub(super) struct Scripts(Mutex<HashMap<Option<String>, VecDeque<StatusCode>>>);

impl Scripts {
    pub(super) fn new(general: &[StatusCode]) -> Result<Self, ReceiverError> {
        if let Some(invalid) = general.iter().find(|status| !is_final(**status)) {
            return Err(ReceiverError::ScriptedStatus(invalid.as_u16()));
        }
        let general = general.iter().copied().collect();
        Ok(Self(Mutex::new(HashMap::from([(None, general)]))))
    }

    pub(super) fn set_player(&self, player_id: String, script: Vec<StatusCode>) {
        self.lists().insert(Some(player_id), script.into());
    }

    /// Takes the status for the next delivery: from the player's list if there is one, otherwise
    /// from the general list.
    pub(super) fn next(&self, player_id: Option<&str>) -> Option<StatusCode> {
        let mut lists = self.lists();
        let mut take = |list: Option<String>| lists.get_mut(&list)?.pop_front();
        player_id
            .and_then(|player_id| take(Some(player_id.to_owned())))
            .or_else(|| take(None))
    }

    /// A panic can't leave a list half changed, so a poisoned lock is usable.
    fn lists(&self) -> MutexGuard<'_, HashMap<Option<String>, VecDeque<StatusCode>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
