"""JSON commands over a WebSocket, as Chromium's DevTools protocol and WebDriver BiDi have them alike."""

import asyncio
import json
import threading

import websockets


class Remote:
    """`call` sends a command and gives its result; `heard(message)` is told every event, on another thread."""

    def __init__(self, connection, url, heard):
        """`connection`: a connected TCP socket to the host of `url`."""
        self.heard, self.number, self.waiting = heard, 0, {}
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        connection.setblocking(False)
        self.socket = self._run(self._open(connection, url), 20)
        self.reading = asyncio.run_coroutine_threadsafe(self._read(), self.loop)

    def _run(self, work, timeout):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    async def _open(self, connection, url):
        return await websockets.connect(url, sock=connection, max_size=None, ping_interval=None)

    async def _read(self):
        try:
            async for text in self.socket:
                message = json.loads(text)
                waiting = self.waiting.pop(message.get("id"), None)
                if waiting is None:
                    self.heard(message)
                elif not waiting.done():
                    waiting.set_result(message)
        except websockets.ConnectionClosed:
            pass
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the browser has gone"))

    async def _call(self, message):
        self.number += 1
        waiting = self.waiting[self.number] = self.loop.create_future()
        await self.socket.send(json.dumps({"id": self.number, **message}))
        return await waiting

    def call(self, method, params, timeout, **beside):
        answer = self._run(self._call({"method": method, "params": params, **beside}), timeout)
        if "error" in answer:
            raise AssertionError(f"{method}: {json.dumps(answer)[:800]}")
        return answer["result"]

    def close(self):
        if self.loop.is_closed() or not self.loop.is_running():
            return
        try:
            self._run(self.socket.close(), 3)
        except Exception:
            pass
        self.loop.call_soon_threadsafe(self.loop.stop)
