"""A proxy between Ferry and a mail server that delays and, when asked, misbehaves. Runs in a thread of its own, or as a
process (`python -m mail.proxy UPSTREAM-PORT --delay SECONDS`) that prints its port and ends with standard input."""

import argparse
import asyncio
import contextlib
import random
import re
import sys
import threading

CHUNK = 1 << 16


class Fault:
    """What is to go wrong, once, with one connection: decided by the bytes that pass."""

    def upstream(self, data: bytes) -> bytes | None:
        """Bytes from the client on their way to the server; `None` cuts the connection after what was returned before."""
        return data

    def downstream(self, data: bytes) -> bytes | None:
        return data


class CutAfter(Fault):
    """Passes so many bytes of one direction and then resets the connection: in the middle of a literal, as a rule."""

    def __init__(self, direction: str, count: int):
        self.direction, self.left = direction, count

    def _pass(self, direction: str, data: bytes) -> bytes | None:
        if direction != self.direction:
            return data
        if self.left <= 0:
            return None
        piece, self.left = data[: self.left], self.left - len(data)
        return piece

    def upstream(self, data):
        return self._pass("up", data)

    def downstream(self, data):
        return self._pass("down", data)


class SwallowAppendOK(Fault):
    """Lets an APPEND through and cuts the connection in place of its tagged OK: the client cannot know."""

    def __init__(self):
        self.tags: set[bytes] = set()

    def upstream(self, data):
        self.tags.update(re.findall(rb"(?:^|\r\n)(\S+) APPEND ", data))
        return data

    def downstream(self, data):
        return None if any(b"%b OK" % tag in data for tag in self.tags) else data


class Proxy:
    """Listens on a free port of loopback. `delay` is one way, in seconds, for each direction; `faults` gives the fault of
    the next connection, or `None`."""

    def __init__(self, upstream: int, delay: float = 0, faults=lambda: None):
        self.upstream, self.delay, self.faults = upstream, delay, faults
        self.port = 0
        self.struck = 0
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

        def strike() -> None:
            self.struck += 1
            for one in writers:
                one.transport.abort()

        await asyncio.gather(
            self._pump(reader, back, fault.upstream if fault else None, strike),
            self._pump(there, writer, fault.downstream if fault else None, strike))

    async def _pump(self, reader, writer, change, strike) -> None:
        queue: asyncio.Queue = asyncio.Queue(maxsize=256)
        sender = asyncio.ensure_future(self._send(queue, writer))
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(CHUNK):
                if change:
                    data = change(data)
                    if data is None:
                        strike()
                        break
                await queue.put((self._loop.time() + self.delay, data))
        await queue.put(None)
        await sender

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


def random_faults(dice: random.Random, share: float):
    """A source of faults that strikes about `share` of the connections."""

    def choose() -> Fault | None:
        if dice.random() >= share:
            return None
        kind = dice.randrange(3)
        if kind == 0:
            return SwallowAppendOK()
        return CutAfter("up" if kind == 1 else "down", int(dice.paretovariate(0.7) * 2000))

    return choose


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
