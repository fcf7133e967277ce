//! What flaws remember of a connection: its first player, and how its header names are spelled.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};

use http::{Request, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::protocol::{Event, SIGNATURE_HEADER, TIMESTAMP_HEADER};

use super::{Flaw, Flaws, lock};

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionMemory(Arc<Memory>);

#[derive(Debug, Default)]
struct Memory {
    first_player: OnceLock<String>,
    /// The bytes that were read since the last request began.
    read: Mutex<Vec<u8>>,
}

impl Flaws {
    /// Remembers what is read from a stream if a flaw needs the bytes.
    pub(crate) fn remember_reads(
        &self,
        stream: TcpStream,
        memory: &ConnectionMemory,
    ) -> RememberedStream {
        let remembers = self.has(Flaw::HeaderNamesCaseSensitive);
        RememberedStream {
            stream,
            memory: remembers.then(|| memory.clone()),
        }
    }

    /// Removes the headers that a receiver does not find if it compares names exactly. HTTP/2 spells
    /// all names in lower case, which its libraries know.
    pub(crate) fn find_headers<B>(&self, memory: &ConnectionMemory, request: &mut Request<B>) {
        if !self.has(Flaw::HeaderNamesCaseSensitive) || request.version() == Version::HTTP_2 {
            return;
        }
        let read = std::mem::take(&mut *lock(&memory.0.read));
        for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER] {
            let line = format!("\n{name}:");
            if !read
                .windows(line.len())
                .any(|bytes| bytes == line.as_bytes())
            {
                request.headers_mut().remove(name);
            }
        }
    }

    /// Replaces the player with that of the connection's first delivery.
    pub(crate) fn keep_player(&self, memory: &ConnectionMemory, event: &mut Event) {
        if self.has(Flaw::ConnectionKeepsPlayer) {
            let player = &mut event.event_data.player_id;
            let first = memory.0.first_player.get_or_init(|| player.to_string());
            *player = first.clone().into();
        }
    }
}

/// A stream whose bytes are remembered as they are read.
pub(crate) struct RememberedStream {
    stream: TcpStream,
    memory: Option<ConnectionMemory>,
}

impl AsyncRead for RememberedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(memory) = &self.memory {
            lock(&memory.0.read).extend_from_slice(&buffer.filled()[before..]);
        }
        read
    }
}

impl AsyncWrite for RememberedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
