"""The full-screen phone in a real terminal (tmux): what a person does by keys, and what is left of the terminal."""

import os
import re
import signal

import pytest

from peers.baresip import Baresip
from peers.terminal import Terminal
from sidetone import Sidetone, binary, environment

NULL = "--audio-in tone:440 --audio-out null"


@pytest.fixture
def terminal(tmp_path):
    """A shell with a home of its own."""
    return Terminal(tmp_path / "tmux", environment(tmp_path / "home"))


@pytest.fixture
def near_terminal(link, tmp_path):
    link.open()
    return Terminal(tmp_path / "tmux", environment(tmp_path / "home"), namespace=link.near)


def start(terminal, options=f"--no-config --listen udp:127.0.0.1:0 {NULL}"):
    """What `stty -a` said before."""
    before = terminal.settings()
    terminal.type(f"{binary()} {options}; echo code=$?")
    terminal.press("Enter")
    terminal.wait_for(r"Dial:", 15)
    return before


def back_at_the_shell(terminal, before, code):
    terminal.wait_for(rf"^code={code}$")
    screen = terminal.wait_for(rf"^{terminal.PROMPT}")
    assert "Dial:" not in screen, "the phone's screen is gone"
    assert terminal.settings() == before


def packets(screen, direction):
    return int(re.search(rf"{direction}\s+packets\s+(\d+)", screen)[1])


def test_dialling_echo_shows_a_connected_call_whose_figures_live(terminal):
    before = start(terminal)
    terminal.type("echo")
    terminal.press("Enter")
    screen = terminal.wait_for(r"● connected", 10)
    screen = terminal.wait_for(r"DTLS-SRTP verified")
    assert re.search(r"DTLS\s+connected\s+(client|server)\s+DTLS 1\.2\s+TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", screen), screen
    assert re.search(r"SRTP\s+AEAD_AES_256_GCM", screen) and re.search(r"ICE\s+completed", screen), screen
    first = terminal.wait_for(r"recv\s+packets [1-9]")
    seen = packets(first, "recv"), packets(first, "sent")
    second = terminal.wait_for(rf"recv\s+packets (?!{seen[0]}\b)[1-9]\d*")
    third = terminal.wait_for(rf"recv\s+packets (?!({seen[0]}|{packets(second, 'recv')})\b)[1-9]\d*")
    assert packets(third, "recv") > packets(second, "recv") > seen[0] and packets(third, "sent") > seen[1]
    assert re.search(r"level\s+in .*−1\d\.\d dBov\s+out .*−1\d\.\d dBov", third), third
    terminal.press("F4")
    terminal.wait_for(r"● connected", absent=True)
    terminal.press("F10")
    back_at_the_shell(terminal, before, 0)


def test_the_transport_view_shows_candidates_flights_and_drops(terminal):
    before = start(terminal)
    terminal.type("echo")
    terminal.press("Enter")
    terminal.wait_for(r"DTLS-SRTP verified", 10)
    terminal.type("t")
    screen = terminal.wait_for(r"Transport\s+echo")
    assert re.search(r"local\s+host 127\.0\.0\.1:\d+", screen) and re.search(r"pairs\s+● nominated", screen), screen
    shown = screen
    for _ in range(8):
        if re.search(r"drop\s+authentication", screen):
            break
        terminal.press("NPage")
        screen = terminal.wait_for(r"▲|drop\s+authentication")
        shown += screen
    assert re.search(r"flight\s+[→←] \d+\.\d ms\s+ClientHello", shown) and "Finished" in shown, shown
    assert "is the one signalled" in shown and re.search(r"offered\s+AEAD_AES_256_GCM", shown), shown
    assert re.search(r"drop\s+authentication 0\s+replay 0", shown), shown
    terminal.press("Escape")
    terminal.wait_for(r"recv\s+packets")
    terminal.press("F4")
    terminal.wait_for(r"● connected", absent=True)
    terminal.press("F10")
    back_at_the_shell(terminal, before, 0)


def test_an_address_can_be_dialled_and_the_peer_hangs_up(terminal):
    answer = Sidetone("answer", "--no-config", "--listen", "udp:127.0.0.1:0", "--auto-answer", "--audio-in", "tone:500", "--audio-out", "null",
                      "--for", "6")
    uri = f"sip:bob@127.0.0.1:{answer.port()}"
    before = start(terminal)
    terminal.type(uri)
    terminal.press("Enter")
    terminal.wait_for(r"● connected")
    answer.wait_state("media")
    terminal.press("Escape")
    answer.finish(12)
    terminal.wait_for(r"● connected", absent=True)
    terminal.press("F10")
    back_at_the_shell(terminal, before, 0)


def test_digits_are_dtmf_during_a_call(terminal):
    answer = Sidetone("answer", "--no-config", "--listen", "udp:127.0.0.1:0", "--auto-answer", "--audio-in", "null", "--audio-out", "null")
    start(terminal)
    terminal.type(f"sip:bob@127.0.0.1:{answer.port()}")
    terminal.press("Enter")
    terminal.wait_for(r"● connected")
    terminal.type("42#")
    for digit in "42#":
        answer.wait_for("call.dtmf", 5, digit=digit, direction="in")
    terminal.press("x")
    answer.wait_for("result", 5)


def test_an_incoming_call_from_baresip_is_answered_by_key(near_terminal, link, tmp_path):
    terminal = near_terminal
    before = start(terminal, f"--no-config {NULL}")
    baresip = Baresip(tmp_path / "peer", link.far, "dtls", "opus")
    baresip.do("dial", f"sip:me@{link.near.address}:5060")
    screen = terminal.wait_for(r"(?i)incoming")
    assert "bs@10.77.0.2" in screen
    terminal.press("F2")
    baresip.wait_event("CALL_ESTABLISHED")
    terminal.wait_for(r"● connected")
    terminal.wait_for(r"DTLS-SRTP verified")
    terminal.press("F4")
    baresip.wait_event("CALL_CLOSED")
    terminal.wait_for(r"● connected", absent=True)
    terminal.wait_for(r"No call")
    terminal.press("F10")
    back_at_the_shell(terminal, before, 0)


def test_an_incoming_call_is_declined_by_key(near_terminal, link, tmp_path):
    terminal = near_terminal
    before = start(terminal, f"--no-config {NULL}")
    baresip = Baresip(tmp_path / "peer", link.far, "dtls", "opus")
    baresip.do("dial", f"sip:me@{link.near.address}:5060")
    terminal.wait_for(r"(?i)incoming")
    terminal.press("F3")
    closed = baresip.wait_event("CALL_CLOSED")
    assert re.search(r"603|Decline|486", closed["param"]), closed
    terminal.press("F10")
    back_at_the_shell(terminal, before, 0)


@pytest.mark.parametrize("number,code", [(signal.SIGTERM, 143), (signal.SIGHUP, "1(29|43)")], ids=["SIGTERM", "SIGHUP"])
def test_a_signal_says_bye_and_leaves_the_terminal_as_it_was(near_terminal, link, tmp_path, number, code):
    terminal = near_terminal
    baresip = Baresip(tmp_path / "peer", link.far, "dtls", "opus")
    before = start(terminal, f"--no-config {NULL}")
    terminal.type(baresip.uri)
    terminal.press("Enter")
    terminal.wait_for(r"● connected")
    os.kill(terminal.program(binary()), number)
    closed = baresip.wait_event("CALL_CLOSED", 5)
    assert "reset by peer" in closed["param"], "a BYE, not a time-out"
    back_at_the_shell(terminal, before, code)


def test_quitting_asks_while_a_call_is_up_and_then_says_bye(terminal):
    answer = Sidetone("answer", "--no-config", "--listen", "udp:127.0.0.1:0", "--auto-answer", "--once", "--audio-in", "null",
                      "--audio-out", "null")
    before = start(terminal)
    terminal.type(f"sip:bob@127.0.0.1:{answer.port()}")
    terminal.press("Enter")
    terminal.wait_for(r"● connected")
    terminal.press("F10")
    terminal.press("n")
    terminal.wait_for(r"● connected")
    terminal.press("F10")
    terminal.press("y")
    back_at_the_shell(terminal, before, 0)
    assert answer.finish(5)[1]["sip"]["endedBy"] == "remote"


@pytest.mark.parametrize("columns,rows", [(80, 24), (60, 16), (40, 10)])
def test_the_window_can_become_small_and_large_again(terminal, columns, rows):
    before = start(terminal)
    terminal.type("echo")
    terminal.press("Enter")
    terminal.wait_for(r"● connected")
    terminal.resize(columns, rows)
    screen = terminal.wait_for(r"echo")
    assert max(len(line) for line in screen.splitlines()) <= columns
    terminal.wait_for(r"connected")
    terminal.resize(120, 40)
    terminal.wait_for(r"SRTP\s+AEAD_AES_256_GCM")
    terminal.press("C-c")
    terminal.press("C-c")
    back_at_the_shell(terminal, before, r"\d+")
