#!/usr/bin/python3
"""The sink `email` against a real SMTP server, which is made to fail on the wire."""
import base64
import email
import email.policy
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import termios
import time

try:
    import aiosmtpd  # noqa: F401
except ImportError:
    print('skipped: python3-aiosmtpd is not installed')
    sys.exit(77)

from mailserver import Server
from promises import holds, keep_all, make_certificate, promise, same


def row(number, to='ann@example.org', **more):
    return {'id': str(number), 'to': to, 'subject': f'mail {number}', 'text': f'text of {number}\n', **more}


def parse(accepted):
    return email.message_from_bytes(accepted.content, policy=email.policy.SMTP)


def text_of(part):
    return part.get_content().replace('\r\n', '\n')


def subjects(server):
    return sorted(str(parse(one)['subject']) for one in server.accepted)


def check_lines(content):
    holds(b'\n' not in content.replace(b'\r\n', b''), 'a bare LF')
    holds(b'\r' not in content.replace(b'\r\n', b''), 'a bare CR')
    holds(max(map(len, content.split(b'\r\n'))) <= 998, 'a line is too long')


# ---- What arrives ----

@promise('a mail arrives as it was made: names, bodies, files by their checksums, an image that the HTML shows')
def test_whole(desk):
    server = Server()
    noise = random.Random(7).randbytes(200_000)
    desk.write('Übersicht 2024.bin', noise)
    desk.write('logo.png', noise[:5000])
    long = 'x' * 5000 + ' ' + 'wörter ' * 300
    desk.rows([row(1, to=[{'name': 'Jörg "J" Müller', 'address': 'joerg@example.org'}, 'bob@example.org'], cc='"Ann, C." <ann@example.org>',
                   bcc='hidden@example.org', reply_to='reply@example.org', subject='Grüße ✓ ' + 'lang ' * 40,
                   text=long + '\n.\n..\n.dot\nFrom here\n', html='<p>ü<img src="cid:logo"></p>' + '<td>1</td>' * 500,
                   in_reply_to='<a@example.org>', references=['b@example.org', '<a@example.org>'],
                   headers={'X-Case': '42', 'List-Unsubscribe': '<https://example.org/' + 'u' * 150 + '>'},
                   attachments=['Übersicht 2024.bin', {'path': 'logo.png', 'cid': 'logo'},
                                {'content': 'id;ü\n1;2\n', 'name': 'report.csv', 'type': 'text/csv'},
                                {'content': 'Subject: x\n\nold', 'name': 'old.eml'}])])
    desk.mail(server)
    same(desk.run(), 0, desk.said())
    one = server.accepted[0]
    check_lines(one.content)
    same(one.sender, 'desk@example.org', 'sender')
    same(one.recipients, ['joerg@example.org', 'bob@example.org', 'ann@example.org', 'hidden@example.org'], 'recipients')
    holds(b'hidden' not in one.content, 'bcc is told')
    message = parse(one)
    same(message.defects, [], 'defects')
    same([(a.display_name, a.addr_spec) for a in message['to'].addresses],
         [('Jörg "J" Müller', 'joerg@example.org'), ('', 'bob@example.org')], 'to')
    same(message['cc'].addresses[0].display_name, 'Ann, C.', 'cc')
    same(str(message['subject']).split(), ('Grüße ✓ ' + 'lang ' * 40).split(), 'subject')
    same(message['x-case'], '42', 'header')
    same(str(message['list-unsubscribe']), '<https://example.org/' + 'u' * 150 + '>', 'a long address of the web')
    same(message['references'].split(), ['<b@example.org>', '<a@example.org>'], 'references')
    same([name.lower() for name in message.keys()],
         ['date', 'from', 'to', 'cc', 'reply-to', 'subject', 'message-id', 'in-reply-to', 'references', 'x-case',
          'list-unsubscribe', 'mime-version', 'content-type'], 'order of headers')
    parts = [part for part in message.walk() if not part.is_multipart()]
    same([part.get_content_type() for part in message.walk()],
         ['multipart/mixed', 'multipart/related', 'multipart/alternative', 'text/plain', 'text/html', 'image/png',
          'application/octet-stream', 'text/csv', 'application/octet-stream'], 'structure')
    same(text_of(parts[0]), long + '\n.\n..\n.dot\nFrom here\n', 'text')
    same(text_of(parts[1]).strip(), '<p>ü<img src="cid:logo"></p>' + '<td>1</td>' * 500, 'html')
    same(hashlib.sha256(parts[2].get_content()).hexdigest(), hashlib.sha256(noise[:5000]).hexdigest(), 'image')
    same((parts[2]['content-id'], parts[2].get_content_disposition()), ('<logo>', 'inline'), 'cid')
    same(parts[3].get_filename(), 'Übersicht 2024.bin', 'file name')
    same(hashlib.sha256(parts[3].get_content()).hexdigest(), hashlib.sha256(noise).hexdigest(), 'file')
    same(parts[4].get_content(), 'id;ü\n1;2\n', 'content')
    same((parts[5].get_filename(), parts[5].get_content()), ('old.eml', b'Subject: x\n\nold'), 'a message as a file')


@promise('a long mail of lines that begin with dots arrives with each of them')
def test_dots(desk):
    server = Server()
    # What is sent goes in blocks of 64 KiB, which end here and there in such a line.
    texts = ['.\n' * 40_000, ''.join('.' * (i % 7) + 'x' * (i % 90) + '\n' for i in range(5000)), 'x' * 65_530 + '\n.\n.\n']
    texts += [('x' * 98 + '\n') * 650 + 'y' * shift + '\n' + '.\n' * 600 for shift in range(3)]
    desk.mail(server, [row(i, text=text) for i, text in enumerate(texts)])
    same(desk.run(), 0, desk.said())
    same(sorted(text_of(parse(one)) for one in server.accepted), sorted(texts), 'texts')


@promise('many mails go over one connection')
def test_one_connection(desk):
    server = Server()
    desk.mail(server, [row(i) for i in range(30)])
    same(desk.run(), 0, desk.said())
    same(len(server.accepted), 30)
    same(server.connections, 2, 'connections: one to say hello, one for the mails')


@promise('several at once: each arrives once')
def test_in_flight(desk):
    server = Server()
    desk.mail(server, [row(i) for i in range(60)], in_flight=8)
    same(desk.run(), 0, desk.said())
    same(subjects(server), sorted(f'mail {i}' for i in range(60)))
    holds(2 < server.connections <= 9, f'{server.connections} connections')


@promise('lists of people are read as people write them')
def test_people(desk):
    server = Server()
    lists = {'ann@example.org': [('', 'ann@example.org')],
             ' Ann A.  <ann@example.org> ,bob@example.org': [('Ann A.', 'ann@example.org'), ('', 'bob@example.org')],
             '"B, C \\"x\\"" <b@example.org>': [('B, C "x"', 'b@example.org')],
             '=?utf-8?q?J=C3=B6rg?= <j@example.org>': [('Jörg', 'j@example.org')],
             'joe@example.org <joe@example.org>': [('joe@example.org', 'joe@example.org')],
             'Müller <m@example.org>': [('Müller', 'm@example.org')],
             '<n@example.org>': [('', 'n@example.org')],
             '"a b"@example.org': [('', '"a b"@example.org')],
             'x@[192.0.2.1], y@[IPv6:2001:db8::1]': [('', 'x@[192.0.2.1]'), ('', 'y@[IPv6:2001:db8::1]')]}
    desk.mail(server, [row(i, to=text) for i, text in enumerate(lists)])
    same(desk.run(), 0, desk.said())
    for one, people in zip(server.accepted, lists.values()):
        same(one.recipients, [address for _, address in people])
        if not one.recipients[0].startswith('x@['):  # which Python's reader does not know
            same([(a.display_name, a.addr_spec) for a in parse(one)['to'].addresses], people)


@promise('who is not named by a column is named by the options')
def test_options(desk):
    server = Server()
    desk.mail(server, [row(1, to=None, **{'from': None}), row(2, **{'from': 'Eve <eve@example.org>'})],
              to='all@example.org, Ann <ann@example.org>', return_path='bounces@example.org')
    same(desk.run(), 0, desk.said())
    same([(one.sender, one.recipients, str(parse(one)['from'])) for one in server.accepted],
         [('bounces@example.org', ['all@example.org', 'ann@example.org'], 'Desk <desk@example.org>'),
          ('bounces@example.org', ['ann@example.org'], 'Eve <eve@example.org>')])


@promise('the Message-ID is made by the record, and is its id in the ledger')
def test_message_id(desk):
    ids = []
    for run in range(2):
        server = Server()
        desk.environment['XDG_STATE_HOME'] = desk.path(f'state{run}')
        desk.mail(server, [row(1), row(2), row(3, message_id='<own@example.org>')])
        same(desk.run(), 0, desk.said())
        ids.append(sorted(str(parse(one)['message-id']) for one in server.accepted))
    same(ids[0], ids[1], 'ids of two ledgers')
    same(len(set(ids[0])), 3)
    holds('<own@example.org>' in ids[0], 'its own id')
    same(desk.run('trace', '1'), 0, desk.said())
    holds(any(one[1:-1] in desk.said() for one in ids[0]), 'trace names the id')


@promise('a second run sends nothing')
def test_again(desk):
    server = Server()
    desk.mail(server, [row(1), row(2)])
    same(desk.run(), 0, desk.said())
    same(desk.run(), 0, desk.said())
    same(desk.counts('delivered', 'unchanged'), [0, 2])
    same(len(server.accepted), 2)


# ---- What is refused before it is sent ----

@promise('what does not belong into a mail is rejected by the name of its column, and never seen by the server')
def test_hostile(desk):
    server = Server()
    cases = [({'subject': 'x\r\nBcc: evil@example.org'}, 'column "subject"'),
             ({'subject': 'x\ny'}, 'column "subject"'),
             ({'to': 'ann@example.org\nBcc: evil@example.org'}, 'column "to"'),
             ({'to': 'ann@example.org>\r\nRCPT TO:<evil@example.org'}, 'column "to"'),
             ({'to': 'ann'}, 'column "to"'),
             ({'to': 'ann@example..org'}, 'column "to"'),
             ({'to': 'a b@example.org'}, 'column "to"'),
             ({'to': 'ann@example.org, Bob <bob@example.org'}, 'column "to"'),
             ({'to': 'ann@example.org, <>'}, 'column "to"'),
             ({'to': 'team: ann@example.org;'}, 'column "to"'),
             ({'to': 'ann@example.org,'}, 'column "to"'),
             ({'to': '"Ann <ann@example.org>'}, 'column "to"'),
             ({'to': '=?utf-8?q?a=0D=0ABcc=3A?= <ann@example.org>'}, 'column "to"'),
             ({'to': 'ann@[999.0.0.1]'}, 'column "to"'),
             ({'to': ''}, 'it goes to nobody'),
             ({'to': 'x' * 65 + '@example.org'}, 'column "to"'),
             ({'headers': {'X-A': 'b\r\nBcc: evil@example.org'}}, 'column "headers"'),
             ({'headers': {'X-A\r\nBcc': 'evil@example.org'}}, 'column "headers"'),
             ({'headers': {'Bcc': 'evil@example.org'}}, 'column "headers"'),
             ({'headers': {'Content-Type': 'text/html'}}, 'column "headers"'),
             ({'message_id': 'no id'}, 'column "message_id"'),
             ({'references': '<a@b> <c\r\nd@e>'}, 'column "references"'),
             ({'attachments': ['/etc/hostname-that-is-not-there']}, 'column "attachments"'),
             ({'attachments': [{'content': 'x', 'name': 'a\r\nb'}]}, 'column "attachments"'),
             ({'attachments': [{'content': 'x', 'name': 'a', 'type': 'text/html\r\nX: y'}]}, 'column "attachments"'),
             ({'attachments': [{'content': 'x', 'name': 'a', 'cid': 'x>\r\nX: y'}]}, 'column "attachments"'),
             ({'attachments': [{'name': 'a'}]}, 'column "attachments"')]
    desk.mail(server, [row(i, **{'headers': None, 'message_id': None, 'references': None, 'attachments': None, **case})
                       for i, (case, _) in enumerate(cases)])
    same(desk.run(), 3, desk.said())
    same(server.accepted, [], 'accepted')
    reasons = desk.rejects()
    same(len(reasons), len(cases), reasons)
    for (case, wanted), reason in zip(cases, reasons):
        holds(wanted in reason, f'{case}: {reason}')


@promise('files stay within attachments-root, and a message within max-message')
def test_bounds(desk):
    server = Server()
    os.mkdir(desk.path('files'))
    desk.write('secret', 'x')
    desk.write('files/big', b'x' * 100_000)
    os.symlink('../secret', desk.path('files/link'))
    desk.mail(server, [row(1, attachments=['secret']), row(2, attachments=['files/link']), row(3, attachments=['files/big']),
                       row(4, attachments=['/dev/zero']), row(5, text='x' * 100_000, attachments=None)],
              attachments_root='files', max_message='50kB')
    same(desk.run(), 3, desk.said())
    same(server.accepted, [])
    for reason, wanted in zip(desk.rejects(), ['attachments-root', 'attachments-root', 'max-message', 'attachments-root',
                                               'max-message']):
        holds(wanted in reason, reason)


@promise('a column that is no part of a message is an error before the run, with the nearest name')
def test_columns(desk):
    server = Server()
    desk.mail(server, [{'id': '1', 'to': 'ann@example.org', 'subjct': 'x'}])
    same(desk.run(), 2, desk.said())
    holds('did you mean "subject"' in desk.said(), desk.said())


@promise('domains beyond ASCII are sent in A-labels; names before the @ need SMTPUTF8')
def test_international(desk):
    server = Server()
    desk.mail(server, [row(1, to='ann@exämple.org'), row(2, to='jörg@exämple.org')])
    same(desk.run(), 0, desk.said())
    found = {one.recipients[0]: one for one in server.accepted}
    same(sorted(found), ['ann@xn--exmple-cua.org', 'jörg@xn--exmple-cua.org'])
    holds('SMTPUTF8' not in found['ann@xn--exmple-cua.org'].options, 'SMTPUTF8 without need')
    holds('SMTPUTF8' in found['jörg@xn--exmple-cua.org'].options, 'no SMTPUTF8')

    plain = Server(utf8=False)
    desk.environment['XDG_STATE_HOME'] = desk.path('other')
    desk.mail(plain)
    same(desk.run(), 3, desk.said())
    same([one.recipients for one in plain.accepted], [['ann@xn--exmple-cua.org']])
    holds('SMTPUTF8' in desk.rejects()[-1], desk.rejects())


# ---- Who sends ----

@promise('TLS is verified: STARTTLS and from the first byte; a stranger\'s certificate ends the run before a record is at stake')
def test_tls(desk):
    certificate = make_certificate(desk.folder)
    for smtps in (False, True):
        server = Server(certificate=certificate, smtps=smtps)
        url = f'{"smtps" if smtps else "smtp"}://localhost:{server.port}'
        desk.environment['XDG_STATE_HOME'] = desk.path(f'state-{smtps}')
        desk.mail(server, [row(1)], tls=None, url=url)
        same(desk.run(), 1, desk.said())
        holds('certificate' in desk.said(), desk.said())
        same(desk.doubts(), [])
        desk.mail(server, [row(1)], tls=None, url=url, ca_file=certificate[0])
        same(desk.run(), 0, desk.said())
        same([one.secure for one in server.accepted], [True])


@promise('a server without STARTTLS gets nothing')
def test_no_starttls(desk):
    server = Server()
    desk.mail(server, [row(1)], tls='required')
    same(desk.run(), 1, desk.said())
    holds('STARTTLS' in desk.said(), desk.said())
    same((server.accepted, desk.doubts()), ([], []))


@promise('logs in with a password or a token; a wrong one ends the run before a record is at stake, and is never shown')
def test_login(desk):
    certificate = make_certificate(desk.folder)
    for secret, kind in ({'password': 'correct horse'}, 'login'), ({'access_token': 'ya29.token-of-mine'}, 'token'):
        value = list(secret.values())[0]
        server = Server(certificate=certificate, **{kind: ('desk', value)})
        more = {'tls': None, 'ca_file': certificate[0], 'user': 'desk'}
        desk.environment['XDG_STATE_HOME'] = desk.path(f'state-{kind}')
        wrong = 'wrong-' + value
        desk.mail(server, [row(1)], **more, **{list(secret)[0]: wrong})
        same(desk.run(), 1, desk.said())
        encoded = base64.b64encode(f'\0desk\0{wrong}'.encode()).decode()
        xoauth2 = base64.b64encode(f'user=desk\1auth=Bearer {wrong}\1\1'.encode()).decode()
        for form in wrong, encoded, xoauth2:
            holds(form not in desk.said(), desk.said())
        holds('login was refused' in desk.said(), desk.said())
        same(desk.doubts(), [])
        desk.mail(server, [row(1)], **more, **secret)
        same(desk.run(), 0, desk.said())
        same([one.user for one in server.accepted], ['desk'])


@promise('doctor tells what the server is')
def test_doctor(desk):
    server = Server(size=100_000)
    desk.mail(server, [row(1, html='<p>x')])
    desk.run('doctor', 'p.yaml')
    holds('100000 bytes at most' in desk.said(), desk.said())


# ---- Answers ----

@promise('4xx: sent again until it is taken')
def test_busy(desk):
    server = Server()
    server.faults = {'a@example.org': [('rcpt', '450 4.2.0 greylisted')], 'b@example.org': [('data', '451 4.3.0 later')],
                     'c@example.org': [('dot', '452 4.3.1 disk full'), ('dot', '451 4.3.0 once more')],
                     'd@example.org': [('rcpt', '421 4.3.2 going down')], 'e@example.org': [('dot', '421 4.3.2 going down')]}
    desk.mail(server, [row(i, to=f'{i}@example.org') for i in 'abcdef'])
    same(desk.run(), 0, desk.said())
    same(subjects(server), [f'mail {i}' for i in 'abcdef'])
    same(desk.counts('delivered', 'in_doubt', 'rejected'), [6, 0, 0])


@promise('5xx: rejected with the server\'s words')
def test_refused(desk):
    server = Server(size=60_000)
    server.faults = {'a@example.org': [('rcpt', '550 5.1.1 no such user')], 'b@example.org': [('data', '554 5.7.1 not from you')],
                     'c@example.org': [('dot', '554 5.7.1 looks like spam')]}
    desk.mail(server, [row(i, to=f'{i}@example.org') for i in 'abcd'] + [row('e', text='x' * 100_000)])
    same(desk.run(), 3, desk.said())
    same(subjects(server), ['mail d'])
    reasons = desk.rejects()
    for reason, words in zip(reasons, ['no such user', 'not from you', 'looks like spam', 'size']):
        holds(words in reason, reason)
    same(len(reasons), 4)


@promise('one of three recipients is refused: all that are refused are named, and nobody gets the mail')
def test_one_of_three(desk):
    server = Server()
    server.faults = {'b@example.org': [('rcpt', '550 5.1.1 no such user')], 'c@example.org': [('rcpt', '450 4.2.2 full')]}
    desk.mail(server, [row(1, to='a@example.org, b@example.org, c@example.org'), row(2)])
    same(desk.run(), 3, desk.said())
    same(subjects(server), ['mail 2'])
    holds('<b@example.org>: 550 5.1.1 no such user; <c@example.org>: 450' in desk.rejects()[0], desk.rejects())
    holds('2 of 3' in desk.rejects()[0], desk.rejects())


@promise('one of three recipients is busy: the mail goes to all three later, once')
def test_one_of_three_later(desk):
    server = Server()
    server.faults = {'b@example.org': [('rcpt', '450 4.2.0 later')]}
    desk.mail(server, [row(1, to='a@example.org, b@example.org, c@example.org')])
    same(desk.run(), 0, desk.said())
    same([one.recipients for one in server.accepted], [['a@example.org', 'b@example.org', 'c@example.org']])


@promise('cut amid the message: surely not taken, so it goes again')
def test_cut(desk):
    server = Server()
    server.faults = {'a@example.org': [('data', 'cut'), ('data', 'cut')]}
    # More than the system takes for a peer who does not read.
    desk.mail(server, [row(1, to='a@example.org', text='x' * 5_000_000), row(2)])
    same(desk.run(), 0, desk.said())
    same(subjects(server), ['mail 1', 'mail 2'])
    same(desk.counts('in_doubt'), [0])


@promise('an answer amid the message is an answer, whether the server then goes away or falls silent: 5xx rejects, 4xx sends it again')
def test_amid(desk):
    certificate = make_certificate(desk.folder)
    for secure in False, True:
        server = Server(certificate=certificate if secure else None)
        server.faults = {'a@example.org': [('data', 'amid close 552 5.3.4 too large for us')], 'b@example.org': [('data', 'amid wait 554 5.7.1 not this')],
                         'c@example.org': [('data', 'amid close 451 4.3.0 later'), ('data', '554 5.7.1 asked twice')], 'd@example.org': [('data', 'amid close 552 5.3.4 small, and no')],
                         'e@example.org': [('data', 'amid close 250 2.0.0 taken, without having read it')]}
        desk.environment['XDG_STATE_HOME'] = desk.path(f'state-{secure}')
        desk.mail(server, [row(i, to=f'{i}@example.org', text='x' * (10 if i == 'd' else 5_000_000)) for i in 'abcde'], max_message='60MiB',
                  **({'tls': None, 'ca_file': certificate[0]} if secure else {}))
        same(desk.run(), 4, desk.said())
        same(desk.rejects(), ['552 5.3.4 too large for us', '554 5.7.1 not this', '554 5.7.1 asked twice', '552 5.3.4 small, and no'])
        same(([one['key'] for one in desk.doubts()], server.accepted), (['e'], []))


@promise('the answer to the last dot is lost: held and listed, never sent again; the user\'s word settles it')
def test_lost(desk):
    server = Server()
    server.faults = {'a@example.org': [('dot', 'lost')], 'b@example.org': [('dot', 'dropped')]}
    desk.mail(server, [row(i, to=f'{i}@example.org') for i in 'abc'])
    same(desk.run(), 4, desk.said())
    same(desk.counts('read', 'delivered', 'in_doubt'), [3, 1, 2])
    holds('at most once' in desk.summary()['guarantee'], desk.summary()['guarantee'])
    same(sorted(one['key'] for one in desk.doubts()), ['a', 'b'])
    same(desk.run(), 4, desk.said())
    same(subjects(server), ['mail a', 'mail c'])
    same(desk.run('doubt', 'resolve', 'a', '--delivered', 'seen@example.org'), 0, desk.said())
    same(desk.run('doubt', 'resolve', 'b', '--absent'), 0, desk.said())
    same(desk.run(), 0, desk.said())
    same(subjects(server), ['mail a', 'mail b', 'mail c'])


@promise('in-doubt: resend: sent again, with the same Message-ID, until an answer comes; the run says "at least once"')
def test_resend(desk):
    server = Server()
    server.faults = {'a@example.org': [('dot', 'lost')], 'b@example.org': [('dot', 'dropped'), ('dot', 'dropped')]}
    desk.mail(server, [row(i, to=f'{i}@example.org') for i in 'abc'], in_doubt='resend', settle='4s')
    same(desk.run(), 0, desk.said())
    same(subjects(server), ['mail a', 'mail a', 'mail b', 'mail c'])
    same(len({str(parse(one)['message-id']) for one in server.accepted}), 3)
    same(len({one.content for one in server.accepted}), 3, 'the same bytes')
    holds('at least once' in desk.summary()['guarantee'], desk.summary()['guarantee'])


@promise('in-doubt: resend: a run that was killed is gone on with, and all is there')
def test_resend_killed(desk):
    chance = random.Random(os.environ.get('SEED', '2'))
    server = Server()
    desk.mail(server, [row(i) for i in range(60)], in_flight=2, in_doubt='resend', settle='1s')
    for _ in range(4):
        process = desk.start()
        time.sleep(chance.uniform(0.05, 0.3))
        process.kill()
        process.wait()
    same(desk.run(), 0, desk.said())
    same(sorted(set(subjects(server))), sorted(f'mail {i}' for i in range(60)))


@promise('a server that falls silent after the last dot: held')
def test_silent(desk):
    server = Server()
    server.faults = {'a@example.org': [('dot', 'silent')]}
    desk.mail(server, [row(i, to=f'{i}@example.org') for i in 'ab'], timeout='1s')
    same(desk.run(), 4, desk.said())
    same([one['key'] for one in desk.doubts()], ['a'])
    same(subjects(server), ['mail a', 'mail b'])


@promise('no server: the run fails before a record is at stake')
def test_nobody(desk):
    server = Server()
    desk.mail(server, [row(1)], url='smtp://localhost:1')
    same(desk.run(), 1, desk.said())
    same(desk.doubts(), [])


@promise('a server that is away for a while: the run waits, says for what and how long, on a terminal or in a log, and goes on')
def test_away(desk):
    for terminal in False, True:
        server = Server()
        server.faults = {'b@example.org': [('rcpt', 'gone')]}
        desk.environment.update(XDG_STATE_HOME=desk.path(f'state-{terminal}'))
        desk.mail(server, [row(i, to=f'{i}@example.org') for i in 'abc'])
        ours, theirs = os.openpty() if terminal else os.pipe()
        if terminal:
            termios.tcsetwinsize(ours, (24, 120))
        process = subprocess.Popen([desk.command, 'run', 'p.yaml'], cwd=desk.folder, env=desk.environment, stderr=theirs)
        os.close(theirs)
        said = b''
        while b'again in' not in said:
            said += os.read(ours, 4096)
        words = re.search(rb'1 delivered, .*waiting: the target cannot be reached: .*connect.*again in [0-9]+ s', said)
        holds(words is not None and max(map(len, said.decode().splitlines())) <= (130 if terminal else 300), said)
        server.come_back()
        try:
            while more := os.read(ours, 4096):
                said += more
        except OSError:  # so does a terminal end
            pass
        os.close(ours)
        same((process.wait(), subjects(server)), (0, ['mail a', 'mail b', 'mail c']), said)
        holds(re.search(rb'retries [1-9]', said), said)


@promise('SIGTERM while the server is silent: the run ends, the mail is held; the next run sends what was never sent')
def test_stopped(desk):
    server = Server()
    server.faults = {'a@example.org': [('dot', 'silent')]}
    desk.mail(server, [row(i, to=f'{i}@example.org') for i in 'ab'])
    process = desk.start()
    while not server.accepted:
        holds(process.poll() is None, 'it ended by itself')
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    same(process.wait(60), 130)
    holds('a' in [one['key'] for one in desk.doubts()], 'not listed')
    same(subjects(server), ['mail a'])
    same(desk.run(), 4, desk.said())
    same(subjects(server), ['mail a', 'mail b'])
    same([one['key'] for one in desk.doubts()], ['a'])


@promise('a run that is stopped amid a mail does not end it: half a mail is never taken for a whole one')
def test_stopped_amid(desk):
    server = Server()
    server.faults = {'a@example.org': [('data', 'stall')]}
    desk.mail(server, [row('a', to='a@example.org', text='x' * 20_000_000)], max_message='60MiB')
    process = desk.start()
    holds(server.stalled.wait(30), 'the mail does not come')
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    server.resumed.set()
    for _ in range(100):
        if server.ended:
            break
        time.sleep(0.1)
    same((server.ended, server.accepted), ([False], []))
    same([one['key'] for one in desk.doubts()], ['a'])


@promise('kill -9 at random moments: each mail is accepted once at most, and what may not have been is listed')
def test_killed(desk):
    chance = random.Random(os.environ.get('SEED', '1'))
    server = Server()
    n = 150
    desk.mail(server, [row(i) for i in range(n)], in_flight=4)
    for _ in range(8):
        process = desk.start()
        time.sleep(chance.uniform(0.05, 0.4))
        process.kill()
        process.wait()
    status = desk.run()
    time.sleep(0.2)
    counts = desk.summary()['counts']
    doubts = {f'mail {one["key"]}' for one in desk.doubts()}
    seen = subjects(server)
    same(len(seen), len(set(seen)), 'a mail was accepted twice')
    same({f'mail {i}' for i in range(n)} - set(seen) - doubts, set(), 'neither sent nor listed')
    same(counts['read'] + counts['taken_up'],
         counts['delivered'] + counts['unchanged'] + counts['rejected'] + counts['in_doubt'], counts)
    same(status, 4 if doubts else 0, counts)
    holds(len(doubts) <= 8 * 8, f'{len(doubts)} in doubt after 8 kills with 4 in flight')


keep_all()
