"""Two namespaces joined by a veth pair, programs in them, and what passes on the wire with the kernel's times."""

import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SO_TIMESTAMPNS = 35
ETH_P_ALL = 3


def ip(*arguments, check=True):
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


class Namespace:
    def __init__(self, name, address):
        self.name, self.address, self.interface = name, address, name + "v"
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")

    def inside(self, body):
        """Runs `body` on a thread of its own that has entered this namespace; a program started there is in it from its first instruction."""
        result = []

        def run():
            handle = os.open(f"/var/run/netns/{self.name}", os.O_RDONLY)
            try:
                if _libc.setns(handle, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
                result.append(body())
            finally:
                os.close(handle)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if not result:
            raise RuntimeError(f"nothing came out of {self.name}")
        return result[0]

    def socket(self, kind=socket.SOCK_DGRAM):
        return self.inside(lambda: socket.socket(socket.AF_INET, kind))

    def remove(self):
        ip("netns", "del", self.name, check=False)


class Lab:
    """`near` is 10.78.0.1, `far` is 10.78.0.2. `wire` sees every datagram between them."""

    def __enter__(self):
        base = f"stb{os.getpid() % 100000}"
        self.near = self.far = self.wire = None
        try:
            self.near = Namespace(base + "a", "10.78.0.1")
            self.far = Namespace(base + "b", "10.78.0.2")
            ip("link", "add", self.near.interface, "netns", self.near.name, "type", "veth", "peer", "name", self.far.interface, "netns", self.far.name)
            for side, other in ((self.near, self.far), (self.far, self.near)):
                ip("-n", side.name, "addr", "add", side.address + "/24", "dev", side.interface)
                ip("-n", side.name, "link", "set", side.interface, "up")
                ip("-n", side.name, "route", "add", "default", "via", other.address)
            self.wire = Wire(self.near)
            time.sleep(1)  # until the links are up and address resolution is quiet
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.wire:
            self.wire.close()
        for side in (self.near, self.far):
            if side:
                side.remove()


class Packet:
    """One UDP datagram: `at` seconds, whether it leaves `near`, and its first bytes."""

    def __init__(self, at, leaves, source, destination, payload):
        self.at, self.leaves, self.source, self.destination, self.payload = at, leaves, source, destination, payload

    @property
    def kind(self):
        """RFC 7983 for media; SIP by its text."""
        data = self.payload
        if len(data) < 2:
            return "other"
        if data[:1].isalpha() and b"SIP/2.0" in data[:200]:
            return "sip"
        if data[0] <= 3:
            return "stun"
        if 20 <= data[0] <= 63:
            return "dtls"
        if 128 <= data[0] <= 191:
            return "rtcp" if 192 <= data[1] <= 223 else "rtp"
        return "other"

    @property
    def meaning(self):
        data = self.payload
        if self.kind == "sip":
            return data.split(b"\r\n")[0].decode("ascii", "replace")[:40]
        if self.kind == "stun":
            names = {0x0001: "request", 0x0101: "success", 0x0111: "error"}
            word = names.get(struct.unpack("!H", data[:2])[0], "?")
            return word + (" nominating" if b"\x00\x25\x00\x00" in data[20:] else "")
        if self.kind == "dtls" and len(data) > 13:
            names = {1: "ClientHello", 2: "ServerHello", 3: "HelloVerifyRequest", 11: "Certificate", 16: "ClientKeyExchange"}
            return {22: names.get(data[13], "encrypted"), 20: "ChangeCipherSpec", 21: "alert", 23: "data"}.get(data[0], "?")
        return f"type {data[1] & 127}" if self.kind == "rtp" else ""


class Wire:
    """A packet socket on `near`'s interface, read by a thread."""

    def __init__(self, namespace):
        self.packets, self.changed = [], threading.Condition()
        self.socket = namespace.inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        namespace.inside(lambda: self.socket.bind((namespace.interface, ETH_P_ALL)) or True)
        self.address = socket.inet_aton(namespace.address)
        self.open = True
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while self.open:
            if not select.select([self.socket], [], [], 0.2)[0]:
                continue
            data, ancillary, _, _ = self.socket.recvmsg(2048, 64)
            if len(data) < 28 or data[0] >> 4 != 4 or data[9] != 17:
                continue
            at = time.time()
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", value[:16])
                    at = seconds + nanoseconds / 1e9
            header = (data[0] & 15) * 4
            source, destination = struct.unpack("!HH", data[header:header + 4])
            packet = Packet(at, data[12:16] == self.address, source, destination, data[header + 8:])
            with self.changed:
                self.packets.append(packet)
                self.changed.notify_all()

    def clear(self):
        with self.changed:
            self.packets = []

    def wait(self, condition, timeout):
        """Waits until `condition(packets)` gives something true; None after the time-out."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                found = condition(self.packets)
                left = deadline - time.monotonic()
                if found or left <= 0:
                    return found or None
                self.changed.wait(min(left, 0.1))

    def close(self):
        self.open = False
        self.thread.join(1)
        self.socket.close()


class Program:
    """A program in a namespace; its lines are read by threads. Ended by its id."""

    def __init__(self, namespace, command, cwd=None, stdin=subprocess.DEVNULL, env=None):
        self.lines, self.changed = [], threading.Condition()
        self.started = time.time()

        def start():
            self.started = time.time()
            return subprocess.Popen([str(c) for c in command], cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    start_new_session=True, env=env)

        self.child = namespace.inside(start)
        self.pid = self.child.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for raw in iter(self.child.stdout.readline, b""):
            with self.changed:
                self.lines.append((time.time(), raw.decode("utf-8", "replace").rstrip()))
                self.changed.notify_all()

    def wait_line(self, text, timeout=10, skip=0):
        """(time, line) of the first line after the first `skip` ones that contains `text`."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                for at, line in self.lines[skip:]:
                    if text in line:
                        return at, line
                if time.monotonic() > deadline or (self.child.poll() is not None and not self.reader.is_alive()):
                    raise RuntimeError(f"no {text!r} from {self.child.args[0]}: {self.lines[-5:]}")
                self.changed.wait(0.1)

    def ticks(self):
        """CPU seconds of the whole process with its ended threads, in steps of some 10 ms."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu(self):
        """CPU seconds of all its living threads, to the nanosecond where the kernel says so."""
        total = 0
        try:
            for task in os.listdir(f"/proc/{self.pid}/task"):
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0])
            return total / 1e9
        except OSError:
            return self.ticks()

    def memory(self):
        """Resident MB: all of it, what is its own (anonymous), and its proportional share."""
        values = {}
        for name in ("status", "smaps_rollup"):
            try:
                with open(f"/proc/{self.pid}/{name}") as file:
                    for line in file:
                        parts = line.split()
                        if parts[0] in ("VmRSS:", "RssAnon:", "Pss:"):
                            values[parts[0]] = int(parts[1]) / 1024
            except OSError:
                pass
        return values.get("VmRSS:", 0), values.get("RssAnon:", 0), values.get("Pss:", 0)

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def stop(self, number=signal.SIGTERM, timeout=5):
        if self.child.poll() is None:
            os.kill(self.pid, number)
        try:
            self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self.child.wait(5)
        self.reader.join(2)
