"""A real mail server (Exim) of our own, which keeps what comes in a Maildir and refuses by name.

Its program is that of Debian's package, looked for in $EXIM and where installed ones are; no daemon of the system's is touched.
The package has a user of its own compiled in, which nss_wrapper makes of ours.

    no-…@…       550 to RCPT             full-…@…    452 to RCPT, the first time
    spam-…@…     554 after the message   later-…@…   451 after the message, the first time
    queue-…@…    is taken, and stays in the queue
"""
import email
import email.policy
import glob
import os
import re
import shutil
import subprocess
import time

from daemons import Daemon, command, free_port, owner
from promises import make_certificate

LOGIN = ('desk', 'correct-horse')
WRAPPER = glob.glob('/usr/lib/*/libnss_wrapper.so')
PROGRAM = os.environ.get('EXIM') or command('exim4')
CONFIG = r'''
primary_hostname = mail.test
exim_path = {folder}/exim4
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
pid_file_path = {folder}/pid
log_selector = +subject
deliver_drop_privilege
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port} : {plain} : {smtps}
tls_on_connect_ports = {smtps}
tls_advertise_hosts = ${{if eq{{$received_port}}{{{plain}}}{{}}{{*}}}}
tls_certificate = {certificate}
tls_privatekey = {key}
# The plain port is an old server: it offers nothing.
smtputf8_advertise_hosts = ${{if eq{{$received_port}}{{{plain}}}{{}}{{*}}}}
pipelining_advertise_hosts = ${{if eq{{$received_port}}{{{plain}}}{{}}{{*}}}}
chunking_advertise_hosts = ${{if eq{{$received_port}}{{{plain}}}{{}}{{*}}}}
auth_advertise_hosts = ${{if def:tls_in_cipher{{*}}{{}}}}
message_size_limit = {size}
smtp_accept_max = 50
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
acl_smtp_rcpt = rcpt
acl_smtp_data = data
bounce_message_text =
domainlist local = *

begin acl

rcpt:
  deny    message = 550 5.1.1 nobody of this name
          local_parts = ^no-
  defer   message = 452 4.2.2 the mailbox is full
          local_parts = ^full-
          condition = ${{if exists{{{folder}/full}}{{no}}{{${{run{{/bin/touch {folder}/full}}{{yes}}}}}}}}
  deny    message = 530 5.7.0 log in first
          condition = ${{if eq{{$received_port}}{{{plain}}}{{no}}{{yes}}}}
          !authenticated = *
  warn    local_parts = ^queue-
          control = queue_only
  accept

data:
  deny    message = 554 5.7.1 this looks like spam
          condition = ${{if match{{$recipients}}{{\N(^|\W)spam-\N}}}}
  deny    message = 552 5.3.4 too large, now that it is seen
          condition = ${{if >{{$message_size}}{{250K}}}}
  defer   message = 451 4.3.0 in a while
          condition = ${{if match{{$recipients}}{{\N(^|\W)later-\N}}}}
          condition = ${{if exists{{{folder}/later}}{{no}}{{${{run{{/bin/touch {folder}/later}}{{yes}}}}}}}}
  accept

begin routers

all:
  driver = accept
  transport = keep

begin transports

keep:
  driver = appendfile
  maildir_format
  directory = {folder}/mail
  envelope_to_add
  return_path_add
  user = {user}
  group = {group}

begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_advertise_condition = ${{if eq{{$received_port}}{{{port}}}}}
  server_condition = ${{if and{{{{eq{{$auth2}}{{{login[0]}}}}}{{eq{{$auth3}}{{{login[1]}}}}}}}}}
  server_set_id = $auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_advertise_condition = ${{if eq{{$received_port}}{{{smtps}}}}}
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{login[0]}}}}}{{eq{{$auth2}}{{{login[1]}}}}}}}}}
  server_set_id = $auth1
'''


def missing():
    """Why there is no such server here; None if there is."""
    if PROGRAM is None:
        return 'there is no exim4: contrib/packages --unpack FOLDER gets its program, to be named in EXIM'
    return None if WRAPPER else 'libnss-wrapper is not installed'


class EximServer:
    def __init__(self, folder, size='300K'):
        user, group = owner()
        self.folder = folder
        os.makedirs(folder + '/mail')
        shutil.copy(PROGRAM, folder + '/exim4')  # where whoever the server runs as may read it
        self.certificate, key = make_certificate(folder)
        self.port, self.plain, self.smtps = free_port(), free_port(), free_port()
        ids = [subprocess.check_output(['id', kind, user], text=True).strip() for kind in ('-u', '-g')]
        self.write('passwd', f'root:x:0:0::/:/bin/sh\n{user}:x:{":".join(ids)}::/:/bin/sh\nDebian-exim:x:{":".join(ids)}::/:/bin/sh\n')
        self.write('group', f'{group}:x:{ids[1]}:\nDebian-exim:x:{ids[1]}:\n')
        self.write('exim.conf', CONFIG.format(folder=folder, port=self.port, plain=self.plain, smtps=self.smtps, size=size, user=user,
                                              group=group, certificate=self.certificate, key=key, login=LOGIN))
        self.daemon = Daemon([folder + '/exim4', '-C', folder + '/exim.conf', '-bdf'], folder, self.port, folder + '/log-main',
                             {'LD_PRELOAD': WRAPPER[0], 'NSS_WRAPPER_PASSWD': folder + '/passwd', 'NSS_WRAPPER_GROUP': folder + '/group'})

    def write(self, name, text):
        with open(f'{self.folder}/{name}', 'w') as file:
            file.write(text)

    def stop(self):
        self.daemon.stop()

    def log(self, mark):
        """Lines of the main log: <= is a message that was taken, => one that was delivered to one of its recipients."""
        with open(self.folder + '/log-main') as file:
            return [line for line in file if f' {mark} ' in line]

    def taken(self):
        """Of each message that was taken: its subject."""
        return [re.search(r' T="(.*?)"', line)[1] for line in self.log('<=')]

    def delivered(self, n):
        """The messages as they lie in the Maildir, once there are n."""
        for _ in range(200):
            if len(self.log('=>')) >= n:
                break
            time.sleep(0.05)
        found = [open(path, 'rb').read() for path in glob.glob(self.folder + '/mail/new/*')]
        return [email.message_from_bytes(one, policy=email.policy.default) for one in found]
