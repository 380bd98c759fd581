"""TLS, WebSocket and secure WebSocket at Kamailio with certificates of the test's own authority; servers that are not who they should be; a
connection that is cut in mid-call; servers found by SRV records of which the first is dead."""

import re
import subprocess
from types import SimpleNamespace

import pytest

from peers.baresip import Baresip
from peers.certificates import Authority
from peers.dns import NameServer
from peers.kamailio import Kamailio
from sidetone import Sidetone, assert_media, assert_secured, transport
from sound import assert_tone

SECONDS = 3
OURS, THEIRS = 700, 1200
SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}
DOMAIN = "pbx.test"

# Kamailio's secure ports in this order.
RIGHT, OTHER_NAME, UNKNOWN_AUTHORITY, DOMAIN_ONLY = range(4)


@pytest.fixture(scope="module")
def lab(link, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    authority, stranger = Authority(folder / "authority"), Authority(folder / "stranger", "Somebody else's authority")
    own = f"IP:{link.far.address}"
    certificates = [authority.issue("right", own), authority.issue("other", "DNS:other.test", "IP:10.77.0.99"),
                    stranger.issue("unknown", own), authority.issue("domain", f"DNS:{DOMAIN}")]
    kamailio = Kamailio(folder / "kamailio", link.far, certificates=certificates, shared=True)
    yield SimpleNamespace(link=link, kamailio=kamailio, authority=authority, folder=folder)
    kamailio.stop()


@pytest.fixture(scope="module")
def baresip(lab):
    """A peer at Kamailio by UDP that answers by itself."""
    peer = Baresip(lab.folder / "baresip", lab.link.far, "dtls", "opus", user="callee", port=5070, tone=THEIRS,
                   registrar=f"sip:{lab.kamailio.domain}", password=lab.kamailio.PASSWORD, shared=True)
    peer.wait_line(r"200 OK .*\[1 binding\]")
    yield peer
    peer.stop()


def account(lab, user, via, certificate=RIGHT):
    return lab.kamailio.account(user, via, lab.authority if via in ("tls", "wss") else None, certificate)


# Registration

@pytest.mark.parametrize("via", ["ws", "tls", "wss"])
def test_a_phone_registers_and_takes_itself_off(lab, via):
    user = f"registers-{via}"
    phone = Sidetone("answer", *account(lab, user, via), "--for", "2", namespace=lab.link.near, env=SECRET)
    assert phone.wait_for("registration", state="registered")["status"] == 200
    code, _ = phone.finish(10)
    assert code == 0 and [line["state"] for line in phone.of("registration")][-1] == "unregistered"
    seen = lab.kamailio.saw("REGISTER", user)
    assert seen and all(f"proto={via} " in line for line in seen)
    assert "expires=0" in seen[-1] or ";expires=0" in seen[-1]
    if via in ("ws", "wss"):
        assert "transport=ws" in seen[0], "RFC 7118 §5.2.4: ws in the Contact of a secure one too"


@pytest.mark.parametrize("via", ["tls", "wss"])
@pytest.mark.parametrize("certificate", [OTHER_NAME, UNKNOWN_AUTHORITY], ids=["other-name", "unknown-authority"])
@pytest.mark.parametrize("command", ["call", "answer"])
def test_a_server_that_is_not_who_it_should_be_is_told_nothing(lab, via, certificate, command):
    user = f"careful-{via}-{certificate}-{command}"
    arguments = ["call", f"sip:somebody@{lab.kamailio.domain}"] if command == "call" else ["answer"]
    phone = Sidetone(*arguments, *account(lab, user, via, certificate), namespace=lab.link.near, env=SECRET)
    code, result = phone.finish(10)
    assert code == 11
    if command == "call":
        assert (result["outcome"], result["exitCode"]) == ("tls-failed", 11)
    states = [line["state"] for line in phone.of("registration")]
    assert "failed" in states and "registered" not in states
    assert lab.kamailio.saw("REGISTER", user) == [] and lab.kamailio.saw("INVITE", user) == []


@pytest.mark.parametrize("via", ["tls", "wss"])
def test_without_the_authority_nobody_is_trusted(lab, via):
    phone = Sidetone("answer", *lab.kamailio.account("no-authority", via), namespace=lab.link.near, env=SECRET)
    assert phone.finish(10)[0] == 11
    assert lab.kamailio.saw("REGISTER", "no-authority") == []


def test_a_web_socket_at_a_path_that_is_not_there_is_unreachable(lab):
    phone = Sidetone("answer", *account(lab, "lost", "ws"), "--ws-path", "/elsewhere", namespace=lab.link.near, env=SECRET)
    assert phone.finish(10)[0] == 10
    lab.kamailio.wait_line(r"saw upgrade /elsewhere")


# Calls

def talk(lab, phone, baresip, heard, closed):
    code, result = phone.finish(SECONDS + 20)
    assert (code, result["outcome"]) == (0, "answered")
    assert_secured(result, "dtls", cipher=transport(result)["srtpCipher"])
    assert_media(result, SECONDS - 1)
    baresip.wait_event("CALL_CLOSED", count=closed + 1)
    assert_tone(heard, THEIRS, snr=6)
    assert_tone(baresip.recorded(), OURS, snr=6)
    return result


def closed_calls(baresip):
    return len([event for event in baresip.events if event.get("type") == "CALL_CLOSED"])


@pytest.mark.parametrize("via", ["ws", "tls", "wss"])
def test_a_call_through_kamailio(lab, baresip, tmp_path, via):
    heard, before, user = tmp_path / "heard.wav", closed_calls(baresip), f"caller-{via}"
    phone = Sidetone("call", f"sip:callee@{lab.kamailio.domain}", *account(lab, user, via), "--security", "dtls", "--audio-in", f"tone:{OURS}",
                     "--audio-out", f"file:{heard}", "--for", str(SECONDS), namespace=lab.link.near, env=SECRET)
    talk(lab, phone, baresip, heard, before)
    for method in ("INVITE", "ACK", "BYE"):
        seen = lab.kamailio.saw(method, user)
        assert seen and all(f"proto={via} " in line for line in seen), f"{method}: {seen}"


@pytest.mark.parametrize("via", ["ws", "tls", "wss"])
def test_a_call_from_baresip_comes_in_on_the_phones_own_connection(lab, baresip, tmp_path, via):
    heard, before, user = tmp_path / "heard.wav", closed_calls(baresip), f"called-{via}"
    phone = Sidetone("answer", *account(lab, user, via), "--auto-answer", "--once", "--security", "dtls", "--audio-in", f"tone:{OURS}",
                     "--audio-out", f"file:{heard}", namespace=lab.link.near, env=SECRET)
    phone.wait_for("registration", state="registered")
    baresip.do("dial", f"sip:{user}@{lab.kamailio.domain}")
    phone.wait_state("media")
    phone.wait_until(lambda: sum(line.get("type") == "call.stats" for line in phone.lines) >= SECONDS, SECONDS + 5, "3 s of figures")
    baresip.do("hangup")
    result = talk(lab, phone, baresip, heard, before)
    assert result["sip"]["endedBy"] == "remote"


def test_a_call_from_phone_to_phone_over_tls(lab, tmp_path):
    certificate, key = lab.authority.issue("phone", f"IP:{lab.link.far.address}")
    heard, port = tmp_path / "heard.wav", 5081
    answer = Sidetone("answer", "--no-config", "--listen", f"tls:{lab.link.far.address}:{port}", "--tls-certificate", str(certificate), "--tls-key",
                      str(key), "--auto-answer", "--once", "--echo", "--audio-out", "null", "--security", "dtls", namespace=lab.link.far)
    answer.port("tls")
    call = Sidetone("call", f"sip:a@{lab.link.far.address}:{port};transport=tls", "--no-config", "--tls-ca", str(lab.authority.file), "--security",
                    "dtls", "--audio-in", f"tone:{OURS}", "--audio-out", f"file:{heard}", "--for", "2", namespace=lab.link.near)
    code, result = call.finish(15)
    assert (code, result["outcome"]) == (0, "answered")
    assert_secured(result, "dtls")
    answer.finish(5)
    assert_tone(heard, OURS, seconds=1, snr=6)


def test_a_call_from_phone_to_phone_over_tls_and_ipv6(lab, tmp_path):
    certificate, key = lab.authority.issue("six", "IP:::1")
    heard = tmp_path / "heard.wav"
    answer = Sidetone("answer", "--no-config", "--listen", "tls:[::1]:0", "--tls-certificate", str(certificate), "--tls-key", str(key), "--auto-answer",
                      "--once", "--echo", "--audio-out", "null", "--security", "dtls", namespace=lab.link.far)
    call = Sidetone("call", f"sip:a@[::1]:{answer.port('tls')};transport=tls", "--no-config", "--tls-ca", str(lab.authority.file), "--security", "dtls",
                    "--audio-in", f"tone:{OURS}", "--audio-out", f"file:{heard}", "--for", "2", namespace=lab.link.far)
    code, result = call.finish(15)
    assert (code, result["outcome"]) == (0, "answered")
    assert_secured(result, "dtls")
    answer.finish(5)
    assert_tone(heard, OURS, seconds=1, snr=6)


def test_a_call_to_a_phone_with_another_name_in_its_certificate_is_tls_failed(lab):
    certificate, key = lab.authority.issue("stolen", "DNS:other.test")
    answer = Sidetone("answer", "--no-config", "--listen", f"tls:{lab.link.far.address}:5082", "--tls-certificate", str(certificate), "--tls-key",
                      str(key), "--auto-answer", namespace=lab.link.far)
    answer.port("tls")
    call = Sidetone("call", f"sip:a@{lab.link.far.address}:5082;transport=tls", "--no-config", "--tls-ca", str(lab.authority.file),
                    namespace=lab.link.near)
    code, result = call.finish(10)
    assert (code, result["outcome"]) == (11, "tls-failed")
    assert answer.of("call.incoming") == []


def test_a_tls_listener_without_a_certificate_is_a_usage_error(lab):
    phone = Sidetone("answer", "--no-config", "--listen", f"tls:{lab.link.near.address}:0", namespace=lab.link.near)
    assert phone.finish(5)[0] == 2


# Who may speak in a secure dialog

def bye_of(log, address):
    """The BYE that the caller of the logged call could send, by somebody at `address` who knows all of the dialog."""
    text = re.sub(r"^ {4}", "", log.read_text(), flags=re.MULTILINE)
    invite = re.search(r"^INVITE sip:.*?(?=^$)", text, re.MULTILINE | re.DOTALL)[0]
    accepted = re.search(r"^SIP/2\.0 200 .*?^CSeq: \d+ INVITE.*?(?=^$)", text[text.index(invite):], re.MULTILINE | re.DOTALL)[0]

    def field(message, name):
        return re.search(rf"^{name}: (.*?)\r?$", message, re.MULTILINE | re.IGNORECASE)[1]

    target = re.search(r"<([^>]+)>", field(accepted, "Contact"))[1]
    number = int(field(invite, "CSeq").split()[0]) + 1
    return (f"BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {address[0]}:{address[1]};branch=z9hG4bKstranger;rport\r\nMax-Forwards: 70\r\n"
            f"From: {field(invite, 'From')}\r\nTo: {field(accepted, 'To')}\r\nCall-ID: {field(invite, 'Call-ID')}\r\nCSeq: {number} BYE\r\n"
            "Content-Length: 0\r\n\r\n").encode()


@pytest.mark.parametrize("via", ["tls", "wss"])
def test_a_bye_that_comes_in_clear_does_not_end_a_call_of_a_secure_flow(lab, baresip, tmp_path, via):
    """From the proxy's own address even, with the right tags: but not on a flow that was authenticated as the dialog's was."""
    heard, before, user, log = tmp_path / "heard.wav", closed_calls(baresip), f"guarded-{via}", tmp_path / "log"
    phone = Sidetone("answer", *account(lab, user, via), "--listen", f"udp:{lab.link.near.address}:5060", "--auto-answer", "--once", "--security", "dtls",
                     "--audio-in", f"tone:{OURS}", "--audio-out", f"file:{heard}", "--trace-sip", "--log-file", str(log), "--log-level", "debug",
                     namespace=lab.link.near, env=SECRET)
    phone.wait_for("registration", state="registered")
    baresip.do("dial", f"sip:{user}@{lab.kamailio.domain}")
    phone.wait_state("media")
    with lab.link.far.socket() as stranger:
        stranger.bind((lab.link.far.address, 5095))
        stranger.settimeout(2)
        stranger.sendto(bye_of(log, stranger.getsockname()), (lab.link.near.address, 5060))
        try:
            assert int(stranger.recv(4096).split()[1]) in (403, 481)
        except TimeoutError:
            pass
    figures = len(phone.of("call.stats"))
    phone.wait_until(lambda: sum(line.get("type") == "call.stats" for line in phone.lines) >= figures + 3, 10, "figures: the call goes on")
    assert phone.of("result") == []
    baresip.do("hangup")
    talk(lab, phone, baresip, heard, before)


# The flow is cut

def cut_connections(namespace, port):
    """Resets every connection of this namespace to this port, as an impatient firewall would."""
    done = subprocess.run(namespace.command(["ss", "-K", "-tn", "state", "established", "dport", "=", f":{port}"]), capture_output=True, text=True,
                          check=True)
    assert f":{port} " in done.stdout, f"there was no connection to port {port}: {done.stdout}"


@pytest.mark.parametrize("via", ["tcp", "tls", "wss"])
def test_a_flow_that_is_cut_in_mid_call_comes_back_and_the_bye_arrives(lab, baresip, tmp_path, via):
    heard, before, user = tmp_path / "heard.wav", closed_calls(baresip), f"cut-{via}"
    phone = Sidetone("call", f"sip:callee@{lab.kamailio.domain}", *account(lab, user, via), "--security", "dtls", "--audio-in", f"tone:{OURS}",
                     "--audio-out", f"file:{heard}", "--for", "6", namespace=lab.link.near, env=SECRET)
    phone.wait_state("media")
    registered = len(lab.kamailio.saw("REGISTER", user))
    cut_connections(lab.link.near, lab.kamailio.port if via == "tcp" else lab.kamailio.secure_ports[RIGHT])
    lab.kamailio.wait_saw("REGISTER", user, registered + 1, timeout=5)
    assert phone.of("result") == [], "the call goes on meanwhile"
    result = talk(lab, phone, baresip, heard, before)
    assert result["sip"]["endedBy"] == "local"
    assert_media(result, 5)
    byes = lab.kamailio.saw("BYE", user)
    assert len(byes) >= 1 and all(f"proto={via} " in line for line in byes)


@pytest.mark.parametrize("via", ["tcp", "tls", "wss"])
def test_after_a_cut_the_other_sides_bye_arrives_on_the_new_flow(lab, baresip, tmp_path, via):
    """Kamailio knew the phone by the connection that is gone: only a new Contact in the dialog tells it the new one (RFC 3261 §12.2)."""
    heard, before, user = tmp_path / "heard.wav", closed_calls(baresip), f"cut-and-called-{via}"
    phone = Sidetone("call", f"sip:callee@{lab.kamailio.domain}", *account(lab, user, via), "--security", "dtls", "--audio-in", f"tone:{OURS}",
                     "--audio-out", f"file:{heard}", namespace=lab.link.near, env=SECRET)
    phone.wait_state("media")
    registered = len(lab.kamailio.saw("REGISTER", user))
    cut_connections(lab.link.near, lab.kamailio.port if via == "tcp" else lab.kamailio.secure_ports[RIGHT])
    lab.kamailio.wait_saw("REGISTER", user, registered + 1, timeout=5)
    phone.wait_until(lambda: sum(line.get("type") == "call.stats" for line in phone.lines) >= SECONDS, SECONDS + 5, "3 s of figures")
    baresip.do("hangup")
    result = talk(lab, phone, baresip, heard, before)
    assert result["sip"]["endedBy"] == "remote"


# Servers by name

@pytest.fixture
def named(lab, tmp_path):
    """zone → the phone's namespace with a name server for it."""
    started = []

    def make(zone):
        server = NameServer(lab.link.near, {DOMAIN: [], **zone})
        started.append(server)
        return server, server.namespace(tmp_path)

    yield make
    for server in started:
        server.close()


def targets(lab, service, live_port, dead):
    """SRV records whose first target is dead: it refuses (a closed port), or stays silent (packets are dropped)."""
    dead_port = 5999 if dead == "refuses" else 5998
    lab.link.far.rules("chain in { type filter hook input priority 0; udp dport 5998 drop; tcp dport 5998 drop; }")
    return {f"{service}.{DOMAIN}": [("SRV", 10, 0, dead_port, f"first.{DOMAIN}"), ("SRV", 20, 0, live_port, f"second.{DOMAIN}")],
            f"first.{DOMAIN}": [("A", lab.link.far.address)], f"second.{DOMAIN}": [("A", lab.link.far.address)]}


@pytest.fixture
def open_again(lab):
    yield
    lab.link.open()


@pytest.mark.parametrize("dead", ["refuses", "silent"])
@pytest.mark.parametrize("via", ["udp", "tcp", "tls"])
def test_a_dead_first_target_of_a_srv_record_is_passed_over(lab, named, open_again, via, dead):
    """Registration by the domain alone. With TLS the certificate is the domain's, whatever the target is called (RFC 5922 §4)."""
    service = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}[via]
    live = lab.kamailio.secure_ports[DOMAIN_ONLY] if via == "tls" else lab.kamailio.port
    server, namespace = named(targets(lab, service, live, dead))
    user = f"by-name-{via}-{dead}"
    registrar = [] if via == "udp" else ["--registrar", f"sip:{DOMAIN};transport={via}"]
    ca = ["--tls-ca", str(lab.authority.file)] if via == "tls" else []
    phone = Sidetone("answer", "--no-config", "--account", f"sip:{user}@{DOMAIN}", "--username", user, *registrar, *ca, "--for", "12",
                     namespace=namespace, env=SECRET)
    phone.wait_for("registration", timeout=12, state="registered")
    assert (f"{service}.{DOMAIN}", 33) in server.asked
    assert all(f"proto={via} " in line for line in lab.kamailio.saw("REGISTER", user))


def test_a_target_with_the_certificate_of_its_own_name_only_is_refused(lab, named):
    """The SRV record leads to a server that proves the target's address and not the domain: the record itself proves nothing."""
    zone = {f"_sips._tcp.{DOMAIN}": [("SRV", 10, 0, lab.kamailio.secure_ports[RIGHT], f"only.{DOMAIN}")], f"only.{DOMAIN}": [("A", lab.link.far.address)]}
    _, namespace = named(zone)
    phone = Sidetone("answer", "--no-config", "--account", f"sip:fooled@{DOMAIN}", "--username", "fooled", "--registrar", f"sip:{DOMAIN};transport=tls",
                     "--tls-ca", str(lab.authority.file), namespace=namespace, env=SECRET)
    assert phone.finish(10)[0] == 11
    assert lab.kamailio.saw("REGISTER", "fooled") == []


@pytest.mark.parametrize("dead", ["refuses", "silent"])
def test_a_call_passes_a_dead_first_target_over(lab, baresip, named, open_again, tmp_path, dead):
    _, namespace = named(targets(lab, "_sip._udp", lab.kamailio.port, dead))
    heard, before = tmp_path / "heard.wav", closed_calls(baresip)
    phone = Sidetone("call", f"sip:callee@{DOMAIN}", "--no-config", "--account", f"sip:dialler-{dead}@{DOMAIN}", "--username", f"dialler-{dead}",
                     "--registrar", "none", "--security", "dtls", "--audio-in", f"tone:{OURS}", "--audio-out", f"file:{heard}", "--for", str(SECONDS),
                     namespace=namespace, env=SECRET)
    talk(lab, phone, baresip, heard, before)
