"""Calls through coturn: between two phones behind symmetric NATs, and with Chromium behind one of them under `--ice-policy relay`."""

import subprocess
from types import SimpleNamespace

import pytest

from peers.browser import Chromium, PageServer, WebPhone
from peers.capture import Capture
from peers.certificates import Authority
from peers.coturn import Coturn
from peers.kamailio import Kamailio
from peers.nat import PORT_KEEPING, SYMMETRIC, NatNetwork, mapped_addresses
from sidetone import Sidetone, assert_media, assert_secured, audio, transport
from sound import assert_tone

SECONDS = 3
TONES = (700, 1200)
SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    network = NatNetwork()
    authority = Authority(folder / "authority")
    certificate = authority.issue("relay", f"IP:{network.public.address}")
    coturn = Coturn(folder / "coturn", network.public, certificate, [network.public.address, network.SECOND], shared=True)
    kamailio = Kamailio(folder / "kamailio", network.public, shared=True)
    yield SimpleNamespace(network=network, authority=authority, coturn=coturn, kamailio=kamailio)
    for server in (coturn, kamailio):
        server.stop()
    network.remove()


def symmetric(network):
    """Asks two STUN addresses from one socket, for each side."""
    servers = [(network.public.address, Coturn.PORT), (network.SECOND, Coturn.PORT)]
    answers = [mapped_addresses(inside, servers) for inside in network.inside]
    return [first != second for first, second in answers]


def phone(lab, side, command, user, *options, shared=False):
    """A phone behind the router of this side, registered by TCP: its address says nothing to anybody outside."""
    found = Sidetone(*command, *lab.kamailio.account(user, "tcp"), "--security", "dtls", "--audio-in", f"tone:{TONES[side]}", *options,
                     namespace=lab.network.inside[side], env=SECRET, shared=shared)
    return found


def types(result):
    pair = transport(result)["selectedCandidatePair"]
    return pair["local"]["candidateType"], pair["remote"]["candidateType"]


def test_the_check_for_a_symmetric_nat_tells_it_from_one_that_keeps_the_port(lab):
    lab.network.translate(PORT_KEEPING)
    assert symmetric(lab.network) == [False, False]
    lab.network.translate(SYMMETRIC)
    assert symmetric(lab.network) == [True, True]


def call(lab, tmp_path, name, options):
    """A call from the first side to the second; the results of both."""
    files = [tmp_path / f"heard-{side}.wav" for side in (0, 1)]
    answer = phone(lab, 1, ["answer", "--auto-answer", "--once"], f"callee-{name}", *options[1], "--audio-out", f"file:{files[1]}")
    answer.wait_for("registration", state="registered")
    caller = phone(lab, 0, ["call", f"sip:callee-{name}@{lab.kamailio.domain}"], f"caller-{name}", *options[0], "--audio-out", f"file:{files[0]}",
                   "--for", str(SECONDS))
    ends = caller.finish(SECONDS + 25), answer.finish(10)
    for code, result in ends:
        assert (code, result["outcome"]) == (0, "answered")
        assert_secured(result, "dtls")
        assert_media(result, SECONDS - 1)
    assert_tone(files[0], TONES[1], snr=6)
    assert_tone(files[1], TONES[0], snr=6)
    return ends[0][1], ends[1][1]


@pytest.mark.parametrize("via", ["udp", "tcp", "tls"])
def test_two_phones_behind_symmetric_nats_talk_through_the_relay(lab, tmp_path, via):
    assert symmetric(lab.network) == [True, True]
    options = lab.coturn.options(via, tmp_path, lab.authority)
    for result in call(lab, tmp_path, via, [options, options]):
        assert "relay" in types(result)
        pair = transport(result)["selectedCandidatePair"]
        assert lab.network.public.address in (pair["local"]["address"], pair["remote"]["address"])


def test_one_relay_is_enough_for_two(lab, tmp_path):
    """Only the caller has a TURN server; the callee's own checks come to its relayed address."""
    assert symmetric(lab.network) == [True, True]
    stun = ["--stun", f"{lab.coturn.address}:{Coturn.PORT}"]
    ours, theirs = call(lab, tmp_path, "one", [lab.coturn.options("udp", tmp_path), stun])
    assert types(ours)[0] == "relay" and types(theirs)[1] == "relay"


def test_with_the_relay_policy_both_ends_are_relayed_and_nothing_else_leaves(lab, tmp_path):
    options = [*lab.coturn.options("udp", tmp_path), "--ice-policy", "relay"]
    capture = Capture(tmp_path / "wire.pcapng", lab.network.inside[0])
    for result in call(lab, tmp_path, "policy", [options, options]):
        assert types(result) == ("relay", "relay")
    capture.finish()
    inside = lab.network.inside[0].address
    gone = {datagram.target for datagram in capture.datagrams() if datagram.source[0] == inside}
    assert gone == {(lab.coturn.address, Coturn.PORT)}, "only the TURN server is spoken to by UDP"


def test_without_a_relay_symmetric_nats_let_nobody_through(lab, tmp_path):
    """What the tests above owe to the relay: with STUN alone the same call has no media."""
    assert symmetric(lab.network) == [True, True]
    stun = ["--stun", f"{lab.coturn.address}:{Coturn.PORT}", "--audio-out", "null"]
    answer = phone(lab, 1, ["answer", "--auto-answer", "--once"], "callee-none", *stun)
    answer.wait_for("registration", state="registered")
    caller = phone(lab, 0, ["call", f"sip:callee-none@{lab.kamailio.domain}"], "caller-none", *stun, "--for", "6")
    code, result = caller.finish(20)
    answer.finish(10)
    assert code in (20, 23) and audio(result)["inbound"]["packetsReceived"] in (0, None)


# A browser

@pytest.fixture(scope="module")
def chromium(lab):
    """Behind the second router. It knows its outside address by STUN and has no relay of its own."""
    browser, page = Chromium(lab.network.inside[1], TONES[1], shared=True), PageServer(lab.network.inside[1])
    yield SimpleNamespace(browser=browser, page=page, ice={"iceServers": [{"urls": f"stun:{lab.coturn.address}:{Coturn.PORT}"}]})
    browser.stop()
    page.close()


def connections(lab, port):
    done = subprocess.run(lab.network.public.command(["ss", "-Htn", "state", "established", "sport", "=", f":{port}"]), capture_output=True, text=True,
                          check=True)
    return len(done.stdout.splitlines())


@pytest.mark.parametrize("via", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("direction", ["calls", "is-called"])
def test_chromium_under_the_relay_policy(lab, chromium, tmp_path, via, direction):
    web = WebPhone(chromium.browser, chromium.page, lab.kamailio, f"web-{via}-{direction}", chromium.ice)
    heard, user = tmp_path / "heard.wav", f"phone-{via}-{direction}"
    command = ["answer", "--auto-answer", "--once"] if direction == "calls" else ["call", web.uri]
    ours = phone(lab, 0, command, user, *lab.coturn.options(via, tmp_path, lab.authority), "--ice-policy", "relay", "--audio-out", f"file:{heard}")
    ours.wait_for("registration", state="registered")
    if direction == "calls":
        assert web.dial(f"sip:{user}@{lab.kamailio.domain}") == 200
    web.wait_state("answered")
    ours.wait_state("media")
    web.wait_tone(TONES[0])
    assert (connections(lab, Coturn.PORT), connections(lab, Coturn.SECURE_PORT)) == {"udp": (0, 0), "tcp": (1, 0), "tls": (0, 1)}[via]
    ours.wait_until(lambda: sum(line.get("type") == "call.stats" for line in ours.lines) >= SECONDS, SECONDS + 5, "3 s of figures")
    web.hang_up()
    code, result = ours.finish(10)
    assert (code, result["outcome"]) == (0, "answered")
    assert_secured(result, "dtls", cipher=transport(result)["srtpCipher"])
    assert_media(result, SECONDS - 1)
    assert types(result)[0] == "relay"
    _, remote = web.figures().selected_pair
    assert (remote["candidateType"], remote["address"]) == ("relay", lab.coturn.address)
    assert_tone(heard, TONES[1], snr=6)
    web.leave()


# Servers that refuse

def turn_warnings(phone):
    return [line["message"] for line in phone.of("warning") if line["code"] == "turn-failed"]


def test_a_wrong_turn_password_is_a_warning_and_the_call_goes_on_without(lab, tmp_path):
    """Both phones are behind the same router and reach each other directly."""
    options = lab.coturn.options("udp", tmp_path, password="guess")
    heard = tmp_path / "heard.wav"
    inside = lab.network.inside[0]
    answer = Sidetone("answer", "--no-config", "--listen", f"udp:{inside.address}:5090", "--auto-answer", "--once", "--echo", "--audio-out", "null",
                      "--security", "dtls", namespace=inside)
    answer.port()
    caller = Sidetone("call", f"sip:a@{inside.address}:5090", "--no-config", *options, "--security", "dtls", "--audio-in", "tone:700", "--audio-out",
                      f"file:{heard}", "--for", "2", namespace=inside)
    code, result = caller.finish(15)
    assert (code, result["outcome"]) == (0, "answered")
    assert turn_warnings(caller) and Coturn.PASSWORD not in caller.text() and "guess" not in caller.text()
    assert "relay" not in types(result)
    answer.finish(5)
    assert_tone(heard, 700, seconds=1, snr=6)


def test_a_turn_server_with_an_unknown_certificate_is_a_warning(lab, tmp_path):
    stranger = Authority(tmp_path / "stranger")
    inside = lab.network.inside[0]
    answer = Sidetone("answer", "--no-config", "--listen", f"udp:{inside.address}:5090", "--auto-answer", "--once", "--echo", "--audio-out", "null",
                      "--security", "dtls", namespace=inside)
    answer.port()
    caller = Sidetone("call", f"sip:a@{inside.address}:5090", "--no-config", *lab.coturn.options("tls", tmp_path, stranger), "--security", "dtls",
                      "--audio-in", "tone:700", "--audio-out", "null", "--for", "2", namespace=inside)
    assert caller.finish(15)[0] == 0
    assert turn_warnings(caller)
    assert "relay" not in types(caller.result())


@pytest.mark.slow
def test_a_wrong_turn_password_under_the_relay_policy_is_ice_failed(lab, tmp_path):
    answer = phone(lab, 1, ["answer", "--auto-answer", "--once"], "callee-wrong", *lab.coturn.options("udp", tmp_path), "--audio-out", "null")
    answer.wait_for("registration", state="registered")
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    caller = phone(lab, 0, ["call", f"sip:callee-wrong@{lab.kamailio.domain}"], "caller-wrong", *lab.coturn.options("udp", wrong, password="guess"),
                   "--ice-policy", "relay", "--audio-out", "null")
    code, result = caller.finish(60)
    assert (code, result["outcome"], result["exitCode"]) == (20, "ice-failed", 20)
    assert turn_warnings(caller)
    assert audio(result)["outbound"]["packetsSent"] in (0, None)
