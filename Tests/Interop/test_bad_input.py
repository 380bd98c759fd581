"""Thousands of bad datagrams at the ports of a phone that is in a call: nothing happens to the call."""

import os
import random
import socket
import time

import pytest

from sidetone import Sidetone, assert_media, audio, transport
from sound import assert_tone

COUNT = 2000
LOOPBACK = ["--no-config", "--listen", "udp:127.0.0.1:0"]
NULL = ["--audio-in", "null", "--audio-out", "null"]


def sip_messages(port):
    head = ("Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\n"
            f"To: <sip:b@127.0.0.1:{port}>\r\nCall-ID: x@y\r\nContact: <sip:a@127.0.0.1:9>\r\n")
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
    end = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    text = [f"{method} sip:b@127.0.0.1:{port} SIP/2.0\r\n{head}CSeq: 1 {method}\r\n{end}"
            for method in ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "INFO", "UPDATE", "NOTIFY", "FROB")]
    answers = [f"SIP/2.0 {code} X\r\n{head}CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n" for code in (100, 180, 200, 487)]
    return [message.encode() for message in text + answers]


def media_packets():
    cookie = bytes.fromhex("2112a442")
    stun = [bytes.fromhex(kind) + b"\x00\x0c" + cookie + bytes(12) + bytes.fromhex("0006000461626364") + bytes.fromhex("00250000")
            for kind in ("0001", "0101", "0111", "0011")]
    dtls = [bytes([kind]) + b"\xfe\xfd" + bytes(8) + b"\x00\x20" + bytes(32) for kind in (20, 21, 22, 23)]
    rtp = [bytes([0x80, payload]) + bytes(10) + bytes(160) for payload in (0, 96, 101, 127)]
    rtcp = [bytes([0x80, kind]) + b"\x00\x06" + bytes(24) for kind in (200, 201, 202, 203, 204, 205, 206)]
    return stun + dtls + rtp + rtcp


def mutated(random_source, message):
    data = bytearray(message)
    for _ in range(random_source.choice((0, 1, 2, 5, 20))):
        if not data:
            break
        at = random_source.randrange(len(data))
        kind = random_source.randrange(4)
        if kind == 0:
            data[at] = random_source.randrange(256)
        elif kind == 1:
            del data[at:at + random_source.randrange(1, 30)]
        elif kind == 2:
            data[at:at] = data[at:at + random_source.randrange(1, 60)] * random_source.randrange(1, 4)
        else:
            data[at:at] = random_source.choice((b"\r\n", b"\0", b"%", b"\xff" * 8, b"99999999999999999999", b",", b'"', b"<", b";;"))
    return bytes(data[:60000])


def datagrams(seed, seeds):
    source = random.Random(seed)
    for _ in range(COUNT):
        if source.random() < 0.2:
            yield source.randbytes(source.randrange(0, 1400))
        else:
            yield mutated(source, source.choice(seeds))


@pytest.mark.parametrize("security", ["dtls", "none"])
def test_a_call_lives_through_bad_datagrams_at_its_ports(tmp_path, security):
    heard = tmp_path / "heard.wav"
    answer = Sidetone("answer", *LOOPBACK, "--auto-answer", "--once", "--echo", "--audio-out", "null", "--security", security)
    call = Sidetone("call", f"sip:e@127.0.0.1:{answer.port()}", *LOOPBACK, "--security", security, "--codec", "PCMU",
                    "--audio-in", "tone:700", "--audio-out", f"file:{heard}", "--for", "6")
    call.wait_state("media")
    answer.wait_state("media")
    if security == "dtls":
        pair = transport(call.wait_for("call.stats"))["selectedCandidatePair"]
        media = [pair["local"]["port"], pair["remote"]["port"]]
    else:
        media = media_ports(call.pid) + media_ports(answer.pid)
    targets = {port: sip_messages(port) for port in (call.port(), answer.port())} | {port: media_packets() for port in media}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        streams = [(port, datagrams(seed, seeds)) for seed, (port, seeds) in enumerate(targets.items())]
        for _ in range(COUNT):
            for port, stream in streams:
                stranger.sendto(next(stream), ("127.0.0.1", port))
            # A burst of all of them would only fill the kernel's buffers.
            time.sleep(0.001)
    code, result = call.finish(20)
    other_code, other = answer.finish(10)
    assert (code, result["outcome"], result["sip"]["endedBy"]) == (0, "answered", "local")
    assert (other_code, other["sip"]["endedBy"]) == (0, "remote")
    for figures in (result, other):
        assert_media(figures, 5, refused=COUNT * 2)
        if security == "dtls":
            assert transport(figures)["remoteFingerprint"]["verified"] is True
    assert abs(audio(result)["inbound"]["packetsReceived"] - audio(other)["outbound"]["packetsSent"]) <= 10
    assert_tone(heard, 700, seconds=1, snr=12)


def media_ports(pid):
    """The even UDP ports of a process beside its SIP port, from the kernel's tables."""

    inodes = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = []
    with open(f"/proc/{pid}/net/udp") as table:
        for line in table.read().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes:
                found.append(int(fields[1].split(":")[1], 16))
    return found


def test_a_flood_of_invites_is_capped_and_the_phone_still_answers():
    """Every INVITE is another call: more than --max-calls are refused, and a real caller is served once they are gone."""
    answer = Sidetone("answer", *LOOPBACK, *NULL, "--ring-timeout", "2")
    port = answer.port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        own = stranger.getsockname()[1]
        stranger.settimeout(5)
        for number in range(300):
            message = sip_messages(port)[0].replace(b"z9hG4bK1", b"z9hG4bK%d" % number).replace(b"x@y", b"%d@y" % number)
            stranger.sendto(message.replace(b"127.0.0.1:9", b"127.0.0.1:%d" % own), ("127.0.0.1", port))
        answer.wait_until(lambda: sum(line.get("type") == "call.incoming" for line in answer.lines) >= 1, 5, "a call that came in")
        statuses = {stranger.recv(4096)[8:11] for _ in range(40)}
    assert statuses & {b"486", b"503"}
    answer.wait_for("result", 8)
    assert len(answer.of("call.incoming")) <= 40
    call = Sidetone("call", f"sip:e@127.0.0.1:{port}", *LOOPBACK, *NULL, "--ring-timeout", "5")
    call.wait_state("ringing", 5)
