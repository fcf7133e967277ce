//! Merges the reports of the shards of one load.

use super::*;

#[test]
fn shards_are_merged_into_the_whole_load() {
    let flawed = ReceiverProcess::new(&[]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let run_shard = |shard: &str, file: &str| {
        let name = format!("json={file}");
        let mut words = vec![
            "load",
            "--rate",
            "max",
            "--count",
            "301",
            "--start-time",
            "1763889831",
            "--check-effects",
            "all",
            "--partition",
            shard,
            "--report",
            &name,
        ];
        words.extend(MIX);
        folder.aghook(&words).assert().code(0);
    };
    run_shard("1/2", "one.json");
    run_shard("2/2", "other.json");
    let merged = folder
        .aghook(&[
            "merge",
            "one.json",
            "other.json",
            "--report",
            "json",
            "--report",
            "hdr=all.hlog",
        ])
        .assert()
        .code(0);
    let merged: Value = serde_json::from_slice(&merged.get_output().stdout).expect("JSON");
    assert_eq!(number(counts(&merged), "events"), 301);
    assert_eq!(merged["effects"]["right"], 301);
    let acknowledged = number(counts(&merged), "acknowledged");
    assert_eq!(merged["latency"]["count"], acknowledged);
    assert!(folder.read("all.hlog").contains("Tag=latency,"));
    Transcript::of(&mut folder.aghook(&["merge", "one.json", "one.json"]))
        .ends_with(2)
        .says(&["duplicate shard 1/2"]);
    Transcript::of(&mut folder.aghook(&["merge", "other.json"]))
        .ends_with(3)
        .says(&["incomplete load: missing shards 1/2"]);
    Transcript::of(&mut folder.aghook(&["merge", "aghook.yaml"])).ends_with(2);
}
