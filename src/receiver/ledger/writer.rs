//! The single thread that owns the ledger, and the handle that sends requests to it.
//!
//! Group commit: the thread takes all waiting requests, up to a limit, commits them in one
//! transaction, and only then replies. Deliveries that arrive together share the cost of a commit;
//! a delivery that arrives alone does not wait.

use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use super::queries::LedgerQueries;
use super::{BodyDigest, FirstDelivery, Inventory, LedgerEntry, LedgerError, RecordOutcome, Store};

const BATCH_LIMIT: usize = 512;
/// The maximum number of waiting requests. Further senders block until there is room.
const QUEUE_LIMIT: usize = 4096;

type ReplySender<T> = oneshot::Sender<Result<T, LedgerError>>;

enum LedgerRequest {
    Record(Box<LedgerEntry>, ReplySender<RecordOutcome>),
    Read(Box<dyn FnOnce(&LedgerQueries) + Send>),
    Close,
}

/// A handle of the ledger. The thread ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    requests: mpsc::Sender<LedgerRequest>,
}

impl Ledger {
    /// Opens the store and starts the thread, which ends once everything is written and the store is
    /// closed.
    pub(crate) fn open(store: &Store) -> Result<(Self, JoinHandle<()>), LedgerError> {
        let queries = LedgerQueries::open(store)?;
        let (requests, waiting) = mpsc::channel(QUEUE_LIMIT);
        let thread = thread::spawn(move || serve(queries, waiting));
        Ok((Self { requests }, thread))
    }

    /// Records an entry. Returns after the commit.
    pub(crate) async fn record(&self, entry: LedgerEntry) -> Result<RecordOutcome, LedgerError> {
        self.ask(|reply| LedgerRequest::Record(Box::new(entry), reply))
            .await
    }

    pub(crate) async fn recall(
        &self,
        idempotency_key: String,
        body: BodyDigest,
    ) -> Result<Option<FirstDelivery>, LedgerError> {
        self.read(move |queries| queries.recall(&idempotency_key, &body))
            .await
    }

    /// What a player holds, including every recorded delivery: of this SKU, even if it is nothing,
    /// or of every SKU.
    pub(crate) async fn inventory(
        &self,
        player_id: String,
        sku: Option<String>,
    ) -> Result<Inventory, LedgerError> {
        self.read(move |queries| queries.inventory(&player_id, sku.as_deref()))
            .await
    }

    /// Stops accepting requests. Waiting requests are still processed.
    pub(crate) async fn close(&self) {
        // Sending fails only if the thread has already ended.
        let _ = self.requests.send(LedgerRequest::Close).await;
    }

    /// Runs a query after every waiting delivery is recorded. It is not an error if nobody waits for
    /// the reply any more.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&LedgerQueries) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.ask(|reply| {
            LedgerRequest::Read(Box::new(move |queries| {
                let _ = reply.send(query(queries).map_err(LedgerError::from));
            }))
        })
        .await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(ReplySender<T>) -> LedgerRequest,
    ) -> Result<T, LedgerError> {
        let (sender, reply) = oneshot::channel();
        self.requests
            .send(request(sender))
            .await
            .map_err(|_| LedgerError::Closed)?;
        reply.await.map_err(|_| LedgerError::Closed)?
    }
}

/// Records the entries of each batch in one transaction, then replies. It is not an error if nobody
/// waits for a reply: the sender has hung up and will retry.
fn serve(mut queries: LedgerQueries, mut requests: mpsc::Receiver<LedgerRequest>) {
    let mut batch = Vec::with_capacity(BATCH_LIMIT);
    while requests.blocking_recv_many(&mut batch, BATCH_LIMIT) > 0 {
        let (mut entries, mut replies, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for request in batch.drain(..) {
            match request {
                LedgerRequest::Record(entry, reply) => {
                    entries.push(*entry);
                    replies.push(reply);
                }
                LedgerRequest::Read(read) => reads.push(read),
                LedgerRequest::Close => requests.close(),
            }
        }
        if !entries.is_empty() {
            let recorded = match queries.record_all(&entries) {
                Ok(recorded) => recorded.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(LedgerError::from(error)); entries.len()],
            };
            for (reply, recorded) in replies.into_iter().zip(recorded) {
                let _ = reply.send(recorded);
            }
        }
        for read in reads {
            read(&queries);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use crate::receiver::ledger::{LedgerAction, digest};
    use crate::receiver::response::ReceiverResponse;

    use super::*;

    fn entry(key: &str) -> LedgerEntry {
        LedgerEntry {
            idempotency_key: key.to_owned(),
            event_id: "whevt_1".to_owned(),
            player_id: "p".to_owned(),
            decision: "granted".to_owned(),
            body: digest(b""),
            response: ReceiverResponse::ok(),
            grants: [("gem".to_owned(), 1)].into(),
            action: LedgerAction::Grant,
            redemption: None,
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    fn gems(ledger: &Ledger) -> u128 {
        let held = ledger.inventory("p".to_owned(), Some("gem".to_owned()));
        block_on(held).expect("read")["gem"]
    }

    #[test]
    fn simultaneous_deliveries_of_one_key_grant_once() {
        const THREADS: usize = 32;
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::File(folder.path().join("ledger.sqlite"));
        let (ledger, _thread) = Ledger::open(&store).expect("opens");
        // Another connection to the same file, as in a second process.
        let (other, _thread) = Ledger::open(&store).expect("opens");
        for round in 0..20_u32 {
            let barrier = Barrier::new(THREADS);
            let first = thread::scope(|scope| {
                let deliveries: Vec<_> = (0..THREADS)
                    .map(|number| {
                        let ledger = if number % 2 == 0 { &ledger } else { &other };
                        let barrier = &barrier;
                        scope.spawn(move || {
                            barrier.wait();
                            block_on(ledger.record(entry(&round.to_string()))).expect("recorded")
                        })
                    })
                    .collect();
                deliveries
                    .into_iter()
                    .map(|delivery| delivery.join().expect("no panic"))
                    .filter(|recorded| *recorded == RecordOutcome::First)
                    .count()
            });
            assert_eq!(first, 1);
            assert_eq!(gems(&ledger), u128::from(round) + 1);
        }
    }

    #[test]
    fn keys_survive_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::File(folder.path().join("ledger.sqlite"));
        for restart in 0..3 {
            let (ledger, thread) = Ledger::open(&store).expect("opens");
            let recorded = block_on(ledger.record(entry("k"))).expect("recorded");
            assert_eq!(recorded == RecordOutcome::First, restart == 0);
            assert_eq!(gems(&ledger), 1);
            drop(ledger);
            thread.join().expect("ends well");
        }
    }

    #[test]
    fn closing_processes_waiting_requests_and_refuses_later_ones() {
        let (ledger, thread) = Ledger::open(&Store::Memory).expect("opens");
        let waiting: Vec<_> = (0..100)
            .map(|number| {
                let (sender, reply) = oneshot::channel();
                let request = LedgerRequest::Record(Box::new(entry(&number.to_string())), sender);
                assert!(ledger.requests.try_send(request).is_ok());
                reply
            })
            .collect();
        block_on(ledger.close());
        for reply in waiting {
            let recorded = reply.blocking_recv().expect("replied").expect("recorded");
            assert_eq!(recorded, RecordOutcome::First);
        }
        thread.join().expect("ends well");
        let refused = block_on(ledger.record(entry("late")));
        assert!(matches!(refused, Err(LedgerError::Closed)));
    }
}
