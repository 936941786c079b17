"""What the tests of this folder have in common: promises, and a folder in which pipelines run."""
import json
import os
import subprocess
import sys
import tempfile
import traceback

promises = []


def promise(words):
    def take(function):
        promises.append((words, function))
        return function
    return take


def keep_all():
    """Runs all promises, or those whose words have one of the arguments in them."""
    wanted = sys.argv[1:] or ['']
    broken = 0
    for words, function in promises:
        if not any(some in words for some in wanted):
            continue
        with tempfile.TemporaryDirectory(prefix='tallyman-email-') as folder:
            print(f'  {words} …', end='', flush=True)
            try:
                function(Desk(folder))
                print(' kept', flush=True)
            except Exception:
                broken += 1
                print(' BROKEN')
                traceback.print_exc(file=sys.stdout)
    print(f'{broken} broken')
    sys.exit(1 if broken else 0)


def same(got, wanted, what=''):
    if got != wanted:
        raise AssertionError(f'{what}: got {got!r}, wanted {wanted!r}')


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def make_certificate(folder, name='localhost'):
    """A certificate that signs itself: (certificate, key)."""
    certificate, key = f'{folder}/{name}.pem', f'{folder}/{name}.key'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', f'/CN={name}',
                    '-addext', f'subjectAltName=DNS:{name}', '-keyout', key, '-out', certificate], check=True,
                   stderr=subprocess.DEVNULL)
    return certificate, key


class Desk:
    """A folder with a pipeline, its rows and its state."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(os.environ, XDG_STATE_HOME=f'{folder}/state', HOME=folder)
        self.command = os.environ.get('TALLYMAN_HOOKS', os.environ['TALLYMAN'])
        self.environment['TALLYMAN_CLOCK_RATE'] = '20'

    def path(self, name):
        return f'{self.folder}/{name}'

    def write(self, name, text):
        mode = 'wb' if isinstance(text, bytes) else 'w'
        with open(self.path(name), mode) as file:
            file.write(text)

    def rows(self, rows):
        self.write('rows.ndjson', ''.join(json.dumps(row, ensure_ascii=False) + '\n' for row in rows))

    def pipeline(self, sink, steps='', errors='errors: { limit: 100%, rejects: rejects.ndjson }'):
        """sink: its name and options."""
        name, options = sink
        lines = ''.join(f'    {key}: {json.dumps(value, ensure_ascii=False)}\n' for key, value in options.items())
        self.write('p.yaml', f'pipeline: mails\norigin: test\nsource:\n  json: {{ path: rows.ndjson }}\n{steps}'
                             f'sink:\n  {name}:\n    key: id\n{lines}{errors}\n')

    def mail(self, server, rows=None, **options):
        """A pipeline that sends rows to a server; options with _ for -."""
        if rows is not None:
            self.rows(rows)
        given = {'url': f'smtp://localhost:{server.port}', 'tls': 'off', 'from': 'Desk <desk@example.org>'}
        given.update((key.replace('_', '-'), value) for key, value in options.items())
        self.pipeline(('email', {key: value for key, value in given.items() if value is not None}))

    def run(self, *arguments, timeout=120):
        arguments = arguments or ('run', '--json', 'p.yaml')
        self.done = subprocess.run([self.command, *arguments], cwd=self.folder, env=self.environment, capture_output=True,
                                   text=True, timeout=timeout)
        return self.done.returncode

    def start(self):
        return subprocess.Popen([self.command, 'run', '--json', 'p.yaml'], cwd=self.folder, env=self.environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def said(self):
        return self.done.stdout + self.done.stderr

    def summary(self):
        return json.loads(self.done.stdout.strip().splitlines()[-1])

    def counts(self, *names):
        counts = self.summary()['counts']
        return [counts[name] for name in names]

    def rejects(self):
        try:
            with open(self.path('rejects.ndjson')) as file:
                return [json.loads(line)['reason'] for line in file]
        except FileNotFoundError:
            return []

    def doubts(self):
        self.run('doubt', 'list', '--json')
        return [json.loads(line) for line in self.done.stdout.splitlines()]
