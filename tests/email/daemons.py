"""Real servers of our own, each in a folder, without rights beyond our own."""
import os
import pwd
import grp
import shutil
import socket
import subprocess
import time


def free_port():
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return found.getsockname()[1]


def command(name):
    """Where a server's program is; None if nowhere."""
    return shutil.which(name, path=os.environ.get('PATH', '') + ':/usr/sbin')


def owner():
    """As whom servers run: (user, group)."""
    if os.geteuid() == 0:
        return 'nobody', 'nogroup'
    return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name


class Daemon:
    """From when its port answers until stop()."""

    def __init__(self, words, folder, port, log, environment=None):
        user, group = owner()
        drop = []
        if os.geteuid() == 0:
            subprocess.run(['chown', '-R', f'{user}:{group}', folder], check=True)
            drop = ['setpriv', '--reuid', user, '--regid', group, '--clear-groups']
        self.process = subprocess.Popen([*drop, *words], stdin=subprocess.DEVNULL, env=dict(os.environ, **(environment or {})))
        for _ in range(200):
            try:
                socket.create_connection(('127.0.0.1', port)).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f'{words[0]} does not start: ' + (open(log).read() if os.path.exists(log) else 'it has no log'))

    def stop(self):
        self.process.terminate()
        self.process.wait()
