"""sipp from Debian, playing one of the scenarios beside the tests."""

from pathlib import Path

from .process import Process

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"


class Sipp(Process):
    """Answers on `port` of 127.0.0.1, or of the namespace's address, as the scenario says. `keys` fill its [words],
    before sipp reads it: it wants a status code that is a number."""

    def __init__(self, folder, scenario, port, namespace=None, calls=1, keys=None, transport="u1", address=None):
        address = address or (namespace.address if namespace else "127.0.0.1")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.messages = folder / f"{scenario}-{port}.messages"
        text = (SCENARIOS / f"{scenario}.xml").read_text()
        for name, value in (keys or {}).items():
            text = text.replace(f"[{name}]", value)
        file = folder / f"{scenario}-{port}.xml"
        file.write_text(text)
        command = ["sipp", "-sf", file, "-i", address, "-p", port, "-m", calls, "-t", transport, "-nostdin",
                   "-mp", port + 1000, "-timeout", "60s", "-trace_msg", "-message_file", self.messages,
                   "-trace_err", "-error_file", folder / f"{scenario}-{port}.errors"]
        super().__init__(command, f"sipp {scenario}", namespace=namespace, cwd=folder)
        self.wait_bound(port, "tcp" if transport.startswith("t") else "udp")
        self.uri = f"sip:test@{address}:{port}"

    def finish(self, timeout=10):
        """Its exit code is 0 when every message came in as the scenario expects."""
        assert self.wait(timeout) == 0, f"the scenario went otherwise:\n{self.seen()}"

    def seen(self):
        return self.messages.read_text(errors="replace") if self.messages.exists() else ""
