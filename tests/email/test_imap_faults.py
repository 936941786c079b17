#!/usr/bin/python3
"""The source `email-imap` and servers that are not as they should be: Dovecot set up so, or with somebody on the road to it."""
import base64
import json
import os
import re

from imapbox import Box, TICKETS, Zendesk, keep_all_of, mail, make_anew, pipeline, subjects, wanted
from imapserver import PASSWORD, ImapServer, Road
from promises import holds, promise, same

REJECTS = 'errors: { limit: 100%, rejects: rejects.ndjson }\n'


def rejects(desk):
    with open(desk.path('rejects.ndjson')) as file:
        return file.read()


def files_with(desk, text):
    """Files but the pipeline's own that have a text in them, as it is or as JSON has it: the ledger, rejects, rows."""
    names = [f'{folder}/{name}' for folder, _, names in os.walk(desk.folder) for name in names if name != 'p.yaml']
    return [name for name in names if any(form.encode() in open(name, 'rb').read() for form in (text, json.dumps(text)[1:-1]))]


def asked_for(data):
    """The UIDs of a command that asks for messages."""
    command = re.search(rb'UID FETCH ([0-9,]+) \(UID .*BODY', data)
    return [int(uid) for uid in command[1].split(b',')] if command else []


@promise('a server without STARTTLS is told no password')
def test_no_starttls(desk):
    os.chmod(desk.folder, 0o755)
    open_server = ImapServer(desk.path('open'), tls='no')
    try:
        road = Road(open_server.imap)
        pipeline(desk, Box().options(url=f'imap://localhost:{road.port}'))
        same(desk.run(), 1, desk.said())
    finally:
        open_server.stop()
    holds('no secure connection' in desk.said() and 'STARTTLS' in desk.said(), desk.said())
    holds(b'CAPABILITY' in road.heard, road.heard)
    holds(not re.search(rb'(?i)login|authenticate|secret', road.heard), road.heard)


@promise('a server that cannot move is known before anything is read')
def test_no_move(desk):
    box = Box([mail(1)])
    box.put([], 'Done')
    road = Road(box.server.imap, tell=lambda data: data.replace(b' MOVE', b''))
    pipeline(desk, box.options(url=f'imap://localhost:{road.port}', tls='off', after='move', move_to='Done'))
    same(desk.run(), 1, desk.said())
    holds('cannot move messages' in desk.said() and 'after: seen' in desk.said(), desk.said())
    holds(b'FETCH' not in road.heard, road.heard)


@promise('a message that the server refuses to give is rejected with its folder and UID, the others come, and not one by one')
def test_refused(desk):
    box = Box([mail(n) for n in range(1, 7)])
    asked = []

    def hear(data):
        if asked_for(data):
            asked.append(asked_for(data))
        return data.split(b' ')[0] + b' NO [SERVERBUG] no such luck\r\n' if 3 in asked_for(data) else None

    road = Road(box.server.imap, hear=hear)
    pipeline(desk, box.options(url=f'imap://localhost:{road.port}', tls='off'), errors=REJECTS)
    same(desk.run(), 3, desk.said())
    same((subjects(desk), asked), (wanted(1, 2, 4, 5, 6), [[1, 2, 3, 4, 5, 6], [1], [2], [3], [4, 5, 6]]))
    holds('UID 3: ' in rejects(desk) and 'no such luck' in rejects(desk) and '/INBOX' in rejects(desk), rejects(desk))


@promise('of messages that are refused and gone, nothing is rejected')
def test_refused_and_gone(desk):
    box = Box([mail(n) for n in range(1, 7)])
    asked = []

    def hear(data):
        if asked_for(data):
            asked.append(asked_for(data))
        if asked_for(data) and 3 in asked_for(data):
            box.client.select('INBOX')
            box.client.uid('STORE', '3', '+FLAGS', '\\Deleted')
            box.client.expunge()
            return data.split(b' ')[0] + b' NO [EXPUNGEISSUED] some are gone\r\n'
        return None

    road = Road(box.server.imap, hear=hear)
    pipeline(desk, box.options(url=f'imap://localhost:{road.port}', tls='off'), errors=REJECTS)
    same(desk.run(), 0, desk.said())
    same((subjects(desk), asked[0], asked[-1]), (wanted(1, 2, 4, 5, 6), [1, 2, 3, 4, 5, 6], [4, 5, 6]))


@promise('a message that the server cannot read itself is rejected with its folder and UID, the others come')
def test_broken(desk):
    box = Box([mail(n) for n in range(1, 5)])
    home = f'{box.server.folder}/home/{box.user}/cur'
    box.client.select('INBOX')
    name, = (name for name in os.listdir(home) if b'Subject: mail 3' in open(f'{home}/{name}', 'rb').read())
    os.chmod(f'{home}/{name}', 0)
    pipeline(desk, box.options(), errors=REJECTS)
    same(desk.run(), 3, desk.said())
    same(subjects(desk), wanted(1, 2, 4))
    holds('UID 3: ' in rejects(desk) and '/INBOX' in rejects(desk), rejects(desk))


@promise('a message that goes while the folder is read is passed over, all others come')
def test_expunged(desk):
    box = Box([mail(n) for n in range(1, 5)])
    gone = []

    def hear(data):
        if asked_for(data) and not gone:
            gone.append(2)
            box.client.select('INBOX')
            box.client.uid('STORE', '2', '+FLAGS', '\\Deleted')
            box.client.expunge()

    road = Road(box.server.imap, hear=hear)
    pipeline(desk, box.options(url=f'imap://localhost:{road.port}', tls='off'), errors=REJECTS)
    same(desk.run(), 0, desk.said())
    same((gone, subjects(desk)), ([2], wanted(1, 3, 4)))


@promise('a folder that is made anew while it is read: the run says so and ends, the next one makes each mail one ticket')
def test_made_anew(desk):
    mails = [mail(n, 'x' * 8000) for n in range(30)]
    box = Box(mails, 'Support')
    road = Road(box.server.imap, cuts=1, at_cut=lambda: make_anew(box, mails[::-1] + [mail(30)], 'Support'))
    with Zendesk(desk.folder) as zendesk:
        pipeline(desk, box.options(url=f'imap://localhost:{road.port}', tls='off', folders=['Support']), sink=zendesk.sink(), steps=TICKETS)
        same(desk.run(), 1, desk.said())
        holds('made anew while it was read' in desk.said(), desk.said())
        holds(0 < zendesk.tickets() < 30, zendesk.tickets())
        same(desk.run(), 0, desk.said())
        same((zendesk.tickets(), desk.counts('read', 'rejected')), (31, [31, 0]))


@promise('a server that falls silent is left for a new connection after the timeout: each mail comes once')
def test_silent(desk):
    box = Box([mail(n, 'x' * 8000) for n in range(30)])
    road = Road(box.server.imap, cuts=1, silent=True)
    pipeline(desk, box.options(url=f'imap://localhost:{road.port}', tls='off', timeout='1s'))
    same(desk.run(), 0, desk.said())
    same(subjects(desk), wanted(*range(30)))
    same(road.connections, 2, 'connections')


@promise('a password that a server repeats, as it is, quoted or in base64, appears nowhere')
def test_repeated(desk):
    box = Box([mail(1)])
    quoted = PASSWORD.replace('\\', '\\\\').replace('"', '\\"')
    encoded = base64.b64encode(f'\0{box.user}\0{PASSWORD}'.encode()).decode()
    echo = f'"{quoted}" not {PASSWORD} nor {encoded}'
    cases = [(at, f'{{}} {word} {echo}') for at in ('AUTHENTICATE', 'LIST', 'EXAMINE', 'UID FETCH 1 ') for word in ('NO', 'BAD')]
    for at, answer in [*cases, ('EXAMINE', f'* BYE {echo}')]:
        answers = [answer] * (1 if 'BYE' in answer else 9)

        def hear(data):
            return (answers.pop().format(data.split(b' ')[0].decode()) + '\r\n').encode() if answers and at.encode() in data else None

        road = Road(box.server.imap, hear=hear)
        pipeline(desk, box.options(url=f'imap://localhost:{road.port}', tls='off', timeout='1s'), errors=REJECTS)
        desk.run()
        shown = (desk.said() + (rejects(desk) if 'FETCH' in at else '')).replace('\\', '')
        holds('"***" not *** nor ***' in shown, (at, answer, shown))
        for secret in PASSWORD, quoted, encoded:
            same(files_with(desk, secret), [], (at, answer))
            holds(secret not in desk.said() and json.dumps(secret)[1:-1] not in desk.said(), (at, answer, desk.said()))


keep_all_of()
