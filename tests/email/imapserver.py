"""A real IMAP server (Dovecot) of our own, and a road to it that can be cut."""
import imaplib
import os
import socket
import ssl
import threading

from daemons import Daemon, command, free_port, owner
from promises import make_certificate

PASSWORD = 'secret"of\\mine'
CONFIG = '''
auth_mechanisms = plain xoauth2
auth_failure_delay = 0 secs
base_dir = {folder}/base
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
protocols = imap
listen = 127.0.0.1
ssl = {tls}
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{folder}/home/%u{location}
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home/%u
}}
'''


def wire_name(name):
    """As commands have names of folders (RFC 3501, 5.1.3), for what tests need: letters beyond ASCII one at a time."""
    wire = ''.join(c if c.isascii() else '&' + c.encode('utf-7').decode()[1:-1].replace('/', ',') + '-' for c in name)
    return '"' + wire.replace('"', '\\"') + '"'


class ImapServer:
    def __init__(self, folder, tls='yes', location=''):
        self.folder = folder
        os.makedirs(folder + '/home')
        self.certificate, key = make_certificate(folder)
        self.imap, self.imaps = free_port(), free_port()
        user, group = owner()
        with open(folder + '/dovecot.conf', 'w') as file:
            file.write(CONFIG.format(folder=folder, tls=tls, location=location, certificate=self.certificate, key=key, imap=self.imap, imaps=self.imaps,
                                     user=user, group=group, password=PASSWORD))
        self.daemon = Daemon([command('dovecot'), '-F', '-c', folder + '/dovecot.conf'], folder, self.imap, folder + '/log')

    def stop(self):
        self.daemon.stop()

    def log_in(self, user):
        """By Python's own client: what it sees is the truth that tests compare with."""
        client = imaplib.IMAP4_SSL('localhost', self.imaps, ssl_context=ssl.create_default_context(cafile=self.certificate))
        client.login(user, PASSWORD)
        return client


class Road:
    """Between client and server, with a record of what the client says.

    Cuts the first few connections after some bytes of the server's, or falls silent there; passes on no more of what the client says
    from some words on, and tells; has somebody answer in the server's place (hear: what the client says → an answer or None), or
    reword what it says (tell)."""

    def __init__(self, port, cuts=0, after=60_000, stop_at=None, silent=False, at_cut=None, hear=None, tell=None):
        self.target, self.cuts, self.after, self.stop_at, self.connections = port, cuts, after, stop_at, 0
        self.silent, self.at_cut, self.hear, self.tell, self.heard = silent, at_cut, hear, tell, b''
        self.stopped = threading.Event()
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            client, _ = self.listener.accept()
            self.connections += 1
            server = socket.create_connection(('127.0.0.1', self.target))
            left = self.after if self.connections <= self.cuts else None
            threading.Thread(target=self.carry, args=(client, server, self.pass_on_words), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, self.pass_on_answers, left), daemon=True).start()

    def pass_on_words(self, client, server, data):
        self.heard += data
        if self.stop_at is not None and self.stop_at in data:
            self.stopped.set()
            client.recv(1)
            return False
        answer = self.hear(data) if self.hear is not None else None
        (server if answer is None else client).sendall(data if answer is None else answer)
        return True

    def pass_on_answers(self, server, client, data):
        client.sendall(data if self.tell is None else self.tell(data))
        return True

    def carry(self, source, target, pass_on, left=None):
        try:
            while left is None or left > 0:
                data = source.recv(4096 if left is None else min(4096, left))
                if not data or not pass_on(source, target, data):
                    break
                left = left if left is None else left - len(data)
            if left == 0 and self.at_cut is not None:
                self.at_cut()
            if left == 0 and self.silent:
                return
        except OSError:
            pass
        for end in source, target:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
