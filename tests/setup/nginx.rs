//! nginx in front of the receiver. Skipped without nginx.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::mistake::{GameServer, SetUp};

/// A running nginx, stopped when dropped.
struct Nginx {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it with these lines in its server. `PORT` is its port.
    fn start(http: &str, server: &str) -> Option<Self> {
        let Ok(found) = Command::new("nginx")
            .arg("-v")
            .stderr(Stdio::null())
            .status()
        else {
            println!("skipped: nginx is not installed (apt-get install nginx)");
            return None;
        };
        assert!(found.success());
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let folder = TempDir::new().expect("a folder");
        let at = folder.path().display();
        let config = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log;\n\
             events {{ }}\n\
             http {{ access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;\n\
             fastcgi_temp_path {at}/a; uwsgi_temp_path {at}/b; scgi_temp_path {at}/c;\n\
             {http}\n\
             server {{ listen 127.0.0.1:PORT TLS; root {at}; {server} }} }}\n"
        );
        let tls = if server.contains("ssl_certificate") {
            "ssl"
        } else {
            ""
        };
        let config = config
            .replace("PORT", &port.to_string())
            .replace("TLS", tls);
        let config = config.replace("FOLDER", &at.to_string());
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).expect("written");
        write_certificate(folder.path());
        std::fs::write(folder.path().join("users"), "staging:x\n").expect("written");
        let process = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Some(Self {
            process,
            port,
            _folder: folder,
        })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write_certificate(folder: &Path) {
    let issued =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let write =
        |name: &str, text: String| std::fs::write(folder.join(name), text).expect("written");
    write("certificate.pem", issued.cert.pem());
    write("key.pem", issued.signing_key.serialize_pem());
}

/// The receiver behind nginx, with these lines in `location /` and outside of the server.
#[track_caller]
fn behind(http: &str, location: &str, words: &str, key: &str) {
    let game = GameServer::new();
    let server = format!(
        "location / {{ {location} proxy_pass http://{}; }}",
        game.address()
    );
    if let Some(nginx) = Nginx::start(http, &server) {
        reached_over(&game, "http", &nginx, words, key);
    }
}

#[track_caller]
fn reached_over(game: &GameServer, scheme: &str, nginx: &Nginx, words: &str, key: &str) {
    let target = game.url().replace("http://", &format!("{scheme}://"));
    let target = target.replace(&game.address(), &format!("127.0.0.1:{}", nginx.port));
    let profile = game.profile().replace(&game.url(), &target);
    SetUp::new(&profile).is_named(3, words, key);
}

#[test]
fn basic_authentication() {
    let location = "auth_basic staging; auth_basic_user_file FOLDER/users;";
    behind("", location, "Basic credentials are required", "headers");
}

/// A token that is refused is not called missing.
#[test]
fn a_token_of_another_environment() {
    let game = GameServer::new();
    let server = format!(
        "location /debug {{ proxy_pass http://{0}; }}\n\
         location / {{ if ($http_authorization != \"Bearer right\") {{\n\
         add_header WWW-Authenticate 'Bearer realm=\"staging\"' always; return 401; }}\n\
         proxy_pass http://{0}; }}",
        game.address()
    );
    let Some(nginx) = Nginx::start("", &server) else {
        return;
    };
    let address = format!("127.0.0.1:{}", nginx.port);
    let profile = game.profile().replace(&game.address(), &address);
    let named = |headers: &str| SetUp::new(&format!("{profile}{headers}"));
    let missing = "access is protected: Bearer credentials are required";
    let sound = "headers: { Authorization: Bearer right }\n";
    named("").is_named(3, missing, "headers");
    named(sound).works(&["the set-up works"]);
    let refused = format!("{missing}, although the delivery had the profile's `headers`");
    named(&sound.replace("right", "other")).is_named(3, &refused, "headers");
}

#[test]
fn a_receiver_that_does_not_run() {
    let game = GameServer::new();
    if let Some(nginx) = Nginx::start("", "location / { proxy_pass http://127.0.0.1:1; }") {
        reached_over(&game, "http", &nginx, "a proxy answered 502", "target");
    }
}

#[test]
fn a_rate_limit() {
    let zone = "limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;";
    let words = "the request rate seems to be limited (503)";
    let game = GameServer::new();
    let server = format!(
        "location /webhooks {{ limit_req zone=one; proxy_pass http://{}; }}",
        game.address()
    );
    if let Some(nginx) = Nginx::start(zone, &server) {
        // The first request is within the limit.
        let _ = TcpStream::connect(("127.0.0.1", nginx.port)).map(|mut stream| {
            use std::io::{Read as _, Write as _};
            let request = "POST /webhooks HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let mut response = Vec::new();
            stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut response))
        });
        reached_over(&game, "http", &nginx, words, "max_rate");
    }
}

#[test]
fn a_body_limit() {
    behind(
        "",
        "client_max_body_size 100;",
        "the body is larger than accepted (413)",
        "target",
    );
}

#[test]
fn an_address_that_is_denied() {
    behind(
        "",
        "deny all;",
        "the HTML page “403 Forbidden” answered 403",
        "target",
    );
}

#[test]
fn the_welcome_page() {
    let game = GameServer::new();
    if let Some(nginx) = Nginx::start("", "location / { index index.html; }") {
        reached_over(
            &game,
            "http",
            &nginx,
            "no handler at this path (404)",
            "target",
        );
    }
}

#[test]
fn plain_http_to_a_tls_port() {
    let game = GameServer::new();
    let server = format!(
        "ssl_certificate FOLDER/certificate.pem; ssl_certificate_key FOLDER/key.pem;\n\
         location / {{ proxy_pass http://{}; }}",
        game.address()
    );
    if let Some(nginx) = Nginx::start("", &server) {
        reached_over(&game, "http", &nginx, "this port speaks HTTPS", "target");
    }
}

#[test]
fn a_redirect_to_https() {
    let game = GameServer::new();
    if let Some(nginx) = Nginx::start("", "return 301 https://$host$request_uri;") {
        reached_over(
            &game,
            "http",
            &nginx,
            "redirect to https://127.0.0.1/webhooks/aghanim",
            "target",
        );
    }
}
