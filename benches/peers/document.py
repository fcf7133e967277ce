"""Writes the results as Markdown tables into docs/performance.md."""

import datetime
import os
import pathlib
import platform

PAGE = pathlib.Path("docs/performance.md")
BEGIN = "<!-- measured by benches/peers/run -->\n"
END = "<!-- end -->\n"


def tables(found):
    parts = [
        conditions(found),
        compared(found),
        costs(found),
        protocols(found),
        growth(found),
        accuracy(found),
    ]
    return "\n".join(parts) + "\n" + verdicts(found)


def conditions(found):
    day = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    loads = found["loads"]
    verified = ", ".join(f"{count:,} of {name}" for name, count in found["verified"].items())
    body = found["compared"][0]
    return f"""### Conditions

{day}; {machine()}. Load average {min(loads):.1f} to
{max(loads):.1f} between the steps. The measured pair itself causes up to 2; anything above that is other work
on the same cores, which slows both sides of a pair. {os.environ.get("PEERS_VERSIONS", "Versions unknown")}. Bodies of {body["ours"]["body"]:,.0f} \
bytes on average (aghook), and one of {body["theirs"]["body"]:,.0f} bytes (the peers). Signatures
that aghook's own receiver verified before: {verified}; it refused none.
"""


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    field = {
        line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in info.splitlines()
    }
    flags = field.get("flags", "").split()
    kind = "a virtual machine" if "hypervisor" in flags else "a machine"
    sha = "with" if "sha_ni" in flags else "without"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    kernel = ".".join(platform.release().split(".")[:2])
    return (
        f"{kind} with {os.cpu_count()} cores ({field.get('model name', 'unknown processor')}, {sha} SHA "
        f"instructions), {memory:.0f} GB, Linux {kernel}"
    )


def compared(found):
    rows = [
        "### Compared with other senders",
        "",
        f"Medians of {found['pairs']} pairs of runs of {found['window']} s at "
        "50 connections; the range is in parentheses.",
        "",
        "| peer | for each event, it | aghook, events per second | the peer | aghook / peer | the same by "
        "CPU time of the sender |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    for row in found["compared"]:
        rows.append(
            f"| {row['name']} | {row['does']} | {row['ours']['rate']:,.0f} "
            f"| {row['theirs']['rate']:,.0f} | {ratio(row['rate_ratio'])} | {ratio(row['cpu_ratio'])} |"
        )
    return "\n".join(rows) + "\n"


def ratio(values):
    least, median, most = (f"{value:.2f}" if value < 10 else f"{value:.1f}" for value in values)
    return f"**{median}** ({least} to {most})"


def costs(found):
    rows = [
        "### What an event costs",
        "",
        "| sender | CPU time per event | core in use | sink's CPU time | sink's core in use |",
        "| --- | --: | --: | --: | --: |",
    ]
    ours = found["compared"][0]["ours"]
    for name, cost in [("aghook", ours)] + [(r["name"], r["theirs"]) for r in found["compared"]]:
        rows.append(cost_cells(name, cost))
    if not found["profile"]:
        return "\n".join(rows) + "\n\nNo profile: perf is missing or took too few samples.\n"
    rows += ["", "| part of aghook's time, by samples of perf | share |", "| --- | --: |"]
    rows += [f"| {name} | {share:.0%} |" for name, share in found["profile"].items()]
    return "\n".join(rows) + "\n"


def cost_cells(name, cost):
    return (
        f"| {name} | {cost['cpu_us']:.1f} µs | {cost['client_busy']:.0%} "
        f"| {cost['sink_us']:.1f} µs | {cost['sink_busy']:.0%} |"
    )


def protocols(found):
    rows = [
        "### Over TLS and HTTP/2",
        "",
        f"Medians of {found['pairs']} pairs of runs of {found['window']} s at "
        "50 connections with one request in flight on each; the range is in parentheses. For each",
        "event, aghook builds and signs a whole new event; the peers send one body, unsigned.",
        "",
        "| protocol | peer | aghook, events per second | the peer | aghook / peer | the same by CPU time of the "
        "sender |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    for row in found["protocols"]:
        rows.append(
            f"| {row['protocol']} | {row['name']} | {row['ours']['rate']:,.0f} "
            f"| {row['theirs']['rate']:,.0f} | {ratio(row['rate_ratio'])} | {ratio(row['cpu_ratio'])} |"
        )
    rows += [
        "",
        "| protocol | sender | CPU time per event | core in use | sink's CPU time | sink's core in use |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    known = set()
    for row in found["protocols"]:
        protocol = row["protocol"]
        if protocol not in known:
            known.add(protocol)
            rows.append(f"| {protocol} {cost_cells('aghook', row['ours'])}")
        rows.append(f"| {protocol} {cost_cells(row['name'], row['theirs'])}")
    return "\n".join(rows) + "\n"


def growth(found):
    rows = [
        "### Scaling",
        "",
        "At the rate `max`, over the whole run of the program; 50 connections unless noted.",
        "",
        "| events | events per second | CPU time per event | peak resident memory |",
        "| --: | --: | --: | --: |",
    ]
    for row in found["events"]:
        rows.append(
            f"| {row['events']:,} | {row['rate']:,.0f} | {row['cpu_us']:.1f} µs | {row['peak']:.1f} MB |"
        )
    rows += ["", "| connections | events per second | CPU time per event | peak resident memory |"]
    rows += ["| --: | --: | --: | --: |"]
    for row in found["connections"]:
        rows.append(
            f"| {row['connections']} | {row['rate']:,.0f} | {row['cpu_us']:.1f} µs | {row['peak']:.1f} MB |"
        )
    return "\n".join(rows) + "\n"


def stall_text(stalls):
    if not stalls["count"]:
        return "the machine never stalled for 10 ms"
    longest = stalls["longest_us"] / 1000
    return f'the machine stalled {stalls["count"]} times, for up to {longest:.0f} ms'


def accuracy(found):
    measured = found["accuracy"]
    return f"""### Rate accuracy

At `--rate {measured["rate"]}` for {measured["seconds"]} s, the sink saw {measured["seen"]:,.1f} events per second \
({measured["off"]:.2%} off) over all but the first and last second,
and {measured["arrived"]:,} of {measured["planned"]:,} events in all. Events were sent {measured["late_p50_us"] / 1000:,.2f} ms late in the median, \
{measured["late_p99_us"] / 1000:,.1f} ms at p99;
{stall_text(measured["stalls"])}. aghook used \
{measured["client_busy"]:.0%} of its core.
"""


def verdicts(found):
    """The targets, and whether they were met."""
    by_name = {row["name"]: row for row in found["compared"]}
    peaks = {row["events"]: row["peak"] for row in found["events"]}
    few, many = peaks[100_000], peaks[max(peaks)]
    oha, lua = by_name["oha"]["rate_ratio"][1], by_name["wrk + Lua"]["rate_ratio"][1]
    off = found["accuracy"]["off"]
    other_protocols = [row for row in found["protocols"] if row["name"] == "oha"]
    lines = [
        ("at least 0.9 of oha with a constant body", oha >= 0.9, f"{oha:.2f}"),
        *(
            (f"at least 0.9 of oha, {row['protocol']}", row["rate_ratio"][1] >= 0.9, f"{row['rate_ratio'][1]:.2f}")
            for row in other_protocols
        ),
        ("at least 3 times wrk with HMAC in plain Lua", lua >= 3, f"{lua:.2f}"),
        ("under 64 MB", max(peaks.values()) < 64, f"{max(peaks.values()):.1f} MB"),
        (
            f"memory within 10% from 100,000 to {max(peaks):,} events",
            abs(many / few - 1) <= 0.1,
            f"{many / few - 1:+.1%}",
        ),
        ("a rate within 0.5%", off <= 0.005, f"{off:.2%}"),
    ]
    if found["profile"]:
        # Counts all memory functions, although other parts use them as well.
        named = ["signing", "building the event", "memory: allocating, copying"]
        share = sum(found["profile"][name] for name in named)
        what = "building and signing, with all memory functions, under a quarter of CPU time"
        lines.insert(len(lines) - 3, (what, share < 0.25, f"{share:.0%}"))
    rows = ["### Targets", "", "| target | measured | |", "| --- | --: | --- |"]
    rows += [f"| {what} | {value} | {'met' if met else '**missed**'} |" for what, met, value in lines]
    return "\n".join(rows) + "\n"


def write(text):
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
