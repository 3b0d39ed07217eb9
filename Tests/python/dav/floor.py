"""The floor of the benchmark of files: what a program must at least do to move a tree over WebDAV. Parallel streams list,
GET and PUT over connections of their own, with nothing but sockets. It keeps no record, checks nothing and knows no errors.

    python3 -m dav.floor SOURCE-PORT TARGET-PORT STREAMS SOURCE-PATH TARGET-PATH [list]

With `list` it lists both trees and moves nothing: the least that a pass without changes can be. "mover", password
"masterpw", reaches both."""

import base64
import multiprocessing
import re
import socket
import sys

HREF = re.compile(rb"<D:href>([^<]*)</D:href>")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
AUTHORIZATION = b"Authorization: Basic " + base64.b64encode(b"mover:masterpw") + b"\r\n"
PROPERTIES = (
    b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getetag/></prop></propfind>')
CHUNK = 1 << 18


class Wire:
    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def head(self) -> bytes:
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self.more()
        head, self.buffer = self.buffer[: end + 2], self.buffer[end + 4:]
        return head

    def more(self) -> None:
        piece = self.socket.recv(CHUNK)
        if not piece:
            raise EOFError
        self.buffer += piece

    def ask(self, method: bytes, path: bytes, extra: bytes = b"", body: bytes = b"") -> bytes:
        self.socket.sendall(
            method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + AUTHORIZATION + extra
            + (b"Content-Length: %d\r\n" % len(body) if body else b"") + b"\r\n" + body)
        return self.head()

    def whole(self, head: bytes) -> bytes:
        if found := LENGTH.search(head):
            size = int(found[1])
            while len(self.buffer) < size:
                self.more()
            content, self.buffer = self.buffer[:size], self.buffer[size:]
            return content
        content = b""
        if b"chunked" not in head.lower():
            return content
        while True:
            while (end := self.buffer.find(b"\r\n")) < 0:
                self.more()
            size, self.buffer = int(self.buffer[:end], 16), self.buffer[end + 2:]
            while len(self.buffer) < size + 2:
                self.more()
            content, self.buffer = content + self.buffer[:size], self.buffer[size + 2:]
            if size == 0:
                return content

    def call(self, method: bytes, path: bytes, extra: bytes = b"", body: bytes = b"") -> bytes:
        head = self.ask(method, path, extra, body)
        if not head[9:10] == b"2":
            raise RuntimeError(head)
        return self.whole(head)

    def children(self, path: bytes) -> list[bytes]:
        answer = self.call(b"PROPFIND", path, b"Depth: 1\r\nContent-Type: application/xml\r\n", PROPERTIES)
        return [href for href in HREF.findall(answer) if href != path]


def copy(here: Wire, there: Wire, path: bytes, target: bytes) -> None:
    head = here.ask(b"GET", path)
    size = int(LENGTH.search(head)[1])
    there.socket.sendall(
        b"PUT " + target + b" HTTP/1.1\r\nHost: localhost\r\n" + AUTHORIZATION + b"Content-Length: %d\r\n\r\n" % size
        + (here.whole(head) if size < CHUNK else b""))
    if size >= CHUNK:
        there.socket.sendall(here.buffer)
        left, here.buffer = size - len(here.buffer), b""
        while left:
            piece = here.socket.recv(min(left, CHUNK))
            if not piece:
                raise EOFError
            there.socket.sendall(piece)
            left -= len(piece)
    if not (head := there.head())[9:10] == b"2":
        raise RuntimeError(head)
    there.whole(head)


def work(ports: tuple[int, int], roots: tuple[bytes, bytes], folders: list[bytes], part: int, parts: int, moves: bool):
    here, there = map(Wire, ports)
    for folder in folders:
        target = roots[1] + folder[len(roots[0]):]
        names = here.children(folder)
        if not moves:
            there.children(target)
            continue
        files = [name for name in names if not name.endswith(b"/")]
        for name in files[part::parts]:
            copy(here, there, name, roots[1] + name[len(roots[0]):])


def main() -> None:
    ports, streams = (int(sys.argv[1]), int(sys.argv[2])), int(sys.argv[3])
    roots = sys.argv[4].encode(), sys.argv[5].encode()
    moves = sys.argv[6:] != ["list"]
    here, there = map(Wire, ports)
    folders = [roots[0]]
    for folder in folders:
        folders += [name for name in here.children(folder) if name.endswith(b"/")]
    if moves:
        for folder in folders[1:]:
            there.call(b"MKCOL", roots[1] + folder[len(roots[0]):])
    # One folder's files are dealt out to all streams, of several the folders are.
    if len(folders) < streams:
        jobs = [(folders, part, streams) for part in range(streams)]
    else:
        jobs = [(folders[start::streams], 0, 1) for start in range(streams)]
    workers = [multiprocessing.Process(target=work, args=(ports, roots, *job, moves)) for job in jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        sys.exit(1)


if __name__ == "__main__":
    main()
