//! The layer between HTTP and the socket: a socket that can be inspected while it is in use, and a
//! meter of the bytes that were written to it.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::frame_counter::FrameCounter;
use super::response_limit::ExchangeLimits;

#[derive(Debug)]
pub(crate) struct Socket {
    stream: Arc<Mutex<TcpStream>>,
    first_byte: Arc<OnceLock<u8>>,
}

/// Inspects a socket that someone else reads from. Does not keep it open.
#[derive(Debug, Clone)]
pub(crate) struct SocketPeek {
    stream: Weak<Mutex<TcpStream>>,
    first_byte: Arc<OnceLock<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    Nothing,
    Bytes,
    End,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream: Arc::new(Mutex::new(stream)),
            first_byte: Arc::default(),
        }
    }

    pub(crate) fn peek(&self) -> SocketPeek {
        SocketPeek {
            stream: Arc::downgrade(&self.stream),
            first_byte: Arc::clone(&self.first_byte),
        }
    }

    fn stream(&self) -> MutexGuard<'_, TcpStream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SocketPeek {
    /// The first byte that was read, which tells which protocol the other side speaks.
    pub(crate) fn first_byte(&self) -> Option<u8> {
        self.first_byte.get().copied()
    }

    /// Makes the connection end with a reset when it is dropped. Unsent bytes are discarded.
    pub(crate) fn reset_on_close(&self) {
        if let Some(stream) = self.stream.upgrade() {
            // This fails if the connection has already ended, which is fine.
            let stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
        }
    }

    pub(crate) fn unread(&self) -> Unread {
        self.stream.upgrade().map_or(Unread::End, |stream| {
            unread(&stream.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }
}

/// What is unread in a socket. Asks the operating system, since the runtime may not yet know about
/// the connection's end.
pub(crate) fn unread(stream: &TcpStream) -> Unread {
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
        let read = Pin::new(&mut *self.stream()).poll_read(context, buffer);
        if let Some(byte) = buffer.filled().first() {
            self.first_byte.get_or_init(|| *byte);
        }
        read
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
        Pin::new(&mut *self.stream()).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.stream()).shutdown(Shutdown::Write))
    }
}

/// Counts what was written to a connection, so that a body can wait until its bytes are flushed, and
/// what was received on it.
#[derive(Debug, Default)]
pub(crate) struct IoMeter {
    counts: watch::Sender<IoCounts>,
    pub(crate) limits: ExchangeLimits,
}

#[derive(Debug, Default)]
struct IoCounts {
    written: u64,
    /// How many bytes had been written when the last flush completed.
    flushed: u64,
    flushes: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum FlushPoint {
    Flushes(u64),
    Bytes(u64),
}

impl IoMeter {
    pub(crate) fn next_flush(&self) -> FlushPoint {
        FlushPoint::Flushes(self.counts.borrow().flushes + 1)
    }

    pub(crate) fn bytes_from_now(&self, bytes: u64) -> FlushPoint {
        FlushPoint::Bytes(self.counts.borrow().written.saturating_add(bytes))
    }

    pub(crate) async fn reached(&self, point: FlushPoint) {
        let is_reached = |counts: &IoCounts| match point {
            FlushPoint::Flushes(flushes) => counts.flushes >= flushes,
            FlushPoint::Bytes(bytes) => counts.flushed >= bytes,
        };
        // The sender exists as long as this meter.
        let _ = self.counts.subscribe().wait_for(is_reached).await;
    }

    pub(crate) fn wrote(&self, bytes: usize) {
        self.counts.send_if_modified(|counts| {
            counts.written = counts.written.saturating_add(bytes as u64);
            false
        });
    }

    pub(crate) fn flushed(&self) {
        self.counts.send_modify(|counts| {
            counts.flushed = counts.written;
            counts.flushes += 1;
        });
    }
}

#[derive(Debug)]
pub(crate) struct MeteredStream<S> {
    stream: S,
    meter: Arc<IoMeter>,
    /// Counts the frames of HTTP/2.
    frames: Option<FrameCounter>,
}

impl<S> MeteredStream<S> {
    pub(crate) fn new(stream: S, meter: Arc<IoMeter>, http2: bool) -> Self {
        Self {
            stream,
            meter,
            frames: http2.then(FrameCounter::default),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MeteredStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let Self { meter, frames, .. } = &mut *self;
        let read = &buffer.filled()[filled..];
        if !read.is_empty() {
            meter.limits.begin_response();
        }
        if let Some(frames) = frames {
            frames.read(read, &meter.limits);
        }
        Poll::Ready(match meter.limits.exceeded() {
            Some(too_long) => Err(io::Error::other(too_long)),
            None => Ok(()),
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MeteredStream<S> {
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
    use std::time::Instant;

    use super::*;

    /// Polls until the operating system reports what the peer did.
    fn first_event(peek: &SocketPeek) -> Unread {
        const LIMIT: Duration = Duration::from_secs(20);
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            match peek.unread() {
                Unread::Nothing => std::thread::yield_now(),
                event => return event,
            }
        }
        panic!("the socket reported nothing within {LIMIT:?}");
    }

    #[tokio::test]
    async fn a_peek_sees_bytes_and_the_end_without_the_runtime() {
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
                assert_eq!(first_event(&peek), Unread::Bytes);
            } else {
                drop(other);
                assert_eq!(first_event(&peek), Unread::End);
            }
            drop(socket);
            assert_eq!(
                peek.unread(),
                Unread::End,
                "a peek does not keep the socket open"
            );
        }
    }
}
