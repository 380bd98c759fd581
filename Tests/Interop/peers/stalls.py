"""Whether the machine itself stood still: a thread that wants to run every 5 ms, and how late it came."""

import threading
import time


class Stalls:
    """`with Stalls() as stalls: …`; then `stalls.longest`, in s."""

    STEP = 0.005

    def __init__(self):
        self.longest = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        before = time.monotonic()
        while not self._done.wait(self.STEP):
            now = time.monotonic()
            self.longest = max(self.longest, now - before - self.STEP)
            before = now

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._done.set()
        self._thread.join()
