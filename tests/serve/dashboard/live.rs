//! Streams of the dashboard, and long queues.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use crate::local_aghanim::LocalAghanim;
use crate::recorder::Recorder;
use crate::support::Folder;

#[cfg(unix)]
#[test]
fn a_stream_follows_the_queue_and_does_not_keep_the_server() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &[]);
    aghanim.webhook(&receiver.url());
    let mut stream = TcpStream::connect(&aghanim.address).expect("connected");
    let request = format!(
        "GET /deliveries/live HTTP/1.1\r\nHost: {}\r\n\r\n",
        aghanim.address
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "content-type: text/event-stream"));
    aghanim.redeem("P1", "WELCOME");
    assert!(lines.any(|line| line.contains("delivery-1") && line.contains("class=\"delivered\"")));
    assert!(aghanim.interrupt());
    assert!(
        !lines.any(|line| line.contains("delivery-2")),
        "the stream ends"
    );
}

#[test]
fn a_queue_of_100_000_is_shown_page_by_page() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let webhook = aghanim.webhook("http://127.0.0.1:1/");
    let id = webhook["id"].as_str().expect("an ID").to_owned();
    aghanim.local("POST", &format!("/webhooks/{id}/pause"), None);
    aghanim.kill();
    let data = rusqlite::Connection::open(folder.path("serve.sqlite")).expect("opened");
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO deliveries (webhook_id, event_type, event_id, transaction_id, player_id, code,
             state, created_at, due_at)
         SELECT ?1, 'coupon.redeemed', 'whevt_' || i, 'whtx_' || i, 'P' || i, 'WELCOME', 'pending', i, i
         FROM n";
    data.execute(fill, [&id]).expect("filled");
    drop(data);
    let aghanim = LocalAghanim::start(&folder, &[]);
    let first = aghanim.page("/").text;
    assert!(first.contains("delivery-100000") && first.contains("delivery-99951"));
    assert!(!first.contains("delivery-99950"));
    let next = aghanim.page("/?before=99951").text;
    assert!(next.contains("delivery-99950") && next.contains("Newest deliveries"));
    assert!(!next.contains("data-live"));
    let one = aghanim.page("/?player=P77").text;
    assert!(one.contains("delivery-77") && !one.contains("Older deliveries"));
}
