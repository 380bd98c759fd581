"""Chromium and Firefox from Debian, headless in a namespace, with a tone as microphone. They are driven without driver programs: Chromium by its
DevTools protocol, Firefox by WebDriver BiDi."""

import base64
import http.server
import json
import os
import re
import signal
import socket
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from sound import tone, write_wav

from .devtools import Remote
from .process import Process

PAGE = Path(__file__).with_name("page")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class PageServer:
    """The pages of `peers/page` on the namespace's loopback address, which browsers trust with the microphone."""

    def __init__(self, namespace):
        listener = namespace.socket(socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        self.server = http.server.ThreadingHTTPServer(listener.getsockname(), partial(_Quiet, directory=str(PAGE)), bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = listener
        self.server.server_activate()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/phone.html"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Browser(Process):
    """Ready for `open` when the constructor returns. `tone` is the frequency of its microphone in Hz."""

    def __init__(self, command, name, namespace, env, shared):
        self.namespace, self.console, self.remote = namespace, [], None
        super().__init__(command, name, namespace=namespace, env=env, shared=shared)

    def _connect(self, url):
        host, port = re.match(r"ws://([^:/]+):(\d+)", url).groups()
        connection = self.namespace.socket(socket.SOCK_STREAM)
        connection.connect((host, int(port)))
        self.remote = Remote(connection, url, self._heard)

    def wait_for(self, expression, timeout=10, what=None):
        """Asks the page until the expression is true; its value."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.evaluate(expression)
            if found:
                return found
            assert time.monotonic() < deadline, f"{self.name}: no {what or expression} within {timeout} s"
            time.sleep(0.1)

    def stop(self, number=signal.SIGTERM, timeout=6):
        """Its helpers are in the process group that it was started with."""
        if self.remote:
            self.remote.close()
        code = super().stop(number, timeout)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return code

    def report(self):
        parts = [super().report(), "--- console", *self.console[-40:]]
        try:
            parts += ["--- the page's trace", *self.evaluate("typeof phone === 'undefined' ? [] : phone.trace", 3)[-40:]]
        except Exception as problem:
            parts.append(repr(problem))
        return "\n".join(parts)


def _environment(home, extra):
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "PULSE_SERVER")}
    run = Path(home) / "run"
    run.mkdir(mode=0o700)
    return {**kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(run), "XDG_CONFIG_HOME": f"{home}/config", "XDG_CACHE_HOME": f"{home}/cache", **extra}


class Chromium(Browser):
    def __init__(self, namespace, tone_hz=1200, flags=(), shared=False, asks=False):
        """`asks`: the person is asked for the microphone, as always outside of tests."""
        self.tone = tone_hz
        self.folder = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        home = Path(self.folder.name)
        # Whole periods, so that the loop has no seam.
        write_wav(home / "microphone.wav", 48000, tone(tone_hz, 10))
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-breakpad",
                   f"--user-data-dir={home / 'profile'}", "--remote-debugging-port=0", "--remote-allow-origins=*",
                   "--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream", *([] if asks else ["--use-fake-ui-for-media-stream"]),
                   f"--use-file-for-fake-audio-capture={home / 'microphone.wav'}", *flags, "about:blank"]
        super().__init__(command, "chromium", namespace, _environment(home, {}), shared)
        found = self.wait_line(r"DevTools listening on (ws://\S+)", 40)
        self.loaded = threading.Event()
        self._connect(found[1])
        target = self.remote.call("Target.createTarget", {"url": "about:blank"}, 20)["targetId"]
        self.session = self.remote.call("Target.attachToTarget", {"targetId": target, "flatten": True}, 20)["sessionId"]
        self._do("Page.enable")
        self._do("Runtime.enable")

    def _do(self, method, timeout=20, **params):
        return self.remote.call(method, params, timeout, sessionId=self.session)

    def _heard(self, event):
        if event["method"] == "Page.loadEventFired":
            self.loaded.set()
        elif event["method"] == "Runtime.exceptionThrown":
            self.console.append(json.dumps(event["params"])[:1500])
        elif event["method"] == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(part.get("value", part.get("description"))) for part in event["params"]["args"]))

    def open(self, url):
        self.loaded.clear()
        self._do("Page.navigate", url=url)
        assert self.loaded.wait(20), f"chromium did not load {url}"

    def evaluate(self, expression, timeout=30):
        """The value of an expression, or of the promise that it gives."""
        answer = self._do("Runtime.evaluate", timeout, expression=_as_json(expression), awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {json.dumps(answer['exceptionDetails'])[:1500]}")
        return json.loads(answer["result"]["value"])

    def screenshot(self):
        """What a person sees, as PNG."""
        return base64.b64decode(self._do("Page.captureScreenshot", format="png")["data"])


# Fake devices without a question, addresses in the open, nothing asked of the outside.
FIREFOX = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-gmpopenh264.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": True,
    "toolkit.telemetry.enabled": False,
}


class Firefox(Browser):
    """`pulse` is a `Pulse`: without a sound server Firefox's AudioContext never runs. Its fake microphone is always 1000 Hz."""

    tone = 1000

    def __init__(self, namespace, pulse, preferences=None, shared=False):
        self.folder = tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True)
        home = Path(self.folder.name)
        profile = home / "profile"
        profile.mkdir()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in {**FIREFOX, **(preferences or {})}.items()]
        (profile / "user.js").write_text("\n".join(lines) + "\n")
        extra = {"MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1", "MOZ_DISABLE_CONTENT_SANDBOX": "1",
                 "PULSE_SERVER": pulse.environment["PULSE_SERVER"]}
        super().__init__(["firefox-esr", "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank"],
                         "firefox", namespace, _environment(home, extra), shared)
        self._connect(self.wait_line(r"WebDriver BiDi listening on (ws://\S+)", 60)[1] + "/session")
        self._do("session.new", capabilities={})
        self._do("session.subscribe", events=["log.entryAdded"])
        self.context = self._do("browsingContext.getTree")["contexts"][0]["context"]

    def _do(self, method, timeout=30, **params):
        return self.remote.call(method, params, timeout)

    def _heard(self, event):
        if event.get("method") == "log.entryAdded":
            self.console.append(str(event["params"].get("text")))

    def open(self, url):
        self._do("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, expression, timeout=30):
        answer = self._do("script.evaluate", timeout, expression=_as_json(expression), awaitPromise=True, target={"context": self.context},
                          userActivation=True)
        if answer["type"] == "exception":
            raise AssertionError(f"{expression}: {json.dumps(answer['exceptionDetails'])[:1500]}")
        return json.loads(answer["result"]["value"])

    def screenshot(self):
        """What a person sees, as PNG."""
        return base64.b64decode(self._do("browsingContext.captureScreenshot", context=self.context)["data"])


def _as_json(expression):
    return f"(async () => JSON.stringify((await ({expression})) ?? null))()"


class WebPhone:
    """The page as a SIP phone at Kamailio. A new page each time, so that nothing of the last call is left."""

    def __init__(self, browser, page, kamailio, user, ice=None, answers=True, trickle=False, video=None):
        """`video`: "camera" (the fake device), "pattern" (bars and a moving block), "noise" (needs many bits) or "watch" (sends none)."""
        self.browser, self.user = browser, user
        self.uri = f"sip:{user}@{kamailio.domain}"
        browser.open(page.url)
        options = {"server": kamailio.web_socket, "user": user, "domain": kamailio.domain, "password": kamailio.PASSWORD, "ice": ice or {},
                   "trickle": trickle, "video": video}
        browser.evaluate(f"(window.phone = new Agent({json.dumps(options)}), phone.answers = {json.dumps(answers)}, phone.open())")
        status = browser.evaluate("phone.register()")
        assert status == 200, f"{browser.name} registers: {status}"

    def rewrite(self, outgoing=None, incoming=None):
        """Functions of JavaScript that change the descriptions of the calls to come, `sdp => …`."""
        for name, function in (("rewriteOut", outgoing), ("rewriteIn", incoming)):
            if function:
                self.browser.evaluate(f"void (phone.{name} = {function})")

    def heard_description(self):
        """The newest description that came from the other side, as it was on the wire."""
        found = self.browser.evaluate("phone.trace.filter(text => / gets\\n/.test(text) && /\\r\\n\\r\\nv=0/.test(text)).pop() || ''")
        return found.partition("\r\n\r\n")[2]

    def dial(self, uri, timeout=30):
        """The final status."""
        return self.browser.evaluate(f"phone.dial({json.dumps(uri)})", timeout)

    def wait_state(self, state, timeout=15):
        return self.browser.wait_for(f"phone.call && phone.call.state === {json.dumps(state)}", timeout, f"state {state}")

    def wait_media(self, timeout=15):
        """When the first packet was seen, in s since 1970."""
        return self.browser.wait_for("phone.call && phone.call.media && phone.call.media.firstMedia", timeout, "media") / 1000

    def hang_up(self):
        return self.browser.evaluate("phone.hangUp()")

    def leave(self):
        """Takes its contact off, so that nobody's call is forked to a page that is gone."""
        self.browser.evaluate("phone.register(0)")

    def sound(self):
        return SimpleNamespace(**self.browser.evaluate("phone.call.media.sound()"))

    def wait_tone(self, hz, timeout=10):
        """Until this tone and hardly anything else is heard."""
        deadline = time.monotonic() + timeout
        while True:
            sound = self.sound()
            if abs(sound.frequency - hz) < 6 and sound.share > 0.9:
                return sound
            assert time.monotonic() < deadline, f"{self.browser.name} hears {sound}, not {hz} Hz"
            time.sleep(0.2)

    def colours(self, columns=3, rows=1):
        """Mean [r, g, b] of each cell of the picture that is shown now; None before there is one."""
        return self.browser.evaluate(f"phone.call.media.picture.colours({columns}, {rows})")

    def wait_colours(self, wanted, timeout=10, tolerance=60):
        """Until the picture has these colours from left to right."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.colours(len(wanted))
            if found and all(abs(a - b) <= tolerance for cell, other in zip(found, wanted) for a, b in zip(cell, other)):
                return found
            assert time.monotonic() < deadline, f"{self.browser.name} sees {found}, not {wanted}"
            time.sleep(0.2)

    def figures(self):
        """`getStats` now, or as it was when the call ended."""
        return Figures(self.browser.evaluate("phone.call.media.kept || phone.call.media.figures()"))

    def wait_video(self, field, least, timeout=15):
        """Until the inbound video has this much of it; how much it has."""
        return self.browser.wait_for(
            "phone.call.media.figures().then(all => { const found = all.entries.find(entry => entry.type === 'inbound-rtp' && entry.kind === 'video');"
            f" return found && found.{field} >= {least} ? found.{field} : 0; }})", timeout, f"{field} of {least}")

    def round_trip_after(self, timeout=10):
        """Seconds from the first packet to the first round-trip time of remote-inbound-rtp."""
        self.browser.wait_for("phone.call.media.firstRoundTrip", timeout, "round-trip time")
        return self.browser.evaluate("phone.call.media.firstRoundTrip - phone.call.media.firstMedia") / 1000


class Figures:
    """One `getStats` report: `figures["inbound-rtp"]` is the entry of the audio, `time` in s since 1970."""

    def __init__(self, report):
        self.time, self.state, self.entries = report["time"] / 1000, report["state"], report["entries"]

    def video(self, kind):
        """The entry of the video, or {}."""
        return next((entry for entry in self.entries if entry["type"] == kind and entry.get("kind") == "video"), {})

    def __getitem__(self, kind):
        for entry in self.entries:
            if entry["type"] == kind and entry.get("kind", "audio") == "audio":
                return entry
        raise AssertionError(f"the browser has no {kind}: {[entry['type'] for entry in self.entries]}")

    def get(self, kind):
        try:
            return self[kind]
        except AssertionError:
            return {}

    def by_id(self, identifier):
        return next(entry for entry in self.entries if entry["id"] == identifier)

    @property
    def selected_pair(self):
        """(local, remote) candidates of the pair in use; Firefox does not name it on the transport."""
        named = self.get("transport").get("selectedCandidatePairId")
        pair = self.by_id(named) if named else next(entry for entry in self.entries if entry["type"] == "candidate-pair" and entry.get("selected"))
        return self.by_id(pair["localCandidateId"]), self.by_id(pair["remoteCandidateId"])
