import asyncio

async def fetch(name, seconds):
    await asyncio.sleep(seconds)
    return name

async def main():
    print(await asyncio.gather(fetch("X", 0.2), fetch("Y", 0.1), fetch("Z", 0.3)))

asyncio.run(main())
