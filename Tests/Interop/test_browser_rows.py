"""Small ways in which endpoints and browsers fail each other, with a real browser at the other end. The page changes its descriptions to what other
peers write; the number in a test's name is the row of the project's table of such cases."""

import re
from types import SimpleNamespace

import pytest

from peers.browser import Chromium, Firefox, PageServer, WebPhone
from peers.kamailio import Kamailio
from peers.pulse import Pulse
from sidetone import Sidetone, audio, transport
from sound import assert_tone

OURS = 700
SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}


@pytest.fixture(scope="module")
def lab(link, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    kamailio, page = Kamailio(folder / "kamailio", link.far, shared=True), PageServer(link.far)
    pulse, browsers = Pulse(folder / "pulse", ["browser"], shared=True), {}

    def browser(name):
        if name not in browsers:
            browsers[name] = Chromium(link.far, shared=True) if name == "chromium" else Firefox(link.far, pulse, shared=True)
        return browsers[name]

    yield SimpleNamespace(link=link, kamailio=kamailio, page=page, browser=browser, count=iter(range(10000)))
    for process in [*browsers.values(), pulse, kamailio]:
        process.stop()
    page.close()


class Call:
    """A call between the page and Sidetone that goes on until `finish`. `browser_calls` says who begins."""

    def __init__(self, lab, tmp_path, browser_calls, browser="chromium", outgoing=None, incoming=None, arguments=(), expect=200,
                 trickle=False):
        number = next(lab.count)
        self.browser, self.heard = lab.browser(browser), tmp_path / "heard.wav"
        self.web = WebPhone(self.browser, lab.page, lab.kamailio, f"web-{number}", trickle=trickle)
        self.web.rewrite(outgoing, incoming)
        command = ["answer", "--auto-answer", "--once"] if browser_calls else ["call", self.web.uri]
        self.phone = Sidetone(*command, *lab.kamailio.account(f"phone-{number}"), "--security", "dtls", "--audio-in", f"tone:{OURS}", "--audio-out",
                              f"file:{self.heard}", *arguments, namespace=lab.link.near, env=SECRET)
        self.phone.wait_for("registration", state="registered")
        if browser_calls:
            assert self.web.dial(f"sip:phone-{number}@{lab.kamailio.domain}", 60) == expect

    def talks(self):
        """Each hears the other, from now on."""
        self.web.wait_state("answered")
        self.phone.wait_state("media")
        self.web.wait_tone(OURS)
        figures = len(self.phone.of("call.stats"))
        self.phone.wait_until(lambda: len([line for line in self.phone.lines if line.get("type") == "call.stats"]) >= figures + 2, 10, "figures")

    def finish(self):
        self.web.hang_up()
        code, result = self.phone.finish(10)
        self.web.leave()
        assert (code, result["outcome"]) == (0, "answered")
        assert transport(result)["remoteFingerprint"]["verified"] is True and transport(result)["dtlsState"] == "connected"
        assert audio(result)["inbound"]["unprotectErrors"] == 0
        assert_tone(self.heard, self.browser.tone, seconds=1, snr=6)
        return result

    def handshakes(self):
        return len([line for line in self.phone.of("call.dtls") if line["dtlsState"] == "connecting"])


def lines(sdp, start):
    return [line for line in sdp.splitlines() if line.startswith(start)]


# 1, 11: the fingerprint

CHANGED = "sdp => sdp.replace(/(a=fingerprint:sha-256 )(.)/g, (all, name, digit) => name + (digit === 'A' ? 'B' : 'A'))"


@pytest.mark.parametrize("browser_calls", [True, False], ids=["browser-calls", "we-call"])
def test_1_a_certificate_that_does_not_match_is_refused_before_a_sample_is_heard(lab, tmp_path, browser_calls):
    call = Call(lab, tmp_path, browser_calls, outgoing=CHANGED)
    code, result = call.phone.finish(15)
    assert (code, result["outcome"]) == (22, "fingerprint-mismatch")
    assert transport(result)["remoteFingerprint"]["verified"] is False
    assert audio(result)["outbound"]["packetsSent"] in (0, None) and audio(result)["inbound"]["packetsReceived"] in (0, None)


@pytest.mark.parametrize("rewrite", [
    "sdp => sdp.replace(/a=fingerprint:sha-256 (.*)/g, (all, value) => 'a=fingerprint:sha-256 ' + value.toLowerCase())",
    "sdp => sdp.replace(/(a=fingerprint:sha-256 .*\\r\\n)/g, (all, line) => 'a=fingerprint:sha-1 ' + Array(20).fill('00').join(':') + '\\r\\n' + line)",
    "sdp => sdp.replace(/(a=fingerprint:sha-256 )(.*\\r\\n)/g, (all, name, value) => name + Array(32).fill('00').join(':') + '\\r\\n' + name + value)",
], ids=["lower-case", "beside-sha-1", "one-of-two"])
def test_11_a_fingerprint_in_another_form_is_matched(lab, tmp_path, rewrite):
    call = Call(lab, tmp_path, True, outgoing=rewrite)
    call.talks()
    call.finish()


@pytest.mark.parametrize("rewrite", [
    "sdp => sdp.replace(/a=fingerprint:sha-256 .*/g, 'a=fingerprint:md5 ' + Array(16).fill('00').join(':'))",
    "sdp => sdp.replace(/a=fingerprint:.*\\r\\n/g, '')",
    "sdp => sdp.replace(/(a=fingerprint:sha-256 .*):..\\r/g, '$1\\r')",
], ids=["md5", "none", "too-short"])
def test_11_an_offer_without_a_usable_fingerprint_is_refused(lab, tmp_path, rewrite):
    call = Call(lab, tmp_path, True, outgoing=rewrite, expect=488)
    assert call.phone.of("call.incoming") == []
    call.web.leave()


# 2, 3, 4, 5: what the description says

@pytest.mark.parametrize("profile", ["UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVP"])
def test_2_every_profile_with_a_fingerprint_is_dtls_and_answered_alike(lab, tmp_path, profile):
    """Chromium would refuse another profile than its own in an answer: what came is looked at on the wire."""
    call = Call(lab, tmp_path, True, outgoing=f"sdp => sdp.replace('UDP/TLS/RTP/SAVPF', '{profile}')",
                incoming="sdp => sdp.replace(/^(m=audio \\d+) \\S+/m, '$1 UDP/TLS/RTP/SAVPF')")
    assert lines(call.web.heard_description(), "m=audio")[0].split()[2] == profile
    call.talks()
    call.finish()


def test_3_an_answer_that_drops_the_offered_security_ends_the_call(lab, tmp_path):
    call = Call(lab, tmp_path, False, outgoing="sdp => sdp.replace('UDP/TLS/RTP/SAVPF', 'RTP/AVP').replace(/a=(fingerprint|setup|ice-|candidate).*\\r\\n/g, '')")
    code, result = call.phone.finish(15)
    assert (code, result["outcome"]) == (17, "not-acceptable")
    assert audio(result)["outbound"]["packetsSent"] in (0, None) if result["streams"] else True
    assert call.phone.of("warning") or call.phone.of("error"), "it is said why"
    call.web.wait_state("ended")
    call.web.leave()


def test_4_crypto_lines_beside_a_fingerprint_are_passed_over(lab, tmp_path):
    key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    call = Call(lab, tmp_path, True, outgoing=f"sdp => sdp.replace(/(a=fingerprint:)/g, '{key}\\r\\n$1')")
    assert lines(call.web.heard_description(), "a=crypto") == []
    assert lines(call.web.heard_description(), "a=fingerprint") != []
    call.talks()
    assert call.finish()["security"] == "dtls"


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_5_an_offer_without_setup_is_answered_active(lab, tmp_path, browser):
    call = Call(lab, tmp_path, True, browser, outgoing="sdp => sdp.replace(/a=setup:.*\\r\\n/g, '')")
    assert lines(call.web.heard_description(), "a=setup") == ["a=setup:active"]
    call.talks()
    assert transport(call.finish())["dtlsRole"] == "client"


@pytest.mark.parametrize("rewrite", ["sdp => sdp.replace(/a=setup:.*\\r\\n/g, '')", "sdp => sdp.replace(/a=setup:active/g, 'a=setup:actpass')"],
                         ids=["none", "actpass"])
def test_5_an_answer_without_setup_makes_us_passive(lab, tmp_path, rewrite):
    """The page is active, as every browser that answers actpass; it only does not say so."""
    call = Call(lab, tmp_path, False, outgoing=rewrite)
    call.talks()
    assert transport(call.finish())["dtlsRole"] == "server"


def test_5_an_offer_that_holds_the_connection_is_refused(lab, tmp_path):
    call = Call(lab, tmp_path, True, outgoing="sdp => sdp.replace(/a=setup:.*/g, 'a=setup:holdconn')", expect=488)
    call.web.leave()


# 6, 8: an answer that comes late

@pytest.mark.slow
def test_6_an_answer_after_half_a_minute_connects(lab, tmp_path):
    """Chromium knows nothing of us until then, and takes our early checks as it likes (row 8)."""
    call = Call(lab, tmp_path, True, arguments=["--answer-after", "31"])
    call.talks()
    call.finish()


# 13: offers in mid-call

@pytest.mark.parametrize("browser,restart", [("chromium", False), ("chromium", True), ("firefox", True)], ids=["same", "restart", "firefox-restart"])
@pytest.mark.parametrize("browser_calls", [True, False], ids=["browser-calls", "we-call"])
def test_13_a_new_offer_of_the_browser_keeps_the_association(lab, tmp_path, browser, restart, browser_calls):
    call = Call(lab, tmp_path, browser_calls, browser)
    call.talks()
    credentials = lines(call.web.heard_description(), "a=ice-ufrag")[0]
    handshakes = call.handshakes()
    assert call.browser.evaluate(f"phone.offerAnew({'true' if restart else 'false'})") == 200
    assert (lines(call.web.heard_description(), "a=ice-ufrag")[0] != credentials) is restart, "our credentials change exactly when theirs do"
    call.talks()
    assert call.handshakes() == handshakes == 1
    call.finish()


def test_13_an_update_after_ice_with_the_negotiated_role_restarts_nothing(lab, tmp_path):
    """As pjsip sends it: the whole description again, `setup:` as agreed on, the version of o= unchanged."""
    call = Call(lab, tmp_path, True)
    call.talks()
    before = call.web.heard_description()
    role = "active" if call.browser.evaluate("phone.call.media.connection.remoteDescription.sdp").find("a=setup:passive") >= 0 else "passive"
    own = "phone.call.media.connection.localDescription.sdp"
    answer = call.browser.evaluate(f"phone.update({own}.replace(/a=setup:.*/g, 'a=setup:{role}'))")
    assert answer["status"] == 200
    assert lines(answer["body"], "a=ice-ufrag") == lines(before, "a=ice-ufrag")
    assert re.search(r"a=setup:(\w+)", answer["body"])[1] == {"active": "passive", "passive": "active"}[role]
    call.talks()
    assert call.handshakes() == 1
    call.finish()


# Trickle ICE

@pytest.mark.parametrize("browser", ["chromium", "firefox"])
@pytest.mark.parametrize("browser_calls", [True, False], ids=["browser-calls", "we-call"])
def test_candidates_trickle_by_info(lab, tmp_path, browser, browser_calls):
    """The browser's description holds no candidate; they come by INFO, in the early dialog when it calls. Without them its checks alone would show a
    peer-reflexive one."""
    rewrite = "sdp => sdp.replace(/a=candidate:.*\\r\\n/g, '')"
    call = Call(lab, tmp_path, browser_calls, browser, outgoing=rewrite, trickle=True, arguments=["--answer-after", "1"] if browser_calls else [])
    call.talks()
    candidates = call.browser.evaluate("phone.trace.filter(text => / candidates: /.test(text))")
    assert candidates and all(text.endswith(" 200") for text in candidates)
    heard = call.web.heard_description()
    assert "trickle" in "".join(lines(heard, "a=ice-options"))
    remote = transport(call.finish())["remoteCandidates"]
    assert "host" in [item["candidateType"] for item in remote if item["address"] == lab.link.far.address]


def test_an_info_package_that_nobody_knows_is_refused(lab, tmp_path):
    call = Call(lab, tmp_path, True)
    call.talks()
    assert call.browser.evaluate("phone.inform('nobody-knows-it', 'text/plain', 'what')") == 469
    call.finish()
