#!/usr/bin/env python3
"""A game at a local Aghanim: registers its webhook, creates an item and a coupon, redeems the code as a
player, and verifies the webhook that arrives.

    aghook serve                                                # prints the API key
    AGHANIM_API_KEY=… python3 examples/local_aghanim.py

AGHANIM_URL is the server (http://127.0.0.1:4600), PORT the game's own port (8080). The set-up can run
again: it uses what exists. Exits with 1 if something is wrong. Needs Python 3.9, and nothing else.
"""

import hashlib
import hmac
import json
import os
import queue
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

AGHANIM = os.environ.get("AGHANIM_URL", "http://127.0.0.1:4600")
API_KEY = os.environ.get("AGHANIM_API_KEY", "")
PORT = int(os.environ.get("PORT", "8080"))
TOLERANCE_SECONDS = 300

ITEM = {
    "sku": "example-gems",
    "name": "Gems",
    "type": "item",
    "currency": "USD",
    "is_stackable": True,
    "is_currency": False,
}
CODE = "EXAMPLE"
QUANTITY = 25


def call(method, path, body=None):
    request = urllib.request.Request(AGHANIM + path, method=method)
    request.add_header("Authorization", f"Bearer {API_KEY}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")
    except OSError as error:
        sys.exit(f"{AGHANIM}: {error}; start `aghook serve`")


def find_or_create(path, key, body):
    existing = call("GET", f"{path}?limit=1000")
    found = [other for other in existing if other[key] == body[key]]
    return found[0] if found else call("POST", path, body)


def is_genuine(headers, body, secret):
    """The signature is over the timestamp, a dot and the body as it arrived."""
    timestamp = headers.get("X-Aghanim-Signature-Timestamp", "")
    signature = headers.get("X-Aghanim-Signature", "")
    expected = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        return False
    return timestamp.isdecimal() and abs(time.time() - int(timestamp)) <= TOLERANCE_SECONDS


class Game:
    """Grants each event once. A real game keeps the keys and the grants in one transaction."""

    def __init__(self, secret):
        self.secret = secret
        self.keys = set()
        self.lock = threading.Lock()

    def handle(self, headers, body):
        """Returns the status and the body of the response, and the event if it was granted."""
        if not is_genuine(headers, body, self.secret):
            return 403, {"status": "error", "message": "invalid signature"}, None
        event = json.loads(body)
        if event["event_type"] != "coupon.redeemed":
            return 400, {"status": "error", "message": "unknown event type"}, None
        with self.lock:
            is_new = event["idempotency_key"] not in self.keys
            self.keys.add(event["idempotency_key"])
        return 200, {"status": "ok"}, event if is_new else None


def start(game):
    """Returns a queue of the events that were granted."""
    granted = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, response, event = game.handle(self.headers, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(response).encode())
            if event:
                granted.put(event)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return granted


def main():
    webhook = {
        "url": f"http://127.0.0.1:{PORT}/webhooks/aghanim",
        "events": ["coupon.redeemed"],
        "method": "POST",
    }
    webhook = find_or_create("/s2s/v1/webhooks", "url", webhook)
    secret = call("POST", f"/s2s/v1/webhooks/{webhook['id']}/reveal")["secret"]
    item = find_or_create("/s2s/v1/items", "sku", ITEM)
    free_items = {"items": [{"item_id": item["id"], "quantity": QUANTITY}]}
    coupon = {"name": "Example", "code": CODE, "type": "free_item", "free_items": free_items}
    find_or_create("/s2s/v1/coupons", "code", coupon)

    granted = start(Game(secret))
    player = f"P-{uuid.uuid4()}"
    call("POST", "/local/redeem", {"player_id": player, "code": CODE})
    try:
        event = granted.get(timeout=10)
    except queue.Empty:
        sys.exit("no genuine webhook arrived within 10 s; look at the dashboard")
    data = event["event_data"]
    arrived = (data["player_id"], data["coupon"]["code"], data["item"]["sku"], data["item"]["quantity"])
    if arrived != (player, CODE, ITEM["sku"], QUANTITY):
        sys.exit(f"unexpected event: {arrived}")
    print(f"{event['event_type']} {event['event_id']}: {QUANTITY} {ITEM['sku']} for {player}")


if __name__ == "__main__":
    main()
