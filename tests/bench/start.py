#!/usr/bin/env python3
"""A pipeline of one row from start to end, ledger included, against a process of Miller's that copies the row.

usage: start.py TALLYMAN
"""
import os
import sys

import contest

AIM = 0.030

command = sys.argv[1]


def main():
    with contest.workshop() as folder:
        source = os.path.join(folder, "one.csv")
        with open(source, "w") as out:
            out.write("id,name\n1,x\n")
        race = contest.Contest("One row, CSV to CSV")
        race.add("tallyman", lambda: contest.tallyman(
            command, folder, "bench-one", f"source: {{ csv: {{ path: {source} }} }}\n"
            f"transform: [ set: {{ id: id::bigint }} ]\nsink: {{ csv: {{ path: {folder}/out }} }}\n"))
        race.add_program("Miller", "mlr", lambda: contest.run_into(os.path.join(folder, "miller"), ["mlr", "--csv", "cat", source]))
        race.run(pairs=31)
        wall = race.median("tallyman")
        print(f"  tallyman: {wall * 1000:.1f} ms; aim {AIM * 1000:.0f} ms, {'met' if wall < AIM else 'MISSED'}", flush=True)


main()
