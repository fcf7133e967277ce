"""Compares aghook with other senders, and writes the tables of docs/performance.md.

`benches/peers/run` installs the requirements and starts this from the root of the repository.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time

import document
import processes
import profile
import senders
from processes import Failed, Sink, running, window

GROWING_CONNECTIONS = [1, 8, 64, 512]


class Extent:
    """How long and how often to measure."""

    def __init__(self, quick):
        self.quick = quick
        self.pairs = 5
        self.window = 1 if quick else 2
        self.warmup = 0.3 if quick else 0.5
        self.rate_seconds = 10 if quick else 30
        self.events = [10_000, 100_000, 300_000] if quick else [10_000, 100_000, 1_000_000, 3_000_000]


def say(text):
    print(text, flush=True)


def check_signatures():
    """Checks the signatures of every signing sender with aghook's own receiver."""
    seen = {}
    for sender in [senders.AGHOOK, *senders.PEERS]:
        if not sender.signs:
            continue
        log_path = f"{senders.INSTALLED}/receiver.log"
        with open(log_path, "w") as log:
            receiver = subprocess.Popen(
                [os.environ["AGHOOK"], "receive", "--listen", "127.0.0.1:0"],
                env=os.environ | senders.environment(0), stdout=log, stderr=subprocess.STDOUT,
            )
        try:
            port = listening_port(log_path)
            processes.connect(port).close()
            command = sender.command(port)
            with running(command, senders.environment(port)):
                until = time.monotonic() + 20
                while lines_with_status(log_path)[0] < 200 and time.monotonic() < until:
                    time.sleep(0.1)
        finally:
            receiver.kill()
            receiver.wait()
        accepted, refused = lines_with_status(log_path)
        if refused or accepted < 200:
            raise Failed(f"{sender.name}: {accepted} accepted, {refused} refused; see {log_path}")
        seen[sender.name] = accepted
        say(f"   {sender.name}: {accepted} signatures verified")
    return seen


def listening_port(log_path):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with open(log_path) as log:
            for line in log:
                if line.startswith("webhook ") and line.endswith("\n"):
                    return int(line.rsplit(":", 1)[1].split("/")[0])
        time.sleep(0.02)
    raise Failed("aghook receive did not print its address")


def lines_with_status(log_path):
    with open(log_path) as log:
        lines = [line.split(" ", 2) for line in log if " POST " in line]
    accepted = sum(line[0] == "200" for line in lines)
    return accepted, len(lines) - accepted


def measured(sink, sender, extent):
    with running(sender.command(sink.port), senders.environment(sink.port)) as process:
        run = window(sink, process, extent.warmup, extent.window)
    protocol = sender.protocol
    if (run["encrypted"], run["http2"]) != (protocol.encrypted, protocol.http2):
        raise Failed(f"{sender.name} does not use {protocol.name}: {process.args}")
    return run


def compare_protocols(sink, extent):
    """Compares over TLS and HTTP/2."""
    results = []
    for protocol, peers in senders.PROTOCOLS.items():
        aghook, *peers = [senders.over(protocol, sender) for sender in [senders.AGHOOK, *peers]]
        say(f"   {protocol.name}")
        results += compare(sink, extent, aghook, peers)
    return results


def compare(sink, extent, aghook, peers):
    """Measures pairs of aghook and a peer, back to back, in alternating order."""
    results = []
    for peer in peers:
        pairs = []
        for turn in range(extent.pairs):
            order = [aghook, peer] if turn % 2 == 0 else [peer, aghook]
            runs = {sender.name: measured(sink, sender, extent) for sender in order}
            pairs.append((runs["aghook"], runs[peer.name]))
        of_rates = [ours["rate"] / theirs["rate"] for ours, theirs in pairs]
        of_costs = [theirs["cpu_us"] / ours["cpu_us"] for ours, theirs in pairs]
        result = {
            "name": peer.name,
            "does": peer.does,
            "protocol": peer.protocol.name,
            "ours": middle([ours for ours, _ in pairs]),
            "theirs": middle([theirs for _, theirs in pairs]),
            "rate_ratio": spread(of_rates),
            "cpu_ratio": spread(of_costs),
        }
        results.append(result)
        say(
            f"   aghook / {peer.name}: rate {result['rate_ratio'][1]:.2f}, "
            f"per CPU time {result['cpu_ratio'][1]:.2f} "
            f"({result['ours']['rate']:,.0f} and {result['theirs']['rate']:,.0f} per second; "
            f"sink busy {result['ours']['sink_busy']:.0%} and {result['theirs']['sink_busy']:.0%})"
        )
    return results


def middle(runs):
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def spread(values):
    return min(values), statistics.median(values), max(values)


def growth_in_events(sink, extent):
    rows = []
    for count in extent.events:
        report = f"{senders.INSTALLED}/load.json"
        command = senders.aghook(
            sink.port, "--rate", "max", "--count", str(count), "--report", f"json={report}"
        )
        before = sink.count().requests
        with running(command, senders.environment(sink.port)) as process:
            peak, cpu = 0.0, 0.0
            while process.poll() is None:
                peak = max(peak, processes.peak_memory(process.pid) or 0.0)
                # An ended process reports no CPU time, so keep the maximum.
                cpu = max(cpu, processes.cpu_seconds(process.pid))
                time.sleep(0.01)
            if process.returncode:
                raise Failed(f"aghook load exited with {process.returncode}: {command}")
        arrived = sink.count().requests - before
        if arrived != count:
            raise Failed(f"{arrived} of {count} events arrived")
        with open(report) as file:
            rate = json.load(file)["events_per_second"]
        rows.append({"events": count, "rate": rate, "cpu_us": cpu / count * 1e6, "peak": peak})
        say(f"   {count:>9,} events: {rate:,.0f} per second, {peak:.1f} MB")
    return rows


def growth_in_connections(sink, extent):
    rows = []
    for connections in GROWING_CONNECTIONS:
        command = senders.aghook_at_most(sink.port, connections)
        with running(command, senders.environment(sink.port)) as process:
            row = window(sink, process, extent.warmup, extent.window)
            row |= {"connections": connections, "peak": processes.peak_memory(process.pid)}
        rows.append(row)
        say(f"   {connections:>4} connections: {row['rate']:,.0f} per second, {row['peak']:.1f} MB")
    return rows


def rate_accuracy(sink, extent, rate=2000):
    """Measures the rate that the sink sees, and how late events are sent."""
    report = f"{senders.INSTALLED}/load.json"
    command = senders.aghook(
        sink.port, "--rate", str(rate), "--duration", f"{extent.rate_seconds}s",
        "--report", f"json={report}",
    )
    before = sink.count().requests
    with running(command, senders.environment(sink.port)) as process:
        seen = window(sink, process, 0.5, extent.rate_seconds - 2)
        process.wait()
    arrived = sink.count().requests - before
    with open(report) as file:
        load = json.load(file)
    result = {
        "rate": rate,
        "seconds": extent.rate_seconds,
        "seen": seen["rate"],
        "off": abs(seen["rate"] / rate - 1),
        "arrived": arrived,
        "planned": rate * extent.rate_seconds,
        "late_p50_us": load["lateness"]["p50_us"],
        "late_p99_us": load["lateness"]["p99_us"],
        "client_busy": seen["client_busy"],
        "stalls": load["figures"]["stalls"],
    }
    say(f"   {seen['rate']:,.1f} of {rate} per second; {arrived} of {result['planned']} events")
    return result


def main():
    parser = argparse.ArgumentParser(prog="benches/peers/run", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="take about four minutes, and only print the tables")
    extent = Extent(parser.parse_args().quick)
    found = {"loads": [processes.load_average()], "window": extent.window, "pairs": extent.pairs}
    say("== The peers' body, and a check of signatures")
    senders.write_body()
    found["verified"] = check_signatures()
    sink = Sink(f"{senders.INSTALLED}/sink", senders.CERTIFICATE, senders.KEY)
    steps = [
        ("compared", "Pairs of runs", lambda: compare(sink, extent, senders.AGHOOK, senders.PEERS)),
        ("protocols", "Pairs of runs over TLS and HTTP/2", lambda: compare_protocols(sink, extent)),
        ("profile", "A profile", lambda: profile.take(sink, 4)),
        ("accuracy", "Rate accuracy", lambda: rate_accuracy(sink, extent)),
        ("connections", "More connections", lambda: growth_in_connections(sink, extent)),
        ("events", "More events", lambda: growth_in_events(sink, extent)),
    ]
    try:
        for key, title, step in steps:
            say(f"== {title} (load average {processes.load_average():.1f})")
            found[key] = step()
            found["loads"].append(processes.load_average())
            with open(f"{senders.INSTALLED}/found.json", "w") as file:
                json.dump(found, file, indent=1)
    finally:
        sink.stop()
    text = document.tables(found)
    say("\n" + text)
    if not extent.quick:
        document.write(text)
        say("wrote docs/performance.md")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Failed as failure:
        sys.exit(f"benches/peers/run: {failure}")
