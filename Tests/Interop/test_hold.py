"""Hold, from either side, is a new offer in the same dialog."""

import re

from peers.baresip import Baresip
from peers.terminal import Terminal
from sidetone import Sidetone, binary, environment

NULL = ["--no-config", "--audio-in", "tone:700", "--audio-out", "null"]


def test_the_peer_holds_and_takes_back(clear_link, tmp_path):
    baresip = Baresip(tmp_path / "peer", clear_link.far, "dtls", "opus")
    call = Sidetone("call", baresip.uri, *NULL, "--security", "dtls", namespace=clear_link.near)
    call.wait_state("media")
    baresip.do("hold")
    call.wait_for("call.state", 5, state="held", by="remote")
    baresip.do("resume")
    states = lambda: [line["state"] for line in call.lines if line.get("type") == "call.state"]  # noqa: E731
    call.wait_until(lambda: states()[-2:] == ["held", "media"], 5, "media after hold")
    baresip.do("hangup")
    code, result = call.finish(10)
    assert (code, result["outcome"]) == (0, "answered")


def test_a_call_is_held_and_taken_back_by_key(link, tmp_path):
    link.open()
    baresip = Baresip(tmp_path / "peer", link.far, "dtls", "opus")
    terminal = Terminal(tmp_path / "tmux", environment(tmp_path / "home"), namespace=link.near)
    terminal.type(" ".join([str(binary()), *NULL]))
    terminal.press("Enter")
    terminal.wait_for("Dial:")
    terminal.type(baresip.uri)
    terminal.press("Enter")
    terminal.wait_for("● connected")
    terminal.press("F5")
    terminal.wait_for("held by you")
    baresip.wait_line(r"a=sendonly|a=inactive", 5)
    terminal.press("F5")
    terminal.wait_for("● connected")
    packets = int(re.search(r"recv\s+packets (\d+)", terminal.screen())[1])
    terminal.wait_for(rf"recv\s+packets (?!{packets}\b)\d+")
    terminal.press("F4")
    baresip.wait_event("CALL_CLOSED")
