# SPDX-License-Identifier: GPL-2.0-only
"""Three naps of 400, 200 and 600 ms: python_naps.py asyncio|uvloop|trio|gevent [turns]

Together they are three operations in flight; in turns there is one at a time.
"""
import sys

LIBRARY = sys.argv[1]
IN_TURNS = sys.argv[2:] == ["turns"]
NAPS_S = (0.4, 0.2, 0.6)


def with_asyncio():
    import asyncio

    if LIBRARY == "uvloop":
        import uvloop

        uvloop.install()

    async def nap(duration_s):
        await asyncio.sleep(duration_s)

    async def main():
        if IN_TURNS:
            for duration_s in NAPS_S:
                await asyncio.create_task(nap(duration_s))
        else:
            await asyncio.gather(*(nap(duration_s) for duration_s in NAPS_S))

    asyncio.run(main())


def with_trio():
    import trio

    async def nap(duration_s):
        await trio.sleep(duration_s)

    async def main():
        async with trio.open_nursery() as nursery:
            for duration_s in NAPS_S:
                nursery.start_soon(nap, duration_s)

    async def main_in_turns():
        for duration_s in NAPS_S:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(nap, duration_s)

    trio.run(main_in_turns if IN_TURNS else main)


def with_gevent():
    import gevent

    def nap(duration_s):
        gevent.sleep(duration_s)

    if IN_TURNS:
        for duration_s in NAPS_S:
            gevent.spawn(nap, duration_s).join()
    else:
        gevent.joinall([gevent.spawn(nap, duration_s) for duration_s in NAPS_S])


{"trio": with_trio, "gevent": with_gevent}.get(LIBRARY, with_asyncio)()
print("done")
