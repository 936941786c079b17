"""A real SMTP server (aiosmtpd) on a port of its own, which keeps what it accepted and fails on the wire when it is told to.

What it accepted is the truth that tests compare with: a message is accepted when the server has said, or is about to say, 250 to
the dot at its end.
"""
import asyncio
import base64
import logging
import ssl
import threading

from aiosmtpd.smtp import SMTP, AuthResult

logging.disable(logging.CRITICAL)  # what breaks here is broken on purpose


class Accepted:
    def __init__(self, envelope, session, secure):
        self.sender, self.recipients, self.content = envelope.mail_from, list(envelope.rcpt_tos), envelope.content
        self.secure, self.user = secure, getattr(session, 'login_name', None)
        self.options = list(envelope.mail_options)


class Wire(SMTP):
    """As aiosmtpd, but it may cut the connection while it reads a message."""

    def __init__(self, server, *arguments, **options):
        super().__init__(*arguments, **options)
        self.server_of_test = server

    async def push(self, status):
        """A server that tells what it was told, when it refuses it."""
        if isinstance(status, str) and status.startswith('535'):
            status += self.server_of_test.told
        await super().push(status)

    async def smtp_DATA(self, arg):
        fault = self.server_of_test.next_fault(self.envelope.rcpt_tos if self.envelope else [], 'data')
        if fault == 'cut':
            await self.push('354 go on')
            await self._reader.readline()
            self.transport.abort()
            return
        if fault is not None and fault.startswith('amid '):
            _, how, answer = fault.split(' ', 2)
            await self.push('354 go on')
            await self._reader.readline()
            self.transport.pause_reading()
            await self.push(answer)
            if how == 'close':
                self.transport.close()
            else:
                await asyncio.sleep(3600)
            return
        if fault == 'stall':
            await self.stall()
            return
        if fault is not None:
            await self.push(fault)
            return
        await super().smtp_DATA(arg)

    async def stall(self):
        """Reads nothing until it is told, so that the message cannot end; then looks whether it was ended all the same."""
        await self.push('354 go on')
        self.transport.pause_reading()
        self.server_of_test.stalled.set()
        while not self.server_of_test.resumed.is_set():
            await asyncio.sleep(0.05)
        self.transport.resume_reading()
        last = b''
        try:
            while True:
                line = await self._reader.readline()
                if line in (b'', b'.\r\n'):
                    break
                last = line
        except asyncio.CancelledError:
            line = b'.\r\n' if b'\r\n.\r\n' in last + bytes(self._reader._buffer) else b''
        self.server_of_test.ended.append(line == b'.\r\n')


class Server:
    """faults: recipient -> list of what happens to the mails to it, one after the other:

    ('rcpt', '550 no')   the answer to RCPT; 'gone': the connection ends, and there is no other until come_back()
    ('data', '451 no')   the answer to DATA; 'cut': the connection ends amid the message; 'stall': it is not read until resumed is set;
                         'amid close 552 no': this is said amid the message, and the connection ends; 'amid wait …': no more is read
    ('dot', '554 no')    the answer to the end of the message
    ('dot', 'lost')      it is accepted, and the connection ends without an answer
    ('dot', 'dropped')   the same, but it is not accepted
    ('dot', 'silent')    it is accepted, and no answer comes
    """

    def __init__(self, certificate=None, smtps=False, login=None, token=None, utf8=True, size=None):
        self.certificate, self.smtps, self.login, self.token, self.utf8 = certificate, smtps, login, token, utf8
        self.size = size
        self.accepted, self.faults, self.connections = [], {}, 0
        self.told = ''
        self.stalled, self.resumed, self.ended = threading.Event(), threading.Event(), []
        self.lock = threading.Lock()
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self.work, args=(ready,), daemon=True).start()
        ready.wait()

    def work(self, ready):
        asyncio.set_event_loop(self.loop)
        context = None
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
        options = {'enable_SMTPUTF8': self.utf8, 'timeout': 120}
        if self.size:
            options['data_size_limit'] = self.size
        if context and not self.smtps:
            options.update(tls_context=context, require_starttls=True)
        if self.login or self.token:
            options.update(auth_required=True, authenticator=self.authenticate, auth_require_tls=context is not None)
            if self.smtps:
                options['auth_require_tls'] = False

        def make():
            self.connections += 1
            return Wire(self, self, **options)

        async def listen(port):
            self.listener = await self.loop.create_server(make, '127.0.0.1', port, ssl=context if self.smtps else None)
            self.port = self.listener.sockets[0].getsockname()[1]

        self.listen = listen
        self.loop.run_until_complete(listen(0))
        ready.set()
        self.loop.run_forever()

    def come_back(self):
        asyncio.run_coroutine_threadsafe(self.listen(self.port), self.loop).result()

    def authenticate(self, server, session, envelope, mechanism, data):
        good = self.login is not None and (data.login.decode(), data.password.decode()) == self.login
        if good:
            session.login_name = self.login[0]
        plain = base64.b64encode(b'\0' + data.login + b'\0' + data.password).decode()
        self.told = f' ({data.login.decode()} with {data.password.decode()}, {plain})'
        return AuthResult(success=good, handled=False)

    async def auth_XOAUTH2(self, server, args):
        if self.token is None:
            return AuthResult(success=False, handled=False)
        wanted = base64.b64encode(f'user={self.token[0]}\1auth=Bearer {self.token[1]}\1\1'.encode())
        said = args[1].encode() if len(args) > 1 else base64.b64encode(await server.challenge_auth(''))
        if said == wanted:
            server.session.login_name = self.token[0]
            return AuthResult(success=True)
        self.told = f' ({base64.b64decode(said)!r}, {said.decode()})'
        return AuthResult(success=False, handled=False)

    def next_fault(self, recipients, stage):
        with self.lock:
            for recipient in recipients:
                waiting = self.faults.get(recipient, [])
                if waiting and waiting[0][0] == stage:
                    return waiting.pop(0)[1]
        return None

    async def handle_RCPT(self, server, session, envelope, address, options):
        fault = self.next_fault([address], 'rcpt')
        if fault is not None:
            if fault == 'gone':
                self.listener.close()
                server.transport.abort()
            if fault.startswith('421'):
                await server.push(fault)
                server.transport.close()
            return fault
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        fault = self.next_fault(envelope.rcpt_tos, 'dot')
        if fault in (None, 'lost', 'silent'):
            with self.lock:
                self.accepted.append(Accepted(envelope, session, server.transport.get_extra_info('sslcontext') is not None))
        if fault == 'silent':
            await asyncio.sleep(3600)
        if fault in ('lost', 'dropped'):
            server.transport.abort()
            return '250 nobody hears this'
        return fault or '250 2.0.0 queued'
