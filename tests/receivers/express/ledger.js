// Stores granted idempotency keys and players' inventories in SQLite.

import { rmSync } from 'node:fs';

import sqlite from 'node-sqlite3-wasm';

import { Refusal } from './refusal.js';

export class Ledger {
  #database;
  #findKey;
  #insertKey;
  #add;
  #read;
  // The players and SKUs for which there is no room, in memory, because only tests set them.
  #full = new Set();

  constructor(path) {
    // This build of SQLite uses a folder as a lock, and a killed process leaves it behind. Only one
    // process opens this file, so a lock that exists at its start is stale.
    rmSync(`${path}.lock`, { recursive: true, force: true });
    this.#database = new sqlite.Database(path);
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS granted (
        idempotency_key TEXT PRIMARY KEY,
        player_id TEXT NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS inventory (
        player_id TEXT NOT NULL,
        sku TEXT NOT NULL,
        quantity INTEGER NOT NULL,
        PRIMARY KEY (player_id, sku)
      ) STRICT;
    `);
    this.#findKey = this.#database.prepare('SELECT 1 FROM granted WHERE idempotency_key = ?');
    this.#insertKey = this.#database.prepare(
      'INSERT INTO granted VALUES (?, ?) ON CONFLICT DO NOTHING',
    );
    this.#add = this.#database.prepare(`
      INSERT INTO inventory VALUES (?, ?, ?)
      ON CONFLICT (player_id, sku) DO UPDATE SET quantity = quantity + excluded.quantity
    `);
    this.#read = this.#database.prepare(
      'SELECT quantity FROM inventory WHERE player_id = ? AND sku = ?',
    );
  }

  // There is no await between BEGIN and COMMIT, so deliveries can't interleave. The unique key also
  // protects against other processes.
  grantOnce(key, playerId, grants) {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      if (this.#insertKey.run([key, playerId]).changes === 1) {
        this.add(playerId, grants);
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.inTransaction) {
        this.#database.exec('ROLLBACK');
      }
      throw error;
    }
  }

  // The steps of `grantOnce` as transactions of their own, for flaws.
  hasKey(key) {
    return this.#findKey.all([key]).length === 1;
  }

  storeKey(key, playerId) {
    this.#insertKey.run([key, playerId]);
  }

  add(playerId, grants) {
    const missing = grants.find(({ sku }) => this.isFull(playerId, sku));
    if (missing) {
      throw new Refusal(409, `no room for ${missing.sku}`);
    }
    for (const { sku, quantity } of grants) {
      this.#add.run([playerId, sku, quantity]);
    }
  }

  isFull(playerId, sku) {
    return this.#full.has(JSON.stringify([playerId, sku]));
  }

  setFull(playerId, sku, isFull) {
    const place = JSON.stringify([playerId, sku]);
    if (isFull) {
      this.#full.add(place);
    } else {
      this.#full.delete(place);
    }
  }

  // Returns a Number, or a BigInt above 2^53.
  quantity(playerId, sku) {
    // `get` would leave the statement open and keep its lock.
    const [row] = this.#read.all([playerId, sku]);
    return row?.quantity ?? 0;
  }

  close() {
    for (const statement of [this.#findKey, this.#insertKey, this.#add, this.#read]) {
      statement.finalize();
    }
    this.#database.close();
  }
}
