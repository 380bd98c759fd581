"""A tone goes from `sidetone call` to `sidetone answer --echo` and back, over 127.0.0.1."""

import pytest

from sidetone import Sidetone, assert_media, assert_secured, audio
from sound import assert_tone

SECONDS = 3


@pytest.mark.parametrize("codec", ["opus", "G722", "PCMU"])
@pytest.mark.parametrize("security", ["dtls", "sdes", "none"])
def test_a_tone_comes_back_from_the_echo(tmp_path, security, codec):
    answer = Sidetone("answer", "--no-config", "--listen", "udp:127.0.0.1:0", "--auto-answer", "--echo", "--once", "--security", security)
    heard = tmp_path / "heard.wav"
    call = Sidetone("call", f"sip:echo@127.0.0.1:{answer.port()}", "--no-config", "--listen", "udp:127.0.0.1:0", "--security", security,
                    "--codec", codec, "--audio-in", "tone:700", "--audio-out", f"file:{heard}", "--for", str(SECONDS))
    code, result = call.finish(SECONDS + 12)
    assert (code, result["outcome"], result["exitCode"]) == (0, "answered", 0)
    other_code, other = answer.finish(8)
    assert (other_code, other["outcome"]) == (0, "answered")
    assert (result["sip"]["endedBy"], other["sip"]["endedBy"]) == ("local", "remote")
    for side in (result, other):
        assert_secured(side, security)
        assert_media(side, SECONDS - 0.5)
        assert audio(side)["codec"].lower() == codec.lower()
    assert_tone(heard, 700, snr=20 if codec == "PCMU" else 15)
    states = [line["state"] for line in call.of("call.state")]
    assert [state for state in states if state in ("calling", "answered", "media", "ended")] == ["calling", "answered", "media", "ended"]


def test_the_packets_that_one_side_sent_are_those_that_the_other_received():
    answer = Sidetone("answer", "--no-config", "--listen", "udp:127.0.0.1:0", "--auto-answer", "--once", "--audio-in", "tone:500",
                      "--audio-out", "null", "--security", "dtls")
    call = Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", "--no-config", "--listen", "udp:127.0.0.1:0", "--security", "dtls",
                    "--audio-in", "tone:700", "--audio-out", "null", "--for", str(SECONDS))
    _, here = call.finish(SECONDS + 12)
    _, there = answer.finish(8)
    for one, other in ((here, there), (there, here)):
        sent, received = audio(one)["outbound"], audio(other)["inbound"]
        assert sent["ssrc"] == received["ssrc"]
        assert abs(sent["packetsSent"] - received["packetsReceived"]) <= 3
    # A sine of −12 dBFS peak is −15 dB in RMS.
    assert -17 < audio(here)["inbound"]["audioLevelDbov"] < -13


def test_the_built_in_echo(tmp_path):
    heard = tmp_path / "heard.wav"
    call = Sidetone("call", "echo", "--no-config", "--audio-in", "tone:700", "--audio-out", f"file:{heard}", "--for", str(SECONDS))
    code, result = call.finish(SECONDS + 12)
    assert (code, result["outcome"]) == (0, "answered")
    assert_secured(result, "dtls")
    assert_media(result, SECONDS - 0.5)
    assert_tone(heard, 700)
