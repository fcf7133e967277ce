//! Delivery against real servers on loopback.

mod answers;
mod connections;
mod deliveries;
mod encrypted;
mod fault_protocols;
mod faults;
mod gates;
mod recorder;
mod retries;
mod server;
mod wire_bytes;
mod witness;

use std::time::Duration;

use http::Method;

use super::*;

/// A time that no test runs into.
const LONG: Duration = Duration::from_mins(1);

fn target(url: &str) -> Target {
    Target::parse(url, &AllowedHosts::loopback_only()).expect(url)
}

fn client() -> Client {
    client_with(|_| {})
}

fn client_with(change: impl FnOnce(&mut ClientSettings)) -> Client {
    let mut settings = ClientSettings::default();
    change(&mut settings);
    Client::new(settings).expect("a client")
}

/// A small POST to the target.
fn post(target: &Target) -> OutgoingRequest {
    OutgoingRequest::new(Method::POST)
        .header("Host", target.authority())
        .expect("a header")
        .body("{}")
}

async fn send(client: &Client, target: &Target) -> Exchange {
    let options = SendOptions::within(LONG);
    client.send(target, &post(target), options).await
}
