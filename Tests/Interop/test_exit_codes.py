"""The exit codes and outcomes that come without a call: what a script sees when it did not work."""

import json
import os
import socket
import subprocess
import threading

import pytest

from peers.dns import NameServer
from peers.sipp import Sipp
from sidetone import Sidetone, binary, environment

QUIET = ["--no-config", "--audio-in", "null", "--audio-out", "null"]
LOOPBACK = ["--listen", "udp:127.0.0.1:0"]


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def check(phone, code, outcome, timeout=10, status=None):
    found, result = phone.finish(timeout)
    assert found == code
    assert (result["outcome"], result["exitCode"]) == (outcome, code)
    if status is not None:
        assert result["sip"]["status"] == status
    return result


# 2: usage

@pytest.mark.parametrize("arguments,named", [
    (["call"], "uri"),
    (["call", "not a uri"], "not a uri"),
    (["call", "sip:"], "sip:"),
    (["call", "echo", "--security", "strong"], "--security"),
    (["call", "echo", "--codec", "MP3"], "--codec"),
    (["call", "echo", "--for", "soon"], "--for"),
    (["call", "echo", "--for", "-1"], "--for"),
    (["call", "echo", "--listen", "udp:nowhere"], "--listen"),
    (["call", "echo", "--listen", "carrier-pigeon:127.0.0.1:0"], "--listen"),
    (["call", "echo", "--audio-in", "file:/no/such/file.wav"], "/no/such/file.wav"),
    (["call", "echo", "--audio-out", "file:/no/such/folder/x.wav"], "/no/such/folder/x.wav"),
    (["call", "echo", "--audio-in", "tone:loud"], "--audio-in"),
    (["call", "echo", "--dtmf", "12x"], "--dtmf"),
    (["call", "echo", "--password-file", "/no/such/secret"], "--password-file"),
    (["call", "echo", "--account", "sip:a@127.0.0.1", "--password-file", "/no/such/secret"], "/no/such/secret"),
    (["call", "echo", "--config", "/no/such/config.toml"], "/no/such/config.toml"),
    (["call", "echo", "--frobnicate"], "--frobnicate"),
    (["call", "echo", "--capture", "wire.pcapng"], "not in this version"),
    (["call", "echo", "--turn", "stun:127.0.0.1"], "--turn"),
    (["answer", "--max-calls", "many"], "--max-calls"),
    (["probe", "sip:a@127.0.0.1"], "not in this version"),
    (["bridge", "sip:a@127.0.0.1"], "URI"),
    (["bridge", "echo", "b c"], "b c"),
    (["serve", "--to", "bob"], "--to"),
    (["call", "echo", "--video-in", "file:/nonexistent.ivf"], "/nonexistent.ivf"),
    (["frobnicate"], "frobnicate"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_usage_error_is_one_line_that_names_it(arguments, named, as_json):
    phone = Sidetone(*arguments, json=as_json)
    assert phone.wait(10) == 2
    said = [line for line in phone.text("stderr").splitlines() if line.strip()]
    assert len(said) == 1 and named.lower() in said[0].lower(), said
    if as_json:
        assert [line["type"] for line in phone.lines] == ["error"] and not phone.strange
        assert set(phone.lines[0]) >= {"type", "timestamp", "code", "message"} and "\n" not in phone.lines[0]["message"]
    else:
        assert phone.text("stdout") == ""


def test_an_unknown_key_in_the_configuration_is_named_with_file_and_line(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('security = "dtls"\n\ncolour = "blue"\n')
    phone = Sidetone("call", "echo", "--config", str(file), json=False)
    assert phone.wait(10) == 2
    assert "colour" in phone.text("stderr") and f"{file}:3" in phone.text("stderr")


def test_a_mistake_in_a_file_that_wants_json_is_an_object(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('colour = "blue"\njson = true\n')
    phone = Sidetone("call", "echo", "--config", str(file), json=False)
    assert phone.wait(10) == 2
    assert [json.loads(line)["type"] for line in phone.text("stdout").splitlines()] == ["error"] and f"{file}:1" in phone.text("stdout")


@pytest.mark.parametrize("transport,kind", [("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)])
def test_a_port_that_is_taken_is_a_usage_error(transport, kind):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        phone = Sidetone("answer", *QUIET, "--listen", f"{transport}:127.0.0.1:{taken.getsockname()[1]}")
        assert phone.wait(10) == 2
        assert str(taken.getsockname()[1]) in phone.text("stderr")


def test_a_file_that_may_not_be_read_is_a_usage_error(tmp_path):
    secret = tmp_path / "not-a-wav.wav"
    secret.write_bytes(os.urandom(300))
    phone = Sidetone("call", "echo", "--no-config", "--audio-in", f"file:{secret}", json=False)
    assert phone.wait(10) == 2
    assert str(secret) in phone.text("stderr")


# 10: unreachable

def test_a_name_that_does_not_exist_is_unreachable(own_link, tmp_path):
    server = NameServer(own_link.near)
    phone = Sidetone("call", "sip:bob@nowhere.example.test", *QUIET, namespace=server.namespace(tmp_path))
    check(phone, 10, "unreachable", 15)
    server.close()
    services = {f"{service}.nowhere.example.test" for service in ("_sip._udp", "_sip._tcp", "_sips._tcp")}
    assert server.asked and {name for name, _ in server.asked} <= services | {"nowhere.example.test"}


def test_a_closed_udp_port_is_unreachable_at_once():
    phone = Sidetone("call", f"sip:bob@127.0.0.1:{free_port()}", *QUIET, *LOOPBACK)
    result = check(phone, 10, "unreachable", 5)
    assert result["sip"]["status"] is None and result["setup"]["answeredMs"] is None
    # Nobody said anything or ended it; our own words are told as the call ends.
    assert result["sip"]["reason"] is None and result["sip"]["endedBy"] == "local"
    assert phone.of("call.state")[-1]["state"] == "ended" and phone.of("call.state")[-1]["reason"]


def test_a_closed_tcp_port_is_unreachable_at_once():
    check(Sidetone("call", f"sip:bob@127.0.0.1:{free_port(socket.SOCK_STREAM)};transport=tcp", *QUIET, *LOOPBACK), 10, "unreachable", 5)


# The registrar's word

def registrar(reply):
    """Refuses every request with this status line; its port."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve():
        while True:
            request, source = server.recvfrom(65536)
            lines = request.decode().split("\r\n")
            kept = [line for line in lines[1:] if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
            kept = [line + ";tag=r" if line.startswith("To:") else line for line in kept]
            server.sendto("\r\n".join([f"SIP/2.0 {reply}", *kept, "Content-Length: 0", "", ""]).encode(), source)

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


@pytest.mark.parametrize("command", [["answer"], ["bridge", "sip:a@127.0.0.1:9", "sip:b@127.0.0.1:9"]], ids=lambda command: command[0])
@pytest.mark.parametrize("reply,code", [("404 Not Found", 10), ("500 Server Internal Error", 10), ("403 Forbidden", 12)])
def test_who_cannot_register_cannot_start(command, reply, code):
    phone = Sidetone(*command, *QUIET, *LOOPBACK, "--account", f"sip:me@127.0.0.1:{registrar(reply)}", env={"SIDETONE_PASSWORD": "x"})
    assert phone.wait(10) == code
    assert phone.of("registration")[-1]["state"] == "failed" and phone.of("registration")[-1]["status"] == int(reply[:3])


# 12 … 18: what the peer answers

@pytest.mark.parametrize("reply,code,outcome", [
    ("401 Unauthorized", 12, "unauthorized"),
    ("486 Busy Here", 13, "busy"),
    ("600 Busy Everywhere", 13, "busy"),
    ("603 Decline", 14, "declined"),
    ("403 Forbidden", 14, "declined"),
    ("408 Request Timeout", 15, "no-answer"),
    ("480 Temporarily Unavailable", 15, "no-answer"),
    ("487 Request Terminated", 15, "no-answer"),
    ("404 Not Found", 16, "not-found"),
    ("410 Gone", 16, "not-found"),
    ("484 Address Incomplete", 16, "not-found"),
    ("604 Does Not Exist Anywhere", 16, "not-found"),
    ("488 Not Acceptable Here", 17, "not-acceptable"),
    ("415 Unsupported Media Type", 17, "not-acceptable"),
    ("606 Not Acceptable", 17, "not-acceptable"),
    ("500 Server Internal Error", 18, "sip-failure"),
    ("302 Moved Temporarily", 18, "sip-failure"),
])
def test_what_the_peer_answers_is_the_exit_code(tmp_path, reply, code, outcome):
    extra = {"401": 'WWW-Authenticate: Digest realm="test", nonce="abc", algorithm=MD5',
             "302": "Contact: <sip:elsewhere@192.0.2.9:5070>"}.get(reply[:3], "Server: sipp")
    sipp = Sipp(tmp_path, "refuse", free_port(), keys={"reply": reply, "extra": extra})
    result = check(Sidetone("call", sipp.uri, *QUIET, *LOOPBACK, "--security", "none"), code, outcome, status=int(reply[:3]))
    sipp.finish()
    assert result["sip"]["reason"] == reply[4:]
    assert result["streams"] == [] or result["streams"][0]["inbound"]["packetsReceived"] in (0, None)
    if reply[:3] == "302":
        assert "sip:elsewhere@192.0.2.9:5070" in str(result["sip"]["redirectedTo"])


def test_more_calls_than_allowed_are_busy():
    answer = Sidetone("answer", *QUIET, *LOOPBACK, "--auto-answer", "--max-calls", "1")
    uri = f"sip:a@127.0.0.1:{answer.port()}"
    first = Sidetone("call", uri, *QUIET, *LOOPBACK, "--for", "20")
    first.wait_state("media")
    check(Sidetone("call", uri, *QUIET, *LOOPBACK), 13, "busy", status=486)
    assert first.child.poll() is None


def test_a_call_that_nobody_answers_is_cancelled(tmp_path):
    sipp = Sipp(tmp_path, "ring", free_port())
    result = check(Sidetone("call", sipp.uri, *QUIET, *LOOPBACK, "--ring-timeout", "1"), 15, "no-answer")
    sipp.finish()
    assert result["sip"]["endedBy"] == "local" and result["setup"]["ringingMs"] is not None


def test_an_answering_phone_lets_it_ring_and_then_says_480():
    answer = Sidetone("answer", *QUIET, *LOOPBACK, "--ring-timeout", "1", "--once")
    check(Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", *QUIET, *LOOPBACK), 15, "no-answer", status=480)
    check(answer, 15, "no-answer")


def test_dtls_to_a_phone_that_takes_none_is_not_acceptable():
    answer = Sidetone("answer", *QUIET, *LOOPBACK, "--auto-answer", "--security", "none")
    check(Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", *QUIET, *LOOPBACK, "--security", "dtls"), 17, "not-acceptable", status=488)


@pytest.mark.parametrize("ours,theirs", [("dtls", "sdes"), ("sdes", "dtls"), ("none", "dtls"), ("none", "sdes"), ("sdes", "none")])
def test_other_securities_that_do_not_fit_are_not_acceptable(ours, theirs):
    answer = Sidetone("answer", *QUIET, *LOOPBACK, "--auto-answer", "--security", theirs)
    check(Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", *QUIET, *LOOPBACK, "--security", ours), 17, "not-acceptable", status=488)


@pytest.mark.parametrize("theirs,offers", [("dtls", 1), ("sdes", 2), ("none", 3)])
def test_prefer_goes_down_one_step_at_a_time(theirs, offers):
    answer = Sidetone("answer", *QUIET, *LOOPBACK, "--auto-answer", "--once", "--security", theirs)
    call = Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", *QUIET, *LOOPBACK, "--security", "prefer", "--for", "2")
    result = check(call, 0, "answered")
    assert result["security"] == theirs
    assert [line["code"] for line in call.of("warning")].count("security-downgrade") == offers - 1
    assert len(call.of("result")) == 1 and call.lines[-1]["type"] == "result"


@pytest.mark.parametrize("security,profile", [("dtls", "UDP/TLS/RTP/SAVPF"), ("dtls", "RTP/AVP"), ("sdes", "RTP/SAVP"), ("sdes", "RTP/AVP")])
def test_an_answer_without_the_offered_security_is_acknowledged_and_ended(tmp_path, security, profile):
    sipp = Sipp(tmp_path, "drop-security", free_port(), keys={"profile": profile})
    call = Sidetone("call", sipp.uri, *QUIET, *LOOPBACK, "--security", security)
    check(call, 17, "not-acceptable", status=200)
    sipp.finish()
    assert not [line for line in call.of("call.state") if line["state"] == "media"]


def test_prefer_does_not_step_down_after_a_2xx(tmp_path):
    sipp = Sipp(tmp_path, "drop-security", free_port(), keys={"profile": "UDP/TLS/RTP/SAVPF"})
    call = Sidetone("call", sipp.uri, *QUIET, *LOOPBACK, "--security", "prefer")
    check(call, 17, "not-acceptable", status=200)
    sipp.finish()
    assert sipp.seen().count("INVITE sip:") == 1 and not [w for w in call.of("warning") if w["code"] == "security-downgrade"]


def test_an_answer_that_refuses_every_line_is_acknowledged_and_ended(tmp_path):
    sipp = Sipp(tmp_path, "reject-media", free_port(), keys={"profile": "RTP/AVP"})
    check(Sidetone("call", sipp.uri, *QUIET, *LOOPBACK, "--security", "none"), 17, "not-acceptable", status=200)
    sipp.finish()


# 130, 143: signals

@pytest.mark.parametrize("number,code", [(2, 130), (15, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_during_a_call_says_bye_and_prints_the_result(number, code):
    answer = Sidetone("answer", *QUIET, *LOOPBACK, "--auto-answer", "--once")
    call = Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", *QUIET, *LOOPBACK)
    call.wait_state("media")
    answer.wait_state("media")
    call.send_signal(number)
    check(call, code, "interrupted", 5)
    other_code, other = answer.finish(5)
    assert other["sip"]["endedBy"] == "remote" and other["outcome"] in ("answered", "one-way")


def test_the_two_signals_of_timeout_are_one(tmp_path):
    """It sends one to the program and one to the program's group."""
    answer = Sidetone("answer", *QUIET, *LOOPBACK, "--auto-answer", "--once")
    command = ["timeout", "--preserve-status", "2", binary(), "call", f"sip:a@127.0.0.1:{answer.port()}", *QUIET, *LOOPBACK, "--json"]
    ended = subprocess.run(command, capture_output=True, timeout=20, env=environment(tmp_path))
    assert ended.returncode == 143
    result = json.loads(ended.stdout.splitlines()[-1])
    assert (result["type"], result["outcome"], result["exitCode"]) == ("result", "interrupted", 143)
    code, other = answer.finish(5)
    assert code == 0 and other["sip"]["endedBy"] == "remote"


@pytest.mark.parametrize("number,code", [(2, 130), (15, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_while_ringing_cancels(tmp_path, number, code):
    sipp = Sipp(tmp_path, "ring", free_port())
    call = Sidetone("call", sipp.uri, *QUIET, *LOOPBACK)
    call.wait_state("ringing")
    call.send_signal(number)
    check(call, code, "interrupted", 5)
    sipp.finish()


def test_an_answering_phone_ends_its_calls_when_its_time_is_over():
    answer = Sidetone("answer", *QUIET, *LOOPBACK, "--auto-answer", "--for", "3")
    call = Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", *QUIET, *LOOPBACK)
    call.wait_state("media")
    check(call, 0, "answered")
    code, result = answer.finish(5)
    assert code == 0 and result["sip"]["endedBy"] == "local"
