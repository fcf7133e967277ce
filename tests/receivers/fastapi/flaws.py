"""Mistakes that are typical of FastAPI handlers. Each replaces a part of the sound receiver.

Do not copy this code.
"""

import asyncio
from contextlib import closing
from typing import Annotated

from fastapi import Depends, FastAPI, Request
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


class MisnamedSandbox(receiver.CouponRedeemed):
    """Pydantic ignores unknown keys, so `sandbox` always has its default."""

    sandbox: bool = Field(default=False, alias="is_sandbox")


def sandbox_granted(app: FastAPI, _ledger: str) -> None:
    async def redeemed_coupon(body: Annotated[bytes, Depends(receiver.verified_body)]) -> MisnamedSandbox:
        await receiver.redeemed_coupon(body)
        return MisnamedSandbox.model_validate_json(body)

    app.dependency_overrides[receiver.redeemed_coupon] = redeemed_coupon


FLAWS = {
    "serialised-again": serialised_again,
    "check-then-insert": check_then_insert,
    "sandbox-granted": sandbox_granted,
}
