#!/usr/bin/env python3
"""Peak memory by the number of rows: between files, beside a sink that is slower than the source, and into and out of PostgreSQL.

usage: memory.py TALLYMAN GENERATE_EXPORT PRIVATE_POSTGRESQL

10⁵ and 10⁶ rows, and 10⁷ (5 GB) if BENCH_HUGE is set.  BENCH_ONLY=files or postgresql leaves the other out.
"""
import os
import subprocess
import sys

import contest

LIMIT = 64
ROWS = [100_000, 1_000_000] + ([10_000_000] if os.environ.get("BENCH_HUGE") else [])
TRANSFORM = """transform:
  - filter: status <> 'spam'
  - set: { opened: "to_timestamp(created, 'MM/DD/YYYY HH24:MI:SS TZHTZM')", replies: replies::bigint }
"""
# A reader of some 25 MB a second.
SLOW = [sys.executable, "-c", "import sys, time\nwhile sys.stdin.buffer.read(1 << 20): time.sleep(0.04)"]

command, generate, private_postgresql = sys.argv[1:]


def into_file(folder, source, target):
    name = f"bench-{source.split(':')[0]}-{target}"
    return contest.tallyman(command, folder, name, f"source: {{ {source} }}\n{TRANSFORM}"
                            f"sink: {{ {target}: {{ path: {folder}/out }} }}\n").memory


def into_slow_reader(folder, source):
    path = os.path.join(folder, "slow.yaml")
    with open(path, "w") as out:
        out.write(f"pipeline: bench-slow\nsource: {{ {source} }}\n{TRANSFORM}sink: {{ csv: {{ path: '-' }} }}\n")
    reader = subprocess.Popen(SLOW, stdin=subprocess.PIPE)
    memory = contest.run([command, "run", "--quiet", path], stdout=reader.stdin).memory
    reader.stdin.close()
    reader.wait()
    return memory


def through_files(folder, source):
    peaks = {"CSV to CSV": into_file(folder, f"csv: {{ path: {source} }}", "csv"),
             "CSV to NDJSON": into_file(folder, f"csv: {{ path: {source} }}", "json")}
    os.rename(os.path.join(folder, "out"), os.path.join(folder, "in"))
    peaks["CSV to a slow reader"] = into_slow_reader(folder, f"csv: {{ path: {source} }}")
    peaks["NDJSON to NDJSON"] = into_file(folder, f"json: {{ path: {folder}/in }}", "json")
    peaks["NDJSON to a slow reader"] = into_slow_reader(folder, f"json: {{ path: {folder}/in }}")
    return peaks


def through_postgresql(folder, source, rows):
    """Into a new table over one connection and over two, by key into another one, and out of it."""
    with contest.private_server(private_postgresql, "max_wal_size=4GB") as server:
        def between(name, source, sink, steps=""):
            return contest.tallyman(command, folder, f"bench-{name}-{rows}", f"source: {{ {source} }}\n{steps}sink: {{ {sink} }}\n").memory

        def table(name, options=""):
            return f'postgresql: {{ connection: "{server.uri}", table: {name}{options} }}'

        into = f"csv: {{ path: {source} }}"
        return {"CSV to PostgreSQL": between("one", into, table("one", ", create: true"), TRANSFORM),
                "the same, 2 connections": between("two", into, table("two", ", create: true, connections: 2"), TRANSFORM),
                "the same, by key": between("key", into, table("keyed", ", create: true, mode: upsert, key: id"), TRANSFORM),
                "PostgreSQL to CSV": between("out", table("one"), f"csv: {{ path: {folder}/out }}"),
                "PostgreSQL to PostgreSQL": between("copy", table("one"), table("copy", ", create: true"))}


def show(label, peaks):
    growth = peaks[-1] / peaks[0]
    print(f"  {label:24} " + "  ".join(f"{peak:6.1f}" for peak in peaks) + f"   {growth:.3f} from first to last", flush=True)
    if max(peaks) > LIMIT or growth > 1.05:
        print(f"  MISSED: the aim is {LIMIT} MiB, and growth by 5 %", flush=True)


def main():
    only = os.environ.get("BENCH_ONLY")
    with contest.workshop() as folder:
        print("Peak memory in MiB at " + ", ".join(f"{rows}" for rows in ROWS) + " rows", flush=True)
        peaks = {}
        for rows in ROWS:
            source = contest.export(generate, folder, rows)
            found = through_postgresql(folder, source, rows) if only in (None, "postgresql") else {}
            found |= through_files(folder, source) if only in (None, "files") else {}
            os.remove(source)
            for label, peak in found.items():
                peaks.setdefault(label, []).append(peak)
        for label, figures in peaks.items():
            show(label, figures)


main()
