"""A proxy between Ferry and a mail server that delays and, when asked, misbehaves. Runs in a thread of its own, or as a
process (`python -m mail.proxy UPSTREAM-PORT --delay SECONDS`) that prints its port and ends with standard input."""

import argparse
import asyncio
import collections
import contextlib
import random
import re
import sys
import threading

CHUNK = 1 << 16


class Fault:
    """What is to go wrong, once, with one connection: decided by the bytes that pass."""

    name = "nothing"
    #: What was returned last still passes, and then the connection is reset.
    strikes = False

    def upstream(self, data: bytes) -> bytes:
        """Bytes from the client on their way to the server: those that pass."""
        return data

    def downstream(self, data: bytes) -> bytes:
        return data


class Cut(Fault):
    """Resets the connection at a place in the bytes of one direction, "up" or "down"."""

    def __init__(self, direction: str):
        self.direction = direction

    def passes(self, data: bytes) -> bytes:
        raise NotImplementedError

    def upstream(self, data):
        return self.passes(data) if self.direction == "up" else data

    def downstream(self, data):
        return self.passes(data) if self.direction == "down" else data


class CutAfter(Cut):
    """After so many bytes."""

    def __init__(self, direction: str, count: int):
        super().__init__(direction)
        self.left = count
        self.name = f"cut {direction}stream"

    def passes(self, data):
        piece, self.left = data[: self.left], self.left - len(data)
        self.strikes = self.left <= 0
        return piece


class CutInLiteral(Cut):
    """In the middle of a literal: of the one that begins after so many others."""

    HEAD = re.compile(rb"\{(\d+)\+?\}\r\n")

    def __init__(self, direction: str, others: int, dice: random.Random):
        super().__init__(direction)
        self.others, self.dice = others, dice
        self.name = f"cut {direction}stream in a literal"
        # Bytes of the present literal that are still to come.
        self.inside = 0
        # Of these, how many pass; `None` while it is not this literal's turn.
        self.grace: int | None = None
        # The end of what has passed, where a head may have begun.
        self.tail = b""

    def passes(self, data):
        passed = 0
        while passed < len(data):
            if self.inside == 0:
                text = self.tail + data[passed:]
                head = self.HEAD.search(text)
                if not head:
                    self.tail = text[-24:]
                    return data
                passed += head.end() - len(self.tail)
                self.tail, self.inside = b"", int(head[1])
                if self.inside > 1 and self.others == 0:
                    self.grace = self.dice.randrange(1, self.inside)
                self.others -= self.inside > 1
            step = min(self.inside, len(data) - passed)
            if self.grace is not None:
                if step >= self.grace:
                    self.strikes = True
                    return data[: passed + self.grace]
                self.grace -= step
            self.inside -= step
            passed += step
        return data


class SwallowAppendOK(Fault):
    """Lets an APPEND through and resets the connection in place of its tagged OK: the client cannot know."""

    name = "swallow the OK of an APPEND"

    def __init__(self):
        self.tags: set[bytes] = set()
        # Ends of what has passed, where what is looked for may have begun.
        self.sent = self.said = b"\r\n"

    def upstream(self, data):
        text = self.sent + data
        self.tags.update(re.findall(rb"\r\n(\S+) APPEND ", text))
        self.sent = text[-40:]
        return data

    def downstream(self, data):
        text = self.said + data
        for line in re.finditer(rb"\r\n(\S+) OK", text):
            if line[1] in self.tags:
                self.strikes = True
                return text[len(self.said) : max(len(self.said), line.start() + 2)]
        self.said = text[-40:]
        return data


class Proxy:
    """Listens on a free port of loopback. `delay` is one way, in seconds, for each direction; `faults` gives the fault of
    the next connection, or `None`."""

    def __init__(self, upstream: int, delay: float = 0, faults=lambda: None):
        self.upstream, self.delay, self.faults = upstream, delay, faults
        self.port = 0
        #: What went wrong so far, by name.
        self.struck: collections.Counter = collections.Counter()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=CHUNK * 4))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(self._loop), return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self.faults()
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.upstream, limit=CHUNK * 4)
        except OSError:
            writer.transport.abort()
            return
        writers = (writer, back)
        struck: set[str] = set()

        def strike() -> None:
            if fault.name not in struck:
                struck.add(fault.name)
                self.struck[fault.name] += 1
            for one in writers:
                one.transport.abort()

        await asyncio.gather(
            self._pump(reader, back, fault, fault and fault.upstream, strike),
            self._pump(there, writer, fault, fault and fault.downstream, strike))

    async def _pump(self, reader, writer, fault, change, strike) -> None:
        queue: asyncio.Queue = asyncio.Queue(maxsize=256)
        sender = asyncio.ensure_future(self._send(queue, writer))
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(CHUNK):
                if change:
                    data = change(data)
                await queue.put((self._loop.time() + self.delay, data))
                if fault and fault.strikes:
                    break
        await queue.put(None)
        await sender
        if fault and fault.strikes:
            strike()

    async def _send(self, queue: asyncio.Queue, writer: asyncio.StreamWriter) -> None:
        broken = False
        while (item := await queue.get()) is not None:
            if broken:
                continue
            due, data = item
            wait = due - self._loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            try:
                writer.write(data)
                await writer.drain()
            except OSError:
                broken = True
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()


def random_fault(dice: random.Random, target: bool) -> Fault:
    """Something that can go wrong with a connection to the source, or the target."""
    if target and dice.random() < 0.4:
        return SwallowAppendOK()
    # Bodies come from the source and go to the target.
    body = "up" if target else "down"
    if dice.random() < 0.6:
        return CutInLiteral(body, int(dice.paretovariate(0.5)) - 1, dice)
    return CutAfter(dice.choice(["up", "down"]), int(dice.paretovariate(0.7) * 500))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("upstream", type=int)
    parser.add_argument("--delay", type=float, default=0)
    options = parser.parse_args()
    with Proxy(options.upstream, options.delay) as proxy:
        print(proxy.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
