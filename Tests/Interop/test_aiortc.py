"""Calls with aiortc, both ways: another ICE, another DTLS and another RTP than the browsers'."""

import pytest

from peers.rtc import RtcPhone
from sidetone import Sidetone, assert_media, assert_secured, audio, transport
from sound import assert_tone

SECONDS = 4
OURS, THEIRS = 700, 1200


@pytest.mark.parametrize("direction", ["to", "from"])
def test_a_call_with_aiortc(clear_link, tmp_path, direction):
    peer = RtcPhone(tmp_path, clear_link.far, THEIRS)
    heard = tmp_path / "heard.wav"
    options = ["--no-config", "--security", "dtls", "--audio-in", f"tone:{OURS}", "--audio-out", f"file:{heard}"]
    if direction == "to":
        phone = Sidetone("call", peer.uri, *options, namespace=clear_link.near)
    else:
        phone = Sidetone("answer", *options, "--listen", f"udp:{clear_link.near.address}:5060", "--auto-answer", "--once", namespace=clear_link.near)
        phone.port()
        peer.do(f"dial sip:phone@{clear_link.near.address}:5060")
    peer.wait_event("answered")
    peer.wait_event("connection", state="connected")
    peer.wait_event("heard")
    phone.wait_state("media")
    phone.wait_until(lambda: sum(line.get("type") == "call.stats" for line in phone.lines) >= SECONDS, SECONDS + 5, "figures")
    peer.do("hangup")
    code, result = phone.finish(10)
    theirs = peer.wait_event("figures")["figures"]
    peer.wait_event("ended", by="local")
    assert (code, result["outcome"], result["sip"]["endedBy"]) == (0, "answered", "remote")
    assert_secured(result, "dtls", cipher=transport(result)["srtpCipher"])
    assert_media(result, SECONDS - 1)
    stream = audio(result)
    assert stream["inbound"]["packetsLost"] == 0
    assert theirs["inbound-rtp"]["packetsReceived"] >= 0.97 * stream["outbound"]["packetsSent"]
    assert theirs["remote-inbound-rtp"]["packetsLost"] == 0 and theirs["remote-inbound-rtp"]["roundTripTime"] < 0.5, "it read our reports"
    assert stream["outbound"]["roundTripTimeMs"] is not None, "we read its reports"
    assert_tone(heard, THEIRS, snr=6)
    assert_tone(peer.heard, OURS, snr=6)
