"""A real terminal: tmux with a shell in it, driven by keys and read as a screen."""

import re
import shutil
import subprocess
import time
from pathlib import Path

from .process import Process


class Terminal(Process):
    """A shell with the prompt `READY>` in a window of `columns` × `rows`. The server has a socket of its own, is a child of the test
    (`-D`), and takes the shell with it when it ends."""

    PROMPT = "READY>"

    def __init__(self, folder, env, columns=120, rows=40, namespace=None):
        self.last_screen = None
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "tmux"
        self.env = {name: value for name, value in env.items() if not name.startswith("TMUX")}
        self.env.update(TERM="xterm-256color", SHELL=shutil.which("bash"))
        super().__init__(["tmux", "-S", self.socket, "-f", "/dev/null", "-D"], "tmux", namespace=namespace, env=self.env)
        deadline = time.monotonic() + 5
        while not self.socket.exists():
            assert time.monotonic() < deadline, "tmux does not start"
            time.sleep(0.02)
        shell = f"env PS1='{self.PROMPT} ' bash --norc --noprofile"
        self._tmux("new-session", "-d", "-x", columns, "-y", rows, shell)
        self.wait_for(re.escape(self.PROMPT))

    def _tmux(self, *arguments):
        command = ["tmux", "-S", self.socket, *arguments]
        done = subprocess.run([str(part) for part in command], env=self.env, capture_output=True, text=True, timeout=10)
        assert done.returncode == 0, f"tmux {arguments[0] if arguments else ''}: {done.stderr}"
        return done.stdout

    def type(self, text):
        self._tmux("send-keys", "-l", "--", text)

    def press(self, *keys):
        """By tmux's names: Enter, F4, Escape, C-c …"""
        self._tmux("send-keys", *keys)

    def resize(self, columns, rows):
        """tmux passes a second change on to the terminal with a delay: waits until the terminal has it."""
        self._tmux("resize-window", "-x", columns, "-y", rows)
        terminal = self._tmux("display-message", "-p", "#{pane_tty}").strip()
        deadline = time.monotonic() + 5
        while subprocess.run(["stty", "-F", terminal, "size"], capture_output=True, text=True).stdout.split() != [str(rows), str(columns)]:
            assert time.monotonic() < deadline, f"the terminal did not become {columns} × {rows}"
            time.sleep(0.05)

    def screen(self, colours=False):
        """As text; with `colours` the sequences that make them stand in it."""
        self.last_screen = self._tmux("capture-pane", "-p", *(["-e"] if colours else []))
        return self.last_screen

    def wait_for(self, pattern, timeout=10, absent=False):
        """The screen on which the expression is found (or no longer found)."""
        deadline = time.monotonic() + timeout
        while True:
            screen = self.screen()
            if bool(re.search(pattern, screen, re.MULTILINE)) != absent:
                return screen
            assert time.monotonic() < deadline, f"{'still' if absent else 'no'} {pattern!r} within {timeout} s on\n{screen}"
            time.sleep(0.05)

    def wait_until(self, condition, timeout, what):
        """The first true value of what is asked again and again."""
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"no {what} within {timeout} s on\n{self.screen()}"
            time.sleep(0.1)
        return found

    def output_of(self, command, timeout=10):
        """Output of a shell command, taken from a file."""
        file = self.folder / "output"
        done = self.folder / "done"
        done.unlink(missing_ok=True)
        self.type(f"{command} > {file} 2>&1; touch {done}")
        self.press("Enter")
        deadline = time.monotonic() + timeout
        while not done.exists():
            assert time.monotonic() < deadline, f"{command} did not end"
            time.sleep(0.02)
        return file.read_text()

    def settings(self):
        return self.output_of("stty -a")

    def program(self, path, timeout=5):
        """The process id of the program with this file that the shell runs."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        deadline = time.monotonic() + timeout
        while True:
            with open(f"/proc/{shell}/task/{shell}/children") as children:
                for pid in children.read().split():
                    if Path(f"/proc/{pid}/exe").resolve() == Path(path).resolve():
                        return int(pid)
            assert time.monotonic() < deadline, f"no {path} runs in the terminal"
            time.sleep(0.05)

    def report(self):
        return super().report() + "\n--- the last screen\n" + (self.last_screen or "")
