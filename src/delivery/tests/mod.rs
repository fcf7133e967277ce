//! Delivery against real servers on loopback.

mod barriers;
mod connections;
mod deliveries;
mod encrypted;
mod fault_protocols;
mod faults;
mod floods;
mod policy_oracle;
mod recorder;
mod responses;
mod retries;
mod server;
mod wire_bytes;
mod wire_forms;
mod witness;

use std::time::Duration;

use http::Method;

use super::*;
use crate::transport::*;

/// A timeout that no test reaches.
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

/// A small POST request for the target.
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
