//! A local Aghanim: its API for webhooks, items and coupons, the redemption of codes, and a durable
//! queue of deliveries.
//!
//! [`Hub`] is the core. The API, the control API and the dashboard all call its methods. `model` has what
//! the hub keeps, `store` its SQL, `queue` the deliveries, `api` the HTTP interface. Nothing here starts
//! the built-in receiver or prints.

mod api;
mod clock;
mod data_file;
mod database;
mod error;
mod hub;
mod model;
mod pages;
mod queue;
mod random;
mod redemption;
mod sample;
mod seed_file;
mod server;
mod store;

pub(crate) use clock::{HubClock, TimeScale};
pub(crate) use data_file::{DataFile, DataFileError};
pub(crate) use error::HubError;
pub(crate) use hub::{Hub, HubSettings, SeedSecrets};
pub(crate) use model::{DeliverySettings, Page, WebhookDraft};
pub(crate) use random::HubRandom;
pub(crate) use redemption::ItemAddKey;
pub(crate) use seed_file::SeedFile;
pub(crate) use server::{ServerSettings, serve};
