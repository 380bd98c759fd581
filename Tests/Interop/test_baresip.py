"""Calls with baresip over a veth pair, both ways: each hears the other's tone."""

import pytest

from peers.baresip import Baresip
from peers.capture import Capture
from sidetone import Sidetone, assert_media, assert_secured, audio, transport
from sound import assert_tone

SECONDS = 3
OURS, THEIRS = 700, 1200

CASES = pytest.mark.parametrize("security,codec", [
    ("dtls", "opus"), ("dtls", "PCMU"), ("sdes", "opus"), ("sdes", "PCMU"), ("none", "opus"), ("none", "PCMU"), ("none", "G722"), ("dtls", "G722")])


def check(result, security, codec, mux=True, cipher=None):
    """`cipher` where it is not what two of this program would agree on."""
    assert result["outcome"] == "answered"
    assert_secured(result, security, cipher=cipher)
    # With SDES its first packet is an RTCP "PINGPONG" in clear.
    assert_media(result, SECONDS - 1, refused=1 if security == "sdes" else 0)
    assert audio(result)["codec"].lower() == codec.lower()
    assert transport(result)["rtcpMux"] is mux


@CASES
def test_a_call_to_baresip(clear_link, tmp_path, security, codec):
    baresip = Baresip(tmp_path / "peer", clear_link.far, security, codec, tone=THEIRS)
    heard = tmp_path / "heard.wav"
    call = Sidetone("call", baresip.uri, "--no-config", "--security", security, "--codec", codec, "--audio-in", f"tone:{OURS}",
                    "--audio-out", f"file:{heard}", "--for", str(SECONDS), namespace=clear_link.near)
    code, result = call.finish(SECONDS + 15)
    assert code == 0
    check(result, security, codec)
    baresip.wait_event("CALL_CLOSED")
    baresip.stop()
    assert_tone(heard, THEIRS)
    assert_tone(baresip.recorded(), OURS)


@CASES
def test_a_call_from_baresip(clear_link, tmp_path, security, codec):
    heard = tmp_path / "heard.wav"
    answer = Sidetone("answer", "--no-config", "--listen", f"udp:{clear_link.near.address}:5060", "--auto-answer", "--once", "--security", security,
                      "--codec", codec, "--audio-in", f"tone:{OURS}", "--audio-out", f"file:{heard}", namespace=clear_link.near)
    answer.port()
    baresip = Baresip(tmp_path / "peer", clear_link.far, security, codec, tone=THEIRS)
    baresip.do("dial", f"sip:phone@{clear_link.near.address}:5060")
    answer.wait_state("media", 10)
    # Heard for as long as the file of it says.
    answer.wait_until(lambda: heard_seconds(answer) >= SECONDS, SECONDS + 5, "3 s of sound")
    baresip.do("hangup")
    code, result = answer.finish(10)
    assert code == 0 and result["sip"]["endedBy"] == "remote"
    check(result, security, codec, cipher=None if security == "none" else "AES_CM_128_HMAC_SHA1_80")
    baresip.stop()
    assert_tone(heard, THEIRS)
    assert_tone(baresip.recorded(), OURS)


def heard_seconds(phone):
    """By the newest figures that the phone printed."""
    figures = [line for line in phone.lines if line.get("type") == "call.stats"]
    return audio(figures[-1])["inbound"]["packetsReceived"] / 50 if figures else 0


@pytest.mark.parametrize("security", ["sdes", "none"])
def test_a_call_to_baresip_without_rtcp_mux_has_two_transports(clear_link, tmp_path, security):
    baresip = Baresip(tmp_path / "peer", clear_link.far, security, "PCMU", tone=THEIRS, mux=False)
    heard = tmp_path / "heard.wav"
    call = Sidetone("call", baresip.uri, "--no-config", "--security", security, "--codec", "PCMU", "--audio-in", f"tone:{OURS}",
                    "--audio-out", f"file:{heard}", "--for", str(SECONDS), namespace=clear_link.near)
    code, result = call.finish(SECONDS + 15)
    assert code == 0
    check(result, security, "PCMU", mux=False)
    assert [item["component"] for item in result["transports"]] == ["rtp", "rtcp"]
    assert_tone(heard, THEIRS)


@pytest.mark.parametrize("direction", ["to", "from"])
def test_7_a_dtls_call_without_rtcp_mux_has_two_associations(clear_link, tmp_path, direction):
    """One handshake for RTP and one for RTCP, each with its own keys, in both roles; the reports that come back prove the second.
    Without rtcp-mux baresip's first two packets go out in clear, before its handshake: they are refused."""
    baresip = Baresip(tmp_path / "peer", clear_link.far, "dtls", "opus", tone=THEIRS, mux=False)
    heard = tmp_path / "heard.wav"
    options = ["--no-config", "--security", "dtls", "--audio-in", f"tone:{OURS}", "--audio-out", f"file:{heard}"]
    if direction == "to":
        phone = Sidetone("call", baresip.uri, *options, "--for", "6", namespace=clear_link.near)
    else:
        phone = Sidetone("answer", *options, "--listen", f"udp:{clear_link.near.address}:5060", "--auto-answer", "--once", namespace=clear_link.near)
        phone.port()
        baresip.do("dial", f"sip:phone@{clear_link.near.address}:5060")
        phone.wait_state("media")
        phone.wait_until(lambda: sum(line.get("type") == "call.stats" for line in phone.lines) >= 6, 12, "6 s of figures")
        baresip.do("hangup")
    code, result = phone.finish(25)
    assert (code, result["outcome"]) == (0, "answered")
    assert [item["component"] for item in result["transports"]] == ["rtp", "rtcp"]
    for item in result["transports"]:
        assert (item["dtlsState"], item["remoteFingerprint"]["verified"], item["rtcpMux"]) == ("connected", True, False)
    rtp, rtcp = (item["selectedCandidatePair"]["local"]["port"] for item in result["transports"])
    assert rtcp == rtp + 1
    assert audio(result)["inbound"]["unprotectErrors"] <= (2 if direction == "from" else 0)
    assert audio(result)["outbound"]["roundTripTimeMs"] is not None
    baresip.wait_event("CALL_CLOSED")
    baresip.stop()
    assert_tone(heard, THEIRS)
    assert_tone(baresip.recorded(), OURS)


def test_prefer_steps_down_to_what_a_plain_peer_can_do_and_says_so(clear_link, tmp_path):
    baresip = Baresip(tmp_path / "peer", clear_link.far, "sdes", "PCMU", tone=THEIRS)
    heard = tmp_path / "heard.wav"
    call = Sidetone("call", baresip.uri, "--no-config", "--security", "prefer", "--codec", "PCMU", "--audio-in", f"tone:{OURS}",
                    "--audio-out", f"file:{heard}", "--for", str(SECONDS), namespace=clear_link.near)
    code, result = call.finish(SECONDS + 15)
    assert code == 0
    assert (result["securityOffered"], result["security"]) in (("dtls", "sdes"), ("sdes", "sdes"))
    assert [line["code"] for line in call.of("warning")].count("security-downgrade") == 1
    assert_tone(heard, THEIRS)


def test_on_the_wire_of_a_dtls_call_there_is_one_srtp_stream_each_way_and_no_sound_in_clear(clear_link, tmp_path):
    """PCMU, so that a payload in clear would be the tone itself: every UDP payload is decoded as G.711 and searched for both tones."""
    baresip = Baresip(tmp_path / "peer", clear_link.far, "dtls", "PCMU", tone=THEIRS)
    capture = Capture(tmp_path / "wire.pcapng", clear_link.far)
    heard = tmp_path / "heard.wav"
    call = Sidetone("call", baresip.uri, "--no-config", "--security", "dtls", "--codec", "PCMU", "--audio-in", f"tone:{OURS}",
                    "--audio-out", f"file:{heard}", "--for", "4", namespace=clear_link.near)
    code, result = call.finish(20)
    baresip.wait_event("CALL_CLOSED")
    capture.finish()
    assert code == 0
    check(result, "dtls", "PCMU")
    assert_tone(heard, THEIRS)
    datagrams = capture.datagrams()
    pair = transport(result)["selectedCandidatePair"]
    here, there = ((pair[side]["address"], pair[side]["port"]) for side in ("local", "remote"))
    stream = audio(result)
    for source, target, ssrc, counted in ((here, there, stream["outbound"]["ssrc"], stream["outbound"]["packetsSent"]),
                                          (there, here, stream["inbound"]["ssrc"], stream["inbound"]["packetsReceived"])):
        packets = [d for d in datagrams if (d.source, d.target) == (source, target) and d.is_rtp]
        assert {d.ssrc for d in packets} == {ssrc}, "one stream, with the SSRC that the figures name"
        duration = packets[-1].time - packets[0].time
        assert duration > 2.5 and (len(packets) - 1) / duration >= 45, f"{len(packets)} packets in {duration:.1f} s"
        assert abs(len(packets) - counted) <= 3
        assert {len(d.payload) for d in packets if len(d.payload) > 160} == {12 + 160 + 16}, "G.711 and the tag of AES-GCM"
    media = [d for d in datagrams if 5060 not in (d.source[1], d.target[1])]
    assert len(media) > 300
    for hz in (OURS, THEIRS):
        assert max(d.share_of_tone(hz) for d in media) < 0.5, "a packet holds the tone in clear"


def test_the_check_for_sound_in_clear_finds_it_in_a_plain_call(clear_link, tmp_path):
    baresip = Baresip(tmp_path / "peer", clear_link.far, "none", "PCMU", tone=THEIRS)
    capture = Capture(tmp_path / "wire.pcapng", clear_link.far)
    call = Sidetone("call", baresip.uri, "--no-config", "--security", "none", "--codec", "PCMU", "--audio-in", f"tone:{OURS}",
                    "--audio-out", "null", "--for", "1", namespace=clear_link.near)
    call.finish(15)
    capture.finish()
    for hz in (OURS, THEIRS):
        assert max(d.share_of_tone(hz) for d in capture.datagrams() if d.is_rtp) > 0.9
