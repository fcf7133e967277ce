//! The receiver over loopback, as a sender sees it.

mod answering;
mod granting;
mod hostile_peers;
mod lifecycle;
mod peer;
mod scripting;
