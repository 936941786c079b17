#!/usr/bin/python3
"""The sink `maildir`, read by Python's mailbox."""
import email
import email.policy
import mailbox
import os
import random
import signal
import time

from promises import holds, keep_all, promise, same


def row(number, **more):
    return {'id': str(number), 'to': 'ann@example.org', 'subject': f'mail {number}', 'text': f'text of {number}\n', **more}


def box(desk, path='box'):
    """Messages by file name, whatever flags it has."""
    found = {}
    for folder in 'new', 'cur':
        for name in os.listdir(desk.path(f'{path}/{folder}')):
            same(name.split(':')[0] in found, False, 'a message is there twice')
            with open(desk.path(f'{path}/{folder}/{name}'), 'rb') as file:
                found[name.split(':')[0]] = file.read()
    return found


def subjects(desk, path='box'):
    return sorted(str(email.message_from_bytes(one, policy=email.policy.default)['subject']) for one in box(desk, path).values())


def pipeline(desk, **options):
    desk.pipeline(('maildir', {'path': 'box', 'create': True, 'from': 'Desk <desk@example.org>', **options}))


@promise('each record is a message that another program reads; who gets it unseen is kept')
def test_read(desk):
    desk.rows([row(1, subject='Grüße', bcc='bob@example.org', attachments=[{'content': 'x', 'name': 'ü.txt'}]),
               row(2, bcc=None, attachments=None)])
    pipeline(desk)
    same(desk.run(), 0, desk.said())
    messages = {str(one['subject']): one for one in mailbox.Maildir(desk.path('box'), factory=lambda file:
                email.message_from_binary_file(file, policy=email.policy.default))}
    same(sorted(messages), ['Grüße', 'mail 2'])
    same(messages['Grüße']['bcc'].addresses[0].addr_spec, 'bob@example.org')
    same([one.get_filename() for one in messages['Grüße'].iter_attachments()], ['ü.txt'])
    same(messages['mail 2'].get_content(), 'text of 2\n')
    same(os.listdir(desk.path('box/tmp')), [])
    holds(all(b'\r' not in one for one in box(desk).values()), 'lines do not end as those of files do')


@promise('raw bytes are written as they are')
def test_raw(desk):
    raw = b'Subject: x\r\nX-Odd: \xff\x00\r\n\r\nbody without an end'
    desk.rows([{'id': '1', 'raw': '\\x' + raw.hex()}])
    desk.pipeline(('maildir', {'path': 'box', 'create': True}), steps='transform:\n  - set: { raw: "raw::bytea" }\n')
    same(desk.run(), 0, desk.said())
    same(list(box(desk).values()), [raw])


@promise('a second run, and a reader that has seen a message and flagged it, make no second one')
def test_again(desk):
    desk.rows([row(1), row(2)])
    pipeline(desk)
    same(desk.run(), 0, desk.said())
    name = os.listdir(desk.path('box/new'))[0]
    os.rename(desk.path(f'box/new/{name}'), desk.path(f'box/cur/{name}:2,S'))
    same(desk.run(), 0, desk.said())
    same(subjects(desk), ['mail 1', 'mail 2'])


@promise('the name of a message is made by its key')
def test_name(desk):
    names = []
    for state in 'a', 'b':
        desk.environment['XDG_STATE_HOME'] = desk.path(state)
        desk.rows([row(1)])
        pipeline(desk, path=f'box-{state}')
        same(desk.run(), 0, desk.said())
        names.append(os.listdir(desk.path(f'box-{state}/new')))
    same(names[0], names[1])


@promise('without "create" a folder that is no Maildir is an error; a plan makes none')
def test_create(desk):
    desk.rows([row(1)])
    pipeline(desk)
    same(desk.run('plan', 'p.yaml'), 0, desk.said())
    holds(not os.path.exists(desk.path('box')), 'a plan made the folder')
    pipeline(desk, create=False)
    same(desk.run(), 1, desk.said())
    holds('create: true' in desk.said(), desk.said())


def see_all(desk, folder):
    """As a mail reader does."""
    for name in os.listdir(desk.path(f'{folder}/new')) if os.path.exists(desk.path(f'{folder}/cur')) else []:
        os.rename(desk.path(f'{folder}/new/{name}'), desk.path(f'{folder}/cur/{name}:2,S'))


@promise('killed at each point, and again in the recovery, with a reader that moves what it sees: each message is there once')
def test_points(desk):
    desk.rows([row(i) for i in range(10)])
    for point in ('before-intent-commit', 'after-intent-commit', 'before-send', 'after-send', 'answer-read',
                  'before-outcome-commit', 'after-outcome-commit', 'before-lookup', 'after-lookup', 'before-position'):
        desk.environment['XDG_STATE_HOME'] = desk.path(f'state-{point}')
        pipeline(desk, **{'in-flight': 3, 'path': f'box-{point}'})
        for crash in 'after-send:5', f'{point}:1':
            desk.environment['TALLYMAN_CRASH'] = crash
            same(desk.run(), -signal.SIGKILL, f'{crash} of {point}')
            see_all(desk, f'box-{point}')
        del desk.environment['TALLYMAN_CRASH']
        same(desk.run(), 0, desk.said())
        same(subjects(desk, f'box-{point}'), sorted(f'mail {i}' for i in range(10)))


def move(process, folder, name):
    """Moves a message in the moment in which it comes; whether it came."""
    from_path, to_path = f'{folder}/new/{name}', f'{folder}/cur/{name}:2,S'
    while True:
        ended = process.poll() is not None
        for _ in range(1000):
            try:
                os.rename(from_path, to_path)
                return True
            except FileNotFoundError:
                pass
        if ended:
            return False


@promise('a reader that moves messages in the moment in which they come makes no second one')
def test_reader(desk):
    desk.rows([row(i) for i in range(600)])
    pipeline(desk, path='known')
    same(desk.run(), 0, desk.said())
    names = {str(email.message_from_bytes(one)['subject']): name for name, one in box(desk, 'known').items()}

    desk.environment['XDG_STATE_HOME'] = desk.path('again')
    pipeline(desk, **{'in-flight': 1})
    process = desk.start()
    moved = [move(process, desk.path('box'), names[f'mail {i}']) for i in range(600)]
    same(process.wait(), 0, 'the run beside a reader')
    same(all(moved), True)
    same(subjects(desk), sorted(f'mail {i}' for i in range(600)))


@promise('a large file is attached as it is')
def test_large(desk):
    content = random.Random(1).randbytes(8 << 20)
    with open(desk.path('large.bin'), 'wb') as file:
        file.write(content)
    desk.rows([row(1, attachments=['large.bin'])])
    pipeline(desk)
    same(desk.run(), 0, desk.said())
    message, = (email.message_from_bytes(one, policy=email.policy.default) for one in box(desk).values())
    holds([one.get_content() for one in message.iter_attachments()] == [content], 'the file is another one')


@promise('kill -9 at random moments: each message is there once')
def test_killed(desk):
    chance = random.Random(os.environ.get('SEED', '1'))
    desk.rows([row(i) for i in range(600)])
    pipeline(desk)
    for _ in range(8):
        process = desk.start()
        time.sleep(chance.uniform(0.02, 0.3))
        process.kill()
        process.wait()
    same(desk.run(), 0, desk.said())
    same(subjects(desk), sorted(f'mail {i}' for i in range(600)))


keep_all()
