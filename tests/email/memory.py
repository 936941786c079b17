#!/usr/bin/env python3
"""An mbox of ten times as many messages takes no more memory: memory.py TALLYMAN

A thousand against ten thousand messages, in a long proof against a hundred thousand.
"""
import os
import sys
import tempfile

# What chance makes of it: how far a queue is filled, when pages are given back.
SLACK = 4096

PIPELINE = """pipeline: mails
source: { email: { path: mails.mbox } }
transform: [ keep: [identity, subject, date, text, attachments] ]
sink: { csv: { path: mails.csv } }
"""

MESSAGE = """From jane@example.org Fri Nov 21 09:55:06 1997
Message-ID: <%d@example.org>
From: Jane Doe <jane@example.org>
Subject: Question %d
Date: Fri, 21 Nov 1997 09:55:06 -0600
Content-Type: multipart/mixed; boundary=b

--b

%s
--b
Content-Type: application/octet-stream; name=x.bin
Content-Transfer-Encoding: base64

%s--b--

"""


def peak_of(tallyman, n):
    """Kilobytes that a run over n messages took at most."""
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + '/mails.mbox', 'w') as mbox:
            for i in range(n):
                mbox.write(MESSAGE % (i, i, 'The quick brown fox.\n' * 40, 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldY\n' * 20))
        with open(folder + '/mails.yaml', 'w') as pipeline:
            pipeline.write(PIPELINE)
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            os.environ['XDG_STATE_HOME'] = folder
            os.execl(tallyman, tallyman, 'run', '-q', 'mails.yaml')
        _, status, usage = os.wait4(child, 0)
        assert status == 0, f'a run over {n} messages ended with {status}'
        with open(folder + '/mails.csv') as rows:
            n_rows = sum(1 for line in rows if '@example.org/' in line)
        assert n_rows == n, f'{n_rows} rows came of {n} messages'
        return usage.ru_maxrss


many = 100000 if os.environ.get('TALLYMAN_PROOF') == 'long' else 10000
exe = os.path.abspath(sys.argv[1])
few_peak, many_peak = peak_of(exe, 1000), peak_of(exe, many)
print(f'1000 messages take {few_peak} kB, {many} take {many_peak} kB')
assert many_peak <= few_peak + SLACK, 'memory grows with the number of messages'
