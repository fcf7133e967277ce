//! The deliveries of the hub.

use super::Hub;
use crate::serve::error::HubError;
use crate::serve::model::{Delivery, DeliveryCounts, DeliveryDetails, DeliveryFilter};
use crate::serve::store;

impl Hub {
    /// The latest deliveries that the filter finds, the newest first.
    pub(crate) async fn deliveries(
        &self,
        filter: DeliveryFilter,
        limit: u32,
    ) -> Result<Vec<Delivery>, HubError> {
        let list = self
            .database
            .read(move |connection| store::deliveries::list(connection, &filter, limit));
        list.await
    }

    /// A delivery with its body and attempts.
    pub(crate) async fn delivery(&self, id: i64) -> Result<DeliveryDetails, HubError> {
        let details = self
            .database
            .read(move |connection| store::deliveries::details(connection, id));
        details.await
    }

    pub(crate) async fn delivery_counts(
        &self,
        filter: DeliveryFilter,
    ) -> Result<DeliveryCounts, HubError> {
        let counts = self
            .database
            .read(move |connection| store::deliveries::counts(connection, &filter));
        counts.await
    }

    /// Makes a delivery again now, or the next attempt of a pending one.
    pub(crate) async fn resend(&self, id: i64) -> Result<(), HubError> {
        let now = self.settings.clock.now();
        let resend = self
            .database
            .write(move |connection| store::deliveries::resend(connection, id, now));
        let webhook = resend.await?;
        self.lanes.wake([&webhook]);
        Ok(())
    }

    /// Makes all dead letters that the filter finds again. Returns how many there are.
    pub(crate) async fn resend_dead(&self, filter: DeliveryFilter) -> Result<usize, HubError> {
        let now = self.settings.clock.now();
        let resend = self
            .database
            .write(move |connection| store::deliveries::resend_dead(connection, &filter, now));
        let count = resend.await?;
        self.lanes.wake_all();
        Ok(count)
    }
}
