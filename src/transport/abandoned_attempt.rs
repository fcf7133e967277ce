//! An attempt that the sender has abandoned while the receiver is still processing it.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{BoxFuture, MaybeDone, maybe_done};
use tokio::sync::oneshot;

use super::client::Client;
use super::exchange::Exchange;
use super::request::OutgoingRequest;
use super::send_options::SendOptions;
use super::target::Target;
use super::wire_fault::SenderAbort;

/// An exchange that continues after the sender has abandoned it. Its response is read and discarded.
pub(crate) struct AbandonedAttempt<'a>(MaybeDone<BoxFuture<'a, Exchange>>);

impl<'a> AbandonedAttempt<'a> {
    /// Sends a request, and abandons it once it has been sent and `after` has passed. The error is
    /// an exchange that failed before it could be abandoned.
    pub(crate) async fn send(
        client: &'a Client,
        target: &'a Target,
        request: OutgoingRequest,
        mut options: SendOptions,
        after: Duration,
    ) -> Result<Self, Box<Exchange>> {
        let (sent, was_sent) = oneshot::channel();
        options.sent = Some(sent);
        let exchange = async move { client.send(target, &request, options).await };
        let mut abandoned = Self(maybe_done(Box::pin(exchange)));
        // The response may arrive before the notification that the request was sent.
        let was_sent = abandoned.run_while(was_sent).await;
        match abandoned.0 {
            MaybeDone::Done(done) if was_sent.is_err() && done.result.is_err() => {
                return Err(Box::new(done));
            }
            exchange => abandoned.0 = exchange,
        }
        // The timer rounds even zero up to its next tick.
        if !after.is_zero() {
            abandoned.run_while(tokio::time::sleep(after)).await;
        }
        Ok(abandoned)
    }

    pub(crate) async fn run_while<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = &mut self.0 => {}
        }
        work.await
    }

    /// Waits for the response and discards it, because of the fault that `abort` names.
    pub(crate) async fn finish(mut self, abort: SenderAbort) -> Exchange {
        (&mut self.0).await;
        let Some(exchange) = Pin::new(&mut self.0).take_output() else {
            unreachable!("the exchange is done, and only this takes it");
        };
        Exchange {
            discarded: Some(exchange.result),
            result: Err(abort.into()),
            ..exchange
        }
    }
}
