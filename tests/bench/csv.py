#!/usr/bin/env python3
"""CSV to CSV with a transform, against Miller, in one run and by turns.

usage: csv.py TALLYMAN GENERATE_EXPORT

A filter, three renames, a lower-case, a time made ISO and UTC, a concatenation and a cast, over a generated export with
multi-line bodies (BENCH_ROWS, default 10⁶).  Prints medians of wall and processor time, the ratio pair by pair, and the
peak memory from 10⁴ rows up to ten times BENCH_ROWS if BENCH_HUGE is set.
"""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
PAIRS = int(os.environ.get("BENCH_PAIRS", "3"))

tallyman, generate = sys.argv[1:]

PIPELINE = """pipeline: bench-{rows}
source:
  csv: {{ path: {folder}/export-{rows}.csv }}
transform:
  - filter: status <> 'spam'
  - rename: {{ ticket: id, team: group, opened: created }}
  - set:
      requester_email: lower(requester_email)
      opened: to_timestamp(opened, 'MM/DD/YYYY HH24:MI:SS TZHTZM')
      subject: "'[' || priority || '] ' || subject"
      replies: replies::bigint
sink:
  csv: {{ path: {folder}/ours.csv }}
"""

MILLER = ["mlr", "--csv", "filter", '$status != "spam"', "then", "rename", "id,ticket,group,team,created,opened",
          "then", "put", '$requester_email = tolower($requester_email);'
          '$opened = sec2gmt(strptime($opened, "%m/%d/%Y %H:%M:%S %z"));'
          '$subject = "[" . $priority . "] " . $subject;'
          '$replies = int(sub(string($replies), "^0+([0-9])", "\\1"))']


def run(command, **options):
    """Wall seconds, processor seconds, peak memory in MiB of one process."""
    begun = time.monotonic()
    process = subprocess.Popen(command, **options)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with status {status}")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def export(folder, rows):
    path = os.path.join(folder, f"export-{rows}.csv")
    with open(path, "wb") as out:
        subprocess.run([generate, str(rows)], check=True, stdout=out)
    return path


def ours(folder, rows):
    path = os.path.join(folder, "pipeline.yaml")
    with open(path, "w") as out:
        out.write(PIPELINE.format(folder=folder, rows=rows))
    return run([tallyman, "run", "--quiet", path])


def miller(folder, source):
    with open(os.path.join(folder, "miller.csv"), "wb") as out:
        return run(MILLER + [source], stdout=out)


def show(label, figures):
    wall, cpu, memory = (statistics.median(column) for column in zip(*figures))
    print(f"  {label:10} {wall:7.2f} s wall  {cpu:7.2f} s processor  {memory:7.0f} MiB", flush=True)


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
        os.environ["XDG_STATE_HOME"] = os.path.join(folder, "state")
        source = export(folder, ROWS)
        print(f"CSV to CSV with a transform: {ROWS} rows, {os.path.getsize(source) / 1e6:.0f} MB, {PAIRS} pairs")
        mine, theirs = [], []
        for _ in range(PAIRS):
            mine.append(ours(folder, ROWS))
            if shutil.which("mlr"):
                theirs.append(miller(folder, source))
        show("tallyman", mine)
        if theirs:
            show("miller", theirs)
            ratio = statistics.median(a[0] / b[0] for a, b in zip(mine, theirs))
            print(f"  ratio {ratio:.2f} of Miller's time", flush=True)
        else:
            print("  Miller is skipped: it is not installed")
        for rows in [10_000, 100_000] + ([ROWS * 10] if os.environ.get("BENCH_HUGE") else []):
            export(folder, rows)
            print(f"  {rows:>9} rows: {ours(folder, rows)[2]:.1f} MiB at most", flush=True)
            os.remove(os.path.join(folder, f"export-{rows}.csv"))


main()
