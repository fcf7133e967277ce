//! An attempt that the sender has abandoned while the receiver is still processing it.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::client::Client;
use super::exchange::Exchange;
use super::request::OutgoingRequest;
use super::send_options::SendOptions;
use super::target::Target;
use super::wire_fault::SenderAbort;

/// An exchange that continues after the sender has abandoned it. Its response is read and discarded.
pub(crate) enum AbandonedAttempt<'a> {
    Running(BoxFuture<'a, Exchange>),
    Done(Box<Exchange>),
}

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
        let mut exchange: BoxFuture<'a, Exchange> = Box::pin(exchange);
        let done = tokio::select! {
            biased;
            Ok(()) = was_sent => None,
            done = &mut exchange => Some(Box::new(done)),
        };
        let mut abandoned = match done {
            None => Self::Running(exchange),
            Some(done) if done.result.is_err() => return Err(done),
            // The response arrived before the notification that the request was sent.
            Some(done) => Self::Done(done),
        };
        // The timer rounds even zero up to its next tick.
        if !after.is_zero() {
            abandoned.run_while(tokio::time::sleep(after)).await;
        }
        Ok(abandoned)
    }

    /// Runs the exchange while `work` runs, and returns when `work` is done.
    pub(crate) async fn run_while<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Self::Running(exchange) = self {
            tokio::select! {
                biased;
                done = &mut work => return done,
                done = exchange => *self = Self::Done(Box::new(done)),
            }
        }
        work.await
    }

    /// Waits for the response and discards it, since the sender abandoned the attempt `after` that
    /// time.
    pub(crate) async fn finish(self, after: Duration) -> Exchange {
        let exchange = match self {
            Self::Running(exchange) => exchange.await,
            Self::Done(exchange) => *exchange,
        };
        Exchange {
            discarded: Some(exchange.result),
            result: Err(SenderAbort::Abandoned { after }.into()),
            ..exchange
        }
    }
}
