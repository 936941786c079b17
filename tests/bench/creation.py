#!/usr/bin/env python3
"""How much of the speed of a bare libcurl loop is left with a ledger at full durability.

usage: creation.py TALLYMAN BARE_LOOP PRIVATE_POSTGRESQL

Creates the same tickets in the emulator (no rate limit) by turns: a bare multi loop without a ledger, and
`tallyman run` with a PostgreSQL ledger (fsync and synchronous_commit on).  A process each, started anew, timed as a
whole; medians of five pairs, and the ratio of their rates.  First the server answers at once, which makes the ledger's
share as large as it can be; then after 20 ms, which is still faster than any real one.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

from contest import private_server

TICKETS = int(os.environ.get("BENCH_TICKETS", "20000"))
PAIRS = int(os.environ.get("BENCH_PAIRS", "5"))

tallyman, bare_loop, private_postgresql = sys.argv[1:]


def timed(command, **options):
    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.monotonic() - begun


def emulator(folder, delay):
    port_file = os.path.join(folder, "port")
    if os.path.exists(port_file):
        os.remove(port_file)
    process = subprocess.Popen([os.environ["EMULATOR"], "--quiet", "--delay", str(delay), "--port-file", port_file],
                               stdout=subprocess.DEVNULL)
    while not os.path.exists(port_file) or not open(port_file).read().strip():
        time.sleep(0.01)
    return process, "http://127.0.0.1:" + open(port_file).read().strip()


def write_export(folder):
    with open(os.path.join(folder, "tickets.csv"), "w") as out:
        out.write("id,subject,body\n")
        for i in range(1, TICKETS + 1):
            out.write(f'{i},"Subject, of {i}","Line one of {i}\n""line two"""\n')


def write_pipeline(folder, url, ledger, in_flight, delay, pair):
    path = os.path.join(folder, "pipeline.yaml")
    with open(path, "w") as out:
        out.write(f"""pipeline: bench-{delay}-{in_flight}-{pair}
source:
  csv: {{ path: tickets.csv }}
transform:
  - rename: {{ comment.body: body }}
sink:
  zendesk-tickets:
    url: {url}
    access_token: secret
    key: id
    in-flight: {in_flight}
ledger: {ledger}
""")
    return path


def measure(folder, ledger, in_flight, delay):
    bare, ours = [], []
    for pair in range(PAIRS):
        process, url = emulator(folder, delay)
        bare.append(timed([bare_loop, url, str(TICKETS), str(in_flight)]))
        process.kill()
        process.wait()
        process, url = emulator(folder, delay)
        pipeline = write_pipeline(folder, url, ledger, in_flight, delay, pair)
        ours.append(timed([tallyman, "run", "--quiet", "--new-target", pipeline]))
        process.kill()
        process.wait()
    a, b = statistics.median(bare), statistics.median(ours)
    ratio = statistics.median(x / y for x, y in zip(bare, ours))
    print(f"{in_flight:3} in flight, {delay:2} ms: bare loop {TICKETS / a:7.0f}/s, with the ledger {TICKETS / b:7.0f}/s,"
          f" ratio {ratio:.2f}", flush=True)


def main():
    with private_server(private_postgresql) as server, tempfile.TemporaryDirectory() as folder:
        print(f"{TICKETS} tickets, {PAIRS} pairs by turns, PostgreSQL ledger with fsync on")
        os.environ["XDG_STATE_HOME"] = os.path.join(folder, "state")
        write_export(folder)
        for delay in (0, 20):
            for in_flight in (64, 16):
                measure(folder, server.uri, in_flight, delay)


main()
