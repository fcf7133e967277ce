"""Mistakes that are typical of FastAPI handlers. Each replaces a part of the sound receiver.

Do not copy this code.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

import receiver

# The duration of a call to another service: long enough for a race, short enough for a test.
CALL_SECONDS = 0.2


class DeclaredItem(BaseModel):
    id: str
    name: str
    description: str | None
    sku: str
    quantity: int
    price: int | None = None
    price_decimal: int | float | None = None
    currency: str | None = None
    type: str
    nested_items: "list[DeclaredItem] | None"
    fallback_item: "DeclaredItem | None" = None


class DeclaredCoupon(BaseModel):
    code: str
    sku: str
    redeemed_at: int


class DeclaredData(BaseModel):
    player_id: str
    coupon: DeclaredCoupon
    item: DeclaredItem


class DeclaredEvent(BaseModel):
    """The event of the documented example, key by key."""

    event_type: str
    event_data: DeclaredData
    event_time: int
    event_id: str
    idempotency_key: str
    request_id: str | None
    sandbox: bool
    trigger: str | None
    transaction_id: str
    context: dict | None
    game_id: str


def serialised_again(app: FastAPI, _ledger: str) -> None:
    """Verifies the signature over JSON that is serialised from the parsed event."""

    async def verified_body(request: Request) -> bytes:
        event = DeclaredEvent.model_validate(await request.json())
        body = event.model_dump_json(exclude_unset=True).encode()
        receiver.verify(request, body)
        return body

    app.dependency_overrides[receiver.verified_body] = verified_body


def dumps_verified(app: FastAPI, _ledger: str) -> None:
    """Verifies the signature over `json.dumps`, with separators that suit the first test event."""

    async def verified_body(request: Request) -> bytes:
        event = await request.json()
        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        receiver.verify(request, body)
        return body

    app.dependency_overrides[receiver.verified_body] = verified_body


def verified_by(app: FastAPI, verify: Callable[[Request, bytes], None]) -> None:
    async def verified_body(request: Request, body: Annotated[bytes, Depends(receiver.raw_body)]) -> bytes:
        verify(request, body)
        return body

    app.dependency_overrides[receiver.verified_body] = verified_body


def timestamp_crashes(app: FastAPI, _ledger: str) -> None:
    """`int()` raises on a header that is no number, and FastAPI responds with 500."""

    def verify(request: Request, body: bytes) -> None:
        int(request.headers.get("X-Aghanim-Signature-Timestamp", "0"))
        receiver.verify(request, body)

    verified_by(app, verify)


def future_refused(app: FastAPI, _ledger: str) -> None:
    """Takes any timestamp ahead of its own clock for a forgery."""

    def verify(request: Request, body: bytes) -> None:
        receiver.verify(request, body)
        if int(request.headers["X-Aghanim-Signature-Timestamp"]) > receiver.now(request.app):
            raise HTTPException(403, "a timestamp of the future")

    verified_by(app, verify)


def content_type_compared(app: FastAPI, _ledger: str) -> None:
    """Compares the whole header, so a charset after the type is refused."""

    def verify(request: Request, body: bytes) -> None:
        if request.headers.get("Content-Type") != "application/json":
            raise HTTPException(415, "application/json was expected")
        receiver.verify(request, body)

    verified_by(app, verify)


def empty_secret_accepted(app: FastAPI, _ledger: str) -> None:
    """Also tries the previous secret: `os.environ.get(…, "")`, which is not set after the rotation."""

    def verify(request: Request, body: bytes) -> None:
        try:
            receiver.verify(request, body)
        except HTTPException:
            message = request.headers.get("X-Aghanim-Signature-Timestamp", "").encode() + b"." + body
            expected = hmac.new(b"", message, hashlib.sha256).hexdigest()
            if request.headers.get("X-Aghanim-Signature") != expected:
                raise

    verified_by(app, verify)


class CheckThenInsert(receiver.Ledger):
    """Looks up the key, awaits another call, and then grants."""

    async def grant_once(self, key: str, player_id: str, grants: list[receiver.Grant]) -> None:
        if await run_in_threadpool(self._is_known, key):
            return
        await asyncio.sleep(CALL_SECONDS)
        await run_in_threadpool(self._grant, key, player_id, grants)

    def _is_known(self, key: str) -> bool:
        with closing(self._connect()) as database:
            known = "SELECT 1 FROM granted WHERE idempotency_key = ?"
            return database.execute(known, (key,)).fetchone() is not None

    def _grant(self, key: str, player_id: str, grants: list[receiver.Grant]) -> None:
        with self._transaction() as database:
            self._insert_key(database, key, player_id)
            self._add(database, player_id, grants)


def check_then_insert(app: FastAPI, ledger: str) -> None:
    app.state.ledger = CheckThenInsert(ledger)


def parsed_as(
    app: FastAPI, model: type[receiver.CouponRedeemed], event_types: tuple[str, ...] = ("coupon.redeemed",)
) -> None:
    async def redeemed_coupon(
        body: Annotated[bytes, Depends(receiver.verified_body)],
    ) -> receiver.CouponRedeemed:
        if receiver.Envelope.model_validate_json(body).event_type not in event_types:
            raise HTTPException(400, "unknown event type")
        return model.model_validate_json(body)

    app.dependency_overrides[receiver.redeemed_coupon] = redeemed_coupon


class MisnamedSandbox(receiver.CouponRedeemed):
    """Pydantic ignores unknown keys, so `sandbox` always has its default."""

    sandbox: bool = Field(default=False, alias="is_sandbox")


def sandbox_granted(app: FastAPI, _ledger: str) -> None:
    parsed_as(app, MisnamedSandbox)


class KnownTrigger(receiver.CouponRedeemed):
    """The triggers of the documented table, as a closed list."""

    trigger: Literal["hub.redeem", "test"] | None = None


def triggers_closed(app: FastAPI, _ledger: str) -> None:
    parsed_as(app, KnownTrigger)


class KnownItem(receiver.Item):
    """The types of the documented table, as a closed list."""

    type: Literal["item", "bundle"]


class KnownItemData(receiver.EventData):
    item: KnownItem | None = None
    items: list[KnownItem] | None = None


class KnownItemEvent(receiver.CouponRedeemed):
    event_data: KnownItemData


def item_types_closed(app: FastAPI, _ledger: str) -> None:
    parsed_as(app, KnownItemEvent)


class RequiredItemData(receiver.EventData):
    item: receiver.Item


class RequiredItemEvent(receiver.CouponRedeemed):
    """`item` is required, as in the documented table, although `items` replaces it."""

    event_data: RequiredItemData


def item_required(app: FastAPI, _ledger: str) -> None:
    parsed_as(app, RequiredItemEvent)


def both_credited(app: FastAPI, _ledger: str) -> None:
    """One handler grants the items of `item.add` and of `coupon.redeemed`."""
    parsed_as(app, receiver.CouponRedeemed, ("coupon.redeemed", "item.add"))


class PartByPart(receiver.Ledger):
    """Commits each part of a bundle on its own, and the key last."""

    def _grant_once(self, key: str, player_id: str, grants: list[receiver.Grant]) -> None:
        with closing(self._connect()) as database:
            known = "SELECT 1 FROM granted WHERE idempotency_key = ?"
            if database.execute(known, (key,)).fetchone():
                return
            for grant in grants:
                self._add(database, player_id, [grant])
            self._insert_key(database, key, player_id)


def part_by_part(app: FastAPI, ledger: str) -> None:
    app.state.ledger = PartByPart(ledger)


class AfterResponse(receiver.Ledger):
    """Grants in a task of the event loop, which a restart ends."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._tasks: set[asyncio.Task[None]] = set()

    async def grant_once(self, key: str, player_id: str, grants: list[receiver.Grant]) -> None:
        task = asyncio.create_task(self._grant_later(key, player_id, grants))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _grant_later(self, key: str, player_id: str, grants: list[receiver.Grant]) -> None:
        await asyncio.sleep(CALL_SECONDS)
        await super().grant_once(key, player_id, grants)


def granted_in_task(app: FastAPI, ledger: str) -> None:
    app.state.ledger = AfterResponse(ledger)


class KeysInProcess(receiver.Ledger):
    """Keeps keys in a set, which works with one worker until it restarts."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._known: set[str] = set()

    async def grant_once(self, key: str, player_id: str, grants: list[receiver.Grant]) -> None:
        if key in self._known:
            return
        self._known.add(key)
        await run_in_threadpool(self._grant, player_id, grants)

    def _grant(self, player_id: str, grants: list[receiver.Grant]) -> None:
        with self._transaction() as database:
            self._add(database, player_id, grants)


def keys_in_process(app: FastAPI, ledger: str) -> None:
    app.state.ledger = KeysInProcess(ledger)


class KeyFirst(receiver.Ledger):
    """Commits the key, awaits another call, and then grants."""

    async def grant_once(self, key: str, player_id: str, grants: list[receiver.Grant]) -> None:
        if not await run_in_threadpool(self._store_key, key, player_id):
            return
        await asyncio.sleep(CALL_SECONDS)
        await run_in_threadpool(self._grant, player_id, grants)

    def _store_key(self, key: str, player_id: str) -> bool:
        with self._transaction() as database:
            return self._insert_key(database, key, player_id)

    def _grant(self, player_id: str, grants: list[receiver.Grant]) -> None:
        with self._transaction() as database:
            self._add(database, player_id, grants)


def key_first(app: FastAPI, ledger: str) -> None:
    app.state.ledger = KeyFirst(ledger)


FLAWS = {
    "serialised-again": serialised_again,
    "dumps-verified": dumps_verified,
    "timestamp-crashes": timestamp_crashes,
    "future-refused": future_refused,
    "content-type-compared": content_type_compared,
    "empty-secret-accepted": empty_secret_accepted,
    "check-then-insert": check_then_insert,
    "sandbox-granted": sandbox_granted,
    "triggers-closed": triggers_closed,
    "item-types-closed": item_types_closed,
    "item-required": item_required,
    "both-credited": both_credited,
    "part-by-part": part_by_part,
    "granted-in-task": granted_in_task,
    "keys-in-process": keys_in_process,
    "key-first": key_first,
}
