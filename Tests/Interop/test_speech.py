"""Speech goes out, through the echo's whole receive path, and comes back: what was heard is what was said."""

from pathlib import Path

import pytest

from peers.baresip import Baresip
from sidetone import Sidetone
from sound import read_wav, similarity

SPEECH = Path("/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0930.wav")
OTHER = SPEECH.with_name("sense_and_sensibility_01_austen_64kb-0890.wav")


# By this measure another sentence has 0.4 at most and noise 0.1; libopus alone, there and back at 32 kbit/s, has 0.91.
@pytest.mark.parametrize("security,codec,least", [("none", "PCMU", 0.9), ("dtls", "PCMU", 0.9), ("none", "opus", 0.85), ("dtls", "opus", 0.85)])
def test_speech_comes_back_from_the_echo(tmp_path, security, codec, least):
    answer = Sidetone("answer", "--no-config", "--listen", "udp:127.0.0.1:0", "--auto-answer", "--echo", "--once", "--security", security)
    heard = tmp_path / "heard.wav"
    call = Sidetone("call", f"sip:echo@127.0.0.1:{answer.port()}", "--no-config", "--listen", "udp:127.0.0.1:0", "--security", security,
                    "--codec", codec, "--audio-in", f"file:{SPEECH}", "--audio-out", f"file:{heard}", "--for", "4.5")
    code, _ = call.finish(20)
    assert code == 0
    rate, samples = read_wav(heard)
    assert rate == {"PCMU": 8000, "opus": 48000}[codec]
    said_rate, said = read_wav(SPEECH)
    found = similarity(said, said_rate, samples, rate)
    assert found >= least, f"{found:.3f}"
    other_rate, other = read_wav(OTHER)
    assert similarity(other, other_rate, samples, rate) < 0.5, "another sentence must not be found in it"


@pytest.mark.parametrize("codec,least", [("PCMU", 0.9), ("opus", 0.85)])
def test_baresip_hears_the_speech(clear_link, tmp_path, codec, least):
    baresip = Baresip(tmp_path / "peer", clear_link.far, "dtls", codec)
    call = Sidetone("call", baresip.uri, "--no-config", "--security", "dtls", "--codec", codec, "--audio-in", f"file:{SPEECH}", "--audio-out", "null",
                    "--for", "4.5", namespace=clear_link.near)
    assert call.finish(20)[0] == 0
    baresip.wait_event("CALL_CLOSED")
    baresip.stop()
    rate, samples = read_wav(baresip.recorded())
    said_rate, said = read_wav(SPEECH)
    found = similarity(said, said_rate, samples, rate)
    assert found >= least, f"{found:.3f}"
