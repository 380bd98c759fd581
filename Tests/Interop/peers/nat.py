"""Two phones, each behind a router that translates addresses, and a public namespace between the routers."""

import secrets
import socket
import struct
import subprocess

from .namespaces import Namespace, ip

COOKIE = 0x2112A442
SYMMETRIC = "masquerade fully-random"
PORT_KEEPING = "masquerade"


class NatNetwork:
    """`inside[0]` – router – `public` – router – `inside[1]`. `public` has the addresses 10.78.0.1 and 10.78.0.2 for servers; nobody outside can
    reach the inside unless it was spoken to."""

    SECOND = "10.78.0.2"

    def __init__(self, rule=SYMMETRIC):
        self.public = Namespace()
        self.public.address, self.public.interface = "10.78.0.1", "lo"
        for address in (self.public.address, self.SECOND):
            ip("-n", self.public.name, "addr", "add", f"{address}/32", "dev", "lo")
        _forward(self.public)
        self.inside, self.routers = [], []
        for number in (1, 2):
            inside, router = Namespace(), Namespace()
            inside.address, inside.gateway, inside.interface = f"192.168.{number}.2", f"192.168.{number}.1", f"{inside.name}v"
            router.address, outer = f"10.78.{number}.2", f"10.78.{number}.1"
            _join(inside, inside.address, inside.interface, router, inside.gateway, f"{router.name}i")
            _join(router, router.address, f"{router.name}o", self.public, outer, f"{self.public.name}{number}")
            ip("-n", inside.name, "route", "add", "default", "via", inside.gateway)
            ip("-n", router.name, "route", "add", "default", "via", outer)
            _forward(router)
            self.inside.append(inside)
            self.routers.append(router)
        # Packets to private addresses vanish at a router, as in the Internet: coturn drops an allocation when `sendto` itself has no route.
        ip("-n", self.public.name, "route", "add", "default", "via", self.routers[1].address)
        self.translate(rule)

    def translate(self, rule):
        for router in self.routers:
            outside = f"{router.name}o"
            router.rules(f'chain out {{ type nat hook postrouting priority 100; oifname "{outside}" {rule}; }}\n'
                         f'chain through {{ type filter hook forward priority 0; iifname "{outside}" ct state new drop; }}')

    def remove(self):
        for namespace in [*self.inside, *self.routers, self.public]:
            namespace.remove()


def _join(one, one_address, one_interface, other, other_address, other_interface):
    ip("link", "add", one_interface, "netns", one.name, "type", "veth", "peer", "name", other_interface, "netns", other.name)
    for side, address, interface in ((one, one_address, one_interface), (other, other_address, other_interface)):
        ip("-n", side.name, "addr", "add", f"{address}/24", "dev", interface)
        ip("-n", side.name, "link", "set", interface, "up")


def _forward(namespace):
    subprocess.run(namespace.command(["sysctl", "-qw", "net.ipv4.ip_forward=1"]), check=True, capture_output=True)


def mapped_addresses(namespace, servers):
    """The (address, port) that each STUN server sees when one socket of the namespace asks them all (RFC 8489 Binding)."""
    found = []
    with namespace.socket() as asker:
        asker.settimeout(1)
        for server in servers:
            found.append(_ask(asker, server))
    return found


def _ask(asker, server):
    transaction = secrets.token_bytes(12)
    for _ in range(5):
        asker.sendto(struct.pack("!HHI", 0x0001, 0, COOKIE) + transaction, server)
        try:
            answer = asker.recv(2048)
        except socket.timeout:
            continue
        if answer[:2] != b"\x01\x01" or answer[8:20] != transaction:
            continue
        at = 20
        while at + 4 <= len(answer):
            kind, size = struct.unpack_from("!HH", answer, at)
            if kind == 0x0020:
                _, family, port, address = struct.unpack_from("!BBHI", answer, at + 4)
                assert family == 1
                return socket.inet_ntoa(struct.pack("!I", address ^ COOKIE)), port ^ (COOKIE >> 16)
            at += 4 + (size + 3) // 4 * 4
    raise AssertionError(f"no STUN answer from {server}")
