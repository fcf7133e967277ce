"""Runs processes pinned to a core, and measures their CPU time and the sink's counts."""

import collections
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

CLIENT_CORE = 0
SINK_CORE = 1
TICKS = os.sysconf("SC_CLK_TCK")


# What the sink has answered: requests, the bytes of their bodies, and how many came over TLS and HTTP/2.
Counts = collections.namedtuple("Counts", "requests body_bytes encrypted http2")


class Failed(Exception):
    """A failed measurement, with its cause."""


def pinned(core, command):
    return ["taskset", "--cpu-list", str(core), *command]


def family(pid):
    """A process and its descendants."""
    found = [pid]
    for pid in found:
        with contextlib.suppress(OSError):
            for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
                found.extend(int(child) for child in (thread / "children").read_text().split())
    return found


def cpu_seconds(pid):
    """User and system time of a process and its descendants."""
    ticks = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def peak_memory(pid):
    """Peak resident memory of a process in megabytes; None if it has ended."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1000
    return None


def load_average():
    return float(pathlib.Path("/proc/loadavg").read_text().split()[0])


class Sink:
    """The receiver that accepts everything, on its own core."""

    def __init__(self, program, *arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(pinned(SINK_CORE, [program, str(self.port), *arguments]))
        self.connection = connect(self.port)

    def count(self):
        self.connection.sendall(b"GET /count HTTP/1.1\r\n\r\n")
        response = b""
        while not response.partition(b"\r\n\r\n")[2]:
            part = self.connection.recv(4096)
            if not part:
                raise Failed("the sink ended")
            response += part
        return Counts(*map(int, response.partition(b"\r\n\r\n")[2].split()))

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def stop(self):
        self.process.kill()
        self.process.wait()


def connect(port):
    """Connects to a port, waiting until it is open."""
    until = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > until:
                raise Failed(f"nothing listens on port {port}") from None
            time.sleep(0.02)


@contextlib.contextmanager
def running(command, environment, output=subprocess.DEVNULL):
    """Runs a sender on its core, and kills it with all its descendants at the end."""
    process = subprocess.Popen(
        pinned(CLIENT_CORE, command),
        env=os.environ | environment,
        stdout=output,
        stderr=subprocess.STDOUT if output is not subprocess.DEVNULL else output,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def window(sink, process, warmup, seconds):
    """Measures a sender for some seconds, after a warm-up."""
    at_rest = sink.count().requests
    until = time.monotonic() + 30
    while sink.count().requests < at_rest + 50:
        if process.poll() is not None or time.monotonic() > until:
            raise Failed(f"the sender sends nothing: {process.args}")
        time.sleep(0.02)
    time.sleep(warmup)
    begun = reading(sink, process)
    time.sleep(seconds)
    if process.poll() is not None:
        raise Failed(f"the sender ended early: {process.args}")
    ended = reading(sink, process)
    wall, client, receiver, events, body_bytes, encrypted, http2 = (b - a for a, b in zip(begun, ended))
    return {
        "rate": events / wall,
        "body": body_bytes / events,
        "cpu_us": client / events * 1e6,
        "sink_us": receiver / events * 1e6,
        "client_busy": client / wall,
        "sink_busy": receiver / wall,
        "encrypted": encrypted / events,
        "http2": http2 / events,
    }


def reading(sink, process):
    counts = sink.count()
    return time.monotonic(), cpu_seconds(process.pid), sink.cpu_seconds(), *counts
