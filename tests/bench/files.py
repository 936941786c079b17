#!/usr/bin/env python3
"""CSV and NDJSON with a transform, against the tools of the field, by turns.

usage: files.py TALLYMAN GENERATE_EXPORT

A filter, three renames, a lower-case, a time made ISO and UTC, a concatenation and a cast, over a generated export with
multi-line bodies: CSV to CSV (BENCH_ROWS, default 10⁶), CSV to NDJSON and NDJSON to NDJSON (a tenth of them).  Before anything is
timed each contestant does a thousand rows, and its output must say what ours says.
"""
import csv
import json
import os
import shutil
import sys

import contest

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))

command, generate = sys.argv[1:]

TRANSFORM = """transform:
  - filter: status <> 'spam'
  - rename: { ticket: id, team: group, opened: created }
  - set:
      requester_email: lower(requester_email)
      opened: to_timestamp(opened, 'MM/DD/YYYY HH24:MI:SS TZHTZM')
      subject: "'[' || priority || '] ' || subject"
      replies: replies::bigint
"""

MILLER = ["filter", '$status != "spam"', "then", "rename", "id,ticket,group,team,created,opened",
          "then", "put", '$requester_email = tolower($requester_email);'
          '$opened = strftime(strptime($opened, "%m/%d/%Y %H:%M:%S %z"), "%Y-%m-%d %H:%M:%S+00");'
          '$subject = "[" . $priority . "] " . $subject;'
          '$replies = int(sub(string($replies), "^0+([0-9])", "\\1"))']

DUCKDB = """SET TimeZone = 'UTC'; COPY (
  SELECT id AS ticket, status, priority, '[' || priority || '] ' || subject AS subject, body, requester_name,
    lower(requester_email) AS requester_email, assignee, "group" AS team,
    strftime(strptime(created, '%m/%d/%Y %H:%M:%S %z') AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S+00') AS opened, updated, solved,
    tags, channel, organization, product, version, country, satisfaction, external_ref, CAST(replies AS BIGINT) AS replies, note
  FROM read_csv('{source}', all_varchar = true, header = true, quote = '"', escape = '"', delim = ',')
  WHERE status <> 'spam') TO '{target}' ({form})"""

SQLITE = """.mode csv
.import {source} t
.headers on
.once {target}
SELECT id AS ticket, status, priority, '[' || priority || '] ' || subject AS subject, body, requester_name,
  lower(requester_email) AS requester_email, assignee, "group" AS team,
  strftime('%Y-%m-%d %H:%M:%S+00', substr(created, 7, 4) || '-' || substr(created, 1, 2) || '-' || substr(created, 4, 2) || ' '
    || substr(created, 12, 8) || substr(created, 21, 3) || ':' || substr(created, 24, 2)) AS opened, updated, solved,
  tags, channel, organization, product, version, country, satisfaction, external_ref, CAST(replies AS INTEGER) AS replies, note
FROM t WHERE status <> 'spam';
"""

JQ = """select(.status != "spam")
  | .created as $at
  | ($at[20:23] | tonumber * 3600) as $hours | ($at[20:21] + $at[23:25] | tonumber * 60) as $minutes
  | .opened = ($at[0:19] | strptime("%m/%d/%Y %H:%M:%S") | mktime - $hours - $minutes | strftime("%Y-%m-%d %H:%M:%S+00"))
  | .ticket = .id | .team = .group | del(.id, .group, .created)
  | .requester_email |= ascii_downcase | .subject = "[\\(.priority)] \\(.subject)" | .replies |= tonumber"""


class Work:
    """One source in one folder, and what each contestant makes of it."""

    def __init__(self, folder, source, duckdb):
        self.folder, self.source, self.duckdb_library = folder, source, duckdb

    def target(self, name):
        return os.path.join(self.folder, name)

    def ours(self, source_plugin, sink_plugin):
        return contest.tallyman(command, self.folder, f"bench-{source_plugin}-{sink_plugin}",
                                f"source: {{ {source_plugin}: {{ path: {self.source} }} }}\n{TRANSFORM}"
                                f"sink: {{ {sink_plugin}: {{ path: {self.target('ours')} }} }}\n")

    def miller(self, *form):
        return contest.run_into(self.target("miller"), ["mlr", *form, *MILLER, self.source])

    def duckdb(self, threads, form):
        return self.duckdb_library.run(threads, DUCKDB.format(source=self.source, target=self.target("duckdb"), form=form))

    def sqlite(self):
        script = SQLITE.format(source=self.source, target=self.target("sqlite"))
        return contest.run(["sh", "-c", 'printf "%s" "$1" | exec sqlite3', "sh", script])

    def jq(self):
        return contest.run_into(self.target("jq"), ["jq", "-c", JQ, self.source])

    def cat(self):
        return contest.run_into(self.target("cat"), ["cat", self.source])

    def cat_and_sync(self):
        """As durable as ours."""
        return contest.run(["sh", "-c", 'cat "$1" >"$2" && sync "$2"', "sh", self.source, self.target("cat")])


def records(path, reader):
    """What a file says, whatever it calls nothing: empty text, null, or no member."""
    with open(path, newline="", encoding="utf-8") as lines:
        return [{name: str(value) for name, value in record.items() if value not in (None, "")}
                for record in reader(lines)]


def read_ndjson(lines):
    return (json.loads(line) for line in lines)


def compare(work, entries, reader):
    """Each contestant's output over a few rows must be ours."""
    for name, (do, target) in entries.items():
        do(work)
        if records(work.target(target), reader) != records(work.target("ours"), reader):
            sys.exit(f"{name} gives other rows than tallyman")


def hold(title, few, many, entries, reader, missing):
    """Compares over few rows, then prepares to time over many."""
    compare(few, {name: entry for name, entry in entries.items() if not missing.get(name)}, reader)
    race = contest.Contest(title)
    for name, (do, _) in entries.items():
        race.add(name, lambda do=do: do(many), missing.get(name))
    return race


def csv_to_csv(few, many, missing):
    entries = {
        "tallyman": (lambda work: work.ours("csv", "csv"), "ours"),
        "DuckDB, 1 thread": (lambda work: work.duckdb(1, "HEADER"), "duckdb"),
        "DuckDB, 2 threads": (lambda work: work.duckdb(2, "HEADER"), "duckdb"),
        "sqlite3": (Work.sqlite, "sqlite"),
        "Miller": (lambda work: work.miller("--csv"), "miller"),
    }
    race = hold(f"CSV to CSV: {ROWS} rows, {os.path.getsize(many.source) / 1e6:.0f} MB", few, many, entries,
                csv.DictReader, missing)
    race.add("cat", many.cat)
    race.add("cat and sync", many.cat_and_sync)
    race.run()
    race.ratio("tallyman", "cat", 5)
    race.ratio("tallyman", "cat and sync", 5)
    race.ratio("tallyman", "DuckDB, 1 thread", 0.5, "cpu")
    race.ratio("tallyman", "DuckDB, 1 thread", 0.3, "cpu")
    race.ratio("tallyman", "Miller", 0.25)


def csv_to_ndjson(few, many, missing):
    entries = {
        "tallyman": (lambda work: work.ours("csv", "json"), "ours"),
        "DuckDB, 1 thread": (lambda work: work.duckdb(1, "FORMAT json"), "duckdb"),
        "Miller": (lambda work: work.miller("--icsv", "--ojsonl"), "miller"),
    }
    race = hold(f"CSV to NDJSON: {ROWS // 10} rows", few, many, entries, read_ndjson, missing)
    race.run()
    race.ratio("tallyman", "DuckDB, 1 thread", 0.5)
    race.ratio("tallyman", "Miller", 1 / 6)


def ndjson_to_ndjson(few, many, missing):
    entries = {
        "tallyman": (lambda work: work.ours("json", "json"), "ours"),
        "Miller": (lambda work: work.miller("--ijsonl", "--ojsonl"), "miller"),
        "jq": (Work.jq, "jq"),
    }
    race = hold(f"NDJSON to NDJSON: {ROWS // 10} rows", few, many, entries, read_ndjson, missing)
    race.run()
    race.ratio("tallyman", "Miller", 14 / 85)
    race.ratio("tallyman", "jq", 14 / 85)


def make_ndjson(folder, source):
    """The export as NDJSON, every value a text, as it is in the CSV."""
    path = source.replace(".csv", ".ndjson")
    contest.tallyman(command, folder, "bench-make", f"source: {{ csv: {{ path: {source} }} }}\n"
                     f"sink: {{ json: {{ path: {path} }} }}\n")
    return path


def main():
    with contest.workshop() as folder:
        duckdb = contest.DuckDB(folder)
        missing = {f"DuckDB, {threads}": duckdb.missing for threads in ("1 thread", "2 threads")}
        for name, program in {"Miller": "mlr", "sqlite3": "sqlite3", "jq": "jq"}.items():
            if not shutil.which(program):
                missing[name] = f"{program} is not installed"
        few, many, tenth = (contest.export(generate, folder, rows) for rows in (1000, ROWS, ROWS // 10))
        csv_to_csv(Work(folder, few, duckdb), Work(folder, many, duckdb), missing)
        csv_to_ndjson(Work(folder, few, duckdb), Work(folder, tenth, duckdb), missing)
        few, tenth = make_ndjson(folder, few), make_ndjson(folder, tenth)
        ndjson_to_ndjson(Work(folder, few, duckdb), Work(folder, tenth, duckdb), missing)


main()
