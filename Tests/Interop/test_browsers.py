"""Chromium and Firefox at Kamailio by WebSocket, Sidetone there too: calls both ways, and what each side says about the other's media.
Each of the four calls is made once; the tests read what it left."""

import datetime
from types import SimpleNamespace

import pytest

from peers.browser import Chromium, Firefox, PageServer, WebPhone
from peers.certificates import Authority
from peers.kamailio import Kamailio
from peers.pulse import Pulse
from sidetone import Sidetone, assert_media, assert_secured, audio, transport
from sound import assert_tone

SECONDS = 20
OURS = 700
SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}

# How Sidetone reaches Kamailio in each call.
CALLS = {("chromium", "calls"): "udp", ("chromium", "is-called"): "wss", ("firefox", "calls"): "wss", ("firefox", "is-called"): "udp"}

# The browsers' names of the profiles, and the contract's.
PROFILES = {"SRTP_AES128_CM_HMAC_SHA1_80": "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80": "AES_CM_128_HMAC_SHA1_80",
            "SRTP_AEAD_AES_256_GCM": "AEAD_AES_256_GCM", "SRTP_AEAD_AES_128_GCM": "AEAD_AES_128_GCM"}


@pytest.fixture(scope="module")
def lab(link, tmp_path_factory):
    """Kamailio, the page's server and a sound server; browsers are started when they are first asked for."""
    folder = tmp_path_factory.mktemp("lab")
    authority = Authority(folder / "authority")
    right = authority.issue("right", f"IP:{link.far.address}")
    kamailio = Kamailio(folder / "kamailio", link.far, certificates=[right], shared=True)
    page, pulse = PageServer(link.far), Pulse(folder / "pulse", ["browser"], shared=True)
    browsers = {}

    def browser(name):
        if name not in browsers:
            browsers[name] = Chromium(link.far, shared=True) if name == "chromium" else Firefox(link.far, pulse, shared=True)
        return browsers[name]

    yield SimpleNamespace(link=link, kamailio=kamailio, page=page, pulse=pulse, authority=authority, browser=browser)
    for started in [*browsers.values(), pulse, kamailio]:
        started.stop()
    page.close()


class Call:
    """One call of a browser with Sidetone. `begin` and `end` are the browser's figures at both ends of the window."""

    def __init__(self, lab, name, direction, via, folder, seconds=SECONDS):
        self.name, self.browser, self.heard = name, lab.browser(name), folder / "heard.wav"
        user = f"{name}-{direction}"
        account = lab.kamailio.account(f"phone-{user}", via, lab.authority if via == "wss" else None)
        options = [*account, "--security", "dtls", "--audio-in", f"tone:{OURS}", "--audio-out", f"file:{self.heard}"]
        self.web = WebPhone(self.browser, lab.page, lab.kamailio, f"web-{user}")
        if direction == "calls":
            command = ["answer", "--auto-answer", "--once"]
        else:
            command = ["call", self.web.uri]
        self.phone = Sidetone(*command, *options, namespace=lab.link.near, env=SECRET, shared=True)
        try:
            self.phone.wait_for("registration", state="registered")
            if direction == "calls":
                assert self.web.dial(f"sip:phone-{user}@{lab.kamailio.domain}") == 200
            self.talk(seconds)
            self.web.hang_up()
            self.code, self.result = self.phone.finish(10)
            self.last = self.web.figures()
            self.web.leave()
        finally:
            self.phone.stop()

    def talk(self, seconds):
        self.web.wait_state("answered")
        self.web.wait_media()
        self.phone.wait_state("media")
        self.tones = [self.web.wait_tone(OURS)]
        self.phone.wait_for("call.stats")
        self.begin = self.web.figures()
        self.wait_figures(self.begin.time + seconds)
        self.end = self.web.figures()
        self.wait_figures(self.end.time)
        self.round_trip_after = self.web.round_trip_after(1)
        self.tones.append(self.web.wait_tone(OURS, 3))

    def wait_figures(self, time):
        """Until Sidetone has printed figures of this time or later."""
        def look():
            newest = next((line for line in reversed(self.phone.lines) if line.get("type") == "call.stats"), None)
            return newest and moment(newest) >= time
        self.phone.wait_until(look, SECONDS + 5, "figures of the window's end")

    def sent_until(self, time):
        """Packets that Sidetone had sent at this time, from its figures of each second."""
        before = after = None
        for line in self.phone.of("call.stats"):
            point = [moment(line), audio(line)["outbound"]["packetsSent"] or 0]
            if point[0] >= time:
                after = point
                break
            before = point
        assert before and after, "the window lies inside the call"
        return before[1] + (after[1] - before[1]) * (time - before[0]) / (after[0] - before[0])

    def over_window(self, kind, field):
        return self.end[kind][field] - self.begin[kind][field]


def moment(line):
    return datetime.datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00")).timestamp()


@pytest.fixture(scope="module", params=list(CALLS), ids="-".join)
def call(request, lab, tmp_path_factory):
    name, direction = request.param
    return Call(lab, name, direction, CALLS[request.param], tmp_path_factory.mktemp("call"))


def test_each_side_hears_the_others_tone(call):
    assert (call.code, call.result["outcome"], call.result["sip"]["endedBy"]) == (0, "answered", "remote")
    for sound in call.tones:
        assert abs(sound.frequency - OURS) < 6 and sound.share > 0.9
    assert_tone(call.heard, call.browser.tone)


def test_the_browser_gets_all_that_we_send(call):
    sent = call.sent_until(call.end.time) - call.sent_until(call.begin.time)
    received = call.over_window("inbound-rtp", "packetsReceived")
    assert sent > 45 * SECONDS
    assert received >= 0.99 * sent, f"{received} of {sent:.0f} packets in {call.end.time - call.begin.time:.1f} s"
    assert call.last["inbound-rtp"]["packetsLost"] == 0
    concealed = call.over_window("inbound-rtp", "concealedSamples") / call.over_window("inbound-rtp", "totalSamplesReceived")
    assert concealed < 0.02, f"{concealed:.1%} of the samples were concealed"


def test_we_get_all_that_the_browser_sends(call):
    assert_media(call.result, SECONDS)
    inbound = audio(call.result)["inbound"]
    assert inbound["packetsLost"] == 0
    assert inbound["packetsReceived"] >= 0.99 * call.end["outbound-rtp"]["packetsSent"]
    assert inbound["concealedSamples"] < 0.02 * inbound["totalSamplesReceived"]


def test_1_the_certificate_made_for_the_call_is_verified_and_both_name_the_same_ciphers(call):
    theirs = call.end["transport"]
    assert_secured(call.result, "dtls", cipher=PROFILES[theirs["srtpCipher"]])
    ours = transport(call.result)
    assert ours["dtlsCipher"] == theirs["dtlsCipher"] and ours["rtcpMux"] is True
    assert {ours["dtlsRole"], theirs["dtlsRole"]} == {"client", "server"}
    assert audio(call.result)["inbound"]["unprotectErrors"] == 0
    local, remote = call.end.selected_pair
    pair = ours["selectedCandidatePair"]
    assert (pair["local"]["address"], pair["local"]["port"]) == (remote["address"], remote["port"])
    assert (pair["remote"]["address"], pair["remote"]["port"]) == (local["address"], local["port"])


def test_14_our_reports_reach_the_browser_within_five_seconds_and_its_reports_reach_us(call):
    assert call.round_trip_after <= 5
    theirs = call.end["remote-inbound-rtp"]
    assert theirs["packetsLost"] == 0 and 0 <= theirs["roundTripTime"] < 0.5
    outbound = audio(call.result)["outbound"]
    assert outbound["roundTripTimeMs"] is not None and outbound["roundTripTimeMs"] < 500
    assert outbound["remotePacketsLost"] == 0


def test_a_firefox_that_hides_its_addresses_is_reached_by_its_own_checks(lab, tmp_path):
    """Its candidates are names of multicast DNS: only its own checks tell where it is."""
    hiding = Firefox(lab.link.far, lab.pulse, {"media.peerconnection.ice.obfuscate_host_addresses": True,
                                               "media.peerconnection.ice.obfuscate_host_addresses.blocklist": ""})
    web = WebPhone(hiding, lab.page, lab.kamailio, "web-hiding")
    heard = tmp_path / "heard.wav"
    phone = Sidetone("call", web.uri, *lab.kamailio.account("phone-hidden"), "--security", "dtls", "--audio-in", f"tone:{OURS}",
                     "--audio-out", f"file:{heard}", namespace=lab.link.near, env=SECRET)
    web.wait_state("answered")
    assert ".local " in hiding.evaluate("phone.call.media.connection.localDescription.sdp")
    phone.wait_state("media")
    web.wait_tone(OURS)
    heard_samples = lambda: max((audio(line)["inbound"]["totalSamplesReceived"] or 0 for line in phone.of("call.stats")), default=0)
    phone.wait_until(lambda: heard_samples() >= 3 * 48000, 15, "3 s of the browser's sound")
    web.hang_up()
    code, result = phone.finish(10)
    assert (code, result["outcome"]) == (0, "answered")
    assert transport(result)["selectedCandidatePair"]["remote"]["candidateType"] == "prflx"
    assert_tone(heard, hiding.tone)
