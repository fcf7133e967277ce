//! The one thread that owns the ledger, and the handle by which everyone else asks it.
//!
//! Group commit: the thread takes all that is waiting, up to a limit, and commits it as one
//! transaction; only then is anyone answered. So the cost of a commit is shared by the deliveries
//! that arrive together, and a delivery that arrives alone does not wait.

use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use crate::receiver::settings::Store;

use super::book::Book;
use super::error::LedgerError;
use super::{BodyDigest, Earlier, Entry, Holdings, Recorded};

/// The most requests that one transaction takes.
const BATCH_LIMIT: usize = 512;
/// The most requests that wait; whoever comes then waits to be let in.
const QUEUE_LIMIT: usize = 4096;

type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What the thread is asked for.
enum Request {
    Record(Box<Entry>, Reply<Recorded>),
    Read(Read),
    Close,
}

enum Read {
    Recall(String, BodyDigest, Reply<Option<Earlier>>),
    Holding(String, String, Reply<u128>),
    Holdings(String, Reply<Holdings>),
}

/// Asks the ledger. Its thread ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub(in crate::receiver) struct Ledger {
    requests: mpsc::Sender<Request>,
}

/// The ledger's thread, to wait for.
#[derive(Debug)]
pub(in crate::receiver) struct LedgerThread(JoinHandle<()>);

impl Ledger {
    /// Opens the store and starts the thread. Blocks for as long as opening takes.
    pub(in crate::receiver) fn open(store: &Store) -> Result<(Self, LedgerThread), LedgerError> {
        let book = Book::open(store)?;
        let (requests, waiting) = mpsc::channel(QUEUE_LIMIT);
        let thread = thread::spawn(move || serve(book, waiting));
        Ok((Self { requests }, LedgerThread(thread)))
    }

    /// Records an entry; answers once it is committed.
    pub(in crate::receiver) async fn record(&self, entry: Entry) -> Result<Recorded, LedgerError> {
        self.ask(|reply| Request::Record(Box::new(entry), reply))
            .await
    }

    /// The delivery that used up this key, if one did.
    pub(in crate::receiver) async fn recall(
        &self,
        idempotency_key: String,
        body: BodyDigest,
    ) -> Result<Option<Earlier>, LedgerError> {
        self.ask(|reply| Request::Read(Read::Recall(idempotency_key, body, reply)))
            .await
    }

    /// How much of one SKU a player holds, with all that was answered before.
    pub(in crate::receiver) async fn holding(
        &self,
        player_id: String,
        sku: String,
    ) -> Result<u128, LedgerError> {
        self.ask(|reply| Request::Read(Read::Holding(player_id, sku, reply)))
            .await
    }

    /// All that a player holds, with all that was answered before.
    pub(in crate::receiver) async fn holdings(
        &self,
        player_id: String,
    ) -> Result<Holdings, LedgerError> {
        self.ask(|reply| Request::Read(Read::Holdings(player_id, reply)))
            .await
    }

    /// Takes no more requests; those that wait are still done.
    pub(in crate::receiver) async fn close(&self) {
        // A thread that has ended is closed already.
        let _ = self.requests.send(Request::Close).await;
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(request(reply))
            .await
            .map_err(|_| LedgerError::Closed)?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }
}

impl LedgerThread {
    /// Waits, blocking, until all is written and the store is closed.
    pub(in crate::receiver) fn join(self) -> Result<(), LedgerError> {
        self.0.join().map_err(|_| LedgerError::Closed)
    }
}

fn serve(mut book: Book, mut requests: mpsc::Receiver<Request>) {
    let mut batch = Vec::with_capacity(BATCH_LIMIT);
    while requests.blocking_recv_many(&mut batch, BATCH_LIMIT) > 0 {
        let (mut entries, mut replies, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for request in batch.drain(..) {
            match request {
                Request::Record(entry, reply) => {
                    entries.push(entry);
                    replies.push(reply);
                }
                Request::Read(read) => reads.push(read),
                Request::Close => requests.close(),
            }
        }
        record(&mut book, &entries, replies);
        for read in reads {
            answer(&book, read);
        }
    }
}

/// One transaction, then the replies. A reply that no one waits for any more is not an error: its
/// sender hung up, and will ask again.
fn record(book: &mut Book, entries: &[Box<Entry>], replies: Vec<Reply<Recorded>>) {
    if entries.is_empty() {
        return;
    }
    match book.record_all(entries.iter().map(AsRef::as_ref)) {
        Ok(recorded) => {
            for (reply, recorded) in replies.into_iter().zip(recorded) {
                let _ = reply.send(Ok(recorded));
            }
        }
        Err(error) => {
            let error = LedgerError::from(error);
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

fn answer(book: &Book, read: Read) {
    match read {
        Read::Recall(key, body, reply) => {
            let _ = reply.send(book.recall(&key, &body).map_err(LedgerError::from));
        }
        Read::Holding(player_id, sku, reply) => {
            let _ = reply.send(book.holding(&player_id, &sku).map_err(LedgerError::from));
        }
        Read::Holdings(player_id, reply) => {
            let _ = reply.send(book.holdings(&player_id).map_err(LedgerError::from));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use crate::receiver::answer::Answer;
    use crate::receiver::grants::Grant;
    use crate::receiver::ledger::digest;

    use super::*;

    fn entry(key: &str) -> Entry {
        Entry {
            idempotency_key: key.to_owned(),
            event_id: "whevt_1".to_owned(),
            player_id: "p".to_owned(),
            decision: "granted".to_owned(),
            body: digest(b""),
            answer: Answer::ok(),
            grants: vec![Grant {
                sku: "gem".to_owned(),
                quantity: 1,
            }],
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    #[test]
    fn simultaneous_deliveries_of_one_key_grant_once() {
        const THREADS: usize = 32;
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::File(folder.path().join("ledger.sqlite"));
        let (ledger, _thread) = Ledger::open(&store).expect("opens");
        // A second process would look like this: another connection to the same file.
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
                    .filter(|recorded| *recorded == Recorded::First)
                    .count()
            });
            assert_eq!(first, 1);
            let held = block_on(ledger.holding("p".to_owned(), "gem".to_owned()));
            assert_eq!(held.expect("read"), u128::from(round) + 1);
        }
    }

    #[test]
    fn keys_are_kept_over_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::File(folder.path().join("ledger.sqlite"));
        for restart in 0..3 {
            let (ledger, thread) = Ledger::open(&store).expect("opens");
            let recorded = block_on(ledger.record(entry("k"))).expect("recorded");
            assert_eq!(recorded == Recorded::First, restart == 0);
            let held = block_on(ledger.holding("p".to_owned(), "gem".to_owned()));
            assert_eq!(held.expect("read"), 1);
            drop(ledger);
            thread.join().expect("ends well");
        }
    }

    #[test]
    fn closing_finishes_what_waits_and_refuses_the_rest() {
        let (ledger, thread) = Ledger::open(&Store::Memory).expect("opens");
        let waiting: Vec<_> = (0..100)
            .map(|number| {
                let (reply, answer) = oneshot::channel();
                let request = Request::Record(Box::new(entry(&number.to_string())), reply);
                assert!(ledger.requests.try_send(request).is_ok());
                answer
            })
            .collect();
        block_on(ledger.close());
        for answer in waiting {
            let recorded = answer.blocking_recv().expect("answered").expect("recorded");
            assert_eq!(recorded, Recorded::First);
        }
        thread.join().expect("ends well");
        let refused = block_on(ledger.record(entry("late")));
        assert!(matches!(refused, Err(LedgerError::Closed)));
    }
}
