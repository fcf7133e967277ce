"""Makes locust send unique, signed events with its fast client."""

import hmac
import itertools
import os
import re
import time

from locust import FastHttpUser, constant, task

SECRET = os.environ["AGHOOK_SECRET"].encode()
PATH = os.environ["PEERS_PATH"]
with open(os.environ["PEERS_BODY"], "rb") as file:
    BEFORE, ID, AFTER = re.fullmatch(rb'(.*"event_id":"whevt_)([^"]+)(.*)', file.read(), re.S).groups()
NUMBERS = itertools.count(1)


class Sender(FastHttpUser):
    """One connection that sends the next event after each response."""

    wait_time = constant(0)

    @task
    def send(self):
        body = BEFORE + str(next(NUMBERS)).zfill(len(ID)).encode() + AFTER
        timestamp = str(int(time.time()))
        signature = hmac.digest(SECRET, timestamp.encode() + b"." + body, "sha256").hex()
        headers = {
            "Content-Type": "application/json",
            "X-Aghanim-Signature": signature,
            "X-Aghanim-Signature-Timestamp": timestamp,
        }
        self.client.post(PATH, data=body, headers=headers)
