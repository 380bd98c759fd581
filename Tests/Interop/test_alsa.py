"""Sound cards as ALSA sees them: PulseAudio's null sinks behind the pulse plugin."""

import time

import numpy as np
import pytest

from peers.process import Process
from peers.pulse import Pulse, finish_listening
from peers.stalls import Stalls
from peers.terminal import Terminal
from sidetone import Sidetone, assert_media, binary, environment
from sound import dominant, level, read_wav, resampled, similarity, tone, write_wav
from test_exit_codes import free_port
from test_speech import SPEECH

LOOPBACK = ["--no-config", "--listen", "udp:127.0.0.1:0"]


@pytest.fixture(scope="module")
def pulse(tmp_path_factory):
    server = Pulse(tmp_path_factory.mktemp("pulse") / "server", ["caller", "callee"], shared=True)
    yield server
    server.stop()


def device(name):
    return ["--audio-in", f"alsa:{name}", "--audio-out", f"alsa:{name}"]


@pytest.mark.parametrize("codec,least", [("opus", 0.8), ("PCMU", 0.85)])
def test_what_the_caller_speaks_is_heard_at_the_callees_loudspeaker_and_the_ring_before(pulse, tmp_path, codec, least):
    """A machine that stands still tears the sound of any phone: such a run, and no other, is done again."""
    for attempt in range(3):
        found, stall = speak(pulse, tmp_path / f"{attempt}", codec)
        if found >= least or stall < 0.02:
            break
    assert found >= least, f"{found:.3f}; the machine stood still for {stall * 1000:.0f} ms at most"


def speak(pulse, folder, codec):
    """The callee is the full-screen phone: it rings, and is answered by key. How much of the speech is heard there, and the longest time in s for
    which the machine let nobody run meanwhile."""
    folder.mkdir()
    rate, speech = read_wav(SPEECH)
    said = folder / "said.wav"
    write_wav(said, 48000, np.concatenate([resampled(speech, rate, 48000), np.zeros(24000)]))
    speakers = {name: folder / f"{name}.wav" for name in ("caller", "callee")}
    port = free_port()
    terminal = Terminal(folder / "tmux", environment(folder / "home", pulse.environment))
    terminal.type(" ".join([str(binary()), "--no-config", "--listen", f"udp:127.0.0.1:{port}", *device("callee")]))
    terminal.press("Enter")
    terminal.wait_for("Dial:")
    recorders = {name: pulse.listen(name, file) for name, file in speakers.items()}
    call = Sidetone("call", f"sip:a@127.0.0.1:{port}", *LOOPBACK, *device("caller"), "--security", "dtls", "--codec", codec, "--for", "6",
                    env=pulse.environment)
    terminal.wait_for("(?i)incoming")
    ring, ringback = (wait_for_sound(speakers[name], 5) for name in ("callee", "caller"))
    terminal.press("F2")
    call.wait_state("media", 10)
    with Stalls() as stalls:
        assert pulse.feed("caller", said).wait(10) == 0
    code, result = call.finish(20)
    terminal.wait_for("No call")
    terminal.press("F10")
    terminal.wait_for(terminal.PROMPT)
    for recorder in recorders.values():
        finish_listening(recorder)
    assert code == 0 and not call.of("warning")
    assert_media(result, 4.5)
    assert min(abs(ring - 660), abs(ring - 880)) < 10, "one of the two tones of the ring"
    assert abs(ringback - 425) < 10, "the ring-back tone"
    heard_rate, heard = read_wav(speakers["callee"])
    return similarity(speech, rate, heard, heard_rate), stalls.longest


def test_sound_goes_the_other_way_too(pulse, tmp_path):
    said, heard = tmp_path / "said.wav", tmp_path / "heard.wav"
    write_wav(said, 48000, tone(650, 4))
    answer = Sidetone("answer", *LOOPBACK, *device("callee"), "--auto-answer", "--once", env=pulse.environment)
    call = Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", *LOOPBACK, *device("caller"), "--for", "5", env=pulse.environment)
    call.wait_state("media", 15)
    recorder = pulse.listen("caller", heard)
    assert pulse.feed("callee", said).wait(10) == 0
    finish_listening(recorder)
    assert call.finish(15)[0] == 0
    rate, samples = read_wav(heard)
    loudest = max(range(0, len(samples) - rate, rate // 4), key=lambda at: level(samples[at:at + rate]))
    found, ratio = dominant(samples[loudest:loudest + rate], rate)
    assert abs(found - 650) < 5 and ratio > 10


def test_a_busy_peer_is_heard_as_a_tone_on_the_full_screen_phone(pulse, tmp_path):
    heard = tmp_path / "heard.wav"
    answer = Sidetone("answer", *LOOPBACK, "--audio-in", "null", "--audio-out", "null", "--max-calls", "1")
    uri = f"sip:a@127.0.0.1:{answer.port()}"
    first = Sidetone("call", uri, *LOOPBACK, "--audio-in", "null", "--audio-out", "null")
    first.wait_state("ringing")
    recorder = pulse.listen("caller", heard)
    terminal = Terminal(tmp_path / "tmux", environment(tmp_path / "home", pulse.environment))
    terminal.type(" ".join([str(binary()), *LOOPBACK, *device("caller")]))
    terminal.press("Enter")
    terminal.wait_for("Dial:")
    terminal.type(uri)
    terminal.press("Enter")
    terminal.wait_for("(?i)busy")
    busy = wait_for_sound(heard, 5)
    terminal.wait_for("No call")
    terminal.press("F10")
    terminal.wait_for(terminal.PROMPT)
    finish_listening(recorder)
    assert abs(busy - 425) < 10


def wait_for_sound(file, timeout):
    """The frequency, to 10 Hz or so, of the first loud 200 ms of the growing recording; 0 when there was nothing."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        rate, samples = read_wav(file)
        loud = np.flatnonzero(np.abs(samples) > 0.01)
        if len(loud) and len(samples) > loud[0] + rate // 4:
            return dominant(samples[loud[0] + rate // 50:loud[0] + rate // 5], rate)[0]
        time.sleep(0.1)
    return 0


def test_the_devices_are_listed_by_the_names_that_the_options_take(pulse):
    text = Process([binary(), "devices"], "sidetone devices", env={**pulse.full})
    assert text.wait(10) == 0
    listed = text.text("stdout")
    assert "alsa:caller" in listed and "alsa:callee" in listed


def test_an_unknown_device_is_named():
    phone = Sidetone("call", "echo", "--no-config", "--audio-out", "alsa:no-such-card", json=False)
    assert phone.wait(10) == 2
    assert "no-such-card" in phone.text("stderr") and phone.text("stdout") == ""
