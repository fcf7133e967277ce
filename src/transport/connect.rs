//! Opens connections: turns a target into a stream that can carry HTTP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;

use super::allowed_hosts::permitted;
use super::failure::{Failure, tls_failure};
use super::io_meter::{Socket, SocketPeek};
use super::route::Route;
use super::target::Target;
use super::tls::Tls;
use crate::policy::HttpVersion;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) struct OpenedStream {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) peek: SocketPeek,
    /// `None` for a Unix socket.
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) http2: bool,
}

fn alpn_protocols(version: HttpVersion) -> &'static [&'static [u8]] {
    match version {
        HttpVersion::Http1 => &[b"http/1.1"],
        HttpVersion::Http2 => &[b"h2"],
        HttpVersion::Auto => &[b"h2", b"http/1.1"],
    }
}

pub(crate) async fn open(
    target: &Target,
    route: Option<&Route>,
    tls: &Tls,
    version: HttpVersion,
) -> Result<OpenedStream, Failure> {
    let (stream, remote) = open_socket(target, route).await?;
    let socket = Socket::new(stream);
    let peek = socket.peek();
    if !target.is_https() {
        return Ok(OpenedStream {
            stream: Box::new(socket),
            peek,
            remote,
            http2: version == HttpVersion::Http2,
        });
    }
    let config = tls.config(alpn_protocols(version)).await;
    let config = config.map_err(|error| tls_failure(&error))?;
    let stream = TlsConnector::from(config)
        .connect(server_name(target)?, socket)
        .await
        .map_err(|error| {
            let failure = Failure::from_handshake_error(&error);
            tls.explained(failure.with_first_byte(peek.first_byte()))
        })?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    if version == HttpVersion::Http2 && !http2 {
        return Err(Failure::VersionNotOffered);
    }
    Ok(OpenedStream {
        stream: Box::new(stream),
        peek,
        remote,
        http2,
    })
}

/// Whether the port answers a TLS handshake, whatever its result. Some servers close a plain connection
/// without a word, as one that crashes does.
pub(crate) async fn speaks_tls(target: &Target, route: Option<&Route>, tls: &Tls) -> bool {
    let Ok((stream, _)) = open_socket(target, route).await else {
        return false;
    };
    let (Ok(config), Ok(name)) = (tls.config(&[]).await, server_name(target)) else {
        return false;
    };
    let socket = Socket::new(stream);
    let peek = socket.peek();
    _ = TlsConnector::from(config).connect(name, socket).await;
    // The type of a TLS record: an alert or a part of the handshake.
    matches!(peek.first_byte(), Some(0x15 | 0x16))
}

/// Whether the connection is unencrypted HTTP/1.1, so that a plain socket is enough.
pub(crate) fn is_plain_http1(target: &Target, version: HttpVersion) -> bool {
    !target.is_https() && version != HttpVersion::Http2
}

/// Connects to the Unix socket of the route, or to the first address of the host that accepts a
/// connection.
pub(crate) async fn open_socket(
    target: &Target,
    route: Option<&Route>,
) -> Result<(TcpStream, Option<SocketAddr>), Failure> {
    let (host, port, explicitly_allowed) = match route {
        Some(Route::UnixSocket(path)) => return open_unix(path).await.map(|open| (open, None)),
        Some(Route::Address {
            host,
            port,
            explicitly_allowed,
        }) => (host, *port, *explicitly_allowed),
        None => (&target.host, target.port(), target.explicitly_allowed),
    };
    let mut last = None;
    for address in addresses(host, port, explicitly_allowed).await? {
        // A request is sent in few writes, and none should wait for an acknowledgement.
        let connected = TcpStream::connect(address).await;
        match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok((stream, Some(address))),
            Err(error) => last = Some(Failure::from_connect_error(&address, &error)),
        }
    }
    Err(last.unwrap_or_else(|| not_resolved(host, "it has no address")))
}

/// Connects to a Unix socket.
///
/// The socket is handed on as that of a TCP connection, whose functions read, write, peek and close
/// sockets of any kind.
#[cfg(unix)]
async fn open_unix(path: &Path) -> Result<TcpStream, Failure> {
    let connect = async {
        let stream = tokio::net::UnixStream::connect(path).await?.into_std()?;
        let socket = std::os::fd::OwnedFd::from(stream);
        TcpStream::from_std(std::net::TcpStream::from(socket))
    };
    let shown = path.display();
    connect
        .await
        .map_err(|error: io::Error| match error.kind() {
            // A missing file and one that nobody listens on both mean that the receiver does not run.
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Failure::NoSocket {
                path: shown.to_string(),
            },
            _ => Failure::from_connect_error(&shown, &error),
        })
}

#[cfg(not(unix))]
#[expect(clippy::unused_async, reason = "it is async on Unix")]
async fn open_unix(path: &Path) -> Result<TcpStream, Failure> {
    Err(Failure::Unreachable {
        address: path.display().to_string(),
        reason: "aghook supports Unix sockets only on Unix".to_owned(),
    })
}

/// The host's addresses that the sender may connect to.
async fn addresses(
    host: &Host<String>,
    port: u16,
    explicitly_allowed: bool,
) -> Result<Vec<SocketAddr>, Failure> {
    let found = match host {
        Host::Ipv4(address) => vec![SocketAddr::from((*address, port))],
        Host::Ipv6(address) => vec![SocketAddr::from((*address, port))],
        // Names below `localhost` are loopback by definition (RFC 6761, 6.3), but some resolvers
        // do not know that.
        Host::Domain(name) if is_below_localhost(name) => {
            let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
            [v4, v6]
                .map(|address: IpAddr| SocketAddr::new(address, port))
                .to_vec()
        }
        Host::Domain(name) => tokio::net::lookup_host((name.as_str(), port))
            .await
            .map_err(|error| not_resolved(host, &error.to_string()))?
            .collect(),
    };
    permitted(found, explicitly_allowed).map_err(|refused| match refused {
        Some(address) => Failure::NotLoopback {
            host: host.to_string(),
            address,
        },
        None => not_resolved(host, "it has no address"),
    })
}

fn is_below_localhost(name: &str) -> bool {
    name.trim_end_matches('.').ends_with(".localhost")
}

fn not_resolved(host: &Host<String>, reason: &str) -> Failure {
    Failure::NameNotResolved {
        host: host.to_string(),
        reason: reason.to_owned(),
    }
}

fn server_name(target: &Target) -> Result<ServerName<'static>, Failure> {
    match &target.host {
        Host::Ipv4(address) => Ok(ServerName::from(IpAddr::from(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(IpAddr::from(*address))),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_owned();
            ServerName::try_from(name)
                .map_err(|_| Failure::tls("the host of the target can't be in a certificate"))
        }
    }
}
