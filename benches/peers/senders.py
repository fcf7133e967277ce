"""The commands of the compared senders."""

import dataclasses
import functools
import http.server
import os
import subprocess
import threading

SECRET = "whsec_not_a_real_secret"
PATH = "/webhooks/aghanim"
CONNECTIONS = 50
INSTALLED = "target/peers"
CERTIFICATE = f"{INSTALLED}/certificate.pem"
KEY = f"{INSTALLED}/key.pem"
FOREVER = "600"


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How the senders speak to the sink."""

    name: str
    encrypted: bool
    http2: bool

    def url(self, port):
        return f"{'https' if self.encrypted else 'http'}://127.0.0.1:{port}{PATH}"


HTTP1 = Protocol("HTTP/1.1", encrypted=False, http2=False)
HTTP1_TLS = Protocol("HTTP/1.1 over TLS", encrypted=True, http2=False)
HTTP2_TLS = Protocol("HTTP/2 over TLS", encrypted=True, http2=True)
HTTP2 = Protocol("HTTP/2 without TLS", encrypted=False, http2=True)


@dataclasses.dataclass(frozen=True)
class Sender:
    """A measured sender, and what it does for each event."""

    name: str
    does: str
    command: object
    signs: bool = True
    protocol: Protocol = HTTP1


def with_ffi(command):
    return lambda port: ["env", "PEERS_LUA_FFI=1", *command(port)]


def environment(port, connections=CONNECTIONS, seconds=FOREVER):
    return {
        "AGHOOK_SECRET": SECRET,
        "PEERS_AUTOCANNON": f"{INSTALLED}/autocannon",
        "PEERS_BODY": f"{INSTALLED}/body.json",
        "PEERS_CONNECTIONS": str(connections),
        "PEERS_PATH": PATH,
        "PEERS_SECONDS": seconds,
        "PEERS_URL": f"http://127.0.0.1:{port}",
    }


def aghook(port, *options, connections=CONNECTIONS, protocol=HTTP1):
    return [
        os.environ["AGHOOK"], "load", "--target", protocol.url(port), "--cacert", CERTIFICATE,
        "--http-version", "2" if protocol.http2 else "1.1",
        "--connections", str(connections), "--check-effects", "none",
        "--failures", f"{INSTALLED}/failures.jsonl", *options,
    ]


def aghook_at_most(port, connections=CONNECTIONS, protocol=HTTP1):
    duration = ["--duration", f"{FOREVER}s"]
    return aghook(port, "--rate", "max", *duration, connections=connections, protocol=protocol)


def oha(port, protocol=HTTP1):
    # One request in flight on each connection, as aghook has it.
    version = ["--http-version", "2", "-p", "1"] if protocol.http2 else ["--http-version", "1.1"]
    return [
        f"{INSTALLED}/oha/bin/oha", "--no-tui", "-z", f"{FOREVER}s", "-c", str(CONNECTIONS),
        "-m", "POST", "-T", "application/json", "-D", f"{INSTALLED}/body.json",
        "--cacert", CERTIFICATE, *version, protocol.url(port),
    ]


def h2load(port, protocol):
    return [
        "h2load", "-D", FOREVER, "-t", "1", "-c", str(CONNECTIONS), "-m", "1",
        "-H", "content-type: application/json", "-d", f"{INSTALLED}/body.json", protocol.url(port),
    ]


def wrk(script):
    return lambda port: [
        "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", FOREVER, "-s", f"benches/peers/{script}",
        f"http://127.0.0.1:{port}{PATH}",
    ]


def autocannon(_port):
    return ["node", "benches/peers/signed.mjs"]


def locust(port):
    return [
        f"{INSTALLED}/locust/bin/locust", "--headless", "--only-summary", "-f",
        "benches/peers/signed.py", "-u", str(CONNECTIONS), "-r", str(CONNECTIONS),
        "-t", f"{FOREVER}s", "-H", f"http://127.0.0.1:{port}",
    ]


def over(protocol, sender):
    """The same sender over another protocol."""
    command = functools.partial(sender.command, protocol=protocol)
    return dataclasses.replace(sender, command=command, protocol=protocol)


AGHOOK = Sender("aghook", "builds a whole new event and signs it", aghook_at_most)
OHA = Sender("oha", "sends one body, unsigned", oha, signs=False)
H2LOAD = Sender("h2load", "sends one body, unsigned", h2load, signs=False)
PEERS = [
    OHA,
    Sender("wrk", "sends one prebuilt request, unsigned", wrk("constant.lua"), signs=False),
    Sender("wrk + Lua", "writes a new event ID, signed in plain Lua", wrk("signed.lua")),
    Sender("wrk + LuaJIT ffi", "does the same with C arrays", with_ffi(wrk("signed.lua"))),
    Sender("autocannon", "writes a new event ID, signed by node:crypto", autocannon),
    Sender("locust", "writes a new event ID, signed by Python's hmac", locust),
]
# The peers of each other protocol.
PROTOCOLS = {
    HTTP1_TLS: [OHA],
    HTTP2_TLS: [OHA, H2LOAD],
    HTTP2: [OHA, H2LOAD],
}


def write_body():
    """Writes the body for the peers: the one of 400 aghook events that is closest to their mean size."""
    bodies = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    command = aghook(port, "--rate", "max", "--count", "400", connections=1)
    subprocess.run(
        command, env=os.environ | environment(port), check=True, stdout=subprocess.DEVNULL
    )
    server.shutdown()
    mean = sum(map(len, bodies)) / len(bodies)
    with open(f"{INSTALLED}/body.json", "wb") as file:
        file.write(min(bodies, key=lambda body: abs(len(body) - mean)))
