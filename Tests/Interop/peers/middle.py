"""Somebody in the middle of the signalling: passes SIP datagrams on and changes them as the test says."""

import re
import socket
import threading


class Middle:
    """Between the first address that talks to it and `target`. `change(message, to_target)` gives what is passed on.
    Replies find their way back because they go to where the request came from (RFC 3581)."""

    def __init__(self, target, change):
        self.target, self.change, self.caller = target, change, None
        self.changed = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._pass, daemon=True).start()

    def _pass(self):
        while True:
            try:
                message, source = self.socket.recvfrom(65536)
            except OSError:
                return
            to_target = source != self.target
            if to_target:
                self.caller = source
            after = self.change(message, to_target)
            self.changed += after != message
            self.socket.sendto(after, self.target if to_target else self.caller)

    def close(self):
        self.socket.close()


def other_fingerprint(message):
    """The first digit of each fingerprint is another one; the length stays."""
    def replace(found):
        return found[1] + (b"1" if found[2] != b"1" else b"2")
    return re.sub(rb"(a=fingerprint:sha-\d+ )([0-9A-Fa-f])", replace, message)
