#!/usr/bin/env python3
"""Rows into PostgreSQL, out of it, and merged by key, against psql and pgloader, in one run and by turns.

usage: postgresql.py TALLYMAN GENERATE_EXPORT PRIVATE_POSTGRESQL

  append   CSV, six casts, a lower-case and a concatenation, into a table with a primary key; psql: \\copy of the file as it
           is into a table of the same types; pgloader likewise, once
  create   the same into a table that is made for it, without a key, over one connection and over two
  export   the table as CSV; psql: \\copy (SELECT …) TO
  upsert   a fifth of the rows changed; psql: \\copy into a temporary table, ANALYZE, INSERT … ON CONFLICT DO UPDATE.  Then
           once more: nothing has changed, and no row may be written

over a generated export (BENCH_ROWS, default 2·10⁵; BENCH_PAIRS), in a private server with fsync on.  Processor time is that
of the command and of the server together.  BENCH_ONLY names one of the four.
"""
import csv
import os
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlparse

from contest import Contest, Figures, PrivateServer, export, run, tallyman, workshop

ROWS = int(os.environ.get("BENCH_ROWS", "200000"))
ONLY = os.environ.get("BENCH_ONLY")
TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = (1, 2)

program, generate, private_postgresql = sys.argv[1:]

TYPES = {"id": "bigint PRIMARY KEY", "created": "timestamptz", "updated": "timestamptz", "solved": "timestamptz",
         "replies": "bigint", "version": "numeric"}
STEPS = """transform:
  - cast: { id: bigint, created: timestamptz, updated: timestamptz, solved: timestamptz, replies: bigint, version: numeric }
  - set: { requester_email: lower(requester_email), subject: "'[' || priority || '] ' || subject" }
"""


def stat(pid):
    """The fields of /proc/PID/stat from the state on."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


class Server(PrivateServer):
    """A private server, and the processor time that it and its sessions have taken."""

    def __init__(self):
        super().__init__(private_postgresql, "max_wal_size=4GB")
        parts = parse_qs(urlparse(self.uri).query)
        self.folder, self.port = parts["host"][0], parts["port"][0]
        with open(os.path.join(self.folder, "data", "postmaster.pid")) as file:
            self.pid = file.readline().strip()

    def cpu(self):
        time.sleep(0.2)  # until the last session has gone
        ticks = sum(map(int, stat(self.pid)[11:15]))
        for pid in filter(str.isdigit, os.listdir("/proc")):
            fields = stat(pid)
            if fields and fields[1] == self.pid:
                ticks += sum(map(int, fields[11:13]))
        return ticks / TICKS

    def sql(self, text):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.uri, "-c", text],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def timed(self, work):
        """What one leaves to be done later is not the next one's burden, nor what a session takes left out."""
        self.sql("CHECKPOINT")
        before = self.cpu()
        figures = work()
        return Figures(figures.wall, figures.cpu + self.cpu() - before, figures.memory)

    def psql(self, *commands):
        words = ["psql", "-Xq", "-1", "-v", "ON_ERROR_STOP=1", "-d", self.uri, "-c", "SET DateStyle = 'ISO, MDY'"]
        for command in commands:
            words += ["-c", command]
        return self.timed(lambda: run(words))

    def drop(self, name):
        self.sql(f"SET client_min_messages = warning; DROP TABLE IF EXISTS {name}")

    def make(self, name, types=TYPES):
        self.drop(name)
        self.sql(f"CREATE TABLE {name} (" + ", ".join(f'"{column}" {types.get(column, "text")}' for column in columns) + ")")

    def written(self):
        time.sleep(1)  # until the statistics are there
        return self.sql("SELECT n_tup_ins || ' ' || n_tup_upd || ' ' || n_tup_del FROM pg_stat_user_tables WHERE relname = 'ours'")


count = 0


def ours(source, steps, sink):
    """A pipeline that has never run."""
    global count
    count += 1
    return server.timed(lambda: tallyman(program, folder, f"bench-{count}", f"source: {source}\n{steps}sink: {sink}\n"))


def postgresql(table, options=""):
    return f'{{ postgresql: {{ connection: "{server.uri}", table: {table}{options} }} }}'


def append():
    server.make("ours")
    return ours(f"{{ csv: {{ path: {source} }} }}", STEPS, postgresql("ours"))


def append_psql():
    server.make("peer")
    return server.psql(f"\\copy peer FROM '{source}' (FORMAT csv, HEADER)")


def append_pgloader():
    server.make("loaded")
    path = os.path.join(folder, "load")
    with open(path, "w") as out:
        out.write(f"LOAD CSV FROM '{source}' WITH ENCODING utf-8 INTO postgresql://postgres@unix:{server.folder}:{server.port}"
                  f"{urlparse(server.uri).path}?tablename=loaded WITH skip header = 1, "
                  "fields optionally enclosed by '\"', fields escaped by double-quote, fields terminated by ',';\n")
    return server.timed(lambda: run(["pgloader", "--quiet", "--root-dir", folder, path], stdout=subprocess.DEVNULL))


def bench_append():
    contest = Contest("append: CSV into a table with a primary key")
    contest.add("tallyman", append)
    contest.add("psql", append_psql)
    contest.run()
    contest.ratio("tallyman", "psql", 0.75)
    contest.ratio("tallyman", "psql", 0.75, "cpu")
    slow = Contest("append, once")
    slow.add_program("pgloader", "pgloader", append_pgloader)
    slow.run(1)


def create(connections):
    server.drop("ours")
    return ours(f"{{ csv: {{ path: {source} }} }}", STEPS, postgresql("ours", f", create: true, connections: {connections}"))


def create_psql():
    server.make("peer", TYPES | {"id": "bigint"})
    return server.psql(f"\\copy peer FROM '{source}' (FORMAT csv, HEADER)")


def bench_create():
    contest = Contest("create: CSV into a new table")
    for n in CONNECTIONS:
        contest.add(f"tallyman, {n}", lambda n=n: create(n))
    contest.add("psql", create_psql)
    contest.run()
    for n, aim in zip(CONNECTIONS, (0.75, 0.55)):
        contest.ratio(f"tallyman, {n}", "psql", aim)
        contest.ratio(f"tallyman, {n}", "psql", aim, "cpu")


def bench_export():
    append_psql()
    contest = Contest("export: a table into CSV")
    for n in CONNECTIONS:
        contest.add(f"tallyman, {n}", lambda n=n: ours(postgresql("peer", f", connections: {n}"), "",
                                                       f"{{ csv: {{ path: {folder}/ours.csv }} }}"))
    contest.add("psql", lambda: server.psql(f"\\copy (SELECT * FROM peer) TO '{folder}/peer.csv' (FORMAT csv, HEADER)"))
    contest.run()
    for n in CONNECTIONS:
        contest.ratio(f"tallyman, {n}", "psql", 1.1)
        contest.ratio(f"tallyman, {n}", "psql", 1.1, "cpu")


def write_changed():
    """Every fifth subject is another."""
    path = os.path.join(folder, "changed.csv")
    with open(source, newline="") as rows, open(path, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for i, row in enumerate(csv.reader(rows)):
            if i > 0 and i % 5 == 0:
                row[columns.index("subject")] += "!"
            writer.writerow(row)
    return path


def bench_upsert():
    changed = write_changed()
    others = [f'"{column}"' for column in columns if column != "id"]
    contest = Contest("upsert: a fifth of the rows has changed")

    def upsert():
        return ours(f"{{ csv: {{ path: {changed} }} }}", STEPS, postgresql("ours", ", mode: upsert, key: id"))

    def fresh():
        append()
        server.sql("ANALYZE ours")
        return upsert()

    def again():
        before = server.written()
        figures = upsert()
        if server.written() != before:
            sys.exit("an upsert without changes wrote rows")
        return figures

    def psql():
        append_psql()
        server.sql("ANALYZE peer")
        return server.psql("CREATE TEMPORARY TABLE stage (LIKE peer) ON COMMIT DROP",
                           f"\\copy stage FROM '{changed}' (FORMAT csv, HEADER)", "ANALYZE stage",
                           f"INSERT INTO peer SELECT * FROM stage ON CONFLICT (id) DO UPDATE SET ({', '.join(others)}) = ROW ("
                           + ", ".join(f"EXCLUDED.{column}" for column in others) + ")")

    contest.add("tallyman", fresh)
    contest.add("tallyman, again", again)
    contest.add("psql", psql)
    contest.run()
    for name in ("tallyman", "tallyman, again"):
        contest.ratio(name, "psql", 1.0)
        contest.ratio(name, "psql", 1.0, "cpu")


server = Server()
with workshop() as folder:
    source = export(generate, folder, ROWS)
    with open(source, newline="") as file:
        columns = next(csv.reader(file))
    print(f"PostgreSQL: {ROWS} rows, {os.path.getsize(source) / 1e6:.0f} MB")
    for name, bench in (("append", bench_append), ("create", bench_create), ("export", bench_export), ("upsert", bench_upsert)):
        if ONLY in (None, name):
            bench()
server.stop()
