//! Opens connections: turns a target into a stream that can carry HTTP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;

use super::allowed_hosts::permitted;
use super::failure::Failure;
use super::io_meter::{Socket, SocketPeek};
use super::target::Target;
use super::tls::Tls;
use crate::policy::HttpVersion;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) struct OpenedStream {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) peek: SocketPeek,
    pub(crate) remote: SocketAddr,
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
    tls: &Tls,
    version: HttpVersion,
) -> Result<OpenedStream, Failure> {
    let (stream, remote) = open_tcp(target).await?;
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
    let config = config.map_err(Failure::tls)?;
    let stream = TlsConnector::from(config)
        .connect(server_name(target)?, socket)
        .await
        .map_err(|error| Failure::from_handshake_error(&error))?;
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

/// Whether the connection is unencrypted HTTP/1.1, so that a plain socket is enough.
pub(crate) fn is_plain_http1(target: &Target, version: HttpVersion) -> bool {
    !target.is_https() && version != HttpVersion::Http2
}

/// Connects to the first address of the host that accepts a connection.
pub(crate) async fn open_tcp(target: &Target) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut last = None;
    for address in addresses(target).await? {
        // A request is sent in few writes, and none should wait for an acknowledgement.
        let connected = TcpStream::connect(address).await;
        match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok((stream, address)),
            Err(error) => last = Some(Failure::from_connect_error(address, &error)),
        }
    }
    Err(last.unwrap_or_else(|| not_resolved(target, "it has no address")))
}

/// The host's addresses that the sender may connect to.
async fn addresses(target: &Target) -> Result<Vec<SocketAddr>, Failure> {
    let port = target.port();
    let found = match &target.host {
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
            .map_err(|error| not_resolved(target, &error.to_string()))?
            .collect(),
    };
    permitted(found, target.explicitly_allowed).map_err(|refused| match refused {
        Some(address) => Failure::NotLoopback {
            host: target.host.to_string(),
            address,
        },
        None => not_resolved(target, "it has no address"),
    })
}

fn is_below_localhost(name: &str) -> bool {
    name.trim_end_matches('.').ends_with(".localhost")
}

fn not_resolved(target: &Target, reason: &str) -> Failure {
    Failure::NameNotResolved {
        host: target.host.to_string(),
        reason: reason.to_owned(),
    }
}

fn server_name(target: &Target) -> Result<ServerName<'static>, Failure> {
    match &target.host {
        Host::Ipv4(address) => Ok(ServerName::from(IpAddr::from(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(IpAddr::from(*address))),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_owned();
            ServerName::try_from(name).map_err(Failure::tls)
        }
    }
}
