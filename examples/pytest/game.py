"""Stands for your game: a sound receiver of coupon.redeemed in FastAPI, with inventories in memory.

GAME_BUG shows how tests fail: `grants_again` ignores the idempotency key, `wrong_secret` is a mistake
in the set-up.
"""

import hashlib
import hmac
import json
import os
import re
import time
from collections import Counter

from fastapi import FastAPI, HTTPException, Request

BUG = os.environ.get("GAME_BUG")
TOLERANCE_SECONDS = 300


def is_genuine(secret: str, headers, body: bytes) -> bool:
    signatures = headers.getlist("X-Aghanim-Signature")
    timestamps = headers.getlist("X-Aghanim-Signature-Timestamp")
    if len(signatures) != 1 or len(timestamps) != 1 or not re.fullmatch("[0-9]{1,12}", timestamps[0]):
        return False
    if abs(time.time() - int(timestamps[0])) > TOLERANCE_SECONDS:
        return False
    signed = timestamps[0].encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signatures[0].encode())


def contents(item: dict, times: int = 1) -> list[tuple[str, int]]:
    """The SKUs and quantities of an item; of a bundle, those of its parts."""
    quantity = item["quantity"] * times
    if item["type"] == "bundle" and item.get("nested_items"):
        return [part for nested in item["nested_items"] for part in contents(nested, quantity)]
    return [(item["sku"], quantity)]


def create_app(secret: str) -> FastAPI:
    if BUG == "wrong_secret":
        secret = "another"
    app = FastAPI()
    granted: set[str] = set()
    inventory: Counter[tuple[str, str]] = Counter()

    @app.post("/webhooks/aghanim")
    async def webhook(request: Request) -> dict:
        body = await request.body()
        if not is_genuine(secret, request.headers, body):
            raise HTTPException(403, "invalid signature")
        try:
            event = json.loads(body)
            data, key = event["event_data"], event["idempotency_key"]
            is_live = not event["sandbox"] and event["trigger"] != "test"
            if event["event_type"] == "coupon.redeemed" and is_live:
                items = data.get("items") or [data["item"]]
                parts = [part for item in items for part in contents(item)]
                # Nothing is awaited from here on, so no other delivery comes between.
                if key not in granted or BUG == "grants_again":
                    granted.add(key)
                    for sku, quantity in parts:
                        inventory[data["player_id"], sku] += quantity
        except (ValueError, KeyError, TypeError) as error:
            raise HTTPException(400, "not an event") from error
        return {"status": "ok"}

    @app.get("/debug/quantity")
    async def held(player: str, sku: str) -> dict:
        return {"quantity": inventory[player, sku]}

    return app
