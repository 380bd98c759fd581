"""Kamailio from Debian in a namespace: registrar and proxy with digest authentication, one password for everybody."""

from pathlib import Path

from .process import Process

TEMPLATE = Path(__file__).with_name("kamailio.cfg")


class Kamailio(Process):
    """UDP and TCP on `port`, WebSocket on `web_port`; with `certificates`, a list of (certificate, key), TLS and secure WebSocket on one port for
    each of them: `secure_ports`."""

    PASSWORD = "s3cret-of-the-lab"

    def __init__(self, folder, namespace, port=5060, certificates=(), shared=False):
        folder = Path(folder)
        run = folder / "run"
        run.mkdir(parents=True, exist_ok=True)
        address = namespace.address
        self.port, self.domain = port, f"{address}:{port}"
        self.web_port, self.web_socket = port + 3020, f"ws://{address}:{port + 3020}/ws"
        self.secure_ports = [port + 1 + number for number in range(len(certificates))]
        text = TEMPLATE.read_text()
        for name, value in (("ADDRESS", address), ("WEB_PORT", str(self.web_port)), ("PORT", str(port)), ("PASSWORD", self.PASSWORD),
                            ("SECURE_LISTENERS", self._listeners(address)), ("SECURE_MODULES", self._modules(folder, address, certificates))):
            text = text.replace(f"@{name}@", value)
        (folder / "kamailio.cfg").write_text(text)
        super().__init__(["kamailio", "-f", folder / "kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-Y", run, "-P", run / "pid"],
                         "kamailio", namespace=namespace, shared=shared)
        self.wait_bound(port, "udp")
        for listener in [port, self.web_port, *self.secure_ports]:
            self.wait_bound(listener, "tcp")

    def _listeners(self, address):
        if not self.secure_ports:
            return ""
        return "\n".join(["enable_tls=yes", *(f"listen=tls:{address}:{port}" for port in self.secure_ports)])

    def _modules(self, folder, address, certificates):
        if not certificates:
            return ""
        file = folder / "tls.cfg"
        sections = [("server:default", certificates[0])] + [(f"server:{address}:{port}", pair) for port, pair in zip(self.secure_ports, certificates)]
        file.write_text("\n".join(f"[{name}]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\ncertificate = {pair[0]}\n"
                                  f"private_key = {pair[1]}\n" for name, pair in sections))
        return f'loadmodule "tls.so"\nmodparam("tls", "config", "{file}")'

    def account(self, user, via="udp", authority=None, certificate=0):
        """The phone's options for an account here; `via` is also how it reaches its calls. `certificate` says which of the secure ports."""
        arguments = ["--no-config", "--account", f"sip:{user}@{self.domain}", "--username", user]
        if via == "udp":
            return arguments
        host = self.domain.split(":")[0]
        port = {"tcp": self.port, "ws": self.web_port}.get(via) or self.secure_ports[certificate]
        server = f"sip:{host}:{port};transport={via}"
        return arguments + ["--registrar", server, "--proxy", server] + (["--tls-ca", str(authority.file)] if authority else [])

    def saw(self, method, user=""):
        """The log lines of the requests of this method from this user, in order."""
        with self.changed:
            return [line for line in self.output["stderr"] if f"saw {method} " in line and f" {user} proto=" in line]

    def wait_saw(self, method, user, count=1, timeout=5):
        return self.wait_until(lambda: self.saw(method, user)[count - 1:count], timeout, f"{method} from {user}")[0]
