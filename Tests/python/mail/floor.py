"""The floor of the benchmark: what a program must at least do to move mail over IMAP. Bodies come by one FETCH per
connection and go out as MULTIAPPENDs of about a mebibyte. It keeps no record, checks nothing, and doubles everything when
it is run again.

    python3 -m mail.floor SOURCE-PORT TARGET-PORT CONNECTIONS FOLDERS SOURCE-LOGIN TARGET-LOGIN [SOURCE-LOGIN …]

Moves the folders (names separated by commas) of each pair. One folder's messages are dealt out to all connections, of
several the folders are. Master user and password are those of Tests/servers/dovecot.sh."""

import multiprocessing
import re
import socket
import sys

BATCH = 1 << 20
HEAD = re.compile(rb"\* \d+ FETCH \(.*?\{(\d+)\}\r\n", re.S)
FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
DATE = re.compile(rb'INTERNALDATE ("[^"]*")')


class Wire:
    def __init__(self, port: int, login: str):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.number = 0
        self.line()
        self.call(b'LOGIN "%b*mover" "masterpw"' % login.encode())

    def more(self) -> None:
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise EOFError
        self.buffer += piece

    def line(self) -> bytes:
        while (end := self.buffer.find(b"\n")) < 0:
            self.more()
        line = bytes(self.buffer[: end + 1])
        del self.buffer[: end + 1]
        return line

    def send(self, command: bytes) -> bytes:
        self.number += 1
        tag = b"f%d" % self.number
        self.socket.sendall(tag + b" " + command + b"\r\n")
        return tag

    def await_tag(self, tag: bytes) -> list[bytes]:
        lines = []
        while not (line := self.line()).startswith(tag + b" "):
            lines.append(line)
        if not line.startswith(tag + b" OK"):
            raise RuntimeError(line)
        return lines

    def call(self, command: bytes) -> list[bytes]:
        return self.await_tag(self.send(command))

    def messages(self, tag: bytes):
        """Flags, date and body of each message of a FETCH, as they come."""
        while True:
            line = self.line()
            if line.startswith(tag + b" "):
                if not line.startswith(tag + b" OK"):
                    raise RuntimeError(line)
                return
            head = HEAD.match(line)
            if not head:
                continue
            size = int(head.group(1))
            while len(self.buffer) < size:
                self.more()
            body = bytes(self.buffer[:size])
            del self.buffer[:size]
            rest = self.line()
            yield FLAGS.search(line + rest).group(1), DATE.search(line + rest).group(1), body


def move(here: Wire, there: Wire, folder: bytes, part: int, parts: int) -> None:
    here.call(b'EXAMINE "%b"' % folder)
    if folder != b"INBOX":
        there.call(b'CREATE "%b"' % folder)
    found = here.call(b"UID SEARCH ALL")
    uids = next(line for line in found if line.startswith(b"* SEARCH")).split()[2:]
    share = -(-len(uids) // parts)
    mine = uids[part * share : (part + 1) * share]
    if not mine:
        return
    fetch = here.send(b"UID FETCH %b:%b (FLAGS INTERNALDATE BODY.PEEK[])" % (mine[0], mine[-1]))
    pending: list[bytes] = []
    size = 0
    tag = None

    def flush():
        nonlocal pending, size, tag
        if not pending:
            return
        # The answer of the batch before is read only now: the server was writing while this one was gathered.
        if tag:
            there.await_tag(tag)
        tag = there.send(b'APPEND "%b"' % folder + b"".join(pending))
        pending, size = [], 0

    for flags, date, body in here.messages(fetch):
        flags = b" ".join(flag for flag in flags.split() if flag != b"\\Recent")
        pending.append(b" (%b) %b {%d+}\r\n" % (flags, date, len(body)) + body)
        size += len(body)
        if size >= BATCH:
            flush()
    flush()
    if tag:
        there.await_tag(tag)


def work(ports, jobs) -> None:
    wires: dict[tuple[str, str], tuple[Wire, Wire]] = {}
    for logins, folder, part, parts in jobs:
        if logins not in wires:
            wires[logins] = Wire(ports[0], logins[0]), Wire(ports[1], logins[1])
        move(*wires[logins], folder.encode(), part, parts)


def main() -> None:
    ports, connections, folders = (int(sys.argv[1]), int(sys.argv[2])), int(sys.argv[3]), sys.argv[4].split(",")
    logins = list(zip(sys.argv[5::2], sys.argv[6::2], strict=True))
    todo = [(pair, folder) for pair in logins for folder in folders]
    if len(todo) == 1:
        jobs = [[(*todo[0], part, connections)] for part in range(connections)]
    else:
        jobs = [[(*job, 0, 1) for job in todo[start::connections]] for start in range(connections)]
    workers = [multiprocessing.Process(target=work, args=(ports, job)) for job in jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        sys.exit(1)


if __name__ == "__main__":
    main()
