//! A place of a worker: its connections, what is kept of them between attempts, and the time that
//! an attempt has. What is sent over them is in `attempts`.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use crate::delivery::BulkConnection;

/// An idle connection is looked at before it is used if it lay idle for so long: a receiver may
/// have closed it.
const LOOKED_AT_AFTER: Duration = Duration::from_millis(1);

/// A connection's place, with the buffers of its requests.
pub(super) struct Line {
    pub(super) place: usize,
    pub(super) own: Kept,
    /// A second connection, for simultaneous duplicates.
    pub(super) twin: Kept,
    pub(super) request: Vec<u8>,
    pub(super) request_of_twin: Vec<u8>,
    /// Since when it could take something to do.
    pub(super) free_since: Instant,
}

/// What is kept for the next attempt.
pub(super) struct Kept {
    pub(super) connection: Idle,
    pub(super) deadline: Deadline,
}

/// A connection that carries nothing at present, if there is one.
pub(super) struct Idle {
    connection: Option<BulkConnection>,
    since: Instant,
}

/// Ends what takes too long.
///
/// One timer serves all attempts of a connection. It is set anew when it goes off, and not for
/// every attempt: nearly all of them end long before.
pub(super) struct Deadline(Pin<Box<Sleep>>);

impl Line {
    pub(super) fn new(place: usize, connection: Option<BulkConnection>) -> Self {
        Self {
            place,
            own: Kept::new(connection),
            twin: Kept::new(None),
            request: Vec::with_capacity(4096),
            request_of_twin: Vec::new(),
            free_since: Instant::now(),
        }
    }
}

impl Kept {
    fn new(connection: Option<BulkConnection>) -> Self {
        let now = Instant::now();
        Self {
            connection: Idle {
                connection,
                since: now,
            },
            deadline: Deadline(Box::pin(tokio::time::sleep_until(now.into()))),
        }
    }
}

impl Idle {
    /// The connection, if it can still be used.
    pub(super) fn take(&mut self, now: Instant) -> Option<BulkConnection> {
        let mut connection = self.connection.take()?;
        let idle = now.saturating_duration_since(self.since);
        let is_usable = if idle < LOOKED_AT_AFTER {
            !connection.is_closed()
        } else {
            connection.is_open()
        };
        is_usable.then_some(connection)
    }

    pub(super) fn keep(&mut self, connection: BulkConnection, since: Instant) {
        self.connection = Some(connection);
        self.since = since;
    }
}

impl Deadline {
    /// What comes of the work; none if it has not ended by then, and it is dropped.
    pub(super) async fn bound<F: Future>(&mut self, until: Instant, work: F) -> Option<F::Output> {
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
            while timer.as_mut().poll(context).is_ready() {
                if timer.deadline() >= until {
                    return Poll::Ready(None);
                }
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
    async fn each_attempt_has_a_time_of_its_own_though_they_share_a_timer() {
        let mut deadline = Kept::new(None).deadline;
        for _ in 0..3 {
            let begun = Instant::now();
            let until = begun + Duration::from_millis(5);
            let ended = deadline.bound(until, std::future::pending::<()>()).await;
            assert_eq!(ended, None);
            assert!(begun.elapsed() >= Duration::from_millis(5));
            // The timer is set for what was before, and has gone off.
            let until = Instant::now() + Duration::from_hours(1);
            let work = tokio::time::sleep(Duration::from_millis(5));
            assert_eq!(deadline.bound(until, work).await, Some(()));
        }
    }

    #[tokio::test]
    async fn what_ends_at_once_ends_though_its_time_is_over() {
        let mut deadline = Kept::new(None).deadline;
        let ended = deadline.bound(Instant::now(), async { 7 }).await;
        assert_eq!(ended, Some(7));
    }
}
