"""What the benchmarks share: processes timed as a whole, by turns, and ratios of medians."""
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PAIRS = int(os.environ.get("BENCH_PAIRS", "3"))
HERE = os.path.dirname(os.path.abspath(__file__))


class Figures:
    """Wall seconds, processor seconds and peak memory in MiB of one process."""

    def __init__(self, wall, cpu, memory):
        self.wall, self.cpu, self.memory = wall, cpu, memory


def run(command, **options):
    begun = time.monotonic()
    process = subprocess.Popen(command, **options)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with status {status}")
    return Figures(time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def run_into(path, command, **options):
    with open(path, "wb") as out:
        return run(command, stdout=out, **options)


def workshop():
    """A temporary folder, with a state directory of its own for the command."""
    folder = tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER"))
    os.environ["XDG_STATE_HOME"] = os.path.join(folder.name, "state")
    return folder


class PrivateServer:
    """A PostgreSQL server of our own, until stop()."""

    def __init__(self, private_postgresql, *settings):
        self.process = subprocess.Popen([private_postgresql, *settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.uri = self.process.stdout.readline().strip()
        if not self.uri:
            print("skipped: no PostgreSQL server is installed")
            sys.exit(77)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


@contextlib.contextmanager
def private_server(private_postgresql, *settings):
    server = PrivateServer(private_postgresql, *settings)
    try:
        yield server
    finally:
        server.stop()


def export(generate, folder, rows):
    path = os.path.join(folder, f"export-{rows}.csv")
    if not os.path.exists(path):
        run_into(path, [generate, str(rows)])
    return path


def tallyman(command, folder, name, text):
    """Writes a pipeline and runs it."""
    path = os.path.join(folder, f"{name}.yaml")
    with open(path, "w") as out:
        out.write(f"pipeline: {name}\n{text}")
    return run([command, "run", "--quiet", path])


class DuckDB:
    """DuckDB's library from the npm registry, in a folder; a reason where there is none."""

    def __init__(self, folder):
        self.folder, self.missing = folder, None
        if not shutil.which("npm") or not shutil.which("node"):
            self.missing = "there is no npm"
            return
        done = subprocess.run(["npm", "install", "--silent", "--prefix", folder, "@duckdb/node-api"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            self.missing = "npm could not install @duckdb/node-api"

    def run(self, threads, sql):
        return run(["node", os.path.join(HERE, "duckdb.mjs"), self.folder, str(threads), sql])


class Contest:
    """Contestants, the first of them ours, run by turns."""

    def __init__(self, title):
        print(title, flush=True)
        self.entries, self.figures = {}, {}

    def add(self, name, work, missing=None):
        """missing: why this one cannot take part."""
        if missing:
            print(f"  {name} is skipped: {missing}", flush=True)
        else:
            self.entries[name] = work

    def add_program(self, name, program, work):
        self.add(name, work, None if shutil.which(program) else f"{program} is not installed")

    def run(self, pairs=PAIRS):
        self.figures = {name: [] for name in self.entries}
        for _ in range(pairs):
            for name, work in self.entries.items():
                self.figures[name].append(work())
        for name in self.figures:
            wall, cpu, memory = (self.median(name, kind) for kind in ("wall", "cpu", "memory"))
            print(f"  {name:20} {wall:8.3f} s wall {cpu:8.3f} s processor {memory:8.0f} MiB", flush=True)

    def median(self, name, kind="wall"):
        return statistics.median(getattr(figures, kind) for figures in self.figures[name])

    def ratio(self, ours, theirs, aim, kind="wall"):
        """The median of the ratios, turn by turn."""
        if ours not in self.figures or theirs not in self.figures:
            return
        value = statistics.median(getattr(a, kind) / getattr(b, kind)
                                  for a, b in zip(self.figures[ours], self.figures[theirs]))
        label = {"wall": "time", "cpu": "processor time"}[kind]
        print(f"  {ours}: {value:.2f} of the {label} of {theirs}; aim {aim:.2f}, {'met' if value <= aim else 'MISSED'}",
              flush=True)
