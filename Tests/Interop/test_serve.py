"""Click to call: the link that `sidetone serve` shows, opened in Chromium and Firefox."""

import http.client
import re
import socket
import ssl
import time
from types import SimpleNamespace

import av
import pytest

from peers.baresip import Baresip
from peers.browser import Chromium, Firefox
from peers.kamailio import Kamailio
from peers.pulse import Pulse
from peers.terminal import Terminal
from pictures import STRIPES, colours, decoded, make_ivf, near
from sidetone import Sidetone, assert_secured, audio, binary, environment, video
from sound import assert_tone

SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}
LINK = r"https?://[^\s]+/[A-Za-z0-9]{22}"
# The browser is the DTLS server or client as it likes; which profile it prefers differs.
BROWSERS_CIPHER = {"chromium": "AES_CM_128_HMAC_SHA1_80", "firefox": "AEAD_AES_128_GCM"}
GONE = "This link no longer works"

# The page asks for a clean voice, and a clean voice is no tone.
PLAIN = """void (navigator.mediaDevices.getUserMedia = (original => wanted => original.call(navigator.mediaDevices, { ...wanted,
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } }))(navigator.mediaDevices.getUserMedia))"""
# What is heard: the strongest line's frequency, and its share of the energy.
LISTEN = """(() => {
  const context = window.testContext = window.testContext || new AudioContext();
  const stream = document.getElementById("speaker").srcObject;
  if (!stream) return null;
  if (window.testStream !== stream) {
    window.testStream = stream;
    window.testAnalyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(stream).connect(window.testAnalyser);
    context.resume();
  }
  const bins = new Float32Array(testAnalyser.frequencyBinCount);
  testAnalyser.getFloatFrequencyData(bins);
  const power = [...bins].map(level => 10 ** (level / 10));
  const top = power.indexOf(Math.max(...power));
  const near = power.slice(Math.max(0, top - 4), top + 5).reduce((a, b) => a + b, 0);
  return { hz: top * context.sampleRate / 16384, share: near / power.reduce((a, b) => a + b, 0) };
})()"""
SEE = """(() => {
  const video = document.getElementById("remote");
  if (!video.videoWidth) return null;
  const canvas = Object.assign(document.createElement("canvas"), { width: 30, height: 30 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 30, 30);
  return [5, 15, 25].map(x => [...context.getImageData(x, 12, 1, 1).data].slice(0, 3));
})()"""


@pytest.fixture(scope="module")
def lab(link, tmp_path_factory):
    """The browsers stand in the phone's own namespace: the page comes over loopback."""
    link.open()
    folder = tmp_path_factory.mktemp("lab")
    pulse = Pulse(folder / "pulse", ["browser"], shared=True)
    chromium = Chromium(link.far, flags=["--ignore-certificate-errors"], shared=True)
    firefox = Firefox(link.far, pulse, shared=True)
    yield SimpleNamespace(link=link, pulse=pulse, chromium=chromium, firefox=firefox, stripes=make_ivf(folder / "stripes.ivf", STRIPES))
    for process in (firefox, chromium, pulse):
        process.stop()


class Visit:
    """A browser at the page."""

    def __init__(self, browser, url):
        self.browser = browser
        browser.open(url)

    @property
    def text(self):
        return self.browser.evaluate("document.body.innerText")

    def wait_state(self, words, timeout=15):
        self.browser.wait_for(f"document.getElementById('state').textContent.startsWith({words!r})", timeout, f"state {words}")

    def call(self):
        self.wait_state("Ready to call")
        self.browser.evaluate(PLAIN)
        self.press("call")

    def press(self, button):
        self.browser.evaluate(f"void document.getElementById({button!r}).click()")

    def hears(self, hz, timeout=15):
        self.browser.wait_for(f"(heard => heard && Math.abs(heard.hz - {hz}) < 6 && heard.share > 0.9 && heard)({LISTEN})", timeout, f"tone of {hz} Hz")

    def sees(self, wanted, timeout=15):
        self.browser.wait_for(f"(seen => seen && {wanted}.every((cell, i) => cell.every((value, c) => Math.abs(value - seen[i][c]) <= 60)))({SEE})",
                              timeout, f"picture of {wanted}")


def get(namespace, url, cookie=None, method="GET"):
    """(status, headers, body) as another browser would get it."""
    scheme, host, port, path = re.match(r"(https?)://([^:/]+):(\d+)(/.*)", url).groups()
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.sock = namespace.socket(socket.SOCK_STREAM)
    connection.sock.connect((host, int(port)))
    if scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection.sock = context.wrap_socket(connection.sock)
    connection.request(method, path, headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def serve(lab, *options, namespace=None, **others):
    phone = Sidetone("serve", "--no-config", "--web", "127.0.0.1:0", "--listen", "udp:0.0.0.0:0", *options, namespace=namespace or lab.link.far,
                     **others)
    return phone, phone.wait_for("link")["url"]


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_a_browser_opens_the_link_and_a_key_answers(lab, name, tmp_path):
    heard, seen = tmp_path / "heard.wav", tmp_path / "seen.ivf"
    browser = getattr(lab, name)
    terminal = Terminal(tmp_path / "tmux", environment(tmp_path / "home"), namespace=lab.link.far)
    before = terminal.settings()
    terminal.type(f"{binary()} serve --no-config --web 127.0.0.1:0 --listen udp:0.0.0.0:0 --audio-in tone:700 --audio-out file:{heard}"
                  f" --video-in file:{lab.stripes} --video-out file:{seen}; echo code=$?")
    terminal.press("Enter")
    screen = terminal.wait_for(LINK, 15)
    # The same as a code for a camera.
    assert screen.count("█ ███ █") == 3, f"a code has three corners\n{screen}"
    url = re.search(LINK, screen)[0]
    page = Visit(browser, url)
    page.call()
    screen = terminal.wait_for(r"(?i)incoming")
    assert "Browser" in screen and "guest@127.0.0.1" in screen, screen
    page.wait_state("Ringing")
    # The link is this browser's now.
    assert get(lab.link.far, url)[0] == 403
    terminal.press("F2")
    page.wait_state("Connected")
    page.hears(700)
    page.sees(STRIPES)
    terminal.wait_for(r"DTLS-SRTP verified")
    assert get(lab.link.far, url)[0] == 403
    # As a person sees it: the other side's picture stands in it.
    picture = tmp_path / f"page-{name}.png"
    picture.write_bytes(browser.screenshot())
    with av.open(str(picture)) as container:
        image = next(container.decode(video=0)).to_ndarray(format="rgb24")
    shown = colours(image, 24, 24)
    assert all(any(near([cell], [colour]) for cell in shown) for colour in STRIPES), f"{picture} does not show the picture"
    browser.wait_for(f"document.getElementById('timer').textContent >= '0:04'", 10, "four seconds")
    page.press("hang-up")
    page.wait_state("You hung up")
    terminal.wait_for(r"● connected", absent=True)
    assert GONE in get(lab.link.far, url)[2]
    # There is a new link for the next one.
    screen = terminal.wait_for(LINK)
    assert re.search(LINK, screen)[0] != url
    terminal.press("F10")
    terminal.wait_for(r"^code=0$")
    assert terminal.settings() == before
    assert_tone(heard, 1200 if name == "chromium" else 1000, snr=10)
    images = decoded(seen)
    assert len(images) >= 20


def test_a_used_a_wrong_and_a_foreign_link_are_refused(lab):
    phone, url = serve(lab, "--auto-answer", "--echo")
    base, token = url[:-22], url[-22:]
    wrong = base + token[:-1] + ("a" if token[-1] != "a" else "b")
    for path in ("", "nothing", token + "/", token + "/../etc/passwd", "../../etc/passwd", token + "?x=1"):
        assert get(lab.link.far, base + path)[0] == 404, path
    assert get(lab.link.far, wrong)[0] == 403 and GONE in get(lab.link.far, wrong)[2]
    assert get(lab.link.far, url, method="POST")[0] == 405
    # Somebody who only looks spoils nothing.
    status, headers, body = get(lab.link.far, url)
    assert status == 200 and "script-src 'sha256-" in headers["Content-Security-Policy"] and "HttpOnly" in headers["Set-Cookie"]
    assert headers["Cache-Control"] == "no-store" and "<script" in body
    first = Visit(lab.chromium, url)
    first.wait_state("Ready to call")
    # A reload before the call works; another browser does not get in.
    first = Visit(lab.chromium, url)
    first.wait_state("Ready to call")
    assert get(lab.link.far, url)[0] == 403
    assert get(lab.link.far, url, cookie="sidetone=" + "x" * 22)[0] == 403
    other = Visit(lab.firefox, url)
    assert GONE in other.text
    first.call()
    first.wait_state("Connected")
    first.hears(1200)
    # Neither a second call by the same browser.
    assert lab.chromium.evaluate(f"fetch({url!r}).then(answer => answer.status)") == 403
    first.press("hang-up")
    first.wait_state("You hung up")
    code_line = phone.wait_for("message", code="link-used")
    assert code_line["call"] == "1"
    newer = phone.wait_until(lambda: len(phone.of("link")) == 2 and phone.of("link")[1], 5, "a new link")
    assert newer["url"] != url and newer["expiresSeconds"] == 900
    again = Visit(lab.chromium, url)
    assert GONE in again.text
    result = phone.of("result")[0]
    assert result["outcome"] == "answered" and result["sip"]["endedBy"] == "remote"
    assert_secured(result, "dtls", cipher=BROWSERS_CIPHER["chromium"])
    phone.stop()


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_a_refused_microphone_is_told_clearly(lab, name):
    phone, url = serve(lab)
    if name == "chromium":
        browser = Chromium(lab.link.far, flags=["--deny-permission-prompts"], asks=True)
    else:
        browser = Firefox(lab.link.far, lab.pulse, preferences={"media.navigator.permission.disabled": False, "permissions.default.microphone": 2,
                                                               "permissions.default.camera": 2})
    page = Visit(browser, url)
    page.wait_state("Ready to call")
    page.press("call")
    browser.wait_for("!document.getElementById('problem').hidden", 10, "the problem")
    assert "The microphone was refused" in page.text
    # And it may try again.
    assert browser.evaluate("document.getElementById('call').disabled") is False
    assert not phone.of("call.incoming")
    browser.stop()
    phone.stop()


def test_firefox_calls_from_the_page(lab):
    phone, url = serve(lab, "--auto-answer", "--echo", "--once")
    page = Visit(lab.firefox, url)
    page.call()
    page.wait_state("Connected")
    page.hears(1000)
    phone.stop()


def test_the_page_that_is_closed_ends_the_call(lab):
    phone, url = serve(lab, "--auto-answer", "--echo", "--once")
    page = Visit(lab.chromium, url)
    page.call()
    page.wait_state("Connected")
    lab.chromium.open("about:blank")
    code, result = phone.finish(15)
    assert (code, result["outcome"], result["sip"]["endedBy"]) == (0, "answered", "remote")


def test_https_with_an_own_certificate_beyond_loopback(lab):
    phone, url = serve(lab, "--auto-answer", "--audio-in", "tone:500", "--audio-out", "null", "--web", f"{lab.link.near.address}:0",
                       "--listen", f"udp:{lab.link.near.address}:0", namespace=lab.link.near)
    assert url.startswith(f"https://{lab.link.near.address}:")
    page = Visit(lab.chromium, url)
    page.call()
    page.wait_state("Connected")
    page.hears(500)
    page.press("hang-up")
    page.wait_state("You hung up")
    phone.wait_for("result")
    phone.stop()


def test_a_call_that_is_hung_up_before_it_is_dialled_is_none(lab):
    phone, url = serve(lab)
    page = Visit(lab.chromium, url)
    # The candidates take as long as the test likes.
    lab.chromium.evaluate("""void (Media.prototype.gathered = async function () {
        await new Promise(done => { window.letGo = done; });
        return this.connection.localDescription.sdp;
    })""")
    page.call()
    page.wait_state("Calling")
    lab.chromium.wait_for("!!window.letGo", 10, "gathering")
    page.press("hang-up")
    lab.chromium.evaluate("void window.letGo()")
    page.wait_state("You hung up", 5)
    lab.chromium.wait_for("page.signalling.socket.readyState === WebSocket.CLOSED", 5, "end of the connection")
    # Nothing came of it, so the link is still good.
    again = Visit(lab.chromium, url)
    again.wait_state("Ready to call")
    assert not phone.of("call.incoming") and not [line for line in phone.of("message") if line["code"] == "link-used"]
    assert len(phone.of("link")) == 1
    phone.stop()


def test_the_log_does_not_have_the_link(lab, tmp_path):
    log = tmp_path / "log"
    phone, url = serve(lab, "--auto-answer", "--echo", "--log-file", log, "--log-level", "debug", "--trace-sip")
    page = Visit(lab.chromium, url)
    page.call()
    page.wait_state("Connected")
    page.press("hang-up")
    page.wait_state("You hung up")
    phone.wait_for("result")
    phone.stop()
    text = log.read_text()
    assert "a link for one call was made" in text and "INVITE sip:phone@" in text
    assert url[-22:] not in text
    # Without a file the lines on standard error are the log.
    phone, url = serve(lab, "--log-level", "debug")
    phone.wait_line(r"a link for one call was made")
    phone.stop()
    assert not [line for line in phone.output["stderr"] if url[-22:] in line]


def slow_tls(namespace, url, request):
    """What HTTPS answers to these bytes, read in small pieces through a small buffer; OSError unless it ends with a goodbye."""
    host, port = re.match(r"https://([^:/]+):(\d+)/", url).groups()
    plain = namespace.socket(socket.SOCK_STREAM)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(10)
    plain.connect((host, int(port)))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(plain, suppress_ragged_eofs=False) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(1000):
            answer += part
            time.sleep(0.005)
        return answer


def test_an_answer_by_https_is_read_to_its_end(lab):
    phone, url = serve(lab, "--web", f"{lab.link.near.address}:0", "--listen", f"udp:{lab.link.near.address}:0", namespace=lab.link.near)
    path, host = url[url.rindex("/"):], re.match(r"https://([^/]+)/", url)[1]
    for body in (b"", b"x" * (1 << 20)):
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        answer = slow_tls(lab.link.far, url, head + body)
        assert answer.startswith(b"HTTP/1.1 405 "), answer[:80]
    head, _, body = slow_tls(lab.link.far, url, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and len(body) == int(re.search(rb"Content-Length: (\d+)", head)[1]) > 20000
    phone.stop()


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_a_browser_is_put_through_to_a_phone_at_a_registrar(lab, name, tmp_path):
    kamailio = Kamailio(tmp_path / "kamailio", lab.link.far)
    plain = Baresip(tmp_path / "baresip", lab.link.far, security="none", codec="PCMU", tone=1300, port=5080, user="desk",
                    registrar=f"sip:{kamailio.domain}", password=kamailio.PASSWORD)
    kamailio.wait_until(lambda: len(kamailio.saw("REGISTER", "desk")) >= 2, 10, "the desk's registration")
    phone = Sidetone("serve", *kamailio.account("gateway"), "--web", "127.0.0.1:0", "--to", f"sip:desk@{kamailio.domain}", "--once",
                     namespace=lab.link.far, env=SECRET)
    phone.wait_for("registration", state="registered")
    page = Visit(getattr(lab, name), phone.wait_for("link")["url"])
    page.call()
    page.wait_state("Connected")
    page.hears(1300)
    phone.wait_until(lambda: len(phone.of("call.stats")) >= 6, 15, "figures")
    plain.do("hangup")
    page.wait_state("The other side hung up")
    code, _ = phone.finish(10)
    assert code == 0
    guest, desk = sorted(phone.of("result"), key=lambda line: int(line["call"]))
    assert_secured(guest, "dtls", cipher=BROWSERS_CIPHER[name])
    assert_secured(desk, "none")
    assert (audio(guest)["codec"].lower(), audio(desk)["codec"].upper()) == ("opus", "PCMU")
    assert_tone(plain.recorded(), getattr(lab, name).tone, snr=10)
    plain.stop()
    kamailio.stop()


def test_a_busy_desk_is_told_on_the_page(lab, tmp_path):
    desk = Sidetone("answer", "--no-config", "--listen", "udp:127.0.0.1:0", "--max-calls", "1", "--auto-answer", "--echo", namespace=lab.link.far)
    other = Sidetone("call", f"sip:desk@127.0.0.1:{desk.port()}", "--no-config", "--listen", "udp:127.0.0.1:0", "--audio-in", "null", "--audio-out",
                     "null", namespace=lab.link.far)
    other.wait_state("media")
    phone, url = serve(lab, "--to", f"sip:desk@127.0.0.1:{desk.port()}")
    page = Visit(lab.chromium, url)
    page.call()
    page.wait_state("The phone is busy")
    phone.stop()
    other.stop()
    desk.stop()


def raw(namespace, url, data=b"", timeout=5):
    """What the web port says to these bytes, until it closes the connection."""
    host, port = re.match(r"http://([^:/]+):(\d+)/", url).groups()
    connection = namespace.socket(socket.SOCK_STREAM)
    connection.settimeout(timeout)
    connection.connect((host, int(port)))
    if not data:
        return connection
    answer = b""
    try:
        connection.sendall(data)
        while part := connection.recv(65536):
            answer += part
    except ConnectionResetError:
        pass
    connection.close()
    return answer


def test_the_web_port_stands_what_strangers_send(lab):
    phone, url = serve(lab)
    host = re.match(r"http://([^/]+)/", url)[1].encode()
    path = url[url.rindex("/"):].encode()
    head = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n"
    strange = {
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": 400,
        b"GET " + path + b" HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n": 421,
        b"GET " + path + b" HTTP/1.1\r\n\r\n": 421,
        b"GET " + path + b" HTTP/1.0\r\nHost: " + host + b"\r\n\r\n": 505,
        head + b"X: " + b"a" * 9000 + b"\r\n\r\n": 431,
        head + b"X: a\r\n" * 100 + b"\r\n": 431,
        head + b" folded: a\r\n\r\n": 400,
        b"GET " + path + b"/../page.js HTTP/1.1\r\nHost: " + host + b"\r\n\r\n": 404,
        b"GET " + path + b"/sip HTTP/1.1\r\nHost: " + host + b"\r\n\r\n": 426,
        b"DELETE " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n": 405,
    }
    for request, status in strange.items():
        answer = raw(lab.link.far, url, request)
        assert answer.startswith(b"HTTP/1.1 %d " % status), (request[:60], answer[:80])
    # Another site's script has the browser's cookie, and an Origin of its own.
    upgrade = (b"GET " + path + b"/sip HTTP/1.1\r\nHost: " + host + b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nCookie: sidetone=" + b"v" * 22 + b"\r\n")
    assert raw(lab.link.far, url, upgrade + b"Origin: http://elsewhere.example\r\n\r\n").startswith(b"HTTP/1.1 403 ")
    # Sixteen connections of one address that say nothing are kept for a while; the next is closed at once.
    silent = [raw(lab.link.far, url) for _ in range(16)]
    one = raw(lab.link.far, url)
    assert one.recv(1) == b""
    for connection in [*silent, one]:
        connection.close()
    # Requests of one address: some at once, then two a second.
    answers = [raw(lab.link.far, url, head + b"\r\n")[:12] for _ in range(60)]
    assert b"HTTP/1.1 429" in answers, answers
    phone.wait_until(lambda: raw(lab.link.far, url, head + b"\r\n").startswith(b"HTTP/1.1 200") or None, 20, "an answer again")
    phone.stop()


def test_a_head_that_never_ends_is_cut_off(lab):
    phone, url = serve(lab)
    connection = raw(lab.link.far, url)
    connection.sendall(b"GET / HTTP/1.1\r\n")
    connection.settimeout(25)
    assert connection.recv(1) == b"", "closed within its 15 seconds"
    phone.stop()
