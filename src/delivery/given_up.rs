//! An attempt that the sender has given up, while the receiver is still at work on it.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::client::Client;
use super::exchange::Exchange;
use super::request::OutgoingRequest;
use super::send_options::SendOptions;
use super::target::Target;
use super::wire_fault::BreakOff;

/// An exchange that goes on behind the sender's back: its answer is read, and heard by nobody.
pub(super) enum GivenUp<'a> {
    Going(BoxFuture<'a, Exchange>),
    Done(Box<Exchange>),
}

impl<'a> GivenUp<'a> {
    /// Sends, and gives up once the request has left and `after` has passed. The error is an
    /// exchange that failed before: there was nothing to give up.
    pub(super) async fn send(
        client: &'a Client,
        target: &'a Target,
        request: OutgoingRequest,
        mut options: SendOptions,
        after: Duration,
    ) -> Result<Self, Box<Exchange>> {
        let (sent, has_left) = oneshot::channel();
        options.sent = Some(sent);
        let exchange = async move { client.send(target, &request, options).await };
        let mut exchange: BoxFuture<'a, Exchange> = Box::pin(exchange);
        let done = tokio::select! {
            biased;
            Ok(()) = has_left => None,
            done = &mut exchange => Some(Box::new(done)),
        };
        let mut given_up = match done {
            None => Self::Going(exchange),
            Some(done) if done.result.is_err() => return Err(done),
            // The receiver was quicker than the news that the request has left.
            Some(done) => Self::Done(done),
        };
        // Even no time at all would be rounded up to the timer's next tick.
        if !after.is_zero() {
            given_up.meanwhile(tokio::time::sleep(after)).await;
        }
        Ok(given_up)
    }

    /// Does something else, and lets the exchange go on meanwhile.
    pub(super) async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Self::Going(exchange) = self {
            tokio::select! {
                biased;
                done = &mut work => return done,
                done = exchange => *self = Self::Done(Box::new(done)),
            }
        }
        work.await
    }

    /// Waits for the answer, which counts for nothing: the sender gave up `after` that time.
    pub(super) async fn end(self, after: Duration) -> Exchange {
        let exchange = match self {
            Self::Going(exchange) => exchange.await,
            Self::Done(exchange) => *exchange,
        };
        Exchange {
            unheard: Some(exchange.result),
            result: Err(BreakOff::GaveUp { after }.into()),
            ..exchange
        }
    }
}
