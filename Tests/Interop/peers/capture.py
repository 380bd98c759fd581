"""tshark inside a namespace: what really went over the wire."""

import signal
import subprocess

import numpy as np

from .process import Process

FIELDS = ["frame.time_epoch", "ip.src", "udp.srcport", "ip.dst", "udp.dstport", "udp.payload"]


def mu_law(payload):
    """ITU-T G.711 µ-law bytes as samples −1…1."""
    code = 255 - np.frombuffer(payload, np.uint8).astype(int)
    magnitude = (((code & 15) * 2 + 33) << ((code >> 4) & 7)) - 33
    return np.where(code & 128, -magnitude, magnitude) / 8159


class Datagram:
    def __init__(self, time, source, target, payload):
        self.time, self.source, self.target, self.payload = time, source, target, payload

    @property
    def is_rtp(self):
        """Version 2 by its first byte, and no RTCP packet type (RFC 7983, RFC 5761)."""
        return len(self.payload) >= 12 and self.payload[0] >> 6 == 2 and not 192 <= self.payload[1] <= 223

    @property
    def is_rtcp(self):
        return len(self.payload) >= 8 and self.payload[0] >> 6 == 2 and 192 <= self.payload[1] <= 223

    @property
    def ssrc(self):
        return int.from_bytes(self.payload[8:12], "big")

    def share_of_tone(self, hz):
        """How much of the energy lies at this frequency when the bytes after an RTP header are read as µ-law at 8 kHz, 0…1.
        Whatever is encrypted is noise: two of 160 dimensions, some 0.01."""
        if len(self.payload) < 12 + 80:
            return 0.0
        samples = mu_law(self.payload[12:12 + 160])
        angle = 2 * np.pi * hz / 8000 * np.arange(len(samples))
        basis = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        found, *_ = np.linalg.lstsq(basis, samples, rcond=None)
        return float(np.sum(np.square(basis @ found)) / max(1e-9, np.sum(np.square(samples))))


def fields(path, names, display=None, *options):
    """Rows of text, one for each packet of the file that the display filter lets through."""
    command = ["tshark", "-r", path, "-T", "fields", *options]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(command + (["-Y", display] if display else []), capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


class Capture(Process):
    """Captures when the constructor returns, and has everything when `finish` returns: it is sent packets of its own and waits to see them,
    for the kernel hands packets over in blocks."""

    MARK = 9

    def __init__(self, path, namespace):
        self.path, self.namespace = path, namespace
        super().__init__(["tshark", "-i", namespace.interface, "-f", "udp", "-w", path, "-P", "-l", "-T", "fields", "-e", "udp.length",
                          "-e", "udp.dstport"], "tshark", namespace=namespace)
        self.wait_line(r"Capturing on", 15)
        self._mark(1)

    def _mark(self, length):
        """One datagram of this length to the discard port after the other, until one was seen."""
        with self.namespace.socket() as sender:
            for _ in range(50):
                sender.sendto(bytes(length), (self.namespace.gateway, self.MARK))
                try:
                    return self.wait_line(rf"^{8 + length}\t{self.MARK}$", 0.3)
                except AssertionError:
                    if self.child.poll() is not None:
                        raise
        raise AssertionError("tshark sees no packets")

    def worth_showing(self, stream):
        return list(self.output[stream]) if stream == "stderr" else []

    def finish(self):
        self._mark(2)
        self.send_signal(signal.SIGINT)
        self.wait(15)

    def fields(self, names, display=None, *options):
        return fields(self.path, names, display, *options)

    def datagrams(self):
        found = []
        for row in self.fields(FIELDS, f"udp && !icmp && udp.dstport != {self.MARK}"):
            time, source, source_port, target, target_port, payload = row
            found.append(Datagram(float(time), (source, int(source_port)), (target, int(target_port)), bytes.fromhex(payload)))
        return found
