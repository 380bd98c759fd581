"""Digits by RFC 4733: in order, once each, with a duration, between two of this program and with baresip."""

import re

from peers.baresip import Baresip
from sidetone import Sidetone

NULL = ["--no-config", "--audio-in", "null", "--audio-out", "null"]


def digits(phone, direction):
    return [(line["digit"], line["durationMs"]) for line in phone.of("call.dtmf") if line["direction"] == direction]


def test_digits_from_one_phone_to_the_other():
    answer = Sidetone("answer", *NULL, "--listen", "udp:127.0.0.1:0", "--auto-answer", "--once", "--security", "dtls")
    call = Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", *NULL, "--listen", "udp:127.0.0.1:0", "--security", "dtls",
                    "--dtmf", "1159*0#D", "--for", "5")
    assert call.finish(15)[0] == 0
    assert answer.finish(5)[0] == 0
    sent, received = digits(call, "out"), digits(answer, "in")
    assert "".join(digit for digit, _ in received) == "1159*0#D" == "".join(digit for digit, _ in sent)
    assert all(40 <= duration <= 400 for _, duration in received)
    assert all(abs(one - other) <= 60 for (_, one), (_, other) in zip(sent, received))
    assert digits(call, "in") == [] and digits(answer, "out") == []


def test_digits_to_baresip(clear_link, tmp_path):
    baresip = Baresip(tmp_path / "peer", clear_link.far, "dtls", "opus")
    call = Sidetone("call", baresip.uri, *NULL, "--security", "dtls", "--dtmf", "123#", "--for", "3", namespace=clear_link.near)
    assert call.finish(15)[0] == 0
    assert "".join(digit for digit, _ in digits(call, "out")) == "123#"
    baresip.wait_event("CALL_CLOSED")
    heard = [event["param"] for event in baresip.events if event["type"] == "CALL_DTMF_START"]
    if not heard:
        heard = re.findall(r"received (?:DTMF|event): '(.)'", baresip.text())
    assert "".join(heard) == "123#"


def test_digits_from_baresip(clear_link, tmp_path):
    answer = Sidetone("answer", *NULL, "--listen", f"udp:{clear_link.near.address}:5060", "--auto-answer", "--once", "--security", "dtls",
                      namespace=clear_link.near)
    answer.port()
    baresip = Baresip(tmp_path / "peer", clear_link.far, "dtls", "opus")
    baresip.do("dial", f"sip:a@{clear_link.near.address}")
    answer.wait_state("media")
    for digit in "7*2":
        baresip.do("sndcode", digit)
        answer.wait_for("call.dtmf", 5, digit=digit, direction="in")
    baresip.do("hangup")
    assert answer.finish(10)[0] == 0
    assert "".join(digit for digit, _ in digits(answer, "in")) == "7*2"
    assert all(duration > 0 for _, duration in digits(answer, "in"))
