"""An address of the phone's own vanishes in mid-call and another one comes: media is back by itself, and the JSON tells each step."""

import signal

import pytest

from peers.browser import Chromium, PageServer, WebPhone
from peers.kamailio import Kamailio
from peers.namespaces import ip
from sidetone import Sidetone, audio, transport
from sound import assert_tone

NEW = "10.77.0.11"
TONE = ["--security", "dtls", "--audio-in", "tone:700"]
SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}


def lose_address(namespace):
    """The interface keeps no address, and with it no route."""
    ip("-n", namespace.name, "addr", "del", f"{namespace.address}/24", "dev", namespace.interface)


def gain_address(namespace):
    ip("-n", namespace.name, "addr", "add", f"{NEW}/24", "dev", namespace.interface)
    ip("-n", namespace.name, "route", "add", "default", "via", namespace.gateway)


def change_address(phone, namespace):
    """Lost, seen to be lost, and then another one."""
    lose_address(namespace)
    phone.wait_for("warning", 5, code="address-lost")
    gain_address(namespace)


def newest(phone):
    return audio([line for line in phone.lines if line.get("type") == "call.stats"][-1])


def wait_more(phone, packets=100, timeout=15):
    """Until so many more packets have come in than had by now, or the last figures of before were printed."""
    before = newest(phone)["inbound"]["packetsReceived"]
    phone.wait_until(lambda: newest(phone)["inbound"]["packetsReceived"] >= before + packets, timeout, f"{packets} more packets")


def assert_steps(phone, old):
    """Lost, added, restart, and a pair on the new address, in this order."""
    def index(what, after, **fields):
        for number, line in enumerate(phone.lines):
            if number > after and all(line.get(name) == value for name, value in fields.items()):
                return number
        raise AssertionError(f"the JSON does not tell: {what}")

    lost = index("the address is lost", -1, type="warning", code="address-lost")
    added = index("another one is there", lost, type="message", code="address-added")
    restart = index("ICE restarts", lost, type="message", code="ice-restart")
    assert old in phone.lines[lost]["message"] and NEW in phone.lines[added]["message"]
    last = [line for line in phone.lines[restart:] if line.get("type") == "call.ice"][-1]
    assert last["iceState"] in ("connected", "completed") and any(pair["local"]["address"] == NEW for pair in last["pairs"])


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_phone_whose_address_changes_goes_on_talking_to_another_phone(own_link, tmp_path, who):
    heard, near, far = tmp_path / "heard.wav", own_link.near, own_link.far
    here, there = (near, far) if who == "caller" else (far, near)
    moved_is_caller = who == "caller"
    answer_space, call_space = (there, here) if moved_is_caller else (here, there)
    echo = ["--echo", "--audio-out", "null"]
    tone = ["--audio-in", "tone:700", "--audio-out", f"file:{heard}"]
    answer = Sidetone("answer", "--no-config", "--listen", "udp:0.0.0.0:5060", "--auto-answer", "--once", "--security", "dtls",
                      *(echo if moved_is_caller else tone), namespace=answer_space)
    answer.port()
    call = Sidetone("call", f"sip:a@{answer_space.address}", "--no-config", "--security", "dtls", *(tone if moved_is_caller else echo),
                    namespace=call_space)
    moved, other = (call, answer) if moved_is_caller else (answer, call)
    for phone in (moved, other):
        phone.wait_state("media")
        phone.wait_for("call.stats")
    change_address(moved, here)
    moved.wait_for("message", 10, code="ice-restart")
    for phone in (moved, other):
        wait_more(phone)
    # The other one hangs up: its BYE finds the way to the new address.
    other.send_signal(signal.SIGTERM)
    assert other.finish(10)[0] == 143
    code, result = moved.finish(10)
    assert (code, result["outcome"], result["sip"]["endedBy"]) == (0, "answered", "remote")
    assert_steps(moved, here.address)
    assert transport(result)["selectedCandidatePair"]["local"]["address"] == NEW
    assert transport(result)["remoteFingerprint"]["verified"] is True
    assert transport(other.of("result")[-1])["selectedCandidatePair"]["remote"]["address"] == NEW
    assert_tone(heard, 700, snr=6)


def test_a_registered_phone_whose_address_changes_registers_anew_and_goes_on_talking_to_chromium(own_link, tmp_path):
    heard, near = tmp_path / "heard.wav", own_link.near
    kamailio, page, browser = Kamailio(tmp_path / "kamailio", own_link.far), PageServer(own_link.far), Chromium(own_link.far)
    web = WebPhone(browser, page, kamailio, "web-stays")
    phone = Sidetone("call", web.uri, *kamailio.account("phone-moves"), *TONE, "--audio-out", f"file:{heard}", namespace=near, env=SECRET)
    web.wait_state("answered")
    phone.wait_state("media")
    phone.wait_for("call.stats")
    registered = len(kamailio.saw("REGISTER", "phone-moves"))
    change_address(phone, near)
    phone.wait_for("message", 10, code="ice-restart")
    wait_more(phone)
    web.wait_tone(700, 15)
    seen = kamailio.wait_until(lambda: [line for line in kamailio.saw("REGISTER", "phone-moves")[registered:] if NEW in line], 10,
                               "REGISTER with the new address")
    assert seen
    _, remote = web.figures().selected_pair
    assert remote["address"] == NEW
    assert web.hang_up() == 200
    code, result = phone.finish(10)
    assert (code, result["outcome"], result["sip"]["endedBy"]) == (0, "answered", "remote")
    assert_steps(phone, near.address)
    assert_tone(heard, browser.tone, snr=6)
    page.close()
