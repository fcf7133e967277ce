"""A receiver of Aghanim's `coupon.redeemed` webhook in FastAPI, with its ledger in SQLite.

The policy of this game:
- A bundle is opened: it grants its nested items, their quantities multiplied by the bundle's.
- Sandbox and test events are answered with 200 and grant nothing.
- A signature is valid if its timestamp is within five minutes of our clock.
- If there is no room for the main item, its fallback is granted.
- If the event has `items`, they are granted, otherwise `item`.
"""

import hashlib
import hmac
import re
import sqlite3
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, status
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import ClientDisconnect

HOOK_PATH = "/webhooks/aghanim"
LARGEST_BODY = 1024 * 1024
LARGEST_QUANTITY = 2**63 - 1
TOLERANCE_SECONDS = 300


# The event -----------------------------------------------------------------------------------


class Grant(NamedTuple):
    sku: str
    quantity: int


class Item(BaseModel):
    """An item or a nested item, with only the keys that affect the grant."""

    sku: str = Field(min_length=1)
    quantity: int = Field(ge=0, le=LARGEST_QUANTITY)
    type: str
    nested_items: "list[Item] | None" = None
    fallback_item: "Item | None" = None

    def grants(self, times: int = 1) -> Iterator[Grant]:
        quantity = times * self.quantity
        if self.type == "bundle" and self.nested_items:
            for nested in self.nested_items:
                yield from nested.grants(quantity)
        else:
            yield Grant(self.sku, quantity)

    def or_fallback(self, has_room: Callable[[str], bool]) -> "Item":
        """This item, or its fallback if there is no room for it."""
        if self.fallback_item and not all(has_room(grant.sku) for grant in self.grants()):
            return self.fallback_item.or_fallback(has_room)
        return self


class EventData(BaseModel):
    player_id: str = Field(min_length=1)
    item: Item | None = None
    items: list[Item] | None = None

    def use_fallbacks(self, has_room: Callable[[str], bool]) -> None:
        if self.items:
            self.items = [item.or_fallback(has_room) for item in self.items]
        elif self.item:
            self.item = self.item.or_fallback(has_room)


class Envelope(BaseModel):
    event_type: str


class CouponRedeemed(Envelope):
    idempotency_key: str = Field(min_length=1)
    event_data: EventData
    sandbox: bool = False
    trigger: str | None = None

    @property
    def is_granted(self) -> bool:
        return not self.sandbox and self.trigger != "test"

    def grants(self) -> list[Grant]:
        items = self.event_data.items or [self.event_data.item]
        if None in items:
            raise HTTPException(status.HTTP_400_BAD_REQUEST, "no item")
        grants = [grant for item in items for grant in item.grants()]
        if any(grant.quantity > LARGEST_QUANTITY for grant in grants):
            raise HTTPException(status.HTTP_400_BAD_REQUEST, "quantity too large")
        return grants


# The ledger ----------------------------------------------------------------------------------


class Ledger:
    """Stores granted idempotency keys and players' inventories."""

    def __init__(self, path: str) -> None:
        self._path = path
        # The players and SKUs for which there is no room, in memory, because only tests set them.
        self.full: set[tuple[str, str]] = set()
        with closing(self._connect()) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(
                """
                CREATE TABLE IF NOT EXISTS granted (
                    idempotency_key TEXT PRIMARY KEY,
                    player_id TEXT NOT NULL
                );
                CREATE TABLE IF NOT EXISTS inventory (
                    player_id TEXT NOT NULL,
                    sku TEXT NOT NULL,
                    quantity INTEGER NOT NULL CHECK (typeof(quantity) = 'integer'),
                    PRIMARY KEY (player_id, sku)
                );
                """
            )

    async def grant_once(self, key: str, player_id: str, grants: list[Grant]) -> None:
        await run_in_threadpool(self._grant_once, key, player_id, grants)

    async def quantity(self, player_id: str, sku: str) -> int:
        return await run_in_threadpool(self._quantity, player_id, sku)

    def _grant_once(self, key: str, player_id: str, grants: list[Grant]) -> None:
        # The unique key is inserted first, so a second delivery inserts no row and grants nothing.
        with self._transaction() as database:
            if self._insert_key(database, key, player_id):
                self._add(database, player_id, grants)

    def _quantity(self, player_id: str, sku: str) -> int:
        with closing(self._connect()) as database:
            row = database.execute(
                "SELECT quantity FROM inventory WHERE player_id = ? AND sku = ?", (player_id, sku)
            ).fetchone()
        return row[0] if row else 0

    @staticmethod
    def _insert_key(database: sqlite3.Connection, key: str, player_id: str) -> bool:
        inserted = database.execute(
            "INSERT INTO granted VALUES (?, ?) ON CONFLICT DO NOTHING", (key, player_id)
        )
        return inserted.rowcount == 1

    def _add(self, database: sqlite3.Connection, player_id: str, grants: list[Grant]) -> None:
        for grant in grants:
            if (player_id, grant.sku) in self.full:
                raise HTTPException(status.HTTP_409_CONFLICT, f"no room for {grant.sku}")
        database.executemany(
            "INSERT INTO inventory VALUES (?, ?, ?) "
            "ON CONFLICT (player_id, sku) DO UPDATE SET quantity = quantity + excluded.quantity",
            [(player_id, grant.sku, grant.quantity) for grant in grants],
        )

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30, isolation_level=None)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")
            with database:  # commits, or rolls back after an exception
                yield database


# The webhook ----------------------------------------------------------------------------------

router = APIRouter()


async def raw_body(request: Request) -> bytes:
    """The complete raw body, up to the size limit."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, "body too large")
    except ClientDisconnect as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "body cut short") from error
    return bytes(body)


def now(app: FastAPI) -> float:
    """Unix seconds by the receiver's clock, which a test can set ahead."""
    return time.time() + app.state.seconds_ahead


def verify(request: Request, body: bytes) -> None:
    """Rejects with 403 unless these bytes have a valid and fresh signature."""
    signatures = request.headers.getlist("X-Aghanim-Signature")
    timestamps = request.headers.getlist("X-Aghanim-Signature-Timestamp")
    if len(signatures) != 1 or len(timestamps) != 1:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "one signature and one timestamp, please")
    signature, timestamp = signatures[0], timestamps[0]
    if not re.fullmatch("[0-9]{1,12}", timestamp):
        raise HTTPException(status.HTTP_403_FORBIDDEN, "invalid timestamp")
    message = timestamp.encode() + b"." + body
    expected = hmac.new(request.app.state.secret, message, hashlib.sha256).hexdigest()
    # As bytes, since compare_digest raises on non-ASCII strings.
    if not hmac.compare_digest(expected.encode(), signature.encode("latin-1")):
        raise HTTPException(status.HTTP_403_FORBIDDEN, "invalid signature")
    if abs(now(request.app) - int(timestamp)) > TOLERANCE_SECONDS:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "the signature is no longer fresh")


async def verified_body(request: Request, body: Annotated[bytes, Depends(raw_body)]) -> bytes:
    verify(request, body)
    return body


async def redeemed_coupon(body: Annotated[bytes, Depends(verified_body)]) -> CouponRedeemed:
    # The type first: other event types may have other keys.
    if Envelope.model_validate_json(body).event_type != "coupon.redeemed":
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "unknown event type")
    return CouponRedeemed.model_validate_json(body)


@router.post(HOOK_PATH)
async def receive(
    event: Annotated[CouponRedeemed, Depends(redeemed_coupon)], request: Request
) -> JSONResponse:
    player_id = event.event_data.player_id
    code = request.app.state.scripted.next(player_id)
    if not 200 <= code < 300:
        raise HTTPException(code, "scripted")
    if event.is_granted:
        ledger = request.app.state.ledger
        event.event_data.use_fallbacks(lambda sku: (player_id, sku) not in ledger.full)
        await ledger.grant_once(event.idempotency_key, player_id, event.grants())
    return JSONResponse({"status": "ok"}, code)


# For tests, only on loopback ------------------------------------------------------------------


class ScriptedStatuses:
    """The statuses of the next responses for each player."""

    def __init__(self) -> None:
        self._by_player: defaultdict[str, deque[int]] = defaultdict(deque)

    def set(self, player_id: str, statuses: list[int]) -> None:
        self._by_player[player_id] = deque(statuses)

    def next(self, player_id: str) -> int:
        statuses = self._by_player.get(player_id)
        return statuses.popleft() if statuses else status.HTTP_200_OK


@router.get("/debug/players/{player_id:path}/items/{sku}")
async def quantity(player_id: str, sku: str, request: Request) -> dict[str, int]:
    return {"quantity": await request.app.state.ledger.quantity(player_id, sku)}


@router.put("/debug/players/{player_id:path}/respond", status_code=status.HTTP_204_NO_CONTENT)
async def respond(
    player_id: str, statuses: list[Annotated[int, Field(ge=200, le=599)]], request: Request
) -> None:
    request.app.state.scripted.set(player_id, statuses)


@router.put("/debug/players/{player_id:path}/items/{sku}/full", status_code=status.HTTP_204_NO_CONTENT)
async def fill_inventory(player_id: str, sku: str, request: Request) -> None:
    request.app.state.ledger.full.add((player_id, sku))


@router.delete("/debug/players/{player_id:path}/items/{sku}/full", status_code=status.HTTP_204_NO_CONTENT)
async def free_inventory(player_id: str, sku: str, request: Request) -> None:
    request.app.state.ledger.full.discard((player_id, sku))


@router.post("/debug/clock/{seconds}", status_code=status.HTTP_204_NO_CONTENT)
async def shift_clock(seconds: int, request: Request) -> None:
    request.app.state.seconds_ahead = seconds


# The app --------------------------------------------------------------------------------------


def create_app(secret: bytes, ledger: Ledger) -> FastAPI:
    app = FastAPI(title="coupon.redeemed")
    app.state.secret = secret
    app.state.ledger = ledger
    app.state.scripted = ScriptedStatuses()
    app.state.seconds_ahead = 0
    app.include_router(router)

    @app.exception_handler(ValidationError)
    async def not_an_event(_request: Request, error: ValidationError) -> JSONResponse:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        return JSONResponse({"detail": problems}, status.HTTP_400_BAD_REQUEST)

    return app
