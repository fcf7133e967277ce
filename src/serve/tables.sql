-- The game that the local Aghanim serves: one row.
CREATE TABLE game (
    id      TEXT NOT NULL,
    api_key TEXT NOT NULL
) STRICT;

CREATE TABLE webhooks (
    id                TEXT NOT NULL PRIMARY KEY,
    position          INTEGER NOT NULL UNIQUE,
    settings          TEXT NOT NULL,
    delivery          TEXT NOT NULL,
    secret            TEXT NOT NULL,
    -- When the secret was made. Deliveries from before it keep the previous one while both are valid.
    secret_since      INTEGER NOT NULL,
    previous_secret   TEXT,
    previous_until    INTEGER
) STRICT;

CREATE TABLE items (
    id         TEXT NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL UNIQUE,
    sku        TEXT NOT NULL UNIQUE,
    item       TEXT NOT NULL
) STRICT;

CREATE TABLE coupons (
    id       TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE,
    code     TEXT NOT NULL UNIQUE,
    coupon   TEXT NOT NULL,
    -- How often it was redeemed.
    redeemed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE redemptions (
    transaction_id TEXT NOT NULL PRIMARY KEY,
    coupon_id      TEXT NOT NULL,
    player_id      TEXT NOT NULL,
    redeemed_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX redemptions_of_coupon ON redemptions (coupon_id, player_id);

-- Times are Unix milliseconds, except the signed timestamp.
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY,
    webhook_id      TEXT NOT NULL,
    event_type      TEXT NOT NULL,
    event_id        TEXT NOT NULL,
    transaction_id  TEXT NOT NULL,
    player_id       TEXT NOT NULL,
    code            TEXT NOT NULL,
    -- pending, delivered, refused, exhausted or canceled
    state           TEXT NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- How many of the attempts belong to earlier rounds, before the delivery was sent again.
    earlier         INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    due_at          INTEGER NOT NULL,
    ended_at        INTEGER,
    first_timestamp INTEGER,
    -- What the webhook's faults do to this delivery.
    forgery         TEXT,
    loses_response  INTEGER NOT NULL DEFAULT 0,
    held            INTEGER NOT NULL DEFAULT 0,
    duplicate_of    INTEGER
) STRICT;
CREATE INDEX deliveries_due ON deliveries (webhook_id, due_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_in_order ON deliveries (webhook_id, id) WHERE state = 'pending';

-- How many deliveries there are, so that nobody counts a long queue.
CREATE TABLE counts (
    webhook_id TEXT NOT NULL,
    state      TEXT NOT NULL,
    number     INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, state)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER counts_of_new AFTER INSERT ON deliveries BEGIN
    INSERT INTO counts VALUES (new.webhook_id, new.state, 1)
        ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER counts_of_changed AFTER UPDATE OF state ON deliveries WHEN old.state <> new.state BEGIN
    UPDATE counts SET number = number - 1 WHERE webhook_id = old.webhook_id AND state = old.state;
    INSERT INTO counts VALUES (new.webhook_id, new.state, 1)
        ON CONFLICT DO UPDATE SET number = number + 1;
END;

-- Apart from the deliveries, so that a new state does not rewrite the body.
CREATE TABLE bodies (
    delivery_id INTEGER PRIMARY KEY,
    body        BLOB NOT NULL
) STRICT;

CREATE TABLE attempts (
    delivery_id      INTEGER NOT NULL,
    number           INTEGER NOT NULL,
    started_at       INTEGER NOT NULL,
    signed_timestamp INTEGER NOT NULL,
    duration_us      INTEGER NOT NULL,
    status           INTEGER,
    failure          TEXT,
    -- NULL if the webhook's logs are off.
    headers          TEXT,
    body             BLOB,
    next_at          INTEGER,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
