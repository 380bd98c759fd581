"""The picture in a terminal (tmux), as a person sees it: the colours of its cells, and that it moves."""

import os
import re
import signal

import pytest

from peers.terminal import Terminal
from pictures import STRIPES, make_ivf, near
from sidetone import Sidetone, binary, environment
from sound import assert_tone

CUBE = [0, 95, 135, 175, 215, 255]


def rgb(code):
    """What xterm shows for one of its 256 colours above the first 16."""
    if code >= 232:
        return [8 + 10 * (code - 232)] * 3
    code -= 16
    return [CUBE[code // 36], CUBE[code // 6 % 6], CUBE[code % 6]]


def cells(screen):
    """Of each row: (column, character, foreground, background) of the cells that have colours of their own."""
    rows = []
    for line in screen.splitlines():
        column, fore, back, found = 0, None, None, []
        for sequence, character in re.findall(r"\x1b\[([\d;]*)m|(.)", line):
            if character:
                if fore or back:
                    found.append((column, character, fore, back))
                column += 1
                continue
            numbers = [int(part or 0) for part in sequence.split(";")]
            while numbers:
                first = numbers.pop(0)
                if first in (38, 48) and numbers:
                    kind = numbers.pop(0)
                    colour = rgb(numbers.pop(0)) if kind == 5 and numbers[0] >= 16 else [numbers.pop(0) for _ in range(3)] if kind == 2 else None
                    fore, back = (colour, back) if first == 38 else (fore, colour)
                elif first in (0, 39, 49):
                    fore = None if first != 49 else fore
                    back = None if first != 39 else back
        rows.append(found)
    return rows


def shows(screen, colours):
    """Whether some row of half blocks has these colours from left to right."""
    for row in cells(screen):
        row = [cell for cell in row if cell[1] in "▀▄█ "]
        if len(row) < 12:
            continue
        thirds = [row[len(row) * part // 6] for part in (1, 3, 5)]
        if all(near([cell[2] or cell[3]], [colour], 60) for cell, colour in zip(thirds, colours)):
            return True
    return False


def wait_picture(terminal, colours, timeout=15):
    return terminal.wait_until(lambda: (lambda screen: shows(screen, colours) and screen)(terminal.screen(colours=True)), timeout, "the picture")


@pytest.fixture
def terminal(tmp_path):
    return Terminal(tmp_path / "tmux", environment(tmp_path / "home"))


@pytest.fixture(scope="module")
def stripes(tmp_path_factory):
    return make_ivf(tmp_path_factory.mktemp("film") / "stripes.ivf", STRIPES, seconds=5)


def moves(terminal, first, timeout=10):
    terminal.wait_until(lambda: cells(terminal.screen(colours=True)) != cells(first), timeout, "another picture")


def test_a_key_shows_the_picture_of_the_call(terminal, stripes):
    before = terminal.settings()
    terminal.type(f"TERM=xterm-256color {binary()} --no-config --listen udp:127.0.0.1:0 --audio-in tone:440 --audio-out null"
                  f" --video-in file:{stripes}; echo code=$?")
    terminal.press("Enter")
    terminal.wait_for(r"Dial:", 15)
    terminal.type("echo")
    terminal.press("Enter")
    terminal.wait_for(r"video\s+VP8", 15)
    terminal.press("v")
    first = wait_picture(terminal, STRIPES)
    moves(terminal, first)
    screen = terminal.wait_for(r"320×240 · \d+/s")
    terminal.resize(80, 24)
    wait_picture(terminal, STRIPES)
    terminal.press("v")
    terminal.wait_for(r"video\s+VP8")
    assert not shows(terminal.screen(colours=True), STRIPES), screen
    terminal.press("F4")
    terminal.wait_for(r"● connected", absent=True)
    terminal.press("F10")
    terminal.wait_for(r"^code=0$")
    terminal.resize(120, 40)
    assert terminal.settings() == before


def test_a_command_draws_the_picture_above_its_lines(terminal, stripes):
    before = terminal.settings()
    terminal.type(f"TERM=xterm-256color {binary()} call echo --no-config --audio-in tone:440 --audio-out null --video-in file:{stripes}"
                  " --video-out terminal --for 6; echo code=$?")
    terminal.press("Enter")
    first = wait_picture(terminal, STRIPES)
    assert re.search(r"DTLS connected|SRTP AEAD", terminal.screen()), "lines stand below the picture"
    moves(terminal, first)
    screen = terminal.wait_for(r"^code=0$", 15)
    # The terminal is given back, with the lines on it.
    assert re.search(r"answered", screen) and not shows(terminal.screen(colours=True), STRIPES)
    assert terminal.settings() == before


def test_a_quit_gives_the_terminal_back(terminal, stripes):
    before = terminal.settings()
    terminal.type(f"ulimit -c 0; TERM=xterm-256color {binary()} call echo --no-config --audio-in tone:440 --audio-out null --video-in file:{stripes}"
                  " --video-out terminal; echo code=$?")
    terminal.press("Enter")
    first = wait_picture(terminal, STRIPES)
    # The key does nothing, as on the full screen …
    terminal.press("C-\\")
    moves(terminal, first)
    # … and the signal from outside ends the program and nothing else.
    os.kill(terminal.program(binary()), signal.SIGQUIT)
    screen = terminal.wait_for(r"code=131$")
    assert "crashed" not in screen and not shows(terminal.screen(colours=True), STRIPES), screen
    assert terminal.settings() == before


def test_without_a_terminal_it_is_refused():
    call = Sidetone("call", "echo", "--no-config", "--video-out", "terminal", json=False)
    assert call.wait(10) == 2
    assert [line for line in call.output["stderr"] if "needs a terminal" in line] and len(call.output["stderr"]) == 1


def test_two_calls_are_joined_and_parted_by_a_key(terminal, tmp_path):
    phones = [Sidetone("answer", "--no-config", "--listen", "udp:127.0.0.1:0", "--auto-answer", "--once", "--codec", codec, "--audio-in",
                       f"tone:{hz}", "--audio-out", f"file:{tmp_path}/{hz}.wav") for codec, hz in (("opus", 700), ("PCMU", 1200))]
    terminal.type(f"{binary()} --no-config --listen udp:127.0.0.1:0 --audio-in tone:440 --audio-out null; echo code=$?")
    terminal.press("Enter")
    terminal.wait_for(r"Dial:", 15)
    for phone in phones:
        # Whatever the screen shows by now: `:` means the dial line with no call and in one.
        terminal.press(":")
        terminal.type(f"sip:a@127.0.0.1:{phone.port()}")
        terminal.press("Enter")
        phone.wait_state("media")
    # In the list and beside it.
    terminal.wait_until(lambda: terminal.screen().count("connected") >= 3, 10, "two calls")
    terminal.press("j")
    terminal.wait_for(r"joined with call \d · transcoded")
    phones[0].wait_until(lambda: len(phones[0].of("call.stats")) >= 5, 15, "figures")
    terminal.press("j")
    terminal.wait_for(r"joined with call \d ·", absent=True)
    terminal.press("j")
    terminal.wait_for(r"joined with call \d · transcoded")
    # Long enough for the end of both recordings.
    seen = len(phones[0].of("call.stats"))
    phones[0].wait_until(lambda: len(phones[0].of("call.stats")) >= seen + 4, 15, "figures of the joined call")
    # A call that ends takes the other with it.
    phones[0].stop()
    assert phones[1].finish(10)[1]["outcome"] == "answered"
    # Each has heard the other, not the person.
    assert_tone(tmp_path / "700.wav", 1200, snr=10)
    assert_tone(tmp_path / "1200.wav", 700, snr=10)
    terminal.wait_for(r"No call")
    terminal.press("F10")
    terminal.wait_for(r"^code=0$")
