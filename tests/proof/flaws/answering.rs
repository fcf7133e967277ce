//! Flaws in the response.

use std::time::Duration;

use aghook::internals::policy::Forgery;
use aghook::internals::receiver::Flaw;
use http::Method;
use serde_json::json;

use super::peer::{
    NOW, PLAYER, Pair, QUANTITY, SKU, body_of, bundle, event, event_of, forged, nested, pair,
    pair_with, signed,
};
use super::recording::statuses_together;

/// The flawed receiver answers forgeries with `status` and handles everything else correctly.
async fn answers_forgeries_with(flaw: Flaw, status: u16) {
    let Pair { sound, flawed } = pair(flaw).await;
    let event = event();
    for forgery in Forgery::ALL {
        let sound_reply = sound.send(forged(forgery, &event)).await.expect("answered");
        let flawed_reply = flawed
            .send(forged(forgery, &event))
            .await
            .expect("answered");
        assert_eq!(
            (sound_reply.status, flawed_reply.status),
            (403, status),
            "{forgery}"
        );
        assert!(flawed_reply.body.contains("\"status\":\"error\""));
    }
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    // A genuine but invalid event still gets 400.
    assert_eq!(
        flawed.deliver(&json!({ "event_type": "order.paid" })).await,
        400
    );
    assert_eq!(flawed.deliver(&event).await, 200);
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
}

pub(crate) async fn forgery_answered_500() {
    answers_forgeries_with(Flaw::ForgeryAnswered500, 500).await;
}

pub(crate) async fn forgery_answered_200() {
    answers_forgeries_with(Flaw::ForgeryAnswered200, 200).await;
}

pub(crate) async fn error_answered_200() {
    let Pair { sound, flawed } = pair(Flaw::ErrorAnswered200).await;
    let full = format!("/debug/players/{PLAYER}/items/{SKU}/full");
    for (peer, status) in [(sound, 422), (flawed, 200)] {
        assert_eq!(peer.request(Method::PUT, &full, "").await.status, 200);
        let response = peer.send(signed(&body_of(&event()), NOW)).await;
        let response = response.expect("answered");
        assert_eq!(response.status, status);
        assert!(response.body.contains("\"status\":\"error\""));
        assert_eq!(peer.request(Method::DELETE, &full, "").await.status, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, "0");
        assert_eq!(peer.deliver(&event()).await, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}

/// The flawed receiver answers redeliveries with `status` and grants nothing for them.
async fn answers_redeliveries_with(flaw: Flaw, status: u16) {
    let Pair { sound, flawed } = pair(flaw).await;
    let event = event();
    for (peer, expected) in [(sound, 200), (flawed, status)] {
        assert_eq!(peer.deliver(&event).await, 200);
        assert_eq!(peer.deliver(&event).await, expected);
        assert_eq!(peer.deliver(&event).await, expected);
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}

pub(crate) async fn redelivery_answered_409() {
    answers_redeliveries_with(Flaw::RedeliveryAnswered409, 409).await;
}

pub(crate) async fn redelivery_answered_500() {
    answers_redeliveries_with(Flaw::RedeliveryAnswered500, 500).await;
}

pub(crate) async fn redelivery_answered_otherwise() {
    let Pair { sound, flawed } = pair(Flaw::RedeliveryAnsweredOtherwise).await;
    let body = body_of(&event());
    for (peer, is_same) in [(sound, true), (flawed, false)] {
        let first = peer.send(signed(&body, NOW)).await.expect("answered");
        let again = peer.send(signed(&body, NOW)).await.expect("answered");
        assert_eq!((first.status, again.status), (200, 200));
        assert_eq!(first.body == again.body, is_same, "{}", again.body);
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}

pub(crate) async fn overlap_refused() {
    const TRIES_UNTIL_HIT: usize = 50;
    let Pair { sound, flawed } = pair(Flaw::OverlapRefused).await;
    for number in 0..TRIES_UNTIL_HIT {
        let player = format!("player-{number}");
        let event = event_of(&player);
        let sound_statuses = statuses_together(sound, &[&event; 3]).await;
        assert_eq!(sound_statuses, ["200", "200", "200"]);
        let statuses = statuses_together(flawed, &[&event; 3]).await;
        assert_eq!(flawed.deliver(&event).await, 200);
        assert_eq!(flawed.held(&player, SKU).await, QUANTITY);
        if statuses.iter().any(|status| status == "409") {
            return;
        }
    }
    panic!("no delivery was refused");
}

pub(crate) async fn large_body_answered_early() {
    let Pair { sound, flawed } = pair(Flaw::LargeBodyAnsweredEarly).await;
    // This receiver never grants so many.
    let excess = |parts: usize| bundle(&json!(vec![nested("gems", u64::MAX, None); parts]));
    for (peer, status) in [(sound, 422), (flawed, 200)] {
        assert_eq!(peer.deliver(&excess(2)).await, 422);
        assert_eq!(peer.deliver(&excess(60)).await, status);
        assert_eq!(peer.held(PLAYER, "gems").await, "0");
        let large = bundle(&json!(vec![nested("dust", 1, None); 60]));
        assert_eq!(peer.deliver(&large).await, 200);
        while peer.held(PLAYER, "dust").await != "60" {}
    }
}

pub(crate) async fn early_answer() {
    let Pair { sound, flawed } = pair(Flaw::EarlyAnswer).await;
    // This receiver never grants so many, so there is no grant to wait for.
    let mut excess = bundle(&json!([nested("gems", u64::MAX, None)]));
    excess["event_data"]["player_id"] = json!("excessive");
    excess["event_data"]["item"]["quantity"] = json!(2);
    assert_eq!(sound.deliver(&excess).await, 422);
    assert_eq!(flawed.deliver(&excess).await, 200);
    let event = event();
    for peer in [sound, flawed] {
        peer.script(PLAYER, "[503]").await;
    }
    assert_eq!(sound.deliver(&event).await, 503);
    assert_eq!(flawed.deliver(&event).await, 200);
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    // Forgeries are still refused, and a valid event is granted after the response.
    let forged = forged(Forgery::WrongSecret, &event);
    assert_eq!(flawed.send(forged).await.expect("answered").status, 403);
    let next = event_of("next");
    assert_eq!(flawed.deliver(&next).await, 200);
    while flawed.held("next", SKU).await != QUANTITY {}
}

pub(crate) async fn slow_answer() {
    let Pair { sound, flawed } = pair_with(Flaw::SlowAnswer, |settings| {
        settings.answer_delay = Duration::from_hours(1);
    })
    .await;
    let event = event();
    let request = signed(&body_of(&event), NOW);
    assert_eq!(sound.deliver(&event).await, 200);
    // Both responses take an hour, but the grant is immediate.
    let attempts = [flawed, flawed].map(|peer| tokio::spawn(peer.send(request.clone())));
    while flawed.held(PLAYER, SKU).await == "0" {}
    assert!(attempts.iter().all(|attempt| !attempt.is_finished()));
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
    let forged = forged(Forgery::WrongSecret, &event);
    assert_eq!(flawed.send(forged).await.expect("answered").status, 403);
}

pub(crate) async fn login_redirect() {
    let Pair { sound, flawed } = pair(Flaw::LoginRedirect).await;
    let event = event();
    assert_eq!(sound.deliver(&event).await, 200);
    let genuine = signed(&body_of(&event), NOW);
    for request in [genuine, forged(Forgery::MissingSignature, &event)] {
        let reply = flawed.send(request).await.expect("answered");
        assert_eq!(
            (reply.status, reply.location.as_deref()),
            (302, Some("/login"))
        );
    }
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
}

#[tokio::test]
async fn several_flaws_show_together() {
    let pair = pair_with(Flaw::ForgeryAnswered200, |settings| {
        settings
            .flaws
            .extend([Flaw::DedupeMissing, Flaw::QuantityFloat]);
    });
    let Pair { flawed, .. } = pair.await;
    let mut event = event();
    event["event_data"]["item"]["quantity"] = json!((1_u64 << 53) + 1);
    let forged = forged(Forgery::WrongSecret, &event);
    assert_eq!(flawed.send(forged).await.expect("answered").status, 200);
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    for _ in 0..2 {
        assert_eq!(flawed.deliver(&event).await, 200);
    }
    assert_eq!(flawed.held(PLAYER, SKU).await, (1_u64 << 54).to_string());
}
