"""baresip from Debian, in a namespace, with a tone as microphone; it records what it decodes and is driven by JSON over TCP."""

import json
import socket
import threading
import time
from pathlib import Path

from .process import Process

CONFIGURATION = """\
poll_method epoll
sip_listen {address}:{port}
sip_trans_def udp
call_local_timeout 60
call_max_calls 4
audio_path /usr/share/baresip
audio_player aubridge,sinkhole
audio_source ausine,{tone}
audio_alert aubridge,alert
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 2
auplay_channels 2
audio_txmode thread
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
rtp_ports {rtp}-{rtp_end}
rtcp_mux {mux}
rtp_stats yes
jitter_buffer_delay 5-10
net_interface {interface}
module_path /usr/lib/baresip/modules
module opus.so
module g711.so
module g722.so
module ausine.so
module aubridge.so
module sndfile.so
module stun.so
module ice.so
module srtp.so
module dtls_srtp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control}
opus_bitrate 48000
opus_stereo yes
opus_sprop_stereo yes
"""

SECURITY = {"dtls": "mediaenc=dtls_srtp;medianat=ice", "sdes": "mediaenc=srtp-mand", "none": ""}
CODEC = {"opus": "opus/48000/2", "G722": "g722/16000/1", "PCMU": "pcmu/8000/1"}


class Baresip(Process):
    """Ready when the constructor returns. `events` are its own, as it reports them."""

    def __init__(self, folder, namespace, security="none", codec="opus", user="bs", port=5060, tone=1000, answer="auto",
                 mux=True, registrar=None, password=None, account_options="", shared=False):
        self.namespace, self.port = namespace, port
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.control_port = port + 1000
        self.uri = f"sip:{user}@{namespace.address}:{port}"
        (self.folder / "config").write_text(CONFIGURATION.format(
            address=namespace.address, port=port, tone=tone, rtp=20000 + port % 1000 * 20,
            rtp_end=20000 + port % 1000 * 20 + 400, mux="yes" if mux else "no", interface=namespace.interface, control=self.control_port))
        domain = registrar.split("sip:")[1] if registrar else f"{namespace.address}:{port}"
        parts = [f"<sip:{user}@{domain}>", "regint=60" if registrar else "regint=0", f"audio_codecs={CODEC[codec]}",
                 f"answermode={answer}", "ptime=20", SECURITY[security], account_options]
        parts.append(f"auth_user={user};auth_pass={password}" if password else "auth_pass=none")
        (self.folder / "accounts").write_text(";".join(part for part in parts if part) + "\n")
        self.events, self.replies, self.tokens = [], {}, 0
        super().__init__(["stdbuf", "-oL", "baresip", "-f", self.folder, "-s"], f"baresip {user}", namespace=namespace, cwd=self.folder,
                         shared=shared)
        self.wait_line(r"baresip is ready", 15)
        self.control = namespace.socket(socket.SOCK_STREAM)
        self.control.connect((namespace.address, self.control_port))
        threading.Thread(target=self._read_control, daemon=True).start()

    def _read_control(self):
        """Netstrings with JSON in them: `12:{"event":…},`."""
        buffer = b""
        while True:
            try:
                part = self.control.recv(65536)
            except OSError:
                part = b""
            if not part:
                return
            buffer += part
            while b":" in buffer:
                size, _, rest = buffer.partition(b":")
                if len(rest) < int(size) + 1:
                    break
                message, buffer = json.loads(rest[:int(size)]), rest[int(size) + 1:]
                with self.changed:
                    if message.get("event"):
                        self.events.append(message)
                        self.output["stdout"].append("event " + json.dumps(message))
                    else:
                        self.replies[message.get("token")] = message
                    self.changed.notify_all()

    def do(self, command, parameters=""):
        """Runs one of its commands; the answer's text."""
        self.tokens += 1
        token = str(self.tokens)
        body = json.dumps({"command": command, "params": parameters, "token": token}).encode()
        self.control.sendall(str(len(body)).encode() + b":" + body + b",")
        return self.wait_until(lambda: self.replies.get(token), 5, f"reply to {command}").get("data", "")

    def wait_event(self, kind, timeout=10, count=1):
        """The `count`th event of this type."""
        def look():
            found = [event for event in self.events if event.get("type") == kind]
            return found[count - 1] if len(found) >= count else None
        return self.wait_until(look, timeout, f"event {kind}")

    def recorded(self, timeout=4):
        """The file of what it decoded in its last call; its header is written when the call ends."""
        deadline = time.monotonic() + timeout
        while True:
            files = sorted(self.folder.glob("dump-*-dec.wav"), key=lambda f: f.stat().st_mtime)
            if files and files[-1].stat().st_size > 44:
                return files[-1]
            assert time.monotonic() < deadline, f"baresip recorded nothing: {list(self.folder.iterdir())}"
            time.sleep(0.05)

    def stop(self, *arguments, **options):
        self.control.close()
        return super().stop(*arguments, **options)
