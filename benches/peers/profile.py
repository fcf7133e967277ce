"""Profiles aghook with perf, and groups the samples by function."""

import os
import re
import shutil
import subprocess

import processes
import senders

# The first matching pattern decides. Inlined functions count for their caller.
PARTS = [
    ("the kernel: sending, receiving, waiting", r"^\[k\]"),
    ("signing", r"sha2|sha256|hmac|digest|block_buffer|hex::|to_hex|sign_text"),
    (
        "building the event",
        r"aghook::generate|event_source|request_builder|serde_json|sonic_rs|serde|itoa|chacha|rand_core|rand::"
        r"|fmt::|jiff|fake|ryu|zmij|aghook::protocol|uuid|base64|str::|slice::|Serialize",
    ),
    ("memory: allocating, copying", r"malloc|free|calloc|realloc|memcpy|memmove|memset|cfree|alloc"),
    ("the rest: tasks, timers, responses, statistics", r""),
]


def take(sink, seconds):
    """The fraction of each part in aghook's CPU time; None if perf takes too few samples."""
    if not shutil.which("perf"):
        return None
    data = f"{senders.INSTALLED}/perf.data"
    command = senders.aghook_at_most(sink.port)
    with processes.running(command, senders.environment(sink.port)) as process:
        processes.window(sink, process, 0.5, 0.2)
        # taskset replaces itself with aghook, so the process ID is the same.
        record = ["perf", "record", "-q", "-F", "997", "-e", "cpu-clock", "-o", data]
        record += ["-p", str(process.pid), "--", "sleep", str(seconds)]
        if subprocess.run(record, capture_output=True).returncode:
            return None
    report = ["perf", "script", "-i", data, "-F", "ip,sym,dso", "--demangle"]
    text = subprocess.run(report, capture_output=True, text=True, check=True).stdout
    os.remove(data)
    counts = dict.fromkeys((name for name, _ in PARTS), 0)
    for line in text.splitlines():
        _address, _, rest = line.strip().partition(" ")
        symbol = f"[k] {rest}" if "[kernel" in rest or "(/lib/modules" in rest else rest
        counts[next(name for name, pattern in PARTS if re.search(pattern, symbol))] += 1
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total >= 300 else None
