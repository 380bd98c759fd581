"""Real sound cards as ALSA sees them: PulseAudio's null sinks behind the pulse plugin."""

import numpy as np
import pytest

from peers.process import Process
from peers.pulse import Pulse, finish_listening
from sidetone import Sidetone, assert_media, binary
from sound import dominant, level, read_wav, resampled, similarity, tone, write_wav
from test_speech import SPEECH

LOOPBACK = ["--no-config", "--listen", "udp:127.0.0.1:0"]


@pytest.fixture(scope="module")
def pulse(tmp_path_factory):
    server = Pulse(tmp_path_factory.mktemp("pulse") / "server", ["caller", "callee"], shared=True)
    yield server
    server.stop()


def device(name):
    return ["--audio-in", f"alsa:{name}", "--audio-out", f"alsa:{name}"]


@pytest.mark.parametrize("codec,least", [("opus", 0.8), ("PCMU", 0.9)])
def test_what_the_caller_speaks_is_heard_at_the_callees_loudspeaker(pulse, tmp_path, codec, least):
    """The ring and the ring-back tone are heard before."""
    rate, speech = read_wav(SPEECH)
    said = tmp_path / "said.wav"
    write_wav(said, 48000, np.concatenate([resampled(speech, rate, 48000), np.zeros(24000)]))
    speakers = {name: tmp_path / f"{name}.wav" for name in ("caller", "callee")}
    recorders = [pulse.listen(name, file) for name, file in speakers.items()]
    answer = Sidetone("answer", *LOOPBACK, *device("callee"), "--auto-answer", "--answer-after", "3", "--once", "--security", "dtls", env=pulse.environment)
    call = Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", *LOOPBACK, *device("caller"), "--security", "dtls", "--codec", codec, "--for", "6",
                    env=pulse.environment)
    call.wait_state("media", 15)
    answer.wait_state("media", 5)
    assert pulse.feed("caller", said).wait(10) == 0
    code, result = call.finish(20)
    answer.finish(5)
    for recorder in recorders:
        finish_listening(recorder)
    assert code == 0
    assert_media(result, 4.5)
    for phone in (call, answer):
        assert not [line for line in phone.of("warning")], "no card was missed"
    heard_rate, heard = read_wav(speakers["callee"])
    found = similarity(speech, rate, heard, heard_rate)
    assert found >= least, f"{found:.3f}"
    # Both recordings began before the call: ring and ring-back are what is loud in their first three seconds.
    for name in speakers:
        heard_rate, heard = read_wav(speakers[name])
        start = np.flatnonzero(np.abs(heard) > 0.01)[0]
        first = heard[start:start + heard_rate // 2]
        assert level(first) > -40 and 200 < dominant(first, heard_rate)[0] < 2500, f"{name}: {level(first):.1f} dBFS"
        assert start < len(heard) - 6 * heard_rate, f"{name} heard nothing before the answer"


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


def test_a_busy_peer_is_heard_as_a_tone(pulse, tmp_path):
    heard = tmp_path / "heard.wav"
    answer = Sidetone("answer", *LOOPBACK, "--audio-in", "null", "--audio-out", "null", "--max-calls", "1")
    uri = f"sip:a@127.0.0.1:{answer.port()}"
    first = Sidetone("call", uri, *LOOPBACK, "--audio-in", "null", "--audio-out", "null")
    first.wait_state("ringing")
    recorder = pulse.listen("caller", heard)
    assert Sidetone("call", uri, *LOOPBACK, *device("caller"), env=pulse.environment).finish(15)[0] == 13
    finish_listening(recorder)
    rate, samples = read_wav(heard)
    assert max(level(samples[at:at + rate // 10]) for at in range(0, len(samples) - rate // 10, rate // 10)) > -40


def test_the_devices_are_listed_by_the_names_that_the_options_take(pulse):
    text = Process([binary(), "devices"], "sidetone devices", env={**pulse.full})
    assert text.wait(10) == 0
    listed = text.text("stdout")
    assert "alsa:caller" in listed and "alsa:callee" in listed


def test_an_unknown_device_is_named():
    phone = Sidetone("call", "echo", "--no-config", "--audio-out", "alsa:no-such-card", json=False)
    assert phone.wait(10) == 2
    assert "no-such-card" in phone.text("stderr") and phone.text("stdout") == ""
