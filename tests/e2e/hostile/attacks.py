"""What hostile clients do, each as a process of its own for some seconds. Statuses do not matter here: whether the agent
stays small and serves others is measured elsewhere."""

import asyncio
import multiprocessing
import resource

from . import payloads

PATH = "/api/v1/write"


def request_head(length=None, kind=payloads.V1, more=""):
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return (f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Encoding: snappy\r\n{framing}\r\n{more}\r\n"
            ).encode()


async def again_and_again(port, seconds, connections, behave):
    """That many clients at once, each opening another connection when one ends."""
    deadline = asyncio.get_running_loop().time() + seconds

    async def client():
        while asyncio.get_running_loop().time() < deadline:
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.wait_for(behave(reader, writer), deadline - asyncio.get_running_loop().time())
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                pass
            finally:
                if writer is not None:
                    writer.transport.abort()
            await asyncio.sleep(0.05)

    await asyncio.gather(*(client() for _ in range(connections)))


async def silence(reader, _):
    await reader.read(1)


async def trickle(writer, text, pause):
    for byte in text:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(pause)


async def slow_head(_, writer):
    await trickle(writer, request_head(100), 0.5)


async def slow_body(_, writer):
    writer.write(request_head(100_000))
    await trickle(writer, bytes(100_000), 0.2)


def begun_bodies(at_once):
    """Declares as much as is allowed, sends some of it quickly, and then 5 kB/s until it is cut."""

    async def behave(reader, writer):
        async def go_on():
            while True:
                writer.write(bytes(5000))
                await writer.drain()
                await asyncio.sleep(1)

        writer.write(request_head(8 << 20) + bytes(at_once))
        task = asyncio.ensure_future(go_on())
        try:
            await reader.read(1)  # its answer, or its end
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return behave


async def large_body(reader, writer):
    body = payloads.noise(1 << 20)
    writer.write(request_head(8 << 20))
    for _ in range(8):
        writer.write(body)
        await writer.drain()
    await reader.read(100)


async def endless_chunks(reader, writer):
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    writer.write(request_head())
    while True:
        writer.write(chunk)
        await writer.drain()


async def many_fields(reader, writer):
    writer.write(b"POST / HTTP/1.1\r\n" + b"a:\r\n" * 3000)
    await reader.read(100)


async def endless_head(reader, writer):
    writer.write(b"POST / HTTP/1.1\r\nX: ")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def deaf_flood(_, writer):
    while True:
        writer.write((request_head(0) + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n") * 500)
        await writer.drain()


async def half_closed(reader, writer):
    writer.write(request_head(5) + b"hello")
    writer.write_eof()
    await reader.read(100)


async def gone_at_once(_, writer):
    writer.write(request_head(5) + b"hello")


def posts(kind, body):
    async def behave(reader, writer):
        writer.write(request_head(len(body), kind, "Connection: close\r\n") + body)
        await writer.drain()
        await reader.read()

    return behave


def attacks():
    """(name, clients at once, seconds, behaviour)"""
    yield "idle connections", 3000, 6, silence
    yield "slow heads", 1500, 6, slow_head
    yield "slow bodies", 1000, 6, slow_body
    yield "large bodies", 40, 5, large_body
    yield "endless chunks", 40, 5, endless_chunks
    yield "heads of many fields", 300, 4, many_fields
    yield "endless heads", 100, 4, endless_head
    yield "floods without reading", 100, 5, deaf_flood
    yield "half-closed connections", 300, 4, half_closed
    yield "connections reset", 300, 4, gone_at_once
    for name, kind, body in payloads.bombs():
        yield f"bomb: {name}", 6, 2, posts(kind, body)
    for name, kind, body in payloads.explosions():
        yield f"explosion: {name}", 2, 2, posts(kind, body)


def _run(port, attack):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    _, clients, seconds, behave = attack
    asyncio.run(again_and_again(port, seconds, clients, behave))


def start(port, attack):
    """A process, for the honest client must not wait for the attackers' interpreter; a fork, for it inherits the attack."""
    process = multiprocessing.get_context("fork").Process(target=_run, args=(port, attack), daemon=True)
    process.start()
    return process
