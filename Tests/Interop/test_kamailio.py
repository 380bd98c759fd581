"""Registration with Kamailio by digest, and calls through it to and from baresip."""

import pytest

from peers.baresip import Baresip
from peers.capture import Capture
from peers.kamailio import Kamailio
from peers.namespaces import ip
from peers.sipp import Sipp
from sidetone import Sidetone, assert_media, assert_secured, transport
from sound import assert_tone

SECONDS = 3


@pytest.fixture(scope="module")
def kamailio(link, tmp_path_factory):
    server = Kamailio(tmp_path_factory.mktemp("kamailio"), link.far, shared=True)
    yield server
    server.stop()


def peer(kamailio, link, tmp_path, user, security="dtls", **options):
    return Baresip(tmp_path / user, link.far, security, "opus", user=user, port=5070, registrar=f"sip:{kamailio.domain}",
                   password=kamailio.PASSWORD, **options)


SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}


@pytest.mark.parametrize("via", ["udp", "tcp"])
def test_a_phone_registers_with_digest_and_takes_itself_off_at_the_end(link, kamailio, via):
    user = f"registers-{via}"
    phone = Sidetone("answer", *kamailio.account(user, via), "--for", "2", namespace=link.near, env=SECRET)
    registered = phone.wait_for("registration", state="registered")
    assert registered["status"] == 200 and registered["expiresSeconds"] > 0 and user in registered["account"]
    code, _ = phone.finish(10)
    assert code == 0
    assert [line["state"] for line in phone.of("registration")][-1] == "unregistered"
    seen = kamailio.saw("REGISTER", user)
    assert all(f"proto={via}" in line for line in seen)
    assert seen[0].endswith("authorization="), "the first goes without credentials"
    assert not seen[1].endswith("authorization=")
    assert "expires=0" in seen[-1]


def test_the_password_may_come_from_a_file(link, kamailio, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(Kamailio.PASSWORD + "\n")
    phone = Sidetone("answer", *kamailio.account("file"), "--password-file", str(secret), "--for", "1", namespace=link.near)
    phone.wait_for("registration", state="registered")
    assert phone.finish(10)[0] == 0


@pytest.mark.parametrize("command", ["call", "answer"])
def test_a_wrong_password_is_unauthorized_and_no_invite_leaves(link, kamailio, tmp_path, command):
    user = f"wrong-{command}"
    arguments = ["call", f"sip:somebody@{kamailio.domain}"] if command == "call" else ["answer"]
    phone = Sidetone(*arguments, *kamailio.account(user), namespace=link.near, env={"SIDETONE_PASSWORD": "guess"})
    code, result = phone.finish(10)
    assert code == 12
    states = [line["state"] for line in phone.of("registration")]
    assert "failed" in states and "registered" not in states
    assert 401 in [line["status"] for line in phone.of("registration")]
    if command == "call":
        assert (result["outcome"], result["exitCode"]) == ("unauthorized", 12)
    assert kamailio.saw("INVITE", user) == []
    assert 2 <= len(kamailio.saw("REGISTER", user)) <= 3, "it does not go on guessing"


def test_a_wrong_password_for_a_call_alone_is_unauthorized(link, kamailio):
    user = "wrong-invite"
    phone = Sidetone("call", f"sip:somebody@{kamailio.domain}", *kamailio.account(user), "--registrar", "none", namespace=link.near,
                     env={"SIDETONE_PASSWORD": "guess"})
    code, result = phone.finish(10)
    assert (code, result["outcome"], result["sip"]["status"]) == (12, "unauthorized", 407)
    assert 2 <= len(kamailio.saw("INVITE", user)) <= 3


def test_somebody_whom_kamailio_does_not_know_is_not_found(link, kamailio):
    phone = Sidetone("call", f"sip:nobody@{kamailio.domain}", *kamailio.account("asks"), namespace=link.near, env=SECRET)
    code, result = phone.finish(10)
    assert (code, result["outcome"], result["sip"]["status"]) == (16, "not-found", 404)


@pytest.mark.parametrize("via", ["udp", "tcp"])
def test_a_call_to_baresip_through_kamailio(link, kamailio, tmp_path, via):
    user = f"callee-{via}"
    baresip = peer(kamailio, link, tmp_path, user, tone=1200)
    baresip.wait_line(r"200 OK .*\[1 binding\]")
    heard = tmp_path / "heard.wav"
    phone = Sidetone("call", f"sip:{user}@{kamailio.domain}", *kamailio.account(f"caller-{via}", via), "--security", "dtls",
                     "--audio-in", "tone:700", "--audio-out", f"file:{heard}", "--for", str(SECONDS), namespace=link.near, env=SECRET)
    code, result = phone.finish(SECONDS + 15)
    assert (code, result["outcome"]) == (0, "answered")
    assert_secured(result, "dtls")
    assert_media(result, SECONDS - 1)
    assert kamailio.saw("INVITE", f"caller-{via}") and all(f"proto={via}" in line for line in kamailio.saw("INVITE", f"caller-{via}"))
    assert kamailio.saw("BYE", f"caller-{via}"), "the BYE takes the recorded route"
    baresip.wait_event("CALL_CLOSED")
    baresip.stop()
    assert_tone(heard, 1200)
    assert_tone(baresip.recorded(), 700)


@pytest.mark.parametrize("via", ["udp", "tcp"])
def test_a_call_from_baresip_through_kamailio(link, kamailio, tmp_path, via):
    heard = tmp_path / "heard.wav"
    phone = Sidetone("answer", *kamailio.account(f"home-{via}", via), "--auto-answer", "--once", "--security", "dtls",
                     "--audio-in", "tone:700", "--audio-out", f"file:{heard}", namespace=link.near, env=SECRET)
    phone.wait_for("registration", state="registered")
    baresip = peer(kamailio, link, tmp_path, f"visitor-{via}", tone=1200)
    baresip.wait_line(r"200 OK .*\[1 binding\]")
    baresip.do("dial", f"sip:home-{via}@{kamailio.domain}")
    phone.wait_state("media")
    phone.wait_until(lambda: sum(line.get("type") == "call.stats" for line in phone.lines) >= SECONDS, SECONDS + 5, "3 s of figures")
    baresip.do("hangup")
    code, result = phone.finish(10)
    assert (code, result["outcome"], result["sip"]["endedBy"]) == (0, "answered", "remote")
    assert_secured(result, "dtls", cipher=transport(result)["srtpCipher"])
    assert_media(result, SECONDS - 1)
    baresip.stop()
    assert_tone(heard, 1200)
    assert_tone(baresip.recorded(), 700)
    assert [line["state"] for line in phone.of("registration")][-1] == "unregistered"


def test_credentials_are_not_sent_to_somebody_who_is_not_the_accounts_own(link, kamailio, tmp_path):
    """A peer at another address claims the account's realm: nothing of the password goes there."""
    stranger = "10.77.0.3"
    ip("-n", link.far.name, "addr", "replace", f"{stranger}/24", "dev", link.far.interface)
    sipp = Sipp(tmp_path, "refuse", 5090, namespace=link.far, address=stranger, keys={
        "reply": "401 Unauthorized", "extra": f'WWW-Authenticate: Digest realm="{link.far.address}", nonce="abc", algorithm=MD5'})
    capture = Capture(tmp_path / "wire.pcapng", link.far)
    phone = Sidetone("call", sipp.uri, *kamailio.account("careful"), namespace=link.near, env=SECRET)
    code, result = phone.finish(10)
    capture.finish()
    sent = [d.payload for d in capture.datagrams() if d.target == (stranger, 5090)]
    assert sent and not any(b"authorization:" in message.lower() for message in sent)
    assert (code, result["outcome"]) == (12, "unauthorized")
