//! A receiver on loopback whose responses a test controls, byte by byte if needed.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

/// A stream that carries requests, encrypted or not.
pub(crate) trait ByteStream: Read + Write {}

impl<T: Read + Write> ByteStream for T {}

/// A listener that serves each connection on its own thread until the test ends.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct PeerRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl PeerRequest {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }
}

/// A response to send.
#[derive(Debug, Clone)]
pub(crate) struct PeerResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl PeerResponse {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(value.to_string())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let headers = self.headers.iter();
        let headers: Vec<String> = headers
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        // 204 and 304 have neither a body nor a length.
        let length = match self.status {
            204 | 304 => String::new(),
            _ => format!("Content-Length: {}\r\n", self.body.len()),
        };
        let head = format!(
            "HTTP/1.1 {} Text\r\n{}{length}\r\n",
            self.status,
            headers.concat()
        );
        [head.as_bytes(), &self.body].concat()
    }
}

impl Peer {
    /// Passes each connection to `serve`, with its number counted from 1.
    pub(crate) fn raw(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                // Parts of a response are sent without waiting for acknowledgements.
                let _ = stream.set_nodelay(true);
                let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream, number));
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// Responds to each request with the result of `respond`.
    pub(crate) fn answering(
        respond: impl Fn(&PeerRequest) -> PeerResponse + Send + Sync + 'static,
    ) -> Self {
        Self::raw(move |stream, _| serve_requests(stream, &respond))
    }

    /// Reads one request on each connection, sends these bytes and closes the connection.
    pub(crate) fn answering_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::raw(move |mut stream, _| {
            if read_request(&mut BufReader::new(&mut stream)).is_some() {
                let _ = stream.write_all(&bytes);
            }
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Responds to requests until the sender closes the connection.
pub(crate) fn serve_requests(
    connection: impl ByteStream,
    respond: impl Fn(&PeerRequest) -> PeerResponse,
) {
    let mut connection = BufReader::new(connection);
    while let Some(request) = read_request(&mut connection) {
        if connection
            .get_mut()
            .write_all(&respond(&request).to_bytes())
            .is_err()
        {
            return;
        }
    }
}

/// The next request, if it is complete.
pub(crate) fn read_request(connection: &mut BufReader<impl ByteStream>) -> Option<PeerRequest> {
    let first = line(connection)?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = line(connection)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ")?;
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = PeerRequest {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    let length = request.header("content-length").unwrap_or("0").parse();
    request.body = vec![0; length.ok()?];
    connection.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn line(connection: &mut BufReader<impl ByteStream>) -> Option<String> {
    let mut line = String::new();
    let length = connection.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}
