#!/usr/bin/python3
"""The sink `email` against a mail server that sites run, Exim."""
import hashlib
import os
import random
import signal
import sys
import tempfile
import time

import eximserver
from eximserver import EximServer, LOGIN
from promises import holds, keep_all, promise, same

if eximserver.missing():
    print('skipped:', eximserver.missing())
    sys.exit(77)

server = None


def row(name, to='ann@example.org', **more):
    return {'id': name, 'to': to, 'subject': name, **more}


def send(desk, rows=None, port='port', **more):
    """By STARTTLS and PLAIN, by TLS from the first byte and LOGIN, or as to an old server."""
    options = {'user': LOGIN[0], 'password': LOGIN[1], 'ca_file': server.certificate, 'tls': None}
    if port == 'plain':
        options = {}
    scheme = 'smtps' if port == 'smtps' else 'smtp'
    desk.mail(server, rows, **{'url': f'{scheme}://localhost:{getattr(server, port)}', **options, **more})
    return desk.run()


def found(n):
    """By subject: the message as it was delivered, for each recipient."""
    messages = {}
    for one in server.delivered(n):
        messages.setdefault(str(one['subject']), []).append(one)
    return messages


def sha256(content):
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()


def text_of(message):
    """Ends of lines are the message's, not the text's."""
    return message.get_content().replace('\r\n', '\n').removesuffix('\n') + '\n'


def leaves(message):
    return [part for part in message.walk() if not part.is_multipart()]


NOISE = random.Random(7).randbytes(60_000)
LONG = 'x' * 5000 + ' ' + 'wörter ' * 300 + '\n' + 'y' * 998 + '\n' + 'z' * 999 + '\n'
DOTS = '.\n..\n.\n\n' + ''.join('.' * (i % 5) + 'x' * (i % 90) + '.\n' for i in range(2000)) + '\n.\n.\n'
TEXTS = {
    'plain': 'hello\nFrom here\n\nend\n',
    'without an end': 'no line break at the end',
    'long lines': LONG,
    '8 bit': 'Grüße, Ελλάδα, 日本語, 🙂\n' * 40,
    'dots': DOTS,
    'a dot alone': '.',
    'dots, and beyond ASCII': '.ü\n..\n.\n',
    'no text': '',
}


@promise('what Exim delivers is what the row says: texts with long lines, with letters beyond ASCII, with dots in all places')
def test_texts(desk):
    rows = [row(name, text=text) for name, text in TEXTS.items()]
    for i, port in enumerate(('port', 'smtps', 'plain')):
        desk.environment['XDG_STATE_HOME'] = desk.path(port)
        same(send(desk, rows, port), 0, desk.said())
        messages = found((i + 1) * len(rows))
        for name, text in TEXTS.items():
            same([sha256(text_of(one)) for one in messages[name]], (i + 1) * [sha256(text if text[-1:] == '\n' else text + '\n')],
                 f'{name} by {port}')
    same([f'A={kind}' in line for kind, line in zip(('plain:desk', 'login:desk'), server.log('<=')[::len(rows)])], [True, True], 'logins')


@promise('what Exim delivers is what the row says: both forms of a text, an image that the HTML shows, files')
def test_parts(desk):
    before = len(server.log('=>'))
    desk.write('Übersicht.bin', NOISE)
    desk.write('logo.png', NOISE[:5000])
    html = '<p>ü<img src="cid:logo"></p>' + '<td>1</td>' * 500
    same(send(desk, [row('parts', [{'name': 'Jörg "J" Müller', 'address': 'joerg@exämple.org'}], bcc='hidden@example.org', text=DOTS, html=html,
                         attachments=['Übersicht.bin', {'path': 'logo.png', 'cid': 'logo'},
                                      {'content': 'id;ü\n.\n', 'name': 'report.csv', 'type': 'text/csv'}])]), 0, desk.said())
    copies = found(before + 2)['parts']
    same(sorted(str(one['envelope-to']) for one in copies), ['hidden@example.org', 'joerg@xn--exmple-cua.org'])
    for one in copies:
        same([part.get_content_type() for part in one.walk()],
             ['multipart/mixed', 'multipart/related', 'multipart/alternative', 'text/plain', 'text/html', 'image/png',
              'application/octet-stream', 'text/csv'])
        text, shown, logo, file, report = leaves(one)
        same([sha256(text_of(text)), sha256(shown.get_content().strip()), sha256(logo.get_content()), sha256(file.get_content())],
             [sha256(DOTS), sha256(html), sha256(NOISE[:5000]), sha256(NOISE)], 'checksums')
        same((logo['content-id'], file.get_filename(), report.get_content()), ('<logo>', 'Übersicht.bin', 'id;ü\n.\n'))
        same(([a.display_name for a in one['to'].addresses], one['bcc'], one['return-path']),
             (['Jörg "J" Müller'], None, '<desk@example.org>'))


@promise('a name before the @ that is beyond ASCII goes where SMTPUTF8 is offered, and is rejected where not')
def test_utf8(desk):
    before = len(server.log('=>'))
    same(send(desk, [row('utf8', 'jörg@exämple.org', text='x\n')]), 0, desk.said())
    same([str(one['envelope-to']) for one in found(before + 1)['utf8']], ['jörg@xn--exmple-cua.org'])
    desk.environment['XDG_STATE_HOME'] = desk.path('other')
    same(send(desk, port='plain'), 3, desk.said())
    holds('does not offer SMTPUTF8' in desk.rejects()[0], desk.rejects())


@promise('what Exim refuses is rejected with its words; one of three recipients that is refused is named, and nobody gets the mail')
def test_refused(desk):
    before = len(server.log('<='))
    big = 'x' * 70 + '\n'
    wanted = {'large': '552 5.3.4 too large, now that it is seen', 'larger': '552 Message size exceeds maximum permitted', 'spam': '554 5.7.1 this looks like spam',
              'three': '1 of 3 recipients: <no-bob@example.org>: 550 5.1.1 nobody of this name'}
    same(send(desk, [row('large', text=big * 3800), row('larger', text=big * 6000),
                     row('spam', 'spam-a@example.org'), row('three', 'ann@example.org, no-bob@example.org, eve@example.org')]), 3, desk.said())
    same(desk.counts('rejected', 'in_doubt'), [4, 0])
    for reason, (name, words) in zip(desk.rejects(), wanted.items()):
        holds(words in reason, f'{name}: {reason}')
    same(server.log('<=')[before:], [])


@promise('what Exim cannot take now goes again, once: 452 to a recipient, 451 to the whole')
def test_later(desk):
    before = len(server.log('=>'))
    same(send(desk, [row('full', 'full-a@example.org, b@example.org'), row('later', 'later-a@example.org')]), 0, desk.said())
    same(desk.counts('delivered', 'retries'), [2, 2])
    same({name: len(copies) for name, copies in found(before + 3).items() if name in ('full', 'later')}, {'full': 2, 'later': 1})


@promise('a wrong password, or none where one is wanted, ends the run and rejects nothing')
def test_password(desk):
    same(send(desk, [row('never')], user=None, password=None), 1, desk.said())
    holds('the server wants a login: 530' in desk.said(), desk.said())
    same((desk.counts('rejected'), [one['key'] for one in desk.doubts()]), ([0], ['never']))
    desk.environment['XDG_STATE_HOME'] = desk.path('other')
    same(send(desk, [row('never')], password='wrong'), 1, desk.said())
    holds('login was refused' in desk.said() and '535' in desk.said(), desk.said())
    same((desk.doubts(), 'never' in server.taken()), ([], False))


@promise('kill -9 amid 500 mails: each is there once, or in doubt; what the user says of those settles it, and all are there once')
def test_killed(desk):
    keys = [f'bulk {i}' for i in range(500)]
    desk.mail(server, [row(key, 'queue-a@example.org', text='x\n') for key in keys], url=f'smtp://localhost:{server.plain}', in_flight=4)

    def taken():
        return [name for name in server.taken() if name.startswith('bulk')]

    for enough in 120, 240, 360:
        run = desk.start()
        while len(taken()) < enough and run.poll() is None:
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        same(run.wait(), -signal.SIGKILL, 'it ended by itself')
    same(desk.run(), 4, desk.said())
    doubts = {one['key'] for one in desk.doubts()}
    there = taken()
    same(len(there), len(set(there)), 'a mail was taken twice')
    same(set(keys) - set(there) - doubts, set(), 'neither there nor in doubt')
    holds(0 < len(doubts) <= 3 * 8, f'{len(doubts)} in doubt after 3 kills with 4 in flight')
    for key in doubts:
        how = ['--delivered', 'seen@example.org'] if key in there else ['--absent']
        same(desk.run('doubt', 'resolve', key, *how), 0, desk.said())
    same(desk.run(), 0, desk.said())
    same(sorted(taken()), sorted(keys))


with tempfile.TemporaryDirectory(prefix='tallyman-exim-') as folder:
    os.chmod(folder, 0o755)
    server = EximServer(folder + '/server')
    try:
        keep_all()
    finally:
        server.stop()
