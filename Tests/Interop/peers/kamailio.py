"""Kamailio from Debian in a namespace: registrar and proxy with digest authentication, one password for everybody."""

from pathlib import Path

from .process import Process

TEMPLATE = Path(__file__).with_name("kamailio.cfg")


class Kamailio(Process):
    PASSWORD = "s3cret-of-the-lab"

    def __init__(self, folder, namespace, port=5060, shared=False):
        folder = Path(folder)
        run = folder / "run"
        run.mkdir(parents=True)
        self.port, self.domain = port, f"{namespace.address}:{port}"
        text = TEMPLATE.read_text()
        for name, value in (("ADDRESS", namespace.address), ("PORT", str(port)), ("PASSWORD", self.PASSWORD)):
            text = text.replace(f"@{name}@", value)
        (folder / "kamailio.cfg").write_text(text)
        super().__init__(["kamailio", "-f", folder / "kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-Y", run, "-P", run / "pid"],
                         "kamailio", namespace=namespace, shared=shared)
        self.wait_bound(port, "udp")
        self.wait_bound(port, "tcp")

    def saw(self, method, user=""):
        """The log lines of the requests of this method from this user, in order."""
        with self.changed:
            return [line for line in self.output["stderr"] if f"saw {method} " in line and f" {user} proto=" in line]

    def wait_saw(self, method, user, count=1, timeout=5):
        return self.wait_until(lambda: self.saw(method, user)[count - 1:count], timeout, f"{method} from {user}")[0]
