//! Maps a path to its endpoint. Ignores methods and bodies.

use percent_encoding::percent_decode_str;

use super::error::ReceiverError;
use super::refusal::Refusal;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Webhook,
    /// Returns how much of one SKU a player holds.
    PlayerItem {
        player_id: String,
        sku: String,
    },
    /// Returns everything that a player holds.
    PlayerItems {
        player_id: String,
    },
    /// Scripts the responses to a player's next deliveries.
    PlayerScript {
        player_id: String,
    },
    /// Makes the game unable to grant an SKU to a player, as if there was no room for it, or undoes
    /// that.
    FullInventory {
        player_id: String,
        sku: String,
    },
    /// Clears everything that a restart of the process would lose.
    Restart,
    /// Moves the clock ahead of real time.
    Clock {
        seconds: u64,
    },
    Health,
}

impl Route {
    pub(super) fn into_player_id(self) -> Option<String> {
        match self {
            Self::PlayerItem { player_id, .. }
            | Self::PlayerItems { player_id }
            | Self::FullInventory { player_id, .. }
            | Self::PlayerScript { player_id } => Some(player_id),
            Self::Webhook | Self::Restart | Self::Clock { .. } | Self::Health => None,
        }
    }
}

/// The endpoint at `path`, which is the path of the request line without the query.
pub(super) fn route(path: &str, webhook_path: &str) -> Result<Route, Refusal> {
    if path == webhook_path {
        return Ok(Route::Webhook);
    }
    if path == "/health" {
        return Ok(Route::Health);
    }
    if path == "/debug/restart" {
        return Ok(Route::Restart);
    }
    if let Some(seconds) = path.strip_prefix("/debug/clock/") {
        let seconds = seconds.parse().map_err(|_| Refusal::NoSuchPath)?;
        return Ok(Route::Clock { seconds });
    }
    // A player ID or an SKU may contain any character, so split the path before decoding its
    // segments.
    let Some(player_path) = path.strip_prefix("/debug/players/") else {
        return Err(Refusal::NoSuchPath);
    };
    match player_path.split('/').collect::<Vec<_>>()[..] {
        [player, "items"] => Ok(Route::PlayerItems {
            player_id: decode(player)?,
        }),
        [player, "items", sku] => Ok(Route::PlayerItem {
            player_id: decode(player)?,
            sku: decode(sku)?,
        }),
        [player, "items", sku, "full"] => Ok(Route::FullInventory {
            player_id: decode(player)?,
            sku: decode(sku)?,
        }),
        [player, "respond"] => Ok(Route::PlayerScript {
            player_id: decode(player)?,
        }),
        _ => Err(Refusal::NoSuchPath),
    }
}

/// Refuses a webhook path that no request can have or that hides another endpoint.
pub(super) fn check_webhook_path(path: &str) -> Result<(), ReceiverError> {
    let is_path = path.starts_with('/')
        && path
            .parse::<http::uri::PathAndQuery>()
            .is_ok_and(|parsed| parsed.as_str() == path && parsed.query().is_none());
    let is_taken = path == "/health" || path == "/debug" || path.starts_with("/debug/");
    if is_path && !is_taken {
        Ok(())
    } else {
        Err(ReceiverError::Path(path.to_owned()))
    }
}

fn decode(segment: &str) -> Result<String, Refusal> {
    percent_decode_str(segment)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Refusal::MalformedPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEBHOOK: &str = "/webhooks/aghanim";

    fn item(player_id: &str, sku: &str) -> Route {
        Route::PlayerItem {
            player_id: player_id.to_owned(),
            sku: sku.to_owned(),
        }
    }

    #[test]
    fn segments_are_decoded_after_the_path_is_split() {
        for (path, expected) in [
            ("/debug/players/P1/items/crystals", item("P1", "crystals")),
            ("/debug/players/a%2Fb/items/c%2fd", item("a/b", "c/d")),
            ("/debug/players/items/items/items", item("items", "items")),
            (
                "/debug/players/%D0%96+%00/items/%F0%9F%92%8E",
                item("Ж+\0", "💎"),
            ),
            ("/debug/players//items/", item("", "")),
            ("/debug/players/100%/items/%zz", item("100%", "%zz")),
        ] {
            assert_eq!(route(path, WEBHOOK), Ok(expected), "{path}");
        }
    }

    #[test]
    fn a_segment_that_is_not_utf8_is_malformed() {
        let path = "/debug/players/%ff/items";
        assert_eq!(route(path, WEBHOOK), Err(Refusal::MalformedPath));
    }

    #[test]
    fn other_paths_are_not_found() {
        for path in [
            "/",
            "",
            "*",
            "/webhooks",
            "/webhooks/aghanim/",
            "/Webhooks/aghanim",
            "/webhooks%2Faghanim",
            "/health/",
            "/debug/players",
            "/debug/players/P1",
            "/debug/players/P1/items/a/b",
            "/debug/clock/",
            "/debug/clock/-1",
            "/debug/players/P1/respond/",
        ] {
            assert_eq!(route(path, WEBHOOK), Err(Refusal::NoSuchPath), "{path}");
        }
    }

    #[test]
    fn a_webhook_path_must_be_valid_and_not_reserved() {
        for good in ["/", "/hook", "/a/b%20c", "/debugger"] {
            assert!(check_webhook_path(good).is_ok(), "{good}");
        }
        for bad in [
            "", "hook", "/a?b", "/a#b", "/a b", "/health", "/debug/x", "/debug",
        ] {
            assert!(check_webhook_path(bad).is_err(), "{bad}");
        }
    }
}
