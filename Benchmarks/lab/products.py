"""How each program is started, called and ended. `near` calls, `far` answers."""

import json
import os
import shutil
import socket
import time
from pathlib import Path

from .machine import Program


class Sidetone:
    name = "Sidetone"

    def __init__(self, lab, folder, binary):
        self.lab, self.binary, self.folder = lab, binary, Path(folder)
        self.answerers = {}
        self.port = 5060
        home = self.folder / "home"
        home.mkdir()
        self.env = dict(os.environ, HOME=str(home), XDG_STATE_HOME=str(home / "state"), XDG_CONFIG_HOME=str(home / "config"))

    @staticmethod
    def options(mode, codec):
        security = {"plain": ["--security", "none"], "dtls": ["--security", "dtls", "--ice", "on"]}[mode]
        return [*security, "--codec", codec, "--audio-in", "tone:440", "--audio-out", "null", "--no-config", "--json"]

    def start(self, namespace, register=None):
        """The waiting phone alone."""
        arguments = ["answer", "--auto-answer", "--listen", f"udp:{namespace.address}:5062", "--json", "--audio-in", "null", "--audio-out", "null"]
        if register:
            arguments += ["--account", f"sip:st@{register}", "--registrar", f"sip:{register}"]
        else:
            arguments += ["--no-config"]
        return Program(namespace, [self.binary, *arguments], env=dict(self.env, SIDETONE_PASSWORD="x"))

    ready_line = '"listening"'

    def answerer(self, mode, codec):
        """Kept for all calls of this kind."""
        if (mode, codec) not in self.answerers:
            self.port += 2
            far = self.lab.far
            program = Program(far, [self.binary, "answer", "--auto-answer", "--max-calls", "50", "--listen", f"udp:{far.address}:{self.port}",
                                    *self.options(mode, codec)], env=self.env)
            program.wait_line('"listening"')
            program.port = self.port
            self.answerers[mode, codec] = program
        return self.answerers[mode, codec]

    def prepare(self, mode, codec):
        return self.answerer(mode, codec)

    def call(self, mode, codec):
        """Dials; `hang_up` ends it and gives both ends' own times."""
        return SidetoneCall(self, mode, codec)

    def bridge(self, codecs):
        """Joins two calls to the waiting phones of these codecs."""
        ports = [self.answerer("dtls", codec).port for codec in codecs]
        near, far = self.lab.near, self.lab.far
        return Program(near, [self.binary, "bridge", *(f"sip:a@{far.address}:{port}" for port in ports), "--listen", f"udp:{near.address}:0",
                              "--security", "dtls", "--no-config", "--json"], env=self.env)

    def end(self):
        for program in self.answerers.values():
            program.stop()
        self.answerers = {}


class SidetoneCall:
    def __init__(self, product, mode, codec):
        self.callee = product.answerer(mode, codec)
        self.skip = len(self.callee.lines)
        near, far = product.lab.near, product.lab.far
        self.caller = Program(near, [product.binary, "call", f"sip:echo@{far.address}:{self.callee.port}", "--listen", f"udp:{near.address}:0",
                                     *product.options(mode, codec)], env=product.env)
        self.programs = [self.caller, self.callee]

    def hang_up(self):
        self.caller.stop()
        results = {}
        for name, program, skip in (("caller", self.caller, 0), ("callee", self.callee, self.skip)):
            _, line = program.wait_line('"type":"result"', skip=skip)
            results[name] = json.loads(line)
        return results


CONFIGURATION = """\
poll_method epoll
sip_listen {address}:{port}
sip_trans_def udp
call_local_timeout 60
call_max_calls 4
audio_path /usr/share/baresip
audio_player aubridge,sink
audio_source ausine,440
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
rtcp_mux yes
jitter_buffer_delay 1-10
net_interface {interface}
module_path /usr/lib/baresip/modules
module opus.so
module g711.so
module ausine.so
module aubridge.so
module stun.so
module ice.so
module srtp.so
module dtls_srtp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control}
opus_bitrate 32000
opus_complexity 5
opus_stereo no
opus_sprop_stereo no
opus_inbandfec yes
opus_packet_loss 10
"""


class Baresip:
    name = "baresip"
    ready_line = "baresip is ready"

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, Path(folder)
        self.phones, self.count = {}, 0

    @staticmethod
    def installed():
        return shutil.which("baresip") is not None

    def make(self, namespace, mode, codec, answer, register=None):
        self.count += 1
        folder = self.folder / f"baresip{self.count}"
        folder.mkdir()
        port = 6000 + 2 * self.count
        (folder / "config").write_text(CONFIGURATION.format(
            address=namespace.address, port=port, control=port + 1000, rtp=20000 + 40 * self.count, rtp_end=20038 + 40 * self.count,
            interface=namespace.interface))
        domain = register or f"{namespace.address}:{port}"
        parts = [f"<sip:bs@{domain}>", "regint=60" if register else "regint=0", "auth_pass=none", f"answermode={answer}", "ptime=20",
                 "audio_codecs=" + ("opus/48000/1" if codec == "opus" else "pcmu/8000/1")]
        if mode == "dtls":
            parts += ["mediaenc=dtls_srtp", "medianat=ice"]
        (folder / "accounts").write_text(";".join(parts) + "\n")
        program = Program(namespace, ["stdbuf", "-oL", "baresip", "-f", folder], cwd=folder)
        program.uri, program.address, program.control = f"sip:bs@{namespace.address}:{port}", namespace.address, port + 1000
        return program

    def start(self, namespace, register=None):
        return self.make(namespace, "dtls", "opus", "auto", register)

    def prepare(self, mode, codec):
        if (mode, codec) not in self.phones:
            pair = self.make(self.lab.near, mode, codec, "manual"), self.make(self.lab.far, mode, codec, "auto")
            for phone in pair:
                phone.wait_line(self.ready_line)
            self.phones[mode, codec] = pair
        return self.phones[mode, codec][1]

    def call(self, mode, codec):
        self.prepare(mode, codec)
        return BaresipCall(self, *self.phones[mode, codec])

    def end(self):
        for pair in self.phones.values():
            for phone in pair:
                phone.stop()
        self.phones = {}


class BaresipCall:
    def __init__(self, product, caller, callee):
        self.programs, self.caller = [caller, callee], caller
        self.control = product.lab.near.socket(socket.SOCK_STREAM)
        self.control.connect((caller.address, caller.control))
        self.do("dial", callee.uri)

    def do(self, command, parameters=""):
        body = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self.control.sendall(str(len(body)).encode() + b":" + body + b",")

    def hang_up(self):
        self.do("hangup")
        time.sleep(0.3)
        self.control.close()
        return {}
