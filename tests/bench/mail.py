#!/usr/bin/env python3
"""Mails sent, and an mbox read, by turns with others who do the same, in one run.

usage: mail.py TALLYMAN

  send   rows to mails: 2 kB of text and a file of 20 kB, with 1 and with 8 in flight and the embedded ledger.  curl: sends
         messages that lie there composed, over one connection, and keeps no record of them.  smtplib: Python composes each
         message and sends it over one connection
  read   an mbox of mails of 2 kB, one in four with a file, to NDJSON.  Python: mailbox and email, the same columns

over BENCH_MAILS rows (default 2000) and BENCH_MAILBOX mails (default 10⁵); BENCH_PAIRS.  The server is one of our own on this
machine, which takes all and keeps nothing.  BENCH_ONLY names one of the two.
"""
import email
import email.policy
import email.utils
import hashlib
import json
import mailbox
import os
import random
import smtplib
import socketserver
import subprocess
import sys

from contest import Contest, run, tallyman, workshop

MAILS = int(os.environ.get("BENCH_MAILS", "2000"))
MAILBOX = int(os.environ.get("BENCH_MAILBOX", "100000"))
ONLY = os.environ.get("BENCH_ONLY")
SENDER = "desk@example.org"
COLUMNS = ["message_id", "from_address", "subject", "date", "text", "attachments"]


class Session(socketserver.StreamRequestHandler):
    """Takes all."""

    def handle(self):
        self.say("220 here")
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"EHLO":
                self.say("250-here\r\n250-8BITMIME\r\n250 SIZE 100000000")
            elif word == b"DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.say("250 taken")
            elif word == b"QUIT":
                return self.say("221 bye")
            else:
                self.say("250 yes")

    def say(self, words):
        self.wfile.write(words.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 50


def text_of(number):
    return "".join(f"Line {i} of mail {number}: the order has left us and is on its way to you.\n" for i in range(27))


def compose(row):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = SENDER, row["to"], row["subject"]
    message["Date"], message["Message-ID"] = email.utils.localtime(), f"<{row['id']}@example.org>"
    message.set_content(row["text"])
    with open(row["attachments"], "rb") as file:
        message.add_attachment(file.read(), maintype="application", subtype="octet-stream", filename="file.bin")
    return message


# ---- What runs as a process of its own ----

def serve():
    with Server(("127.0.0.1", 0), Session) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


def send_by_smtplib(rows, port):
    with smtplib.SMTP("127.0.0.1", int(port)) as client, open(rows) as file:
        for line in file:
            client.send_message(compose(json.loads(line)))


def read_by_python(path, out):
    def attachments(message):
        for part in message.iter_attachments():
            content = part.get_payload(decode=True)
            yield {"name": part.get_filename(), "type": part.get_content_type(), "size": len(content),
                   "sha256": hashlib.sha256(content).hexdigest()}

    make = lambda file: email.message_from_binary_file(file, policy=email.policy.default)  # noqa: E731
    with open(out, "w") as file:
        for message in mailbox.mbox(path, factory=make, create=False):
            row = [message["message-id"].strip("<>"), message["from"].addresses[0].addr_spec, str(message["subject"]),
                   message["date"].datetime.isoformat(), message.get_body(("plain",)).get_content(), list(attachments(message))]
            json.dump(dict(zip(COLUMNS, row)), file)
            file.write("\n")


# ---- Sending ----

def write_rows(folder):
    attached = os.path.join(folder, "file.bin")
    with open(attached, "wb") as file:
        file.write(random.Random(1).randbytes(20_000))
    path = os.path.join(folder, "rows.ndjson")
    with open(path, "w") as file:
        for i in range(MAILS):
            row = {"id": str(i), "to": f"customer{i}@example.org", "subject": f"Your order {i}", "text": text_of(i), "attachments": attached}
            file.write(json.dumps(row) + "\n")
    return path


def write_for_curl(folder, rows, port):
    path = os.path.join(folder, "curl")
    with open(rows) as file, open(path, "w") as out:
        for i, line in enumerate(file):
            row = json.loads(line)
            composed = os.path.join(folder, f"{i}.eml")
            with open(composed, "wb") as message:
                message.write(bytes(compose(row)))
            out.write(("next\n" if i > 0 else "") + f'url = "smtp://127.0.0.1:{port}"\nmail-from = "{SENDER}"\n'
                      f'mail-rcpt = "{row["to"]}"\nupload-file = "{composed}"\n')
    return path


def bench_send(folder):
    rows = write_rows(folder)
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().strip()
    count = 0

    def send(in_flight):
        nonlocal count
        count += 1
        os.environ["XDG_STATE_HOME"] = os.path.join(folder, f"state-{count}")  # a new ledger
        return tallyman(command, folder, "send", f"source: {{ json: {{ path: {rows} }} }}\n"
                        f"sink: {{ email: {{ url: 'smtp://127.0.0.1:{port}', tls: off, from: {SENDER}, key: id, in-flight: {in_flight} }} }}\n")

    contest = Contest(f"send: {MAILS} rows to mails")
    for in_flight in 1, 8:
        contest.add(f"tallyman, {in_flight} in flight", lambda in_flight=in_flight: send(in_flight))
    config = write_for_curl(folder, rows, port)
    contest.add_program("curl", "curl", lambda: run(["curl", "--silent", "--fail", "--config", config]))
    contest.add("smtplib", lambda: run([sys.executable, __file__, "--smtplib", rows, port]))
    contest.run()
    for in_flight in 1, 8:
        for peer, aim in ("smtplib", 0.5), ("curl", 3):
            contest.ratio(f"tallyman, {in_flight} in flight", peer, aim)
            contest.ratio(f"tallyman, {in_flight} in flight", peer, aim, "cpu")
    server.terminate()
    server.wait()


# ---- Reading ----

def write_mailbox(folder):
    path = os.path.join(folder, "archive.mbox")
    noise = random.Random(2).randbytes(1500)
    with open(path, "w") as out:
        for i in range(MAILBOX):
            message = email.message.EmailMessage() if i < 100 else None
            if message is not None:
                message["From"], message["To"] = f"Ann {i} <ann{i}@example.org>", "desk@example.org"
                message["Subject"], message["Date"] = f"Grüße {i}", email.utils.format_datetime(email.utils.localtime())
                message["Message-ID"] = "<NUMBER@example.org>"
                message.set_content(text_of(i) + "ü\n")
                if i % 4 == 0:
                    message.add_attachment(noise, maintype="application", subtype="octet-stream", filename="file.bin")
                samples.append(message.as_string())
            out.write("From ann@example.org Mon May  6 10:00:00 2024\n" + samples[i % 100].replace("NUMBER", str(i), 1) + "\n")
    return path


samples = []


def bench_read(folder):
    path = write_mailbox(folder)
    count = 0

    def read():
        nonlocal count
        count += 1
        return tallyman(command, folder, f"read-{count}", f"source: {{ email: {{ path: {path} }} }}\n"
                        f"transform: [ keep: [{', '.join(COLUMNS)}] ]\nsink: {{ json: {{ path: {folder}/ours.ndjson }} }}\n")

    contest = Contest(f"read: an mbox of {MAILBOX} mails, {os.path.getsize(path) / 1e6:.0f} MB, to NDJSON")
    contest.add("tallyman", read)
    contest.add("Python", lambda: run([sys.executable, __file__, "--mailbox", path, f"{folder}/theirs.ndjson"]))
    contest.run()
    contest.ratio("tallyman", "Python", 0.2)
    contest.ratio("tallyman", "Python", 0.2, "cpu")
    with open(f"{folder}/ours.ndjson") as ours, open(f"{folder}/theirs.ndjson") as theirs:
        for one, other in zip(ours, theirs, strict=True):
            one, other = json.loads(one), json.loads(other)
            if [one[name] for name in COLUMNS[:3]] != [other[name] for name in COLUMNS[:3]]:
                sys.exit(f"{one} is not {other}")


if sys.argv[1] == "--serve":
    serve()
elif sys.argv[1] == "--smtplib":
    send_by_smtplib(*sys.argv[2:])
elif sys.argv[1] == "--mailbox":
    read_by_python(*sys.argv[2:])
else:
    command = sys.argv[1]
    with workshop() as folder:
        for name, bench in (("send", bench_send), ("read", bench_read)):
            if ONLY in (None, name):
                bench(folder)
