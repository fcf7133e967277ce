//! The bytes between HTTP and the socket: a socket that can be looked at while it is in use, and
//! a count of what has really been written.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection which can also be looked at from outside, through [`Peek`].
#[derive(Debug)]
pub(super) struct Socket(Arc<TcpStream>);

/// Looks at a socket that someone else reads from. Does not keep it open.
#[derive(Debug, Clone)]
pub(super) struct Peek(Weak<TcpStream>);

/// What lies unread in an idle socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// Nothing, and the connection stands.
    Nothing,
    /// Bytes, though nothing was asked.
    Bytes,
    /// The end of the connection.
    End,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(Arc::new(stream))
    }

    pub(super) fn peek(&self) -> Peek {
        Peek(Arc::downgrade(&self.0))
    }
}

impl Peek {
    /// Lets the connection end in a reset, once nobody holds it any more: what was not yet sent is
    /// dropped, and the peer is told that the connection broke.
    pub(super) fn reset_at_end(&self) {
        if let Some(stream) = self.0.upgrade() {
            // A connection that has ended already can't be reset, and need not be.
            let _ = SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Asks the system itself: the runtime may not yet have heard of a connection's end.
    pub(super) fn unread(&self) -> Unread {
        self.0
            .upgrade()
            .map_or(Unread::End, |stream| unread(&stream))
    }
}

/// What lies unread in a socket, asked of the system itself.
pub(super) fn unread(stream: &TcpStream) -> Unread {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    match SockRef::from(stream).peek(&mut byte) {
        Ok(0) => Unread::End,
        Ok(_) => Unread::Bytes,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Unread::Nothing,
        Err(_) => Unread::End,
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match self.0.try_write_vectored(parts) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.0).shutdown(Shutdown::Write))
    }
}

/// What has been written to a connection, for a body that must know when its bytes have left.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Count>);

#[derive(Debug, Default)]
struct Count {
    written: u64,
    /// How much was written when the last flush ended.
    flushed: u64,
    flushes: u64,
    waiting: Option<Waker>,
}

/// A point that the writing of a connection gets to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    /// A flush ends after so many others.
    Flushes(u64),
    /// So many bytes have been flushed.
    Bytes(u64),
}

impl Meter {
    /// The end of the next flush.
    pub(super) fn next_flush(&self) -> Mark {
        Mark::Flushes(self.count().flushes + 1)
    }

    /// The flush of so many bytes from now.
    pub(super) fn bytes_from_now(&self, bytes: u64) -> Mark {
        Mark::Bytes(self.count().written.saturating_add(bytes))
    }

    /// Waits for the mark. One caller at a time is woken.
    pub(super) fn poll_reached(&self, mark: Mark, context: &mut Context<'_>) -> Poll<()> {
        let mut count = self.count();
        let reached = match mark {
            Mark::Flushes(flushes) => count.flushes >= flushes,
            Mark::Bytes(bytes) => count.flushed >= bytes,
        };
        if reached {
            return Poll::Ready(());
        }
        count.waiting = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn wrote(&self, bytes: usize) {
        let mut count = self.count();
        count.written = count.written.saturating_add(bytes as u64);
    }

    pub(super) fn flushed(&self) {
        let mut count = self.count();
        count.flushed = count.written;
        count.flushes += 1;
        if let Some(waker) = count.waiting.take() {
            drop(count);
            waker.wake();
        }
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose writes are counted.
#[derive(Debug)]
pub(super) struct Metered<S> {
    stream: S,
    meter: Arc<Meter>,
}

impl<S> Metered<S> {
    pub(super) fn new(stream: S, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.meter.wrote(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, parts))?;
        self.meter.wrote(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.meter.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    /// Asks until the system has passed on what the peer did.
    fn first_news(peek: &Peek) -> Unread {
        loop {
            match peek.unread() {
                Unread::Nothing => std::thread::yield_now(),
                news => return news,
            }
        }
    }

    #[tokio::test]
    async fn what_an_idle_peer_does_is_seen_without_the_runtime() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        for writes in [false, true] {
            let stream = TcpStream::connect(address).await.expect("a connection");
            let (mut other, _) = listener.accept().expect("a connection");
            let socket = Socket::new(stream);
            let peek = socket.peek();
            assert_eq!(peek.unread(), Unread::Nothing);
            if writes {
                other.write_all(b"x").expect("written");
                assert_eq!(first_news(&peek), Unread::Bytes);
            } else {
                drop(other);
                assert_eq!(first_news(&peek), Unread::End);
            }
            drop(socket);
            assert_eq!(peek.unread(), Unread::End, "a peek keeps no socket open");
        }
    }
}
