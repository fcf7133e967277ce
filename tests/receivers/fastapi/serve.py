"""Serves the receiver on loopback, without or with a flaw.

    AGHANIM_WEBHOOK_SECRET=… python serve.py --port 8101 --ledger ledger.sqlite
"""

import argparse
import asyncio
import os
import socket

import uvicorn
from fastapi import FastAPI

from flaws import FLAWS
from receiver import HOOK_PATH, Ledger, create_app


def serve(app: FastAPI, port: int) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listener:
        address = listener.getsockname()
        print(f"listening on http://{address[0]}:{address[1]}{HOOK_PATH}", flush=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        asyncio.run(server.serve(sockets=[listener]))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--port", type=int, default=0, help="the port; 0, the default, picks a free one")
    options.add_argument("--ledger", required=True, metavar="FILE", help="the SQLite database")
    options.add_argument("--flaw", choices=FLAWS, help="a mistake to show")
    chosen = options.parse_args()
    secret = os.environ.get("AGHANIM_WEBHOOK_SECRET")
    if not secret:
        options.error("AGHANIM_WEBHOOK_SECRET is not set or empty")
    app = create_app(secret.encode(), Ledger(chosen.ledger))
    if chosen.flaw:
        FLAWS[chosen.flaw](app, chosen.ledger)
    serve(app, chosen.port)


if __name__ == "__main__":
    main()
