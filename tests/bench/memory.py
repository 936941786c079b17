#!/usr/bin/env python3
"""Peak memory by the number of rows, and beside a sink that is slower than the source.

usage: memory.py TALLYMAN GENERATE_EXPORT

10⁵ and 10⁶ rows, and 10⁷ (5 GB) if BENCH_HUGE is set.
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

command, generate = sys.argv[1:]


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


def show(label, peaks):
    growth = peaks[-1] / peaks[0]
    print(f"  {label:24} " + "  ".join(f"{peak:6.1f}" for peak in peaks) + f"   {growth:.3f} from first to last", flush=True)
    if max(peaks) > LIMIT or growth > 1.05:
        print(f"  MISSED: the aim is {LIMIT} MiB, and growth by 5 %", flush=True)


def main():
    with contest.workshop() as folder:
        print("Peak memory in MiB at " + ", ".join(f"{rows}" for rows in ROWS) + " rows", flush=True)
        peaks = {"CSV to CSV": [], "CSV to NDJSON": [], "NDJSON to NDJSON": [], "CSV to a slow reader": [],
                 "NDJSON to a slow reader": []}
        for rows in ROWS:
            source = contest.export(generate, folder, rows)
            peaks["CSV to CSV"].append(into_file(folder, f"csv: {{ path: {source} }}", "csv"))
            peaks["CSV to NDJSON"].append(into_file(folder, f"csv: {{ path: {source} }}", "json"))
            os.rename(os.path.join(folder, "out"), os.path.join(folder, "in"))
            peaks["CSV to a slow reader"].append(into_slow_reader(folder, f"csv: {{ path: {source} }}"))
            os.remove(source)
            peaks["NDJSON to NDJSON"].append(into_file(folder, f"json: {{ path: {folder}/in }}", "json"))
            peaks["NDJSON to a slow reader"].append(into_slow_reader(folder, f"json: {{ path: {folder}/in }}"))
        for label, figures in peaks.items():
            show(label, figures)


main()
