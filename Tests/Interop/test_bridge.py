"""Two calls joined by `sidetone bridge`: what each hears and sees of the other, over other codecs and other security."""

from types import SimpleNamespace

import pytest

from peers.baresip import Baresip
from peers.browser import Chromium, Firefox, PageServer, WebPhone
from peers.capture import Capture
from peers.kamailio import Kamailio
from peers.pulse import Pulse
from peers.srtp import Decryption
from pictures import BARS
from sidetone import Sidetone, assert_secured, audio, transport, video
from sound import assert_tone

SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}


@pytest.fixture(scope="module")
def lab(link, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    kamailio, page, pulse = Kamailio(folder / "kamailio", link.far, shared=True), PageServer(link.far), Pulse(folder / "pulse", ["browser"], shared=True)
    started = [pulse, kamailio]

    def browser(name):
        started.insert(0, Chromium(link.far, shared=True) if name == "chromium" else Firefox(link.far, pulse, shared=True))
        return started[0]

    browsers = {name: browser(name) for name in ("chromium", "firefox")}
    yield SimpleNamespace(link=link, kamailio=kamailio, page=page, **browsers)
    for process in started:
        process.stop()
    page.close()


def bridge(lab, *targets):
    phone = Sidetone("bridge", *targets, *lab.kamailio.account("bridge"), namespace=lab.link.near, env=SECRET)
    phone.wait_for("registration", state="registered")
    return phone


def results(phone):
    """Of each call, in the order in which they were placed."""
    return sorted(phone.of("result"), key=lambda line: int(line["call"]))


@pytest.mark.parametrize("first", ["chromium", "baresip"])
def test_a_browser_and_a_plain_phone_hear_each_other(lab, tmp_path, first):
    """Opus over DTLS-SRTP with ICE on one side, PCMU in plain RTP on the other."""
    plain = Baresip(tmp_path / "baresip", lab.link.far, security="none", codec="PCMU", tone=1300, port=5080)
    web = WebPhone(lab.chromium, lab.page, lab.kamailio, "web-plain")
    targets = [web.uri, plain.uri]
    phone = bridge(lab, *(targets if first == "chromium" else reversed(targets)))
    web.wait_state("answered")
    web.wait_tone(1300, 15)
    plain.wait_event("CALL_ESTABLISHED")
    phone.wait_for("message", code="bridged")
    phone.wait_until(lambda: len(phone.of("call.stats")) >= 6, 15, "figures")
    web.wait_tone(1300)
    web.hang_up()
    code, _ = phone.finish(10)
    assert code == 0
    one, other = results(phone) if first == "chromium" else reversed(results(phone))
    assert_secured(one, "dtls")
    assert_secured(other, "none")
    assert (audio(one)["codec"].lower(), audio(other)["codec"].upper()) == ("opus", "PCMU")
    # The leg that was hung up by its peer, and the one that ended with it.
    assert (one["sip"]["endedBy"], other["sip"]["endedBy"]) == ("remote", "local")
    assert_tone(plain.recorded(), lab.chromium.tone, snr=10)
    web.leave()
    plain.stop()


def vp8(packet):
    """What follows the payload descriptor of RFC 7741 §4.2, and whether a frame begins there."""
    start = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        start += 4 + 4 * int.from_bytes(packet[start + 2:start + 4], "big")
    payload = packet[start:]
    at = 1
    if payload[0] & 0x80:
        flags = payload[1]
        at = 2
        if flags & 0x80:
            at += 2 if payload[at] & 0x80 else 1
        at += bool(flags & 0x40) + bool(flags & 0x30)
    return bytes(payload[at:]), bool(payload[0] & 0x10) and not payload[0] & 7


def stream(decrypted, ssrc):
    """(frames' VP8 payloads, packet by packet) of a source, in the order of its sequence numbers."""
    packets = {}
    highest = None
    for _, packet in decrypted:
        if int.from_bytes(packet[8:12], "big") != ssrc:
            continue
        sequence = int.from_bytes(packet[2:4], "big")
        highest = sequence if highest is None else highest
        index = highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
        highest = max(highest, index)
        assert packets.setdefault(index, packet) == packet, "two packets with one number"
    assert sorted(packets) == list(range(min(packets), max(packets) + 1)), "a number is missing"
    return [(vp8(packets[index]), packets[index][1] >> 7) for index in sorted(packets)]


def test_vp8_passes_from_browser_to_browser_untouched(lab, tmp_path):
    """Each leg has keys of its own; what is inside is the same, packet by packet."""
    one = WebPhone(lab.chromium, lab.page, lab.kamailio, "web-one", video="pattern")
    other = WebPhone(lab.firefox, lab.page, lab.kamailio, "web-other", video="camera")
    capture, key_log = Capture(tmp_path / "wire.pcapng", lab.link.far), tmp_path / "keys"
    phone = bridge(lab, one.uri, other.uri, "--security", "dtls", "--keylog", str(key_log), "--codec", "opus", "--codec", "VP8")
    for web in (one, other):
        web.wait_state("answered")
    other.wait_tone(lab.chromium.tone, 15)
    one.wait_tone(lab.firefox.tone, 15)
    other.wait_colours(BARS, 15)

    for web in (one, other):
        web.wait_video("framesDecoded", 120, 30)
    one.hang_up()
    assert phone.finish(10)[0] == 0
    capture.finish()
    first, second = results(phone)
    assert (first["sip"]["endedBy"], second["sip"]["endedBy"]) == ("remote", "local")
    datagrams = capture.datagrams()
    legs = []
    for result in (first, second):
        assert_secured(result, "dtls")
        assert audio(result)["codec"].lower() == "opus"
        ours = (transport(result)["selectedCandidatePair"]["local"]["address"], transport(result)["selectedCandidatePair"]["local"]["port"])
        theirs = [datagram for datagram in datagrams if ours in (datagram.source, datagram.target)]
        legs.append((list(Decryption(theirs, key_log.read_text()).media(theirs)), video(result)))
    for (heard, figures_in), (said, figures_out) in (legs, legs[::-1]):
        received, sent = stream(heard, figures_in["inbound"]["ssrc"]), stream(said, figures_out["outbound"]["ssrc"])
        # It begins with the first key frame after the answer of both; some may still be on their way at the end.
        begin = received.index(sent[0])
        assert sent == received[begin:begin + len(sent)]
        assert len(received) - begin - len(sent) <= 30
        assert sum(marker for _, marker in sent) >= 100 and not sent[0][0][0][0] & 1, "begins with a key frame"
    # Nothing was decoded or encoded for it: the browsers' Opus passed as well.
    for result in (first, second):
        inbound = audio(result)["inbound"]
        assert inbound["packetsReceived"] > 0 and audio(result)["outbound"]["audioLevelDbov"] is None
        assert {inbound[name] for name in ("concealedSamples", "totalSamplesReceived", "audioLevelDbov", "jitterBufferDelayMs")} == {None}
    assert any("passed through" in line["message"] for line in phone.of("message") if line["code"] == "bridged")
    for web in (one, other):
        web.leave()
