#!/usr/bin/python3
"""pipelines/nightly-report, from a real PostgreSQL to a real SMTP server with TLS and a login."""
import csv
import email
import email.policy
import io
import os
import shutil
import subprocess
import sys

try:
    import aiosmtpd  # noqa: F401
except ImportError:
    print('skipped: python3-aiosmtpd is not installed')
    sys.exit(77)

from mailserver import Server
from promises import keep_all, make_certificate, promise, same


def sql(uri, text):
    subprocess.run(['psql', '-qX', '-v', 'ON_ERROR_STOP=1', uri], input=text, text=True, check=True)


@promise('yesterday\'s orders are one mail with a table and a CSV file, however often it is run')
def test_report(desk):
    database = subprocess.Popen([os.environ['PRIVATE_POSTGRESQL']], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    uri = database.stdout.readline().strip()
    if not uri and database.wait() == 77:
        print('skipped: there is no PostgreSQL server')
        sys.exit(77)
    try:
        certificate = make_certificate(desk.folder)
        server = Server(certificate=certificate, login=('reports@example.org', 'secret of mine'))
        sql(uri, '''CREATE TABLE orders (id int, customer text, total numeric(10, 2), ordered_at timestamp);
                    INSERT INTO orders SELECT n, CASE WHEN n % 10 = 0 THEN 'Müller, "Söhne" & <Co>' ELSE 'customer ' || n END,
                      n * 1.5, CURRENT_DATE - 1 + interval '1 minute' * n FROM generate_series (1, 500) AS n;
                    INSERT INTO orders VALUES (1000, 'today', 1, CURRENT_DATE), (1001, 'before', 1, CURRENT_DATE - 2);''')
        shutil.copy(f'{os.environ["SOURCE_ROOT"]}/pipelines/nightly-report/report.yaml', desk.path('p.yaml'))
        with open(desk.path('p.yaml')) as file:
            text = file.read()
        desk.write('p.yaml', text.replace('    key: day\n', f'    key: day\n    ca-file: {certificate[0]}\n'))
        desk.environment.update(REPORT_DATABASE=uri, REPORT_TO='boss@example.org', MAIL_URL=f'smtp://localhost:{server.port}',
                                MAIL_USER='reports@example.org', MAIL_PASSWORD='secret of mine')
        for _ in range(2):
            same(desk.run(), 0, desk.said())
        same([(one.recipients, one.user, one.secure) for one in server.accepted],
             [(['boss@example.org'], 'reports@example.org', True)])
        message = email.message_from_bytes(server.accepted[0].content, policy=email.policy.default)
        same(message['auto-submitted'], 'auto-generated')
        same([part.get_content_type() for part in message.walk()],
             ['multipart/mixed', 'multipart/alternative', 'text/plain', 'text/html', 'text/csv'])
        html = message.get_body(('html',)).get_content()
        same((html.count('<tr>'), html.count('Müller, "Söhne" &amp; &lt;Co&gt;'), '<Co>' in html), (501, 50, False))
        rows = list(csv.reader(io.StringIO(next(message.iter_attachments()).get_content())))
        same(len(rows), 501)
        same(rows[10], ['10', 'Müller, "Söhne" & <Co>', '15.00'])
        same('500 orders, 187875.00 in all.' in message.get_body(('plain',)).get_content(), True)
    finally:
        database.stdin.close()
        database.wait()


keep_all()
