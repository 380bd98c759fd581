"""aiortc from Debian as a SIP phone over UDP, in a namespace; `scripts/rtc_phone.py` is the program."""

import json
import subprocess
from pathlib import Path

from .process import Process

PROGRAM = Path(__file__).with_name("scripts") / "rtc_phone.py"


class RtcPhone(Process):
    """For one call; it answers by itself. `heard` is the file of what it decoded, complete once the call has ended."""

    def __init__(self, folder, namespace, tone=1200, port=5060):
        self.events = []
        self.heard = Path(folder) / "aiortc.wav"
        self.uri = f"sip:rtc@{namespace.address}:{port}"
        super().__init__(["/usr/bin/python3", PROGRAM, namespace.address, port, tone, self.heard], "aiortc", namespace=namespace,
                         stdin=subprocess.PIPE)
        self.wait_event("ready", 20)

    def took(self, stream, line):
        if stream == "stdout":
            self.events.append(json.loads(line))

    def wait_event(self, name, timeout=10, **fields):
        def look():
            for event in self.events:
                if event["event"] == name and all(event.get(key) == value for key, value in fields.items()):
                    return event
            return None
        return self.wait_until(look, timeout, f"event {name} {fields or ''}")

    def do(self, command):
        self.child.stdin.write(command.encode() + b"\n")
        self.child.stdin.flush()
