//! Tests of the receiver over loopback, from the sender's side.

mod granting;
mod hostile_peers;
mod lifecycle;
mod peer;
mod responses;
mod scripting;
