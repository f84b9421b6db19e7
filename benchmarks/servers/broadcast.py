"""`python -m benchmarks.servers.broadcast PORT`: `websockets.broadcast` and no framework: the yardstick."""

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.servers.pace import Pace, frame


async def main() -> None:
    connections: set[ServerConnection] = set()

    async def viewer(connection: ServerConnection) -> None:
        connections.add(connection)
        try:
            await connection.wait_closed()
        finally:
            connections.discard(connection)

    pace = Pace()
    async with serve(viewer, "127.0.0.1", int(sys.argv[1]), compression=None, backlog=2048):
        async for number in pace.ticks():
            broadcast(connections, frame(number))


if __name__ == "__main__":
    asyncio.run(main())
