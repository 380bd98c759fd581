"""Other ways to reach the same phone: IPv6, a name, TCP; options from a file; what the commands say about themselves."""

import re
import subprocess

import pytest

from sidetone import Sidetone, assert_media, assert_secured, binary, environment, transport
from sound import assert_tone

NULL = ["--audio-in", "tone:700", "--audio-out", "null"]


@pytest.mark.parametrize("listen,uri", [
    ("udp:[::1]:0", "sip:a@[::1]:{port}"),
    ("udp:127.0.0.1:0", "sip:a@localhost:{port}"),
    ("udp:127.0.0.1:0", "sip:127.0.0.1:{port}"),
    ("tcp:127.0.0.1:0", "sip:a@127.0.0.1:{port};transport=tcp"),
    ("tcp:[::1]:0", "sip:a@[::1]:{port};transport=tcp"),
])
def test_a_call_by_address_name_and_transport(tmp_path, listen, uri):
    heard = tmp_path / "heard.wav"
    kind = listen.split(":")[0]
    answer = Sidetone("answer", "--no-config", "--listen", listen, "--auto-answer", "--once", "--echo", "--audio-out", "null", "--security", "dtls")
    call = Sidetone("call", uri.format(port=answer.port(kind)), "--no-config", "--security", "dtls", "--audio-in", "tone:700",
                    "--audio-out", f"file:{heard}", "--for", "2")
    code, result = call.finish(15)
    assert (code, result["outcome"]) == (0, "answered")
    assert_secured(result, "dtls")
    assert_media(result, 1.5)
    if "::1" in listen:
        assert transport(result)["selectedCandidatePair"]["remote"]["address"] == "::1"
    answer.finish(5)
    assert_tone(heard, 700, seconds=1)


def test_options_come_from_the_configuration_file_and_the_command_line_wins(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('security = "none"\ncodec = ["PCMA"]\naudio-in = "tone:700"\naudio-out = "null"\nlisten = ["udp:127.0.0.1:0"]\n')
    answer = Sidetone("answer", "--config", str(file), "--auto-answer", "--once")
    call = Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", "--config", str(file), "--for", "1")
    _, result = call.finish(10)
    assert (result["outcome"], result["security"], result["streams"][0]["codec"]) == ("answered", "none", "PCMA")
    answer.finish(5)
    refused = Sidetone("answer", "--config", str(file), "--security", "dtls", "--auto-answer")
    assert Sidetone("call", f"sip:a@127.0.0.1:{refused.port()}", "--config", str(file)).finish(10)[0] == 17


def test_with_a_home_the_certificate_is_kept_and_private_and_without_configuration_it_is_not(tmp_path):
    def fingerprint(home, *arguments):
        answer = Sidetone("answer", *arguments, "--listen", "udp:127.0.0.1:0", *NULL, "--auto-answer", "--once", "--security", "dtls", home=home)
        call = Sidetone("call", f"sip:a@127.0.0.1:{answer.port()}", "--no-config", "--listen", "udp:127.0.0.1:0", *NULL,
                        "--security", "dtls", "--for", "1")
        _, result = call.finish(10)
        answer.finish(5)
        return transport(result)["remoteFingerprint"]["value"]

    kept, fresh = tmp_path / "kept", tmp_path / "fresh"
    assert fingerprint(kept) == fingerprint(kept)
    stored = [path for path in (kept / "state" / "sidetone").rglob("*") if path.is_file()]
    assert stored and all(path.stat().st_mode & 0o077 == 0 for path in stored), stored
    assert fingerprint(fresh, "--no-config") != fingerprint(fresh, "--no-config")
    assert not (fresh / "state").exists()


def say(tmp_path, *arguments):
    done = subprocess.run([binary(), *arguments], env=environment(tmp_path / "home"), capture_output=True, text=True, timeout=10)
    assert done.returncode == 0 and done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("command", [[], ["call"], ["answer"], ["devices"]], ids=["sidetone", "call", "answer", "devices"])
def test_help_fits_a_screen_and_ends_with_examples(tmp_path, command):
    lines = say(tmp_path, *command, "--help").rstrip().splitlines()
    assert len(lines) <= 45 and max(len(line) for line in lines) <= 80
    examples = lines[lines.index("Examples:") + 1:]
    assert examples and all(line.strip().startswith("sidetone") for line in examples)


def test_the_version_names_the_libraries(tmp_path):
    said = say(tmp_path, "--version")
    assert said.startswith("sidetone ")
    assert re.findall("(?i)openssl|libsrtp2|libopus|libvpx|alsa", said) == ["OpenSSL", "libsrtp2", "libopus", "libvpx", "ALSA"]
