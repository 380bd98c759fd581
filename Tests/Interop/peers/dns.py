"""A name server with the test's own names, for one namespace."""

import socket
import threading

TYPES = {"A": 1, "SRV": 33, "NAPTR": 35}


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def _data(kind, values):
    if kind == "A":
        return socket.inet_aton(values[0])
    if kind == "SRV":
        priority, weight, port, target = values
        return b"".join(number.to_bytes(2, "big") for number in (priority, weight, port)) + _name(target)
    order, preference, flags, service, expression, replacement = values
    texts = b"".join(bytes([len(text)]) + text.encode() for text in (flags, service, expression))
    return order.to_bytes(2, "big") + preference.to_bytes(2, "big") + texts + _name(replacement)


class NameServer:
    """Answers on port 53 of the namespace's loopback address from `zone`: name → list of (type, values …), as in
    `{"_sip._udp.pbx.test": [("SRV", 10, 0, 5060, "a.pbx.test")], "a.pbx.test": [("A", "10.77.0.2")]}`. Every other name is NXDOMAIN.
    `asked` are the names and types it was asked for."""

    def __init__(self, namespace, zone=None):
        self.inside, self.zone = namespace, zone or {}
        self.asked = []
        self.socket = namespace.socket()
        self.socket.bind(("127.0.0.1", 53))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                query, source = self.socket.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace"))
                at += 1 + query[at]
            name, kind = ".".join(labels).lower(), int.from_bytes(query[at + 1:at + 3], "big")
            self.asked.append((name, kind))
            records = [record for record in self.zone.get(name, []) if TYPES[record[0]] == kind]
            code = 0 if name in self.zone else 3
            head = query[:2] + bytes([0x85, 0x80 | code]) + b"\0\1" + len(records).to_bytes(2, "big") + b"\0\0\0\0"
            answers = b"".join(self._record(kind, record) for record in records)
            self.socket.sendto(head + query[12:at + 5] + answers, source)

    @staticmethod
    def _record(kind, record):
        data = _data(record[0], record[1:])
        # The name is that of the question (RFC 1035 §4.1.4); class IN, 60 s.
        return b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1" + (60).to_bytes(4, "big") + len(data).to_bytes(2, "big") + data

    def namespace(self, folder):
        """The namespace as it looks with this server in /etc/resolv.conf: for the started program only."""
        file = folder / "resolv.conf"
        file.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
        return _WithResolver(self.inside, file)

    def close(self):
        """The port is free when this returns: the kernel keeps it as long as somebody waits in `recvfrom`."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join()
        self.socket.close()


class _WithResolver:
    def __init__(self, inside, file):
        self.inside, self.file = inside, file

    def command(self, command):
        script = f'mount --bind "{self.file}" /etc/resolv.conf && exec "$@"'
        return self.inside.command(["unshare", "--mount", "sh", "-c", script, "sh", *command])
