//! A connection slot of a worker: its connections and request buffers, reused between attempts.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::coop::unconstrained;
use tokio::time::Sleep;

use crate::transport::{BulkConnection, BulkRequest};

/// Check a connection before use if it was idle for this long: the receiver may have closed it.
const CHECK_AFTER_IDLE: Duration = Duration::from_millis(1);

pub(super) struct ConnectionSlot {
    pub(super) index: usize,
    pub(super) primary: SlotConnection,
    /// A second connection, for simultaneous duplicates.
    pub(super) twin: SlotConnection,
    pub(super) request: BulkRequest,
    pub(super) twin_request: BulkRequest,
    /// When it last became free.
    pub(super) free_since: Instant,
}

/// A connection and a timer, reused by the next attempt.
pub(super) struct SlotConnection {
    pub(super) connection: IdleConnection,
    pub(super) deadline: Deadline,
}

pub(super) struct IdleConnection {
    connection: Option<BulkConnection>,
    since: Instant,
}

/// The timeout of attempts.
///
/// All attempts of a connection share one timer. It is reset when it fires, not for every attempt,
/// because nearly all attempts end long before.
pub(super) struct Deadline(Pin<Box<Sleep>>);

impl ConnectionSlot {
    pub(super) fn new(index: usize, connection: Option<BulkConnection>) -> Self {
        Self {
            index,
            primary: SlotConnection::new(connection),
            twin: SlotConnection::new(None),
            request: BulkRequest::default(),
            twin_request: BulkRequest::default(),
            free_since: Instant::now(),
        }
    }
}

impl SlotConnection {
    fn new(connection: Option<BulkConnection>) -> Self {
        let now = Instant::now();
        Self {
            connection: IdleConnection {
                connection,
                since: now,
            },
            deadline: Deadline(Box::pin(tokio::time::sleep_until(now.into()))),
        }
    }
}

impl IdleConnection {
    pub(super) fn take(&mut self, now: Instant) -> Option<BulkConnection> {
        let mut connection = self.connection.take()?;
        let idle = now.saturating_duration_since(self.since);
        let is_usable = if idle < CHECK_AFTER_IDLE {
            !connection.is_closed()
        } else {
            connection.is_open()
        };
        is_usable.then_some(connection)
    }

    pub(super) fn put_back(&mut self, connection: BulkConnection, since: Instant) {
        self.connection = Some(connection);
        self.since = since;
    }
}

impl Deadline {
    /// Runs the work until a time limit; `None` if it was cancelled.
    pub(super) async fn limit<F: Future>(&mut self, until: Instant, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        let until = tokio::time::Instant::from_std(until);
        let timer = &mut self.0;
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        poll_fn(|context| {
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            // A receiver that always sends more uses up the task's budget, without which a timer is
            // never due. It also keeps the runtime busy, whose timers are then late.
            if Instant::now() >= until.into_std() {
                return Poll::Ready(None);
            }
            while pin!(unconstrained(timer.as_mut())).poll(context).is_ready() {
                timer.as_mut().reset(until);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn attempts_with_a_shared_timer_have_separate_timeouts() {
        let mut deadline = SlotConnection::new(None).deadline;
        for _ in 0..3 {
            let started = Instant::now();
            let until = started + Duration::from_millis(5);
            let ended = deadline.limit(until, std::future::pending::<()>()).await;
            assert_eq!(ended, None);
            assert!(started.elapsed() >= Duration::from_millis(5));
            // The timer has fired for the earlier timeout.
            let until = Instant::now() + Duration::from_hours(1);
            let work = tokio::time::sleep(Duration::from_millis(5));
            assert_eq!(deadline.limit(until, work).await, Some(()));
        }
    }

    #[tokio::test]
    async fn work_that_is_always_ready_has_a_timeout() {
        let mut deadline = SlotConnection::new(None).deadline;
        let busy = async {
            loop {
                tokio::task::coop::consume_budget().await;
            }
        };
        let until = Instant::now() + Duration::from_millis(5);
        assert_eq!(deadline.limit(until, busy).await, None);
    }

    #[tokio::test]
    async fn finished_work_returns_even_after_its_timeout() {
        let mut deadline = SlotConnection::new(None).deadline;
        let ended = deadline.limit(Instant::now(), async { 7 }).await;
        assert_eq!(ended, Some(7));
    }
}
