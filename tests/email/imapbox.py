"""Mailboxes at a real IMAP server, and pipelines that read them: what tests of the source `email-imap` have in common."""
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

from daemons import command
from imapserver import ImapServer, PASSWORD, wire_name
from promises import holds, keep_all, same

server = None
n_users = 0


def keep_all_of():
    """Runs the promises of a file beside a server."""
    global server
    if command('dovecot') is None:
        print('skipped: dovecot-imapd is not installed')
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix='tallyman-imap-') as folder:
        os.chmod(folder, 0o755)
        server = ImapServer(folder + '/server')
        try:
            keep_all()
        finally:
            server.stop()


def mail(number, text='text', more=''):
    return (f'Message-ID: <{number}@example.org>\r\nFrom: Ann <ann@example.org>\r\nTo: support@example.org\r\n'
            f'Date: Mon, 6 May 2024 10:{number % 60:02}:00 +0000\r\nSubject: mail {number}\r\n{more}\r\n{text} of {number}\r\n').encode()


class Box:
    """A mailbox of its own for each promise."""

    def __init__(self, mails=(), folder='INBOX'):
        global n_users
        n_users += 1
        self.server = server
        self.user = f'user{n_users}@example.org'
        self.client = server.log_in(self.user)
        self.put(mails, folder)

    def put(self, mails, folder='INBOX', flags=None):
        if folder != 'INBOX':
            self.client.create(wire_name(folder))
        for one in mails:
            same(self.client.append(wire_name(folder), flags, None, one)[0], 'OK')

    def flags(self, folder='INBOX'):
        """Of each message, whether it was seen."""
        n = int(self.client.select(wire_name(folder), readonly=True)[1][0])
        found = self.client.fetch('1:*', '(FLAGS)')[1] if n > 0 else []
        return [b'\\Seen' in one for one in found if one]

    def options(self, **more):
        return {'url': f'imaps://localhost:{server.imaps}', 'ca-file': server.certificate, 'user': self.user, 'password': PASSWORD,
                'timeout': '60s', **{key.replace('_', '-'): value for key, value in more.items()}}


def pipeline(desk, options, sink='csv: { path: out.csv }', steps='', source='email-imap', errors='', name='mails'):
    lines = ''.join(f'    {key}: {json.dumps(value, ensure_ascii=False)}\n' for key, value in options.items() if value is not None)
    steps = steps or '  - keep: [identity, message_id, subject, folder, size]\n'
    desk.write('p.yaml', f'pipeline: {name}\norigin: test\nsource:\n  {source}:\n{lines}transform:\n{steps}sink:\n  {sink}\n{errors}')


def subjects(desk):
    with open(desk.path('out.csv'), newline='') as file:
        return sorted(row['subject'] for row in csv.DictReader(file))


def wanted(*numbers):
    return sorted(f'mail {n}' for n in numbers)


def make_anew(box, mails, folder, flags=None):
    """As a server that has lost its index, or is another one: all UIDs from 1 on, under another UIDVALIDITY."""
    before = box.client.status(folder, '(UIDVALIDITY)')[1]
    box.client.delete(folder)
    box.put(mails, folder, flags)
    holds(box.client.status(folder, '(UIDVALIDITY)')[1] != before, 'UIDVALIDITY is the same')


class Zendesk:
    """The emulator, over real HTTP."""

    def __init__(self, folder):
        self.process = subprocess.Popen([os.environ['EMULATOR'], '--quiet', '--port-file', folder + '/port'], cwd=folder,
                                        stdout=subprocess.DEVNULL)
        while not os.path.exists(folder + '/port') or not open(folder + '/port').read().endswith('\n'):
            time.sleep(0.01)
        self.url = 'http://127.0.0.1:' + open(folder + '/port').read().strip()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.terminate()
        self.process.wait()

    def tickets(self):
        with urllib.request.urlopen(self.url + '/_emulator/counts') as answer:
            return json.load(answer)['tickets']

    def sink(self):
        return f'zendesk-tickets: {{ url: "{self.url}", access_token: secret, key: identity }}'


TICKETS = """  - set: { comment.body: best_text, requester.name: from_name, requester.email: from_address }
  - keep: [identity, subject, comment.body, requester.name, requester.email]
"""
