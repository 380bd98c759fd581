"""A child process whose output is read by threads, so that a test can wait for a line instead of sleeping."""

import os
import re
import signal
import subprocess
import threading
import time

JOURNAL = []
"""Every process of the running test, for the failure report and for the clean-up."""


class Process:
    """Started at once. Ended by its id: SIGTERM, then SIGKILL. `shared` ones outlive the test that started them."""

    def __init__(self, command, name, namespace=None, env=None, cwd=None, shared=False, stdin=subprocess.DEVNULL):
        self.name, self.shared = name, shared
        self.output = {"stdout": [], "stderr": []}
        self.changed = threading.Condition()
        if namespace is not None:
            command = namespace.command(command)
        self.command = [str(part) for part in command]
        self.started = time.monotonic()
        self.child = subprocess.Popen(
            self.command, env=env, cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.readers = [threading.Thread(target=self._read, args=(stream, getattr(self.child, stream)), daemon=True)
                        for stream in ("stdout", "stderr")]
        for reader in self.readers:
            reader.start()
        JOURNAL.append(self)

    @property
    def pid(self):
        return self.child.pid

    def _read(self, stream, pipe):
        for raw in iter(pipe.readline, b""):
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            with self.changed:
                self.output[stream].append(line)
                self.took(stream, line)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def took(self, stream, line):
        """For subclasses: a line came in; the lock is held."""

    def wait_until(self, condition, timeout, what):
        """Waits for new output until `condition()` gives something true, which is returned."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                found = condition()
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{self.name}: no {what} within {timeout} s")
                if self.child.poll() is not None and not any(r.is_alive() for r in self.readers):
                    raise AssertionError(f"{self.name} ended with {self.child.returncode} before {what}")
                self.changed.wait(min(left, 0.25))

    def wait_line(self, pattern, timeout=10, stream=None):
        """The first line of the output in which the expression is found."""
        expression = re.compile(pattern)

        def look():
            for name in [stream] if stream else ["stdout", "stderr"]:
                for line in self.output[name]:
                    found = expression.search(line)
                    if found:
                        return found
            return None

        return self.wait_until(look, timeout, f"line matching {pattern!r}")

    def wait_bound(self, port, transport="udp", timeout=10):
        """Until a socket of its network namespace has this port; for programs that do not say when they are ready."""
        wanted = re.compile(rf"^ *\d+: [0-9A-F]+:{port:04X} ", re.MULTILINE)
        deadline = time.monotonic() + timeout
        while True:
            with open(f"/proc/{self.pid}/net/{transport}") as table:
                if wanted.search(table.read()):
                    return
            assert self.child.poll() is None, f"{self.name} ended with {self.child.returncode}"
            assert time.monotonic() < deadline, f"{self.name} did not open port {port} within {timeout} s"
            time.sleep(0.02)

    def text(self, stream=None):
        with self.changed:
            return "\n".join(self.output[stream] if stream else self.output["stdout"] + self.output["stderr"])

    def send_signal(self, number):
        if self.child.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout):
        """The exit code. Both pipes have been read to the end."""
        try:
            code = self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {timeout} s") from None
        for reader in self.readers:
            reader.join(5)
        return code

    def stop(self, number=signal.SIGTERM, timeout=6):
        self.send_signal(number)
        try:
            self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.send_signal(signal.SIGKILL)
            self.child.wait(5)
        for reader in self.readers:
            reader.join(5)
        return self.child.returncode

    def worth_showing(self, stream):
        return list(self.output[stream])

    def report(self):
        state = "running" if self.child.poll() is None else f"exit {self.child.returncode}"
        parts = [f"$ {' '.join(self.command)}   [{state}]"]
        for stream in ("stdout", "stderr"):
            lines = self.worth_showing(stream)
            if lines:
                shown = lines if len(lines) <= 120 else lines[:40] + [f"… {len(lines) - 100} lines …"] + lines[-60:]
                parts.append(f"--- {stream}")
                parts += [line[:1800] for line in shown]
        return "\n".join(parts)


def end_all(processes):
    """Asks all to end first, then waits for each."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.stop()
