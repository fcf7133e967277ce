//! Reads a file that a user named, with a limit. A path can lead to a device, which never ends, or to
//! a pipe that nobody writes to.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Opens a file or a pipe for reading, such as `<(command)` or `/dev/stdin`. Fails for folders, sockets
/// and devices, and for a pipe that nobody opens for writing.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = open_any(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        return has_content(&file).then_some(file).ok_or_else(blocking);
    }
    if metadata.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    open_special(file, &metadata)
}

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let bytes = read_start(path, limit)?;
    if bytes.len() as u64 > limit {
        let limit = match limit / 1024 {
            kibibytes if kibibytes >= 1024 => format!("{} MiB", kibibytes / 1024),
            kibibytes => format!("{kibibytes} KiB"),
        };
        return Err(io::Error::other(format!("it is larger than {limit}")));
    }
    Ok(bytes)
}

/// Reads at most one byte more than `limit`, which says that the file is larger.
pub(crate) fn read_start(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => blocking(),
        _ => error,
    })?;
    Ok(bytes)
}

/// A file of the system, such as `/proc/kmsg`, can wait for more data as a device does.
fn blocking() -> io::Error {
    io::Error::other("it waits for data like a device")
}

/// Like [`read`], for text in UTF-8.
pub(crate) fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let bytes = read(path, limit)?;
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not valid UTF-8"))
}

#[cfg(not(unix))]
fn open_any(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(not(unix))]
fn has_content(_: &File) -> bool {
    true
}

#[cfg(not(unix))]
fn open_special(_: File, _: &std::fs::Metadata) -> io::Result<File> {
    Err(io::Error::other("it is a pipe or a device, not a file"))
}

/// Opens without waiting for a pipe's writer.
#[cfg(unix)]
fn open_any(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = flags.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

/// Whether reading a regular file would not wait, which holds for all but some files of the system.
#[cfg(unix)]
fn has_content(file: &File) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&now)) != Ok(0)
}

#[cfg(unix)]
fn open_special(file: File, metadata: &std::fs::Metadata) -> io::Result<File> {
    use std::io::IsTerminal as _;
    use std::os::unix::fs::FileTypeExt as _;
    let is_pipe = metadata.file_type().is_fifo();
    if !is_pipe && !file.is_terminal() {
        return Err(io::Error::other("it is a device, not a file"));
    }
    if is_pipe {
        wait_for_writer(&file)?;
    }
    // Reading waits for more, as long as there is a writer.
    rustix::fs::fcntl_setfl(&file, rustix::fs::OFlags::empty())?;
    Ok(file)
}

/// A program that was started together with this one may open the pipe a little later.
#[cfg(unix)]
fn wait_for_writer(pipe: &File) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    const SECONDS: i64 = 3;
    // A pipe is ready if there is something to read, or if its last writer has closed it. It is not if
    // a writer has not written yet; then waiting is right, as for standard input.
    let mut ready = [PollFd::new(pipe, PollFlags::IN)];
    let limit = rustix::event::Timespec {
        tv_sec: SECONDS,
        tv_nsec: 0,
    };
    if poll(&mut ready, Some(&limit))? > 0 {
        return Ok(());
    }
    // Without any writer, reading ends at once.
    match rustix::io::read(pipe, &mut [0_u8]) {
        Err(rustix::io::Errno::AGAIN) => Ok(()),
        _ => Err(io::Error::other("it is a pipe that no program writes to")),
    }
}
