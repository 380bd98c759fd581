"""VP8 with Chromium and Firefox: the picture there and back, from a file and into a file, under loss, and a key frame on request."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from peers.browser import Chromium, Firefox, PageServer, WebPhone
from peers.kamailio import Kamailio
from peers.pulse import Pulse
from pictures import BARS, STRIPES, changes, colours, decoded, make_ivf, near, read_ivf
from sidetone import Sidetone, transport, video

SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}
BROWSERS = ["chromium", "firefox"]


@pytest.fixture(scope="module")
def lab(link, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    kamailio, page, pulse = Kamailio(folder / "kamailio", link.far, shared=True), PageServer(link.far), Pulse(folder / "pulse", ["browser"], shared=True)
    browsers = {}

    def browser(name):
        if name not in browsers:
            browsers[name] = Chromium(link.far, shared=True) if name == "chromium" else Firefox(link.far, pulse, shared=True)
        return browsers[name]

    yield SimpleNamespace(link=link, kamailio=kamailio, page=page, browser=browser, stripes=make_ivf(folder / "stripes.ivf", STRIPES),
                          slow=make_ivf(folder / "slow.ivf", STRIPES, seconds=60, key_every=10_000))
    for started in [*browsers.values(), pulse, kamailio]:
        started.stop()
    page.close()


def stamp(text):
    """Seconds of a time stamp."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Call:
    """The browser calls, or is called by, a Sidetone with these options."""

    def __init__(self, lab, name, sends, *options, calls=True, dropping=None):
        """`dropping`: a word whose lines the browser leaves out of its offer."""
        self.web = WebPhone(lab.browser(name), lab.page, lab.kamailio, f"web-{name}", video=sends)
        if dropping:
            self.web.rewrite(outgoing=f"sdp => sdp.replace(/^a=(rtcp-fb|extmap):.*{dropping}.*\\r\\n/gm, '')")
        command = ["answer", "--auto-answer", "--once"] if calls else ["call", self.web.uri]
        self.phone = Sidetone(*command, *lab.kamailio.account(f"phone-{name}"), "--security", "dtls", "--audio-out", "null",
                              *([] if "--echo" in options else ["--audio-in", "null"]), *options, namespace=lab.link.near, env=SECRET)
        self.phone.wait_for("registration", state="registered")
        if calls:
            assert self.web.dial(f"sip:phone-{name}@{lab.kamailio.domain}") == 200
        self.web.wait_state("answered")
        self.phone.wait_state("media")

    def decoded_frames(self):
        return self.web.figures().video("inbound-rtp").get("framesDecoded", 0)

    def wait_stats(self, look, timeout, what):
        """Until the newest figures of Sidetone's video satisfy `look`."""
        def newest():
            line = next((line for line in reversed(self.phone.lines) if line.get("type") == "call.stats"), None)
            return line and look(video(line)) and video(line)
        return self.phone.wait_until(newest, timeout, what)

    def end(self):
        self.last = self.web.figures()
        self.web.hang_up()
        code, result = self.phone.finish(10)
        assert (code, result["outcome"]) == (0, "answered")
        self.web.leave()
        return result


@pytest.mark.parametrize("calls", [True, False], ids=["calls", "is-called"])
@pytest.mark.parametrize("name", BROWSERS)
def test_the_echo_returns_the_picture(lab, name, calls):
    call = Call(lab, name, "pattern", "--echo", *([] if calls else ["--codec", "opus", "--codec", "VP8"]), calls=calls)
    call.web.wait_video("framesDecoded", 20)
    call.web.wait_colours(BARS)
    before = call.decoded_frames()
    call.web.wait_video("framesDecoded", before + 40)
    result = call.end()
    found = video(result)
    assert (found["codec"], found["clockRate"], found["direction"]) == ("VP8", 90000, "sendrecv")
    assert transport(result)["media"] == ["audio", "video"]
    assert found["inbound"]["framesReceived"] >= 50 and found["outbound"]["framesSent"] >= 50
    assert found["inbound"]["packetsDiscarded"] == 0 and transport(result)["dropped"]["authentication"] == 0
    assert call.last.video("inbound-rtp")["packetsLost"] == 0


@pytest.mark.parametrize("name", BROWSERS)
def test_a_file_is_shown_in_the_browser(lab, name):
    call = Call(lab, name, "watch", "--video-in", f"file:{lab.stripes}")
    call.web.wait_video("framesDecoded", 60)
    call.web.wait_colours(STRIPES)
    result = call.end()
    sent = video(result)["outbound"]
    # 20 a second, whatever is asked for.
    assert sent["framesSent"] >= 60 and sent["keyFramesSent"] >= 3
    assert call.last.video("inbound-rtp")["framesDropped"] <= 2


@pytest.mark.parametrize("sends", ["camera", "pattern"])
@pytest.mark.parametrize("name", BROWSERS)
def test_what_is_recorded_decodes_to_what_the_browser_sent(lab, name, sends, tmp_path):
    file = tmp_path / "seen.ivf"
    call = Call(lab, name, sends, "--video-out", f"file:{file}", calls=name == "chromium")
    call.wait_stats(lambda stream: stream["inbound"]["framesReceived"] >= 60, 20, "60 frames")
    seen = call.web.browser.evaluate("phone.call.media.picture.seen")
    result = call.end()
    frames, images = read_ivf(file), decoded(file)
    assert len(frames) == len(images) == video(result)["inbound"]["framesReceived"]
    assert video(result)["inbound"]["framesDropped"] == 0
    size = (video(result)["inbound"]["frameHeight"], video(result)["inbound"]["frameWidth"])
    assert images[-1].shape[:2] == size and changes(images) > len(images) / 4
    # Each picture is one that the browser saw of itself, and what it saw is in the file.
    shown = [colours(image) for image in images]
    lost = [found for found in shown[10:-10] if not any(near(found, own) for own in seen)]
    assert len(lost) <= len(shown) / 20, f"{lost[:3]} is nothing like {seen[::10]}"
    if sends == "pattern":
        assert near(shown[len(shown) // 2], BARS)


LOSS = "chain in { type filter hook input priority 0; udp dport != 5060 numgen random mod 100 < 5 drop; }"


@pytest.mark.parametrize("name", BROWSERS)
def test_the_picture_moves_on_under_loss(lab, name):
    """5 % of the packets are lost in each direction: each side repairs what the other asks for."""
    call = Call(lab, name, "pattern", "--echo")
    call.web.wait_video("framesDecoded", 10)
    try:
        for side in (lab.link.near, lab.link.far):
            side.rules(LOSS)
        first, sent_before = call.web.figures().video("inbound-rtp"), call.web.figures().video("outbound-rtp")
        call.web.wait_video("framesDecoded", first["framesDecoded"] + 200, 60)
        newest = call.web.figures()
        last, sent = newest.video("inbound-rtp"), newest.video("outbound-rtp")
        ours = call.wait_stats(lambda stream: stream["outbound"]["retransmittedPacketsSent"] > 0
                               and stream["inbound"]["retransmittedPacketsReceived"] > 0, 10, "retransmissions both ways")
    finally:
        lab.link.open()
    call.end()
    # What it sends comes back, at its own rate.
    shown, gone = (after["framesDecoded" if key else "framesSent"] - before["framesDecoded" if key else "framesSent"]
                   for key, after, before in ((True, last, first), (False, sent, sent_before)))
    assert shown >= 0.9 * gone, f"{shown} of {gone} frames; the browser got {last} and sent {sent}; we {ours}"
    # Retransmissions repair it, not key frames.
    assert last.get("pliCount", 0) - first.get("pliCount", 0) <= 1 and ours["inbound"]["pliCount"] <= 2, (last, ours)
    assert last["nackCount"] > first.get("nackCount", 0) and ours["outbound"]["nackCount"] > 0
    assert sent["nackCount"] > 0 and ours["inbound"]["nackCount"] > 0
    if "freezeCount" in last:
        assert last["freezeCount"] - first["freezeCount"] <= 2, last


@pytest.mark.parametrize("feedback", ["transport-cc", "goog-remb"])
@pytest.mark.parametrize("name", BROWSERS)
def test_the_browser_raises_its_rate(lab, name, feedback, tmp_path):
    """It begins with some 300 kbit/s, and dares more when it is told how its packets arrive, or how much we can take."""
    call = Call(lab, name, "noise", "--video-out", f"file:{tmp_path}/noise.ivf", dropping="goog-remb" if feedback == "transport-cc" else "transport-cc")
    rates = []

    def fast():
        lines = [(line["timestamp"], stream["inbound"]) for line in call.phone.of("call.stats") for stream in line["streams"] if stream["kind"] == "video"]
        rates[:] = [(later["bytesReceived"] - sooner["bytesReceived"]) * 8 / (stamp(after) - stamp(before))
                    for (before, sooner), (after, later) in zip(lines, lines[1:])]
        # Not only at first: a browser that hears nothing falls back to nothing.
        return len(rates) >= 8 and sum(rates[-4:]) / 4 > 450_000

    try:
        call.phone.wait_until(fast, 30, "450 kbit/s")
    except AssertionError:
        pytest.fail(f"{[round(rate / 1000) for rate in rates]} kbit/s; {call.web.figures().video('outbound-rtp')}")
    result = call.end()
    assert video(result)["inbound"]["packetsLost"] == 0, rates


@pytest.mark.parametrize("name", BROWSERS)
def test_the_browsers_plea_for_a_key_frame_is_answered(lab, name):
    """For forty frames nothing comes through; what follows cannot be decoded without a key frame."""
    call = Call(lab, name, "watch", "--video-in", f"file:{lab.slow}")
    call.web.wait_video("framesDecoded", 10)
    try:
        # What goes to the browser is lost, its own requests are not.
        lab.link.far.rules("chain in { type filter hook input priority 0; udp dport != 5060 udp length > 200 drop; }")
        before, gone = call.decoded_frames(), call.wait_stats(lambda stream: True, 5, "figures")["outbound"]["framesSent"]
        call.wait_stats(lambda stream: stream["outbound"]["framesSent"] >= gone + 40, 15, "forty frames that are lost")
    finally:
        lab.link.open()
    keys = call.web.figures().video("inbound-rtp").get("keyFramesDecoded", 0)
    ours = call.wait_stats(lambda stream: stream["outbound"]["pliCount"] + stream["outbound"]["firCount"] > 0, 15, "a PLI")
    call.web.wait_video("framesDecoded", before + 30, 15)
    assert call.web.figures().video("inbound-rtp").get("keyFramesDecoded", keys + 1) > keys
    assert ours["outbound"]["keyFramesSent"] >= 2
    call.end()
