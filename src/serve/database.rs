//! The three threads that own the connections to the data file, and the handle that sends jobs to them.
//!
//! Group commit: the writing thread takes all waiting jobs, up to a limit, and commits them in one
//! transaction; only then does it reply. So thousands of results a second share a few commits, and what
//! was acknowledged survives a killed process. The queue reads through a separate connection: a long
//! list in the dashboard does not delay it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::error::HubError;

const BATCH_LIMIT: usize = 512;
/// The maximum number of waiting jobs. Further senders wait until there is room.
const QUEUE_LIMIT: usize = 2048;

/// Replies after the commit, or with the error that prevented it.
type Reply = Box<dyn FnOnce(Result<(), &HubError>) + Send>;
type WriteJob = Box<dyn FnOnce(&Connection) -> Reply + Send>;
type ReadJob = Box<dyn FnOnce(&Connection) + Send>;

enum Request<Job> {
    Job(Job),
    /// Accept no more.
    Close,
}

/// A handle of the data file.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    writes: mpsc::Sender<Request<WriteJob>>,
    reads: mpsc::Sender<Request<ReadJob>>,
    queue_reads: mpsc::Sender<Request<ReadJob>>,
    /// Changes with every commit.
    commits: watch::Receiver<()>,
}

/// The threads, to wait for until everything is written.
#[derive(Debug)]
pub(crate) struct DatabaseThreads([JoinHandle<()>; 3]);

impl DatabaseThreads {
    pub(crate) fn join(self) {
        for thread in self.0 {
            // A panic of a job has been reported on standard error.
            let _ = thread.join();
        }
    }
}

impl Database {
    /// Starts the threads, with connections to the same file.
    pub(crate) fn start(connections: [Connection; 3]) -> (Self, DatabaseThreads) {
        let [to_write, to_read, to_read_queue] = connections;
        let (writes, jobs) = mpsc::channel(QUEUE_LIMIT);
        let (committed, commits) = watch::channel(());
        let writing = thread::spawn(move || write_all(to_write, jobs, &committed));
        let (reads, jobs) = mpsc::channel(QUEUE_LIMIT);
        let reading = thread::spawn(move || read_all(&to_read, jobs));
        let (queue_reads, jobs) = mpsc::channel(QUEUE_LIMIT);
        let reading_queue = thread::spawn(move || read_all(&to_read_queue, jobs));
        let threads = DatabaseThreads([writing, reading, reading_queue]);
        let database = Self {
            writes,
            reads,
            queue_reads,
            commits,
        };
        (database, threads)
    }

    /// Changes after every commit, for those who show the data as it changes.
    pub(crate) fn commits(&self) -> watch::Receiver<()> {
        self.commits.clone()
    }

    /// Accepts no more jobs. The threads end once the waiting ones are done.
    pub(crate) async fn close(&self) {
        // Sending fails only if the thread has already ended.
        let _ = self.writes.send(Request::Close).await;
        let _ = self.reads.send(Request::Close).await;
        let _ = self.queue_reads.send(Request::Close).await;
    }

    /// Runs a job in a transaction, and returns after the commit. If the job fails, nothing of it is
    /// written.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, HubError> + Send + 'static,
    ) -> Result<T, HubError> {
        let (sender, reply) = oneshot::channel();
        let job = move |connection: &Connection| -> Reply {
            let result = in_savepoint(connection, job);
            Box::new(move |committed| {
                // It is not an error if nobody waits for the reply any more.
                let _ = sender.send(match committed {
                    Ok(()) => result,
                    Err(error) => Err(error.clone()),
                });
            })
        };
        let sent = self.writes.send(Request::Job(Box::new(job))).await;
        sent.map_err(|_| HubError::Closed)?;
        reply.await.map_err(|_| HubError::Closed)?
    }

    /// Runs a query that sees everything that was committed before.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, HubError> + Send + 'static,
    ) -> Result<T, HubError> {
        ask(&self.reads, query).await
    }

    /// The same for the queue, which never waits for other queries.
    pub(crate) async fn read_queue<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, HubError> + Send + 'static,
    ) -> Result<T, HubError> {
        ask(&self.queue_reads, query).await
    }
}

async fn ask<T: Send + 'static>(
    reads: &mpsc::Sender<Request<ReadJob>>,
    query: impl FnOnce(&Connection) -> Result<T, HubError> + Send + 'static,
) -> Result<T, HubError> {
    let (sender, reply) = oneshot::channel();
    let job = move |connection: &Connection| {
        let _ = sender.send(query(connection));
    };
    let sent = reads.send(Request::Job(Box::new(job))).await;
    sent.map_err(|_| HubError::Closed)?;
    reply.await.map_err(|_| HubError::Closed)?
}

fn in_savepoint<T>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, HubError>,
) -> Result<T, HubError> {
    let run =
        |sql| -> rusqlite::Result<()> { connection.prepare_cached(sql)?.execute([]).map(drop) };
    run("SAVEPOINT job")?;
    let result = job(connection);
    if result.is_err() {
        run("ROLLBACK TO job")?;
    }
    run("RELEASE job")?;
    result
}

fn write_all(
    mut connection: Connection,
    mut requests: mpsc::Receiver<Request<WriteJob>>,
    commits: &watch::Sender<()>,
) {
    let mut batch = Vec::with_capacity(BATCH_LIMIT);
    while requests.blocking_recv_many(&mut batch, BATCH_LIMIT) > 0 {
        let mut jobs = Vec::with_capacity(batch.len());
        for request in batch.drain(..) {
            match request {
                Request::Job(job) => jobs.push(job),
                Request::Close => requests.close(),
            }
        }
        let mut replies = Vec::with_capacity(jobs.len());
        let committed = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                replies.extend(jobs.into_iter().map(|job| job(&transaction)));
                transaction.commit()
            })
            .map_err(|error| HubError::Database(Arc::new(error)));
        // Without a transaction, the jobs were dropped, and those who wait for them learn that.
        for reply in replies {
            reply(committed.as_ref().copied());
        }
        commits.send_replace(());
    }
}

fn read_all(connection: &Connection, mut requests: mpsc::Receiver<Request<ReadJob>>) {
    while let Some(request) = requests.blocking_recv() {
        match request {
            Request::Job(job) => job(connection),
            Request::Close => requests.close(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::*;

    fn start(path: &std::path::Path) -> (Database, DatabaseThreads) {
        let open = || Connection::open(path).expect("opens");
        let writer = open();
        writer
            .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
            .expect("WAL");
        writer
            .execute_batch("CREATE TABLE t (a INTEGER UNIQUE)")
            .expect("created");
        Database::start([writer, open(), open()])
    }

    fn insert(connection: &Connection, number: i64) -> Result<(), HubError> {
        connection.execute("INSERT INTO t VALUES (?1)", params![number])?;
        Ok(())
    }

    #[tokio::test]
    async fn a_failed_job_writes_nothing_and_others_of_its_batch_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let (database, threads) = start(&folder.path().join("t.sqlite"));
        let jobs = (0..100).map(|number| {
            database.write(move |connection| {
                insert(connection, number)?;
                if number % 2 == 1 {
                    insert(connection, number)
                } else {
                    Ok(())
                }
            })
        });
        let results = futures_util::future::join_all(jobs).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 50);
        let sum = database.read(|connection| {
            let sum =
                connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
            Ok(sum?)
        });
        assert_eq!(sum.await.expect("read"), 50);
        database.close().await;
        tokio::task::spawn_blocking(|| threads.join())
            .await
            .expect("ends");
        let late = database.write(|connection| insert(connection, 7)).await;
        assert!(matches!(late, Err(HubError::Closed)));
    }
}
