//! `kill -9` at arbitrary moments: nothing is lost, and everything arrives.

use std::collections::BTreeSet;

use crate::local_aghanim::LocalAghanim;
use crate::recorder::Recorder;
use crate::support::Folder;

#[test]
fn every_acknowledged_redemption_arrives_although_the_process_is_killed() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let mut acknowledged = BTreeSet::new();
    for round in 0..5 {
        let aghanim = LocalAghanim::start(&folder, &[]);
        if round == 0 {
            aghanim.webhook(&receiver.url());
        }
        // The moment of the kill differs between the rounds, and between machines.
        for number in 0..30 + 7 * round {
            let player = format!("P{round}-{number}");
            if aghanim.redeem(&player, "WELCOME").status == 200 {
                acknowledged.insert(player);
            }
        }
        aghanim.kill();
    }
    let aghanim = LocalAghanim::start(&folder, &[]);
    aghanim.drain();
    let arrived: BTreeSet<String> = receiver
        .requests()
        .iter()
        .map(|request| {
            request.json()["event_data"]["player_id"]
                .as_str()
                .expect("text")
                .to_owned()
        })
        .collect();
    assert_eq!(arrived, acknowledged);
    assert_eq!(aghanim.count("delivered"), acknowledged.len() as u64);
}

#[test]
fn an_attempt_in_flight_is_made_again() {
    let folder = Folder::new();
    // The receiver never responds to the first request, and the process is killed meanwhile.
    let (arrived, waiting) = std::sync::mpsc::channel();
    let receiver = crate::support::Peer::raw(move |stream, number| {
        if number == 1 {
            let request = crate::support::read_request(&mut std::io::BufReader::new(stream));
            arrived
                .send(request.map(|request| request.body))
                .expect("the test waits");
        } else {
            let sender = arrived.clone();
            crate::support::serve_requests(stream, move |request| {
                sender
                    .send(Some(request.body.clone()))
                    .expect("the test waits");
                crate::support::PeerResponse::new(200)
            });
        }
    });
    let aghanim = LocalAghanim::start(&folder, &[]);
    aghanim.webhook(&receiver.url());
    aghanim.redeem("P1", "WELCOME");
    let first = waiting.recv().expect("a request");
    aghanim.kill();
    let aghanim = LocalAghanim::start(&folder, &[]);
    assert_eq!(waiting.recv().expect("a request"), first);
    aghanim.drain();
}
