"""A webhook receiver based on Aghanim's public handler template, with only the standard library.

It shares no code with aghook, so that the two check each other. As in the template, the signature
is HMAC-SHA256 over `{timestamp}.{payload}`, compared in constant time; a bad or missing signature
is answered with 403, an unknown `event_type` with 400, success with 200 and {"status": "ok"}. As
in the template, nothing checks the timestamp's age, `sandbox` or `trigger`. The ledger is ours: it
grants each idempotency key once.

    WEBHOOK_SECRET=… python3 template_receiver.py --secret-env WEBHOOK_SECRET --port 8080

Python 3.9 or newer.
"""

import argparse
import hashlib
import hmac
import json
import os
import signal
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

HOOK_PATH = "/hook"
LARGEST_BODY = 4 * 1024 * 1024
SECONDS_TO_READ = 30


class Refusal(Exception):
    """Rejects a request with an error status."""

    def __init__(self, status, reason, close=False):
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.close = close


def is_signature_valid(secret, signatures, timestamps, payload):
    """Whether there is exactly one signature, and it matches the timestamp and the payload."""
    if len(signatures) != 1 or len(timestamps) != 1:
        return False
    # http.server decodes header bytes as Latin-1; restore the bytes.
    signature = signatures[0].encode("latin-1", "replace")
    timestamp = timestamps[0].encode("latin-1", "replace")
    signature_data = timestamp + b"." + payload
    computed = hmac.new(secret, signature_data, hashlib.sha256).hexdigest()
    return hmac.compare_digest(computed.encode(), signature)


def reject_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(payload):
    """Returns the event's idempotency key, its player and what to grant."""
    try:
        event = json.loads(payload.decode("utf-8"), parse_constant=reject_constant)
        if event["event_type"] != "coupon.redeemed":
            raise Refusal(400, "unknown event type")
        data = event["event_data"]
        # Payload revision 2026-05-25 has `items`, and `item` is the first of them.
        items = data.get("items") or [data["item"]]
        grants = [grant for item in items for grant in leaves(item, 1)]
        return text(event["idempotency_key"]), text(data["player_id"]), grants
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refusal(400, "not a coupon.redeemed event") from error


def text(value):
    if not isinstance(value, str) or not value:
        raise ValueError("expected a non-empty string")
    return value


def leaves(item, times):
    """The innermost items of a bundle, with quantities multiplied; for other items, the item."""
    quantity = item["quantity"]
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 0:
        raise ValueError("expected a quantity")
    nested = item.get("nested_items")
    if item["type"] == "bundle" and nested:
        return [leaf for inner in nested for leaf in leaves(inner, times * quantity)]
    return [(text(item["sku"]), times * quantity)]


class Ledger:
    """Stores granted idempotency keys and players' inventories."""

    def __init__(self):
        self._lock = threading.Lock()
        self._granted = set()
        self._quantities = defaultdict(int)

    def grant_once(self, key, player, grants):
        # One lock around both: simultaneous deliveries can't both find the key unused.
        with self._lock:
            if key in self._granted:
                return
            self._granted.add(key)
            for sku, quantity in grants:
                self._quantities[player, sku] += quantity

    def quantity(self, player, sku):
        with self._lock:
            return self._quantities.get((player, sku), 0)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "TemplateReceiver"
    sys_version = ""
    timeout = SECONDS_TO_READ
    disable_nagle_algorithm = True
    wbufsize = -1  # sends head and body together

    def do_POST(self):
        self.respond(self.receive)

    def do_GET(self):
        self.respond(self.debug)

    def respond(self, handle):
        try:
            body = self.read_body()
            self.send_json(200, handle(body))
        except Refusal as refusal:
            self.close_connection = self.close_connection or refusal.close
            self.send_json(refusal.status, {"error": refusal.reason})

    def receive(self, payload):
        if urlsplit(self.path).path != HOOK_PATH:
            raise Refusal(404, "no such path")
        signatures = self.headers.get_all("X-Aghanim-Signature", [])
        timestamps = self.headers.get_all("X-Aghanim-Signature-Timestamp", [])
        if not is_signature_valid(self.server.secret, signatures, timestamps, payload):
            raise Refusal(403, "invalid signature")
        self.server.ledger.grant_once(*parse(payload))
        return {"status": "ok"}

    def debug(self, _body):
        parts = urlsplit(self.path).path.split("/")
        if len(parts) != 6 or parts[:3] != ["", "debug", "players"] or parts[4] != "items":
            raise Refusal(404, "no such path")
        player, sku = unquote(parts[3]), unquote(parts[5])
        return {"quantity": self.server.ledger.quantity(player, sku)}

    def read_body(self):
        """Returns the complete body, or rejects the request."""
        encodings = self.headers.get_all("Transfer-Encoding", [])
        lengths = self.headers.get_all("Content-Length", [])
        if encodings:
            if lengths or [value.strip().lower() for value in encodings] != ["chunked"]:
                raise Refusal(400, "unclear body length", close=True)
            return self.read_chunks()
        if not lengths:
            if self.command == "POST":
                raise Refusal(411, "no body length", close=True)
            return b""
        if len(lengths) > 1:
            raise Refusal(400, "unclear body length", close=True)
        return self.read_exactly(self.length(lengths[0], 10))

    def read_chunks(self):
        body = b""
        while True:
            size = self.length(self.rfile.readline(1024).partition(b";")[0].decode("latin-1"), 16)
            if len(body) + size > LARGEST_BODY:
                raise Refusal(413, "body too large", close=True)
            if size == 0:
                break
            body += self.read_exactly(size)
            if self.read_exactly(2) != b"\r\n":
                raise Refusal(400, "malformed chunk", close=True)
        for _ in range(100):
            if self.rfile.readline(65536) in (b"\r\n", b"\n", b""):
                return body
        raise Refusal(400, "too many trailers", close=True)

    def length(self, value, base):
        digits = value.strip(" \t\r\n")
        allowed = "0123456789" if base == 10 else "0123456789abcdefABCDEF"
        if not digits or len(digits) > 15 or any(digit not in allowed for digit in digits):
            raise Refusal(400, "malformed body length", close=True)
        length = int(digits, base)
        if length > LARGEST_BODY:
            raise Refusal(413, "body too large", close=True)
        return length

    def read_exactly(self, length):
        read = self.rfile.read(length)
        if len(read) < length:
            raise Refusal(400, "body cut short", close=True)
        return read

    def send_json(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code, message=None, explain=None):
        """Reports errors that http.server detects as client errors instead of server errors."""
        self.close_connection = True
        self.request_version = "HTTP/1.1"
        self.send_json({501: 405, 505: 400}.get(code, code), {"error": message or "refused"})

    def log_message(self, *_):
        """Logs nothing: the test reports the requests."""


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port, secret):
        super().__init__(("127.0.0.1", port), Handler)
        self.secret = secret
        self.ledger = Ledger()

    def handle_error(self, request, client_address):
        """Ignores clients that disconnect or are too slow."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def stop(*_):
    raise KeyboardInterrupt


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--secret-env", required=True, metavar="VAR", help="environment variable with the secret")
    arguments.add_argument("--port", type=int, default=0, help="the port; 0, the default, picks a free one")
    chosen = arguments.parse_args()
    secret = os.environ.get(chosen.secret_env)
    if not secret:
        arguments.error("the environment variable is not set or empty")
    signal.signal(signal.SIGTERM, stop)
    try:
        with Receiver(chosen.port, secret.encode("utf-8", "surrogateescape")) as receiver:
            port = receiver.server_address[1]
            print(f"listening on http://127.0.0.1:{port}{HOOK_PATH}", flush=True)
            receiver.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
