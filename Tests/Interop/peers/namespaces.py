"""Network namespaces joined by a veth pair, named after this process so that two runs do not meet."""

import ctypes
import itertools
import os
import re
import socket
import subprocess
import threading

PREFIX = "st"
_count = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def ip(*arguments, check=True):
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


class Namespace:
    """Has a loopback interface that is up, and perhaps an interface of a `Link`."""

    def __init__(self):
        self.name = f"{PREFIX}{os.getpid()}-{next(_count)}"
        self.interface, self.address = None, "127.0.0.1"
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")

    def command(self, command):
        """`ip netns exec` replaces itself by the program: the process id is the program's."""
        return ["ip", "netns", "exec", self.name, *command]

    def socket(self, kind=socket.SOCK_DGRAM):
        """A socket of this namespace for use from the test itself: a thread of its own enters the namespace to make it."""
        made = []

        def make():
            handle = os.open(f"/var/run/netns/{self.name}", os.O_RDONLY)
            try:
                if _libc.setns(handle, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
                made.append(socket.socket(socket.AF_INET, kind))
            finally:
                os.close(handle)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def rules(self, text):
        """Replaces this namespace's nftables rules by `text`, the inside of a table."""
        subprocess.run(self.command(["nft", "-f", "-"]), check=True, capture_output=True, text=True, timeout=20,
                       input="flush ruleset\n" + (f"table inet sidetone {{\n{text}\n}}\n" if text else ""))

    def remove(self):
        ip("netns", "del", self.name, check=False)


class Link:
    """Two namespaces: `near` is 10.77.0.1, where Sidetone usually is, `far` is 10.77.0.2. Each routes by the other."""

    def __init__(self):
        self.near, self.far = Namespace(), Namespace()
        for side, number in ((self.near, 1), (self.far, 2)):
            side.interface, side.address = f"{side.name}v", f"10.77.0.{number}"
        ip("link", "add", self.near.interface, "netns", self.near.name, "type", "veth",
           "peer", "name", self.far.interface, "netns", self.far.name)
        for side, other in ((self.near, self.far), (self.far, self.near)):
            ip("-n", side.name, "addr", "add", f"{side.address}/24", "dev", side.interface)
            ip("-n", side.name, "link", "set", side.interface, "up")
        for side, other in ((self.near, self.far), (self.far, self.near)):
            side.gateway = other.address
            ip("-n", side.name, "route", "add", "default", "via", side.gateway)

    def cut(self):
        """Nothing passes any more, without a word to either side."""
        self.far.rules("chain in { type filter hook input priority 0; iifname != \"lo\" drop; }\n"
                       "chain out { type filter hook output priority 0; oifname != \"lo\" drop; }")

    def open(self):
        for side in (self.near, self.far):
            side.rules("")

    def remove(self):
        self.near.remove()
        self.far.remove()


def sweep():
    """Removes what this process left, and what runs that no longer exist left."""
    for line in ip("netns", "list", check=False).stdout.splitlines():
        found = re.match(rf"({PREFIX}(\d+)-\d+)\b", line)
        if found and (int(found[2]) == os.getpid() or not os.path.exists(f"/proc/{found[2]}")):
            ip("netns", "del", found[1], check=False)
