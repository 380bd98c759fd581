"""coturn from Debian: a TURN and STUN server with long-term credentials, over UDP, TCP and TLS."""

from pathlib import Path

from .process import Process


class Coturn(Process):
    """Listens on the first of `addresses` for TURN (its relays are there too), and on all of them for STUN."""

    USER, PASSWORD = "relay-user", "pa55-of-the-relay"
    PORT, SECURE_PORT = 3478, 5349

    def __init__(self, folder, namespace, certificate, addresses=None, shared=False):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        addresses = addresses or [namespace.address]
        self.address = addresses[0]
        command = ["turnserver", "-n", *(f"--listening-ip={address}" for address in addresses), f"--relay-ip={self.address}",
                   f"--listening-port={self.PORT}", f"--tls-listening-port={self.SECURE_PORT}", "--lt-cred-mech",
                   f"--user={self.USER}:{self.PASSWORD}", "--realm=turn.test", "--fingerprint", "--no-cli", "--no-dtls", "--no-rfc5780",
                   f"--cert={certificate[0]}", f"--pkey={certificate[1]}", f"--userdb={folder / 'users'}", f"--pidfile={folder / 'pid'}",
                   "--min-port=40000", "--max-port=40999", "--log-file=stdout", "--verbose"]
        super().__init__(command, "coturn", namespace=namespace, cwd=folder, shared=shared)
        self.wait_bound(self.PORT, "udp")
        for port in (self.PORT, self.SECURE_PORT):
            self.wait_bound(port, "tcp")

    def uri(self, via):
        if via == "tls":
            return f"turns:{self.address}:{self.SECURE_PORT}?transport=tcp"
        return f"turn:{self.address}:{self.PORT}?transport={via}"

    def options(self, via, folder, authority=None, password=None):
        """The phone's options for this server. The password is in a file under `folder`."""
        file = Path(folder) / "turn-password"
        file.write_text((password or self.PASSWORD) + "\n")
        file.chmod(0o600)
        found = ["--turn", self.uri(via), "--turn-username", self.USER, "--turn-password-file", str(file)]
        return found + (["--tls-ca", str(authority.file)] if authority else [])
