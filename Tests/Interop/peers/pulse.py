"""PulseAudio without hardware: null sinks as sound cards, reached through ALSA's pulse plugin."""

import os
import subprocess
import time
from pathlib import Path

from .process import Process


class Pulse(Process):
    """For each phone name NAME an ALSA device of that name. `feed(NAME, wav)` speaks into its microphone, `listen(NAME, file)` records its
    loudspeaker."""

    def __init__(self, folder, phones, shared=False):
        self.folder = Path(folder)
        run = self.folder / "run"
        (self.folder / "home").mkdir(parents=True)
        run.mkdir(mode=0o700)
        socket = self.folder / "native"
        lines = [f"load-module module-native-protocol-unix socket={socket} auth-anonymous=1"]
        sound = ["</usr/share/alsa/alsa.conf>"]
        for phone in phones:
            for end in ("mic", "spk"):
                lines.append(f"load-module module-null-sink sink_name={phone}-{end} rate=48000 channels=1")
            sound.append(f'pcm.{phone} {{ type asym playback.pcm {{ type pulse device "{phone}-spk" }} '
                         f'capture.pcm {{ type pulse device "{phone}-mic.monitor" }} hint.description "{phone} of the test" }}')
        (self.folder / "pulse.pa").write_text("\n".join(lines) + "\n")
        (self.folder / "asound.conf").write_text("\n".join(sound) + "\n")
        self.environment = {"PULSE_SERVER": f"unix:{socket}", "ALSA_CONFIG_PATH": str(self.folder / "asound.conf")}
        self.full = {**os.environ, "HOME": str(self.folder / "home"), "XDG_RUNTIME_DIR": str(run), "PULSE_RUNTIME_PATH": str(run / "pulse"),
                     "LC_ALL": "C.UTF-8", **self.environment}
        server = {name: value for name, value in self.full.items() if name != "PULSE_SERVER"}
        super().__init__(["pulseaudio", "-n", "-F", self.folder / "pulse.pa", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
                          "--realtime=no", "--high-priority=no", "--log-target=stderr", "--disable-shm=yes"], "pulseaudio", env=server, shared=shared)
        self.wait_until(lambda: self._answers(len(phones) * 2), 15, "answer from PulseAudio")

    def _answers(self, sinks):
        done = subprocess.run(["pactl", "list", "short", "sinks"], env=self.full, capture_output=True, text=True, timeout=10)
        return done.returncode == 0 and len(done.stdout.splitlines()) == sinks

    def feed(self, phone, wav):
        return Process(["paplay", f"--device={phone}-mic", wav], f"paplay {phone}", env=self.full)

    def listen(self, phone, file):
        """Records when it returns; `finish_listening` ends it."""
        recorder = Process(["parecord", f"--device={phone}-spk.monitor", "--file-format=wav", "--rate=48000", "--channels=1",
                            "--format=s16le", "--latency-msec=20", file], f"parecord {phone}", env=self.full)
        deadline = time.monotonic() + 10
        while not (Path(file).exists() and Path(file).stat().st_size > 4000):
            assert recorder.child.poll() is None and time.monotonic() < deadline, "parecord records nothing"
            time.sleep(0.02)
        return recorder


def finish_listening(recorder):
    recorder.stop(2)
