#!/usr/bin/python3
"""The source `email-imap` against a real server, Dovecot, and a road to it that is cut."""
import json
import os
import signal
import sys
import tempfile
import time

import imapserver
from imapserver import ImapServer, PASSWORD, Road, wire_name
from promises import holds, keep_all, make_certificate, promise, same

if imapserver.command() is None:
    print('skipped: dovecot-imapd is not installed')
    sys.exit(77)

server = None
n_users = 0


def mail(number, text='text', more=''):
    return (f'Message-ID: <{number}@example.org>\r\nFrom: Ann <ann@example.org>\r\nTo: support@example.org\r\n'
            f'Date: Mon, 6 May 2024 10:{number % 60:02}:00 +0000\r\nSubject: mail {number}\r\n{more}\r\n{text} of {number}\r\n').encode()


class Box:
    """A mailbox of its own for each promise."""

    def __init__(self, mails=(), folder='INBOX'):
        global n_users
        n_users += 1
        self.user = f'user{n_users}@example.org'
        self.client = server.log_in(self.user)
        self.put(mails, folder)

    def put(self, mails, folder='INBOX'):
        if folder != 'INBOX':
            self.client.create(wire_name(folder))
        for one in mails:
            same(self.client.append(wire_name(folder), None, None, one)[0], 'OK')

    def flags(self, folder='INBOX'):
        """Of each message, whether it was seen."""
        n = int(self.client.select(wire_name(folder), readonly=True)[1][0])
        found = self.client.fetch('1:*', '(FLAGS)')[1] if n > 0 else []
        return [b'\\Seen' in one for one in found if one]

    def options(self, **more):
        return {'url': f'imaps://localhost:{server.imaps}', 'ca-file': server.certificate, 'user': self.user, 'password': PASSWORD,
                'timeout': '60s', **{key.replace('_', '-'): value for key, value in more.items()}}


def pipeline(desk, options, sink='csv: { path: out.csv }', steps='', source='email-imap', errors=''):
    lines = ''.join(f'    {key}: {json.dumps(value, ensure_ascii=False)}\n' for key, value in options.items() if value is not None)
    steps = steps or '  - keep: [identity, message_id, subject, folder, size]\n'
    desk.write('p.yaml', f'pipeline: mails\norigin: test\nsource:\n  {source}:\n{lines}transform:\n{steps}sink:\n  {sink}\n{errors}')


def subjects(desk):
    import csv
    with open(desk.path('out.csv'), newline='') as file:
        return sorted(row['subject'] for row in csv.DictReader(file))


def wanted(*numbers):
    return sorted(f'mail {n}' for n in numbers)


# ---- The connection ----

@promise('mail is read over TLS from the first byte, by STARTTLS, and with an access token')
def test_ways(desk):
    box = Box([mail(1), mail(2)])
    for options in (box.options(), box.options(url=f'imap://localhost:{server.imap}'),
                    box.options(password=None, access_token=PASSWORD)):
        desk.environment['XDG_STATE_HOME'] += 'x'
        pipeline(desk, options)
        same(desk.run(), 0, desk.said())
        same(subjects(desk), wanted(1, 2), options['url'])


@promise('a wrong password ends the run at once, and is not shown')
def test_password(desk):
    pipeline(desk, Box().options(password='wrong one'))
    same(desk.run(), 1, desk.said())
    holds('the login of \\"user' in desk.said() and 'see to \\"user\\" and \\"password\\"' in desk.said(), desk.said())
    holds('wrong one' not in desk.said(), 'the password is shown')


@promise('a certificate that nobody vouches for ends the run')
def test_certificate(desk):
    box = Box([mail(1)])
    other, _ = make_certificate(desk.folder, 'other')
    pipeline(desk, box.options(ca_file=other))
    same(desk.run(), 1, desk.said())
    holds('no secure connection' in desk.said(), desk.said())


@promise('without TLS nothing is asked of another machine')
def test_clear(desk):
    pipeline(desk, Box().options(url='imap://mail.example.org', tls='off'))
    same(desk.run('check', 'p.yaml'), 2, desk.said())
    holds('would show the password to everyone on the way' in desk.said(), desk.said())


@promise('check touches no network, and knows the columns')
def test_check(desk):
    pipeline(desk, {'url': 'imaps://nowhere.invalid', 'user': 'x', 'password': 'y'}, steps='  - keep: [identity, nonsense]\n')
    same(desk.run('check', 'p.yaml'), 2, desk.said())
    holds('nonsense' in desk.said() and 'nowhere' not in desk.said(), desk.said())


# ---- Folders and positions ----

@promise('folders come by pattern, with names beyond ASCII; unread mail stays unread')
def test_folders(desk):
    box = Box([mail(1)])
    box.put([mail(2)], 'Büro "A"')
    box.put([mail(3)], 'Büro "A".Älter')
    box.put([mail(4)], 'Sent')
    pipeline(desk, box.options(folders=['INBOX', 'Büro*']))
    same(desk.run(), 0, desk.said())
    same(subjects(desk), wanted(1, 2, 3))
    with open(desk.path('out.csv')) as file:
        text = file.read()
    holds('Büro ""A"".Älter' in text, text)
    same(box.flags(), [False])
    pipeline(desk, box.options(folders=['Nowhere']))
    same(desk.run(), 2, desk.said())
    holds('no folder \\"Nowhere\\"' in desk.said(), desk.said())


@promise('a second run reads what is new, and nothing else')
def test_again(desk):
    box = Box([mail(n) for n in range(5)])
    pipeline(desk, box.options(), sink="maildir: { path: box, create: true, key: identity, from: a@example.org }",
             steps='  - keep: [identity, subject, text]\n  - set: { to: "\'b@example.org\'" }\n')
    for more, read in ([], 5), ([], 0), ([mail(7)], 1):
        box.put(more)
        same(desk.run(), 0, desk.said())
        same(desk.counts('read'), [read])
    same(len(os.listdir(desk.path('box/new'))), 6)


@promise('a connection that is cut in the middle of a message is made again: each mail comes once')
def test_cut(desk):
    box = Box([mail(n, 'x' * 8000) for n in range(30)])
    road = Road(server.imaps, cuts=3)
    pipeline(desk, box.options(url=f'imaps://localhost:{road.port}'))
    same(desk.run(), 0, desk.said())
    same(subjects(desk), wanted(*range(30)))
    same(road.connections, 4, 'connections')


@promise('a mail that is too large is rejected with its folder and UID, the others go on')
def test_large(desk):
    box = Box([mail(1), mail(2, 'x' * 5000), mail(3)])
    pipeline(desk, box.options(max_message='4KiB'), errors='errors: { limit: 100%, rejects: rejects.ndjson }\n')
    same(desk.run(), 3, desk.said())
    same(subjects(desk), wanted(1, 3))
    with open(desk.path('rejects.ndjson')) as file:
        text = file.read()
    holds('UID 2 is larger than max-message' in text and '/INBOX' in text, text)


# ---- What becomes of the mails ----

@promise('after: seen marks what is in the target, and no more')
def test_seen(desk):
    box = Box([mail(1), mail(2)])
    pipeline(desk, box.options(after='seen'))
    same(desk.run(), 0, desk.said())
    box.put([mail(3)])
    same(box.flags(), [True, True, False])


@promise('after: move moves what is in the target; a folder that is not there ends the run before it reads')
def test_move(desk):
    box = Box([mail(1), mail(2)])
    pipeline(desk, box.options(after='move', move_to='Erledigt ü', folders=['*']))
    same(desk.run(), 2, desk.said())
    holds('no folder \\"Erledigt ü\\"' in desk.said(), desk.said())
    box.put([], 'Erledigt ü')
    for _ in range(2):
        same(desk.run(), 0, desk.said())
        same(len(box.flags()), 0)
        same(len(box.flags('Erledigt ü')), 2)
    same(desk.counts('read'), [0])


@promise('doctor says what is there, and what does not let it in')
def test_doctor(desk):
    box = Box([mail(1)])
    pipeline(desk, box.options())
    same(desk.run('doctor', 'p.yaml'), 0, desk.said())
    holds('1 message in INBOX' in desk.said(), desk.said())
    pipeline(desk, box.options(password='wrong'))
    holds(desk.run('doctor', 'p.yaml') != 0 and 'login' in desk.said(), desk.said())


with tempfile.TemporaryDirectory(prefix='tallyman-imap-') as folder:
    os.chmod(folder, 0o755)
    server = ImapServer(folder + '/server')
    try:
        keep_all()
    finally:
        server.stop()
