"""Prints the benchmarks of `make bench` as ratios to each group's reference.

    python -m tutorial_lib.course.bench_ratios build/bench.json

A time says more about the machine than about the code, and two machines never agree on one; a ratio of two
times measured side by side in the same run does carry over. The reference of a group is the benchmark with
`extra_info["reference"] = True`, or else the one whose name contains "reference".
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path


def read(path: Path) -> dict[str, list[dict]]:
    """The benchmarks of pytest-benchmark's JSON by group.

    Raises:
        ValueError: if the file is not that JSON.
    """
    try:
        benchmarks = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"path is {str(path)!r}, expected what pytest --benchmark-json wrote ({error}): run `make bench`"
        ) from error
    groups = defaultdict(list)
    for benchmark in benchmarks:
        groups[benchmark["group"] or "without a group"].append(benchmark)
    return dict(groups)


def reference(benchmarks: list[dict]) -> dict | None:
    """The benchmark of a group that the others are measured against, or None.

    Raises:
        ValueError: if more than one claims to be it.
    """
    marked = [b for b in benchmarks if b["extra_info"].get("reference") is True]
    marked = marked or [b for b in benchmarks if "reference" in b["name"]]
    if len(marked) > 1:
        raise ValueError(
            f"group {benchmarks[0]['group']!r} has {len(marked)} references "
            f"({', '.join(b['name'] for b in marked)}), expected one: "
            "mark it with extra_info['reference'] = True"
        )
    return marked[0] if marked else None


def report(groups: dict[str, list[dict]]) -> str:
    """One table a group: name, median, spread (interquartile range over median), how many times as fast."""
    lines = []
    for group, benchmarks in sorted(groups.items()):
        base = reference(benchmarks)
        title = group if base else f"{group} (no reference: times only)"
        width = max(len(b["name"]) for b in benchmarks)
        lines += ["", title, f"{'':{width}}  {'median ms':>10}  {'spread':>6}  ratio"]
        for benchmark in sorted(benchmarks, key=lambda b: (b is not base, b["stats"]["median"])):
            stats = benchmark["stats"]
            ratio = f"{base['stats']['median'] / stats['median']:.2f} x as fast" if base else ""
            ratio = "reference" if benchmark is base else ratio
            lines.append(
                f"{benchmark['name']:{width}}  {1e3 * stats['median']:>10.3f}  "
                f"{stats['iqr'] / stats['median']:>6.0%}  {ratio}".rstrip()
            )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Print benchmarks as ratios.")
    parser.add_argument("path", type=Path)
    options = parser.parse_args(arguments)
    try:
        print(report(read(options.path)))
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
