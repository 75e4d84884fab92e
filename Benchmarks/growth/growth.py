#!/usr/bin/env python3
"""How long segments take as a store grows: a table and a chart.

    growth.py --winnow .build/release/winnow --rules data/rules/demo.ndjson --as-of 2026-01-01T00:00:00Z \\
        --output Benchmarks/growth [--campaigns many.winnow] small.winnow large.winnow …

Stores come from `winnow datagen` of several sizes; that of --campaigns has as many events as one of them, of more
campaigns (datagen --campaigns). Written: growth.md and growth.svg. A rule grows no faster than what it touches when its
time grows by no more than the events do.
"""

import argparse
import json
import math
import subprocess
from pathlib import Path


def ask(arguments, *words):
    lines = subprocess.run([arguments.winnow, *map(str, words)], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def measure(arguments, store):
    info = ask(arguments, "info", store, "--detail", "--format", "json")[0]
    times = ask(
        arguments, "bench", store, "--rules", arguments.rules, "--as-of", arguments.as_of, "--format", "json",
        "--repeat", arguments.repeat,
    )
    return info, times


def label(info):
    return f"{info['profiles'] / 1e6:g} M profiles, {info['events'] / 1e6:g} M events"


def table(measured):
    lines = [
        "| segment | " + " | ".join(f"{label(info)}, ms" for info, _ in measured) + " | growth |",
        "|---|" + "---:|" * (len(measured) + 1),
    ]
    for i, first in enumerate(measured[0][1]):
        row = [times[i]["p50_ms"] for _, times in measured]
        growth = f"{row[-1] / row[0]:.1f}×" if row[0] >= 0.02 else ""
        lines.append(f"| {first['name']} | " + " | ".join(f"{time:.3f}" for time in row) + f" | {growth} |")
    sizes = " | ".join(f"{info['bytes']['activity'] / info['events']:.2f}" for info, _ in measured)
    return "\n".join(lines + [f"| activity, bytes an event | {sizes} | |"]) + "\n"


def leaves(info):
    return sum(kind["leaves"] for kind in info["detail"]["event_types"])


def campaigns_table(measured, many):
    """The store of many campaigns beside the one with as many events."""
    few = next(pair for pair in measured if pair[0]["events"] == many[0]["events"])
    lines = [
        f"| segment | {leaves(few[0]):,} leaves, ms | {leaves(many[0]):,} leaves, ms |",
        "|---|---:|---:|",
    ]
    for a, b in zip(few[1], many[1]):
        lines.append(f"| {a['name']} | {a['p50_ms']:.3f} | {b['p50_ms']:.3f} |")
    sizes = " | ".join(f"{info['bytes']['activity'] / info['events']:.2f}" for info, _ in (few, many))
    return "\n".join(lines + [f"| activity, bytes an event | {sizes} |"]) + "\n"


def chart(measured):
    left, top, width, height = 60, 20, 560, 380
    events = [info["events"] for info, _ in measured]
    low, high = math.log10(min(events)), math.log10(max(events))

    def x(n):
        return left + width * (math.log10(n) - low) / (high - low)

    def y(time):
        return top + height * (1 - (math.log10(max(time, 0.01)) + 2) / 4.5)

    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="960" height="440" font-family="sans-serif" font-size="12">'
        '<rect width="100%" height="100%" fill="white"/>'
    ]
    for power in range(-2, 3):
        out.append(f'<line x1="{left}" y1="{y(10**power):.0f}" x2="{left + width}" y2="{y(10**power):.0f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 8}" y="{y(10**power) + 4:.0f}" text-anchor="end">{10.0**power:g} ms</text>')
    for info, _ in measured:
        at = x(info["events"])
        out.append(f'<text x="{at:.0f}" y="{top + height + 30}" text-anchor="middle">{info["events"] / 1e6:g} M events</text>')
    start = measured[0][0]["events"]
    out.append(
        f'<line x1="{x(start):.0f}" y1="{y(0.3):.0f}" x2="{x(events[-1]):.0f}" y2="{y(0.3 * events[-1] / start):.0f}"'
        ' stroke="#999" stroke-dasharray="5 4"/>'
        f'<text x="{x(start) + 10:.0f}" y="{y(0.3) - 14:.0f}" fill="#777">as fast as the events</text>'
    )
    ends = []
    for i, first in enumerate(measured[0][1]):
        colour = f"hsl({i * 360 // len(measured[0][1])}, 60%, 42%)"
        points = " ".join(f"{x(info['events']):.1f},{y(times[i]['p50_ms']):.1f}" for info, times in measured)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        ends.append((y(measured[-1][1][i]["p50_ms"]), first["name"], colour))
    previous = 0
    for at, name, colour in sorted(ends):
        previous = max(at, previous + 14)
        out.append(f'<text x="{left + width + 8}" y="{previous + 4:.0f}" fill="{colour}">{name[:48]}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", nargs="+", metavar="STORE")
    parser.add_argument("--winnow", required=True)
    parser.add_argument("--rules", required=True)
    parser.add_argument("--as-of", required=True)
    parser.add_argument("--campaigns", metavar="STORE")
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    measured = [measure(arguments, store) for store in arguments.stores]
    measured.sort(key=lambda pair: pair[0]["events"])
    text = (
        "# Growth\n\n"
        f"Milliseconds of each segment, median of {arguments.repeat} in one process, two threads, files in memory; the "
        "last column compares the first store with the last.\n\n"
        + table(measured) + "\n![Growth](growth.svg)\n"
    )
    if arguments.campaigns:
        text += "\nThe same number of events in many more campaigns:\n\n"
        text += campaigns_table(measured, measure(arguments, arguments.campaigns))
    (arguments.output / "growth.md").write_text(text)
    (arguments.output / "growth.svg").write_text(chart(measured))
    print(text)


if __name__ == "__main__":
    main()
