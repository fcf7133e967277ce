// Which idempotency keys have been granted, and what players hold, in SQLite.

import { rmSync } from 'node:fs';

import sqlite from 'node-sqlite3-wasm';

export class Ledger {
  #database;
  #insertKey;
  #add;
  #read;

  constructor(path) {
    // This build of SQLite locks with a folder, which a process that was killed leaves behind. One
    // process alone opens this file, so a lock that is there at its start is nobody's.
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

  // Nothing is awaited between BEGIN and COMMIT, so no other delivery comes in between; and the key
  // is unique, should there be another process.
  grantOnce(key, playerId, grants) {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      if (this.#insertKey.run([key, playerId]).changes === 1) {
        for (const { sku, quantity } of grants) {
          this.#add.run([playerId, sku, quantity]);
        }
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.inTransaction) {
        this.#database.exec('ROLLBACK');
      }
      throw error;
    }
  }

  // A Number, or a BigInt beyond 2^53.
  quantity(playerId, sku) {
    // `get` would leave the statement, and with it a lock, open.
    const [row] = this.#read.all([playerId, sku]);
    return row?.quantity ?? 0;
  }

  close() {
    for (const statement of [this.#insertKey, this.#add, this.#read]) {
      statement.finalize();
    }
    this.#database.close();
  }
}
