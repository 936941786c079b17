#!/usr/bin/python3
"""The source `email-imap` against a real server, Dovecot, and a road to it that is cut."""
import csv
import json
import mailbox
import os
import signal

from imapbox import Box, TICKETS, Zendesk, keep_all_of, mail, make_anew, pipeline, subjects, wanted
from imapserver import PASSWORD, Road
from promises import holds, make_certificate, promise, same

# ---- The connection ----

@promise('mail is read over TLS from the first byte, by STARTTLS, and with an access token')
def test_ways(desk):
    box = Box([mail(1), mail(2)])
    for options in (box.options(), box.options(url=f'imap://localhost:{box.server.imap}'),
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


def to_maildir(desk, options):
    pipeline(desk, options, sink='maildir: { path: box, create: true, key: identity, from: a@example.org }',
             steps='  - keep: [identity, subject, text]\n  - set: { to: "\'b@example.org\'" }\n')


@promise('a second run reads what is new, and nothing else')
def test_again(desk):
    box = Box([mail(n) for n in range(5)])
    to_maildir(desk, box.options())
    for more, read in ([], 5), ([], 0), ([mail(7)], 1):
        box.put(more)
        same(desk.run(), 0, desk.said())
        same(desk.counts('read'), [read])
    same(len(os.listdir(desk.path('box/new'))), 6)


@promise('a connection that is cut in the middle of a message is made again: each mail comes once')
def test_cut(desk):
    box = Box([mail(n, 'x' * 8000) for n in range(30)])
    road = Road(box.server.imaps, cuts=3)
    pipeline(desk, box.options(url=f'imaps://localhost:{road.port}'))
    same(desk.run(), 0, desk.said())
    same(subjects(desk), wanted(*range(30)))
    same(road.connections, 4, 'connections')


@promise('a server that is away for a while is tried again, which the summary counts')
def test_away(desk):
    box = Box([mail(1)])
    road = Road(box.server.imaps, cuts=2, after=0)
    pipeline(desk, box.options(url=f'imaps://localhost:{road.port}'))
    same(desk.run(), 0, desk.said())
    same((subjects(desk), desk.counts('retries')), (wanted(1), [2]))


@promise('a mail that is too large is rejected with its folder and UID, the others go on')
def test_large(desk):
    box = Box([mail(1), mail(2, 'x' * 5000), mail(3)])
    pipeline(desk, box.options(max_message='4KiB'), errors='errors: { limit: 100%, rejects: rejects.ndjson }\n')
    same(desk.run(), 3, desk.said())
    same(subjects(desk), wanted(1, 3))
    with open(desk.path('rejects.ndjson')) as file:
        text = file.read()
    holds('UID 2 is larger than max-message' in text and '/INBOX' in text, text)


@promise('flags are a column, and reading changes none')
def test_flags(desk):
    box = Box()
    for n, flags in (1, ''), (2, '\\Seen \\Answered'), (3, 'work \\Flagged $Forwarded'), (4, '\\Draft \\Deleted'):
        box.put([mail(n)], flags=f'({flags})')
    pipeline(desk, box.options(), steps='  - keep: [subject, flags]\n')
    same(desk.run(), 0, desk.said())
    with open(desk.path('out.csv'), newline='') as file:
        same([json.loads(row['flags']) for row in csv.DictReader(file)],
             [[], ['seen', 'answered'], ['flagged', '$Forwarded', 'work'], ['draft', 'deleted']])
    same(box.flags(), [False, True, False, False])


@promise('uids is a part of each folder: nothing before it is read or marked, and nothing behind it')
def test_uids(desk):
    box = Box([mail(n) for n in range(1, 7)])
    box.put([mail(n) for n in range(11, 14)], 'Sent')
    to_maildir(desk, box.options(folders=['*'], uids='2:4', after='seen'))
    same(desk.run(), 0, desk.said())
    same((desk.counts('read'), box.flags(), box.flags('Sent')),
         ([5], [False, True, True, True, False, False], [False, True, True]))
    box.put([mail(14), mail(15)], 'Sent')
    same(desk.run(), 0, desk.said())
    same((desk.counts('read'), box.flags('Sent')), ([1], [False, True, True, True, False]))
    to_maildir(desk, box.options(folders=['*'], uids='6:*', after='seen'))
    same(desk.run(), 0, desk.said())
    same((desk.counts('read'), box.flags()), ([1], [False, True, True, True, False, True]))
    holds('\\"INBOX\\" was read up to UID 4, and \\"uids\\" begins at 6' in json.dumps(desk.said()), desk.said())


@promise('uids never reads below the position, and says so; where the position is below it, nothing is marked')
def test_uids_below(desk):
    box = Box([mail(n) for n in range(1, 4)])
    for uids, read in (None, [3]), ('1:2', [0]), ('1:3', [0]):
        to_maildir(desk, box.options(uids=uids))
        same((desk.run(), desk.counts('read')), (0, read), desk.said())
        same('was read up to UID 3, beyond "uids"' in desk.said(), uids == '1:2', desk.said())
    box.put([mail(4)])
    to_maildir(desk, box.options(uids='5:9', after='seen'))
    same((desk.run(), desk.counts('read'), box.flags()), (0, [0], [False] * 4), desk.said())


@promise('uids moves no mail that it does not mean')
def test_uids_move(desk):
    box = Box([mail(n) for n in range(1, 5)])
    box.put([], 'Done')
    pipeline(desk, box.options(uids='2:3', after='move', move_to='Done'))
    same(desk.run(), 0, desk.said())
    same((subjects(desk), len(box.flags()), len(box.flags('Done'))), (wanted(2, 3), 2, 2))


@promise('uids of a folder that was made anew are not taken for those that were meant')
def test_uids_anew(desk):
    box = Box([mail(1), mail(2)], 'Support')
    to_maildir(desk, box.options(folders=['Support'], uids='2:3'))
    same(desk.run(), 0, desk.said())
    make_anew(box, [mail(2), mail(1)], 'Support')
    same(desk.run(), 1, desk.said())
    holds('so \\"uids\\" means other mails now' in desk.said() and len(os.listdir(desk.path('box/new'))) == 1, desk.said())


@promise('uids that are no range are found by check')
def test_uids_checked(desk):
    box = Box()
    for uids in '', '5', '0:5', ':5', '5:', '1:4294967296', '1:2:3', '1:*x', '1: 5':
        pipeline(desk, box.options(uids=uids))
        same(desk.run('check', 'p.yaml'), 2, uids)
        holds('"uids" is no range of UIDs, as 1000:2000 or 1000:* is one' in desk.said(), (uids, desk.said()))
    pipeline(desk, box.options(uids='5:1'))
    same(desk.run('check', 'p.yaml'), 2, desk.said())
    holds('"uids" ends before it begins: "5:1"' in desk.said(), desk.said())


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
    holds('1 message in INBOX, their UIDs are below 2' in desk.said(), desk.said())
    pipeline(desk, box.options(password='wrong'))
    holds(desk.run('doctor', 'p.yaml') != 0 and 'login' in desk.said(), desk.said())


# ---- Each mail once ----

def odd_mails():
    """Two with one Message-ID, one without any, one as it should be."""
    return [mail(1), mail(1, 'another text'), mail(2).split(b'\r\n', 1)[1], mail(3)]


@promise('F6: mails without a Message-ID, with one that repeats, and all of them under another UIDVALIDITY are one ticket each')
def test_validity(desk):
    mails = odd_mails()
    box = Box(mails, 'Support')
    with Zendesk(desk.folder) as zendesk:
        pipeline(desk, box.options(folders=['Support']), sink=zendesk.sink(), steps=TICKETS)
        same(desk.run(), 0, desk.said())
        same((zendesk.tickets(), desk.counts('read', 'delivered')), (4, [4, 4]))
        make_anew(box, mails[::-1] + [mail(4)], 'Support')
        same(desk.run(), 0, desk.said())
        holds('is not the one that was read before' in desk.said(), desk.said())
        same((zendesk.tickets(), desk.counts('read', 'delivered', 'unchanged')), (5, [5, 1, 4]))


@promise('a mail with other flags is the same record: its ticket stays as it is, and where flags are in it, that is counted')
def test_other_flags(desk):
    box = Box([mail(1), mail(2)], 'Support')
    tags = TICKETS.replace('requester.email]', 'requester.email, tags]').replace('- set: {', '- set: { tags: flags,')
    with Zendesk(desk.folder) as zendesk:
        for steps, counts in (TICKETS, [2, 0, 0]), (TICKETS, [0, 2, 0]), (tags, [0, 2, 2]):
            pipeline(desk, box.options(folders=['Support']), sink=zendesk.sink(), steps=steps)
            same(desk.run(), 0, desk.said())
            same((zendesk.tickets(), desk.counts('delivered', 'unchanged', 'drifted')), (2, counts), steps)
            make_anew(box, [mail(1), mail(2)], 'Support', flags='(\\Seen)')


@promise('a mail that is set aside later is named by its server, folder and UID')
def test_named(desk):
    box = Box([mail(1)])
    box.put([mail(2), mail(3)], 'Büro')
    pipeline(desk, box.options(folders=['*']), steps="  - assert: { subject <> 'mail 3': not that one }\n",
             errors='errors: { limit: 100%, rejects: rejects.ndjson }\n')
    same(desk.run(), 3, desk.said())
    with open(desk.path('rejects.ndjson')) as file:
        same([json.loads(line)['origin'] for line in file], [f'imaps://localhost:{box.server.imaps}/Büro:2'])


@promise('copies of a mail in one run: the second is set aside with both places, and with distinct it is left out')
def test_copies(desk):
    box = Box([mail(n) for n in range(1, 40)])
    box.put([mail(50), mail(1)], 'Sent')
    for steps, code, counts in (TICKETS, 3, [41, 40, 1, 0]), ('  - distinct: [identity]\n' + TICKETS, 0, [41, 40, 0, 1]):
        with Zendesk(desk.folder) as zendesk:
            pipeline(desk, box.options(folders=['*']), sink=zendesk.sink(), steps=steps,
                     errors='errors: { limit: 100%, rejects: rejects.ndjson }\n')
            desk.environment['XDG_STATE_HOME'] += 'x'
            same(desk.run('run', '--json', '--batch-rows', '2', 'p.yaml'), code, desk.said())
            same((desk.counts('read', 'delivered', 'rejected', 'filtered'), zendesk.tickets()), (counts, 40), desk.said())
        os.remove(desk.path('port'))
        if code == 3:
            url = f'imaps://localhost:{box.server.imaps}'
            with open(desk.path('rejects.ndjson')) as file:
                holds(f'stands at {url}/INBOX:1 and again at {url}/Sent:2' in file.read(), 'both places')


@promise('a mail that somebody moves to another folder is the same record')
def test_moved(desk):
    box = Box([mail(1), mail(2)])
    box.put([], 'Later')
    with Zendesk(desk.folder) as zendesk:
        pipeline(desk, box.options(folders=['*']), sink=zendesk.sink(), steps=TICKETS)
        same(desk.run(), 0, desk.said())
        box.client.select('INBOX')
        box.client.uid('MOVE', '1', 'Later')
        same(desk.run(), 0, desk.said())
        same((zendesk.tickets(), desk.counts('read', 'unchanged')), (2, [1, 1]))


@promise('F6: the same mails from a server, a Maildir and an mbox are one ticket each')
def test_elsewhere(desk):
    mails = odd_mails()
    box = Box(mails)
    archive = mailbox.mbox(desk.path('old.mbox'))
    folder = mailbox.Maildir(desk.path('Mail'))
    for one in mails:
        archive.add(one.replace(b'\r\n', b'\n'))
        folder.add(one.replace(b'\r\n', b'\n'))
    archive.flush()
    with Zendesk(desk.folder) as zendesk:
        for name, source, options, done in (('mails', 'email-imap', box.options(), [4, 0]), ('folder', 'email', {'path': 'Mail'}, [0, 4]),
                                            ('archive', 'email', {'path': 'old.mbox'}, [0, 4])):
            pipeline(desk, options, sink=zendesk.sink(), steps=TICKETS, source=source, name=name)
            same(desk.run(), 0, desk.said())
            same((zendesk.tickets(), desk.counts('delivered', 'unchanged')), (4, done), options)


@promise('killed after the last ticket and before the mails are marked: the next run marks them, and makes no second ticket')
def test_killed(desk):
    box = Box([mail(1), mail(2)])
    road = Road(box.server.imap, stop_at=b' SELECT ')
    with Zendesk(desk.folder) as zendesk:
        for port in road.port, box.server.imap:
            pipeline(desk, box.options(url=f'imap://localhost:{port}', tls='off', after='seen'), sink=zendesk.sink(), steps=TICKETS)
            if port == road.port:
                run = desk.start()
                holds(road.stopped.wait(60), 'nothing is marked')
                run.send_signal(signal.SIGKILL)
                run.wait()
                same((zendesk.tickets(), box.flags()), (2, [False, False]))
        box.put([mail(3)])
        same(desk.run(), 0, desk.said())
        same((zendesk.tickets(), box.flags(), desk.counts('read')), (3, [True, True, True], [1]))


@promise('pipelines/support-mailbox makes one ticket of each mail that people wrote, replies too, and marks all of them')
def test_example(desk):
    box = Box([mail(1), mail(2, more='Auto-Submitted: auto-replied\r\n'), mail(3, more='In-Reply-To: <1@example.org>\r\n'), mail(1)])
    with open(f'{os.environ["SOURCE_ROOT"]}/pipelines/support-mailbox/support-mailbox.yaml') as file:
        desk.write('p.yaml', file.read().replace('    after: seen', f'    ca-file: {box.server.certificate}\n    after: seen'))
    with Zendesk(desk.folder) as zendesk:
        desk.environment.update(MAILBOX_URL=f'imaps://localhost:{box.server.imaps}', MAILBOX_USER=box.user, MAILBOX_PASSWORD=PASSWORD,
                                ZENDESK_URL=zendesk.url, ZENDESK_TOKEN='secret')
        for read in 4, 0:
            same(desk.run(), 0, desk.said())
            same((desk.counts('read'), zendesk.tickets(), box.flags()), ([read], 2, [True, True, True, True]))


keep_all_of()
