use crate::run::run_event::RunEvent;

#[track_caller]
fn round_trip(line: &str) -> String {
    let event = RunEvent::from_json(line.as_bytes()).expect(line);
    serde_json::to_string(&event).expect("serialises")
}

#[test]
fn probe_numbers_beyond_64_bits_are_read() {
    for number in [
        "0",
        "-3",
        "18446744073709551616",
        "-170141183460469231731687303715884105728",
    ] {
        let line = format!(
            r#"{{"event":"effects_ended","scenario":1,"readings":[{{"probe":"quantity","player_id":"P1","sku":"gems","before":{number},"after":{number}}}],"checks":[],"settled_after_seconds":0.0}}"#
        );
        assert_eq!(round_trip(&line), line);
    }
}

#[test]
fn unknown_keys_are_ignored_and_optional_keys_may_be_missing() {
    let now = r#"{"event":"step_ended","scenario":1,"step":1,"description":"x","together":false,"deliveries":[],"not_made":null,"script":null,"restarted":false}"#;
    let later = now.replacen("\"step\":1", "\"step\":1,\"later\":[{}]", 1);
    let earlier = now.replace(",\"script\":null,\"restarted\":false", "");
    for line in [now, &later, &earlier] {
        assert_eq!(round_trip(line), now);
    }
}

#[test]
fn invalid_events_are_refused() {
    for (line, reason) in [
        ("", "EOF"),
        ("{}", "missing field `event`"),
        (r#"{"event":"run_paused"}"#, "unknown variant `run_paused`"),
        (r#"{"event":"run_ended"}"#, "missing field `scenarios`"),
        (r#"{"event":"run_ended"} x"#, "trailing characters"),
    ] {
        let error = RunEvent::from_json(line.as_bytes()).expect_err(line);
        assert!(error.to_string().contains(reason), "{line}: {error}");
    }
}
