"""Calls that are answered and do not work: the network in the way, or somebody in the middle."""

import threading

import pytest

from peers.middle import Middle, other_fingerprint
from peers.namespaces import Link
from peers.process import JOURNAL
from sidetone import Sidetone, audio, transport
from sound import level, read_wav

NULL = ["--no-config", "--audio-in", "tone:700", "--audio-out", "null"]
LOOPBACK = ["--listen", "udp:127.0.0.1:0"]
SIP = 5060


class Pair:
    """A caller and an auto-answering callee in two namespaces."""

    def __init__(self, link, *arguments, shared=False, seconds=None):
        self.answer = Sidetone("answer", *NULL, "--listen", f"udp:{link.far.address}:{SIP}", "--auto-answer", "--once", *arguments,
                               namespace=link.far, shared=shared)
        self.answer.port()
        self.call = Sidetone("call", f"sip:a@{link.far.address}", *NULL, *arguments, *(["--for", str(seconds)] if seconds else []),
                             namespace=link.near, shared=shared)

    def finish(self, timeout):
        return self.call.finish(timeout), self.answer.finish(12)


# 23: one-way

def drop(first, last):
    """Drops UDP datagrams by their first byte (RFC 7983)."""
    return f"chain in {{ type filter hook input priority 0; udp dport != {SIP} @th,64,8 {first}-{last} drop; }}"


@pytest.mark.parametrize("security", ["none", "dtls"])
def test_media_in_one_direction_only_is_one_way(own_link, security):
    """RTP does not reach the callee; everything else does."""
    own_link.far.rules(drop(128, 191))
    pair = Pair(own_link, "--security", security, seconds=3)
    (code, result), (other_code, other) = pair.finish(15)
    assert (code, result["outcome"]) == (0, "answered"), "to the caller the media came in"
    assert (other_code, other["outcome"]) == (23, "one-way")
    assert audio(other)["inbound"]["packetsReceived"] in (0, None) and audio(other)["outbound"]["packetsSent"] > 90
    assert "media" not in [line["state"] for line in pair.answer.of("call.state")]


def test_the_caller_that_hears_nothing_ends_with_23(own_link):
    own_link.near.rules(drop(128, 191))
    (code, result), (_, other) = Pair(own_link, "--security", "none", seconds=3).finish(15)
    assert (code, result["outcome"], other["outcome"]) == (23, "one-way", "answered")


def test_media_in_no_direction_is_one_way_too(own_link):
    own_link.near.rules(drop(128, 191))
    own_link.far.rules(drop(128, 191))
    (code, result), (other_code, other) = Pair(own_link, "--security", "none", seconds=2).finish(15)
    assert (code, result["outcome"], other_code, other["outcome"]) == (23, "one-way", 23, "one-way")


# 22: fingerprint

def nothing_was_heard(path):
    return not path.exists() or level(read_wav(path)[1]) < -90


@pytest.mark.parametrize("altered", ["answer", "offer"])
def test_a_changed_fingerprint_ends_the_call_before_a_sample_is_heard(tmp_path, altered):
    files = [tmp_path / "caller.wav", tmp_path / "callee.wav"]
    answer = Sidetone("answer", "--no-config", *LOOPBACK, "--auto-answer", "--once", "--security", "dtls", "--audio-in", "tone:500",
                      "--audio-out", f"file:{files[1]}")

    def change(message, to_target):
        return other_fingerprint(message) if to_target == (altered == "offer") else message

    middle = Middle(("127.0.0.1", answer.port()), change)
    call = Sidetone("call", f"sip:a@127.0.0.1:{middle.port}", "--no-config", *LOOPBACK, "--security", "dtls", "--audio-in", "tone:700",
                    "--audio-out", f"file:{files[0]}", "--for", "5")
    (code, result), (other_code, other) = call.finish(15), answer.finish(15)
    middle.close()
    assert middle.changed >= 1
    (its_code, its_result), innocent = ((code, result), other) if altered == "answer" else ((other_code, other), result)
    assert (its_code, its_result["outcome"], its_result["exitCode"]) == (22, "fingerprint-mismatch", 22)
    assert transport(its_result)["remoteFingerprint"]["verified"] is False
    for phone in (call, answer):
        assert "media" not in [line["state"] for line in phone.of("call.state")]
    for stream in its_result["streams"] + innocent["streams"]:
        assert stream["inbound"]["packetsReceived"] in (0, None)
    # The other one saw the right certificate and may have sent before it heard of it; who was deceived sends nothing.
    for stream in its_result["streams"]:
        assert stream["outbound"]["packetsSent"] in (0, None)
    assert all(nothing_was_heard(file) for file in files)


def test_the_man_in_the_middle_who_changes_nothing_does_no_harm():
    answer = Sidetone("answer", *NULL, *LOOPBACK, "--auto-answer", "--once", "--security", "dtls")
    middle = Middle(("127.0.0.1", answer.port()), lambda message, to_target: message)
    call = Sidetone("call", f"sip:a@127.0.0.1:{middle.port}", *NULL, *LOOPBACK, "--security", "dtls", "--for", "2")
    code, result = call.finish(15)
    middle.close()
    assert (code, result["outcome"]) == (0, "answered")


# 10, 20, 21, 24: what takes half a minute, all of it at the same time

def silence(link):
    link.far.rules("chain in { type filter hook input priority 0; udp dport 5060 drop; }")
    call = Sidetone("call", f"sip:a@{link.far.address}", *NULL, namespace=link.near, shared=True)
    return [call], lambda: (call.finish(45), None)


def no_media_path(link):
    link.far.rules(f"chain in {{ type filter hook input priority 0; udp dport != {SIP} drop; }}")
    pair = Pair(link, "--security", "dtls", shared=True)
    return [pair.call, pair.answer], lambda: pair.finish(60)


def no_handshake(link):
    link.far.rules(drop(20, 63))
    pair = Pair(link, "--security", "dtls", shared=True)
    return [pair.call, pair.answer], lambda: pair.finish(60)


def cut(link):
    pair = Pair(link, "--security", "dtls", shared=True)
    pair.call.wait_state("media")
    pair.answer.wait_state("media")
    link.cut()
    return [pair.call, pair.answer], lambda: pair.finish(60)


SLOW = {"silence": silence, "no_media_path": no_media_path, "no_handshake": no_handshake, "cut": cut}


@pytest.fixture(scope="module")
def slow():
    """name → (results of the caller and of the callee) or the exception; every scenario in namespaces of its own."""
    found, links = {}, [Link() for _ in SLOW]

    def run(name, link):
        phones = []
        try:
            phones, finish = SLOW[name](link)
            found[name] = finish()
        except Exception as problem:
            found[name] = problem
        finally:
            for phone in phones:
                phone.stop()

    threads = [threading.Thread(target=run, args=(name, link)) for name, link in zip(SLOW, links)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield found
    JOURNAL[:] = [process for process in JOURNAL if process.child.poll() is None]
    for link in links:
        link.remove()


def outcome(found):
    if isinstance(found, Exception):
        raise found
    return found


@pytest.mark.slow
def test_a_peer_that_never_says_a_word_is_unreachable(slow):
    (code, result), _ = outcome(slow["silence"])
    assert (code, result["outcome"]) == (10, "unreachable")


@pytest.mark.slow
def test_no_path_for_media_is_ice_failed(slow):
    """Both give up at the same time: one of them may get the other's BYE a moment earlier."""
    ends = outcome(slow["no_media_path"])
    assert (20, "ice-failed", "failed") in [(code, result["outcome"], transport(result)["iceState"]) for code, result in ends]
    for code, result in ends:
        assert code in (20, 23) and result["exitCode"] == code
        assert transport(result)["dtlsState"] not in ("connected", "connecting") and audio(result)["outbound"]["packetsSent"] in (0, None)


@pytest.mark.slow
def test_a_path_without_dtls_is_dtls_failed(slow):
    (code, result), (other_code, other) = outcome(slow["no_handshake"])
    assert (code, result["outcome"]) == (21, "dtls-failed")
    assert transport(result)["iceState"] in ("completed", "connected") and transport(result)["srtpCipher"] is None
    assert other_code == 21 and other["outcome"] == "dtls-failed"


@pytest.mark.slow
def test_a_cut_in_the_middle_of_the_call_is_media_lost(slow):
    (code, result), (other_code, other) = outcome(slow["cut"])
    assert (code, result["outcome"]) == (24, "media-lost")
    assert (other_code, other["outcome"]) == (24, "media-lost")
    assert audio(result)["inbound"]["packetsReceived"] > 0
