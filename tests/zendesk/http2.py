#!/usr/bin/env python3
"""A server of HTTP/2 that does what it is told, request by request.

usage: http2.py CERTIFICATE TURN...

Each TURN is for one request, in the order in which they come, on whatever connection:

  STATUS=BODY  an answer
  refuse       the stream is reset with REFUSED_STREAM: not processed, may be tried again
  goaway       GOAWAY that leaves this request out, and the end of the connection
  close        the end of the connection

Says "listening on URL" on standard output, then "request" for each request that came whole.  It reads
frames and no headers; that is all a test of "sent once" needs.
"""
import socket
import ssl
import struct
import sys
import threading

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
REFUSED_STREAM = 7
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

turns = sys.argv[2:]
lock = threading.Lock()


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def read(connection, length):
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def next_turn():
    with lock:
        print("request", flush=True)
        return turns.pop(0) if turns else "close"


def answer(connection, stream, turn):
    status, body = turn.split("=", 1)
    head = b"\x08\x03" + status.encode()  # :status, its name by index, not to be remembered
    connection.sendall(frame(HEADERS, END_HEADERS, stream, head)
                       + frame(DATA, END_STREAM, stream, body.encode()))


def take_turn(connection, stream):
    turn = next_turn()
    if turn == "refuse":
        connection.sendall(frame(RST_STREAM, 0, stream, struct.pack(">I", REFUSED_STREAM)))
    elif turn == "goaway":
        connection.sendall(frame(GOAWAY, 0, 0, struct.pack(">II", max(stream - 2, 0), 0)))
        raise ConnectionError
    elif turn == "close":
        raise ConnectionError
    else:
        answer(connection, stream, turn)


def serve(raw, context):
    try:
        connection = context.wrap_socket(raw, server_side=True)
        read(connection, len(PREFACE))
        connection.sendall(frame(SETTINGS, 0, 0))
        while True:
            head = read(connection, 9)
            length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            stream = int.from_bytes(head[5:9], "big") & 0x7FFFFFFF
            payload = read(connection, length)
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                connection.sendall(frame(PING, ACK, 0, payload))
            elif kind in (DATA, HEADERS) and flags & END_STREAM:
                take_turn(connection, stream)
    except (OSError, ConnectionError):
        raw.close()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0))
    print("listening on https://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw, context), daemon=True).start()


main()
