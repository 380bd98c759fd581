"""The program under test: started with a home of its own, its JSON Lines read as they come."""

import functools
import json
import os
import tempfile
from pathlib import Path

from peers.process import Process

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def binary():
    """`SIDETONE_BINARY`, or the newest build in this tree; the same one for the whole run."""
    named = os.environ.get("SIDETONE_BINARY")
    if named:
        return Path(named)
    built = [path for path in (ROOT / ".build/release/sidetone", ROOT / ".build/debug/sidetone") if path.exists()]
    assert built, "no sidetone has been built (swift build), and SIDETONE_BINARY is not set"
    return max(built, key=lambda path: path.stat().st_mtime)


def environment(home, extra=None):
    """A home that holds nothing, so that neither the user's configuration nor certificates are met."""
    home = Path(home)
    runtime = home / "run"
    runtime.mkdir(parents=True, exist_ok=True)
    runtime.chmod(0o700)
    own = {"HOME": home, "XDG_CONFIG_HOME": home / "config", "XDG_STATE_HOME": home / "state", "XDG_DATA_HOME": home / "data",
           "XDG_CACHE_HOME": home / "cache", "XDG_RUNTIME_DIR": runtime, "LC_ALL": "C.UTF-8"}
    dropped = {"SIDETONE_PASSWORD", "PULSE_SERVER", "ALSA_CONFIG_PATH"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, **{name: str(value) for name, value in own.items()}, **(extra or {})}


class Sidetone(Process):
    """`arguments` as on a command line; `--json` is added. `lines` are the objects it printed, in order."""

    def __init__(self, *arguments, namespace=None, env=None, json=True, home=None, shared=False):
        self.lines, self.strange, self.json = [], [], json
        self._home = None if home else tempfile.TemporaryDirectory(prefix="sidetone-home-")
        self.home = Path(home or self._home.name)
        command = [binary(), *arguments] + (["--json"] if json else [])
        super().__init__(command, f"sidetone {arguments[0] if arguments else ''}".strip(), namespace=namespace,
                         env=environment(self.home, env), shared=shared)

    def took(self, stream, line):
        if stream == "stdout" and self.json:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.strange.append(line)

    def worth_showing(self, stream):
        """The figures of each second are left out of a failure's report: the result repeats the last."""
        return [line for line in self.output[stream] if '"type":"call.stats"' not in line]

    # What it said

    def of(self, kind):
        with self.changed:
            return [line for line in self.lines if line.get("type") == kind]

    def wait_for(self, kind, timeout=10, **fields):
        """The first object of this type with these fields."""
        def look():
            for line in self.lines:
                if line.get("type") == kind and all(line.get(name) == value for name, value in fields.items()):
                    return line
            return None
        return self.wait_until(look, timeout, f"{kind} {fields or ''}")

    def wait_state(self, state, timeout=10, call=None):
        return self.wait_for("call.state", timeout, state=state, **({"call": call} if call else {}))

    def port(self, transport="udp", timeout=10):
        """The port of its listener; the phone is ready then."""
        return self.wait_for("listening", timeout, transport=transport)["port"]

    def result(self, timeout=10):
        """The result of its first call that ended."""
        return self.wait_for("result", timeout)

    def finish(self, timeout):
        """(exit code, result or None) once it has ended by itself; its standard output was JSON and nothing else."""
        code = self.wait(timeout)
        assert not self.strange, f"not JSON on standard output: {self.strange[:3]}"
        results = self.of("result")
        return code, results[-1] if results else None


# Reading a result

def transport(result, component="rtp"):
    return next(item for item in result["transports"] if item["component"] == component)


def audio(result):
    return next(item for item in result["streams"] if item["kind"] == "audio")


def video(result):
    return next(item for item in result["streams"] if item["kind"] == "video")


def assert_media(result, seconds, rate=45, refused=0):
    """At least `rate` packets a second in each direction, all but `refused` of them accepted."""
    stream = audio(result)
    sent, received = stream["outbound"]["packetsSent"], stream["inbound"]["packetsReceived"]
    assert sent >= rate * seconds and received >= rate * seconds, f"{sent} sent, {received} received in {seconds} s"
    assert (stream["inbound"]["unprotectErrors"] or 0) <= refused


# What two of this program agree on; SDES offers the same profiles as DTLS.
CIPHER = {"dtls": "AEAD_AES_256_GCM", "sdes": "AEAD_AES_256_GCM", "none": None}


def assert_secured(result, security, ice=None, cipher=None):
    """ICE, DTLS, fingerprint and SRTP profile as this kind of security must have them."""
    found = transport(result)
    ice = security == "dtls" if ice is None else ice
    assert result["security"] == security
    assert found["iceState"] == ("completed" if ice else "none")
    assert found["dtlsState"] == ("connected" if security == "dtls" else "none")
    assert found["srtpCipher"] == (cipher or CIPHER[security])
    if security == "dtls":
        assert found["remoteFingerprint"]["verified"] is True
        assert found["tlsVersion"] == "FEFD"
