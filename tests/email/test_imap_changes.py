#!/usr/bin/python3
"""The source `email-imap` with `changes`: a copy in a real PostgreSQL follows what becomes of mails at a real server."""
import json
import os
import signal
import sqlite3
import subprocess
import sys

from imapbox import Box, keep_all_of, mail, make_anew, pipeline
from imapserver import ImapServer, Road
from promises import holds, promise, same

database = subprocess.Popen([os.environ['PRIVATE_POSTGRESQL']], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
uri = database.stdout.readline().strip()
if not uri and database.wait() == 77:
    print('skipped: there is no PostgreSQL server')
    sys.exit(77)


class Copy:
    """A table that a pipeline keeps like a mailbox."""

    def __init__(self, desk, mails, folder='INBOX', **options):
        self.desk, self.box, self.folder, self.given = desk, Box(mails, folder), folder, options
        self.table = self.box.user.split('@')[0]
        self.write()

    def write(self, **more):
        options = self.box.options(**{'changes': True, 'folders': [self.folder], **self.given, **more})
        sink = f'postgresql: {{ connection: "{uri}", table: {self.table}, mode: upsert, key: [identity], create: true }}'
        pipeline(self.desk, options, sink=sink, steps='  - keep: [identity, subject, flags]\n', name=self.table)

    def run(self, wanted, *more, **environment):
        """How many mails a run reads; None: it is killed."""
        before = self.desk.environment
        self.desk.environment = dict(before, **environment)
        code = self.desk.run('run', '--json', '--batch-rows', '2', 'p.yaml')
        self.desk.environment = before
        if wanted is None:
            holds(code < 0, 'it was not killed: ' + self.desk.said())
        else:
            same((code, self.desk.counts('read', 'delivered')), (0, [wanted, wanted]), self.desk.said())

    def rows(self):
        """Of each mail, by its subject, the flags that the copy has."""
        text = subprocess.run(['psql', '-qXAt', '-F', '=', uri, '-c', f'SELECT subject, flags FROM {self.table}'], check=True,
                              capture_output=True, text=True).stdout
        rows = [line.split('=') for line in text.splitlines()]
        same(len(rows), len(dict(rows)), 'a mail is there twice')
        return {int(subject.split()[1]): ' '.join(json.loads(flags)) for subject, flags in rows}

    def change(self, uids, flags, how='+FLAGS'):
        self.box.client.select(self.folder)
        same(self.box.client.uid('STORE', uids, how, f'({flags})')[0], 'OK')

    def road(self, **more):
        road = Road(self.box.server.imap, **more)
        self.write(url=f'imap://localhost:{road.port}', tls='off')
        return road

    def position(self):
        """How many numbers the ledger has of the folder."""
        with sqlite3.connect(self.desk.path('state/tallyman/ledger.sqlite')) as ledger:
            return len(json.loads(ledger.execute('SELECT position FROM pipelines').fetchone()[0])[self.folder])


@promise('the copy follows flags; what has not changed is not read again')
def test_follow(desk):
    copy = Copy(desk, [mail(n) for n in range(1, 6)])
    copy.run(5)
    copy.run(0)
    copy.change('2:3', '\\Answered work')
    copy.box.put([mail(6)], flags='(\\Flagged)')
    copy.run(3)
    same(copy.rows(), {1: '', 2: 'answered work', 3: 'answered work', 4: '', 5: '', 6: 'flagged'})
    copy.change('3', 'work', '-FLAGS')
    copy.run(1)
    same((copy.rows()[3], copy.position()), ('answered', 3))
    copy.run(0)


@promise('with uids, changes are those of its mails')
def test_uids(desk):
    copy = Copy(desk, [mail(n) for n in range(1, 6)], uids='2:4', after='seen')
    copy.run(3)
    copy.run(0)
    copy.change('1,3,5', '\\Flagged')
    copy.run(1)
    same((copy.rows(), copy.box.flags()), ({2: '', 3: 'seen flagged', 4: ''}, [False, True, True, True, False]))
    copy.run(0)


@promise('a folder that is made anew is read from the start, and followed from there')
def test_anew(desk):
    mails = [mail(1), mail(2)]
    copy = Copy(desk, mails, 'Support')
    copy.run(2)
    make_anew(copy.box, mails, 'Support', flags='(\\Seen)')
    copy.run(2)
    copy.change('1', '\\Flagged')
    copy.run(1)
    same(copy.rows(), {1: 'seen flagged', 2: 'seen'})


@promise('what after: seen marks does not come again, what others change does')
def test_own_marks(desk):
    copy = Copy(desk, [mail(n) for n in range(1, 5)], after='seen')
    copy.change('4', '\\Seen')
    copy.run(4)
    same((copy.box.flags(), copy.position()), ([True] * 4, 5))
    copy.run(0)
    copy.change('2', '\\Flagged')
    copy.box.put([mail(5)])
    copy.run(2)
    same((copy.box.flags(), copy.rows()), ([True] * 5, {1: '', 2: 'seen flagged', 3: '', 4: 'seen', 5: ''}))
    copy.run(0)


@promise('what others change between reading and marking is not marked yet, and comes again')
def test_change_before_mark(desk):
    copy = Copy(desk, [mail(n) for n in range(1, 4)], after='seen')

    def hear(data):
        if b' SELECT ' in data:
            copy.change('2', '\\Flagged')

    copy.road(hear=hear)
    copy.run(3)
    same(copy.box.flags(), [True, False, True])
    copy.write()
    copy.run(1)
    same((copy.box.flags(), copy.rows()[2]), ([True] * 3, 'flagged'))
    copy.run(0)


@promise('what others change after marking comes again, and nothing else does')
def test_change_after_mark(desk):
    copy = Copy(desk, [mail(n) for n in range(1, 4)], after='seen')

    def hear(data):
        if b'(UID) (CHANGEDSINCE' in data:
            copy.change('2', '\\Flagged')

    copy.road(hear=hear)
    copy.run(3)
    copy.write()
    copy.run(1)
    same(copy.rows(), {1: '', 2: 'seen flagged', 3: ''})


@promise('where marks cannot be told from what others change, they come again')
def test_unclear_marks(desk):
    copy = Copy(desk, [mail(n) for n in range(1, 4)], after='seen')
    marks = []

    def tell(data):
        if b'* 1 FETCH (UID 1 MODSEQ' in data and not marks:
            marks.append(data)
            return data.replace(b'UID 1 MODSEQ (', b'UID 77 MODSEQ (')
        return data

    copy.road(tell=tell)
    copy.run(3)
    copy.write()
    holds(marks, 'nothing is marked')
    copy.run(3)
    same(copy.rows(), {1: 'seen', 2: 'seen', 3: 'seen'})


@promise('killed before its marks, after them, or while the place behind them is saved: nothing is lost, nothing is there twice')
def test_killed_at_marks(desk):
    copy = Copy(desk, [mail(n) for n in range(1, 4)], after='seen')
    road = copy.road(stop_at=b' SELECT ')
    run = desk.start()
    holds(road.stopped.wait(60), 'nothing is marked')
    run.send_signal(signal.SIGKILL)
    run.wait()
    same((copy.box.flags(), copy.rows()), ([False] * 3, {1: '', 2: '', 3: ''}))
    copy.write()
    copy.run(None, TALLYMAN_CRASH='acknowledged:1')
    same(copy.box.flags(), [True] * 3)
    copy.change('1', '\\Flagged')
    copy.run(3)
    same(copy.rows(), {1: 'seen flagged', 2: 'seen', 3: 'seen'})
    copy.box.put([mail(4)])
    copy.run(None, TALLYMAN_CRASH='sink-moved:1')
    copy.run(0)
    same(copy.rows(), {1: 'seen flagged', 2: 'seen', 3: 'seen', 4: ''})


@promise('killed at any commit while changes are read: the next run ends it')
def test_killed_on_the_way(desk):
    for n in range(1, 4):
        copy = Copy(desk, [mail(n) for n in range(6)])
        copy.run(6)
        copy.change('2:5', '\\Answered')
        copy.box.put([mail(6), mail(7)])
        copy.run(None, TALLYMAN_CRASH=f'sink-committed:{n}', TALLYMAN_CLOCK_RATE='1000000')
        same(desk.run(), 0, desk.said())
        same(copy.rows(), {0: '', 1: 'answered', 2: 'answered', 3: 'answered', 4: 'answered', 5: '', 6: '', 7: ''}, n)
        copy.run(0)


@promise('switched on later, all is read once more; without it a position stays as it was')
def test_later(desk):
    copy = Copy(desk, [mail(1), mail(2)])
    copy.write(changes=False)
    copy.run(2)
    same(copy.position(), 2)
    copy.change('1', '\\Seen')
    copy.run(0)
    copy.write()
    copy.run(2)
    holds('which mails have changed since they were read is not known' in desk.said(), desk.said())
    same((copy.rows(), copy.position()), ({1: 'seen', 2: ''}, 3))
    copy.run(0)
    copy.write(changes=False)
    copy.change('2', '\\Flagged')
    copy.box.put([mail(3)])
    copy.run(1)
    copy.write()
    copy.run(2)
    same(copy.rows(), {1: 'seen', 2: 'flagged', 3: ''})


@promise('a server, or a folder, that does not tell what changes is known before anything is read')
def test_unable(desk):
    copy = Copy(desk, [mail(1)])
    road = copy.road(tell=lambda data: data.replace(b' CONDSTORE QRESYNC', b''))
    same(desk.run(), 1, desk.said())
    holds('does not tell what has changed' in desk.said() and 'changes: false' in desk.said(), desk.said())
    holds(b'FETCH' not in road.heard, road.heard)
    os.chmod(desk.folder, 0o755)
    forgetful = ImapServer(desk.path('forgetful'), location=':INDEX=MEMORY')
    try:
        road = Road(forgetful.imap)
        copy.write(url=f'imap://localhost:{road.port}', tls='off')
        same(desk.run(), 1, desk.said())
    finally:
        forgetful.stop()
    holds('does not keep what changes in folder \\"INBOX\\"' in desk.said() and 'changes: false' in desk.said(), desk.said())
    holds(b'FETCH' not in road.heard, road.heard)
    copy.write(after='move', move_to='Done')
    same(desk.run('check', 'p.yaml'), 2, desk.said())
    holds('which "after: move" moves away' in desk.said(), desk.said())


try:
    keep_all_of()
finally:
    database.stdin.close()
    database.wait()
