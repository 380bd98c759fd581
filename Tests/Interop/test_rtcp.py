"""RTCP as it leaves: captured, decrypted with the key log by the test's own code, and read by tshark."""

import re
import struct
from types import SimpleNamespace

import pytest
from cryptography.exceptions import InvalidTag

from peers.browser import Chromium, PageServer, WebPhone
from peers.capture import Capture, Datagram, fields
from peers.kamailio import Kamailio
from peers.srtp import Decryption, packets, write_pcap
from sidetone import Sidetone, audio, transport

SECRET = {"SIDETONE_PASSWORD": Kamailio.PASSWORD}
SECONDS = 8
SR, RR, SDES, RTPFB, XR = 200, 201, 202, 205, 207
TRANSPORT_CC = 15

# What tshark says about a packet that it cannot make sense of, in fields.
COMPLAINTS = ["_ws.malformed", "_ws.expert.message"]


def decrypted(folder, capture, key_log):
    """The SRTCP of a capture in clear, as rows and as a file; the profile."""
    capture.finish()
    datagrams = capture.datagrams()
    decryption = Decryption(datagrams, key_log.read_text())
    rows = list(decryption.reports(datagrams))
    file = folder / "clear.pcap"
    write_pcap(file, rows)
    return {"decryption": decryption, "datagrams": datagrams, "rows": rows, "file": file, "profile": decryption.profile}


@pytest.fixture(scope="module")
def phones(link, tmp_path_factory):
    """Sidetone and Sidetone: AES-GCM. Over TCP, where an offer has room for everything."""
    folder = tmp_path_factory.mktemp("phones")
    capture, key_log = Capture(folder / "wire.pcapng", link.far), folder / "keys"
    answer = Sidetone("answer", "--no-config", "--listen", f"tcp:{link.far.address}:5070", "--auto-answer", "--once", "--security", "dtls",
                      "--audio-in", "tone:1200", "--audio-out", "null", namespace=link.far)
    answer.port("tcp")
    call = Sidetone("call", f"sip:a@{link.far.address}:5070;transport=tcp", "--no-config", "--security", "dtls", "--keylog", str(key_log), "--audio-in", "tone:700",
                    "--audio-out", "null", "--for", str(SECONDS), namespace=link.near)
    code, result = call.finish(SECONDS + 15)
    assert code == 0 and answer.finish(10)[0] == 0
    return SimpleNamespace(result=result, ours=transport(result)["selectedCandidatePair"]["local"], **decrypted(folder, capture, key_log))


@pytest.fixture(scope="module")
def chromium(link, tmp_path_factory):
    """Chromium calls and is the DTLS server, so that it chooses: AES in counter mode with HMAC-SHA1."""
    folder = tmp_path_factory.mktemp("chromium")
    kamailio, page, browser = Kamailio(folder / "kamailio", link.far), PageServer(link.far), Chromium(link.far)
    phone = None
    try:
        web = WebPhone(browser, page, kamailio, "web")
        capture, key_log = Capture(folder / "wire.pcapng", link.far), folder / "keys"
        phone = Sidetone("answer", *kamailio.account("phone"), "--auto-answer", "--once", "--security", "dtls", "--keylog", str(key_log), "--audio-in",
                         "tone:700", "--audio-out", "null", namespace=link.near, env=SECRET)
        phone.wait_for("registration", state="registered")
        assert web.dial(f"sip:phone@{kamailio.domain}") == 200
        phone.wait_until(lambda: sum(line.get("type") == "call.stats" for line in phone.lines) >= SECONDS, SECONDS + 15, "figures")
        sdp = browser.evaluate("phone.call.media.connection.remoteDescription.sdp")
        web.hang_up()
        code, result = phone.finish(10)
        assert code == 0
        return SimpleNamespace(result=result, sdp=sdp, ours=transport(result)["selectedCandidatePair"]["local"], **decrypted(folder, capture, key_log))
    finally:
        for process in (phone, browser, kamailio):
            if process:
                process.stop()
        page.close()


@pytest.fixture(params=["phones", "chromium"])
def call(request):
    return request.getfixturevalue(request.param)


def of_ours(call):
    here = (call.ours["address"], call.ours["port"])
    return [(datagram, packet) for datagram, compound in call.rows if datagram.source == here for packet in packets(compound)]


def read_by_tshark(call, names, display=None):
    ports = {end[1] for datagram, _ in call.rows for end in (datagram.source, datagram.target)}
    return fields(call.file, names, display, *(part for port in ports for part in ("-d", f"udp.port=={port},rtcp")), "-E", "occurrence=a")


def test_tshark_reads_every_report_without_a_malformed_field(call):
    assert transport(call.result)["srtpCipher"] == call.profile
    rows = read_by_tshark(call, ["rtcp.pt", *COMPLAINTS, "rtcp.length_check"])
    assert len(rows) == len(call.rows) > 6
    for kinds, malformed, complaint, right in rows:
        assert kinds and not malformed and not complaint, f"{kinds}: {malformed} {complaint}"
        assert right in ("", "1", "True"), "the lengths of a compound add up"


def test_both_families_of_srtp_are_decrypted(phones, chromium):
    assert (phones.profile, chromium.profile) == ("AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80")


def test_14_the_reports_say_what_the_other_side_counted(call):
    """A sender report of ours names as many packets as the figures, and a report block came back for our stream."""
    here = (call.ours["address"], call.ours["port"])
    outbound = audio(call.result)["outbound"]
    reports = [packet for _, (kind, _, packet) in of_ours(call) if kind == SR]
    assert len(reports) >= 2
    last = struct.unpack_from("!I", reports[-1], 20)[0]
    assert 0.5 * outbound["packetsSent"] < last <= outbound["packetsSent"]
    blocks = [struct.unpack_from("!I", packet, 28 if kind == SR else 8)[0]
              for datagram, compound in call.rows if datagram.target == here
              for kind, count, packet in packets(compound) if kind in (SR, RR) and count]
    assert outbound["ssrc"] in blocks


def test_the_first_report_leaves_soon_and_the_others_often(call):
    """AVPF (RFC 4585 §3.4): a browser's round-trip time within five seconds needs two of them."""
    times = [datagram.time for datagram, (kind, _, _) in of_ours(call) if kind in (SR, RR)]
    assert len(times) >= 3
    assert max(later - earlier for earlier, later in zip(times, times[1:])) < 5


def test_every_full_compound_names_its_source(call):
    here = (call.ours["address"], call.ours["port"])
    for datagram, compound in call.rows:
        if datagram.source == here:
            kinds = [kind for kind, _, _ in packets(compound)]
            if kinds[0] in (SR, RR):
                assert SDES in kinds
            else:
                assert set(kinds) <= {RTPFB, 206}, "alone goes only feedback (RFC 5506)"


def test_transport_wide_feedback_covers_what_came_in(call):
    feedback = [packet for _, (kind, form, packet) in of_ours(call) if (kind, form) == (RTPFB, TRANSPORT_CC)]
    assert feedback, f"only {sorted({(kind, form) for _, (kind, form, _) in of_ours(call)})}"
    counts = sum(struct.unpack_from("!H", packet, 14)[0] for packet in feedback)
    assert counts >= 0.8 * audio(call.result)["inbound"]["packetsReceived"]
    rows = read_by_tshark(call, ["rtcp.rtpfb.transportcc.baseseq", "rtcp.rtpfb.transportcc.statuscount", "rtcp.rtpfb.transportcc.pktcount"],
                          f"ip.src == {call.ours['address']} && udp.srcport == {call.ours['port']} && rtcp.rtpfb.transportcc.baseseq")
    read = [int(count) for _, counts, _ in rows for count in counts.split(",")]
    assert len(read) == len(feedback) and sum(read) == counts
    numbers = [packet[19] for packet in feedback]
    assert all((later - earlier) % 256 == 1 for earlier, later in zip(numbers, numbers[1:])), "the feedback is numbered without a gap"


def header_extensions(packet):
    """id → bytes of the one-byte header extensions of an RTP packet (RFC 8285 §4.2)."""
    at = 12 + 4 * (packet[0] & 15)
    if not packet[0] & 0x10 or packet[at:at + 2] != b"\xbe\xde":
        return {}
    end = at + 4 + 4 * int.from_bytes(packet[at + 2:at + 4], "big")
    found, at = {}, at + 4
    while at < end:
        number, size = packet[at] >> 4, (packet[at] & 15) + 1
        if number == 0:
            at += 1
            continue
        found[number] = packet[at + 1:at + 1 + size]
        at += 1 + size
    return found


def test_our_packets_carry_the_mid_and_the_transport_wide_number_that_were_agreed_on(chromium):
    agreed = {uri: int(number) for number, uri in re.findall(r"a=extmap:(\d+)\S* (\S+)", chromium.sdp)}
    mid = re.search(r"a=mid:(\S+)", chromium.sdp)[1].encode()
    here = (chromium.ours["address"], chromium.ours["port"])
    sent = [header_extensions(datagram.payload) for datagram in chromium.datagrams if datagram.source == here and datagram.is_rtp]
    assert sent[0].get(agreed["urn:ietf:params:rtp-hdrext:sdes:mid"]) == mid
    wide = agreed["http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"]
    numbers = [int.from_bytes(extensions[wide], "big") for extensions in sent]
    assert all((later - earlier) % 65536 == 1 for earlier, later in zip(numbers, numbers[1:])) and len(numbers) > 45 * SECONDS


def test_extended_reports_are_read_by_tshark(phones):
    """Between two of this program: browsers do not agree on VoIP metrics."""
    call, blocks = phones, {}
    for _, (kind, _, packet) in of_ours(call):
        at = 8
        while kind == XR and at + 4 <= len(packet):
            block, _, words = struct.unpack_from("!BBH", packet, at)
            blocks.setdefault(block, []).append(packet[at:at + 4 * (words + 1)])
            at += 4 * (words + 1)
    assert {4, 7} <= set(blocks), f"receiver reference time and VoIP metrics, not {sorted(blocks)}"
    here = f"ip.src == {call.ours['address']} && udp.srcport == {call.ours['port']}"
    rows = read_by_tshark(call, ["rtcp.xr.bt", "rtcp.xr.voipmetrics.gmin", "rtcp.xr.voipmetrics.rtdelay", *COMPLAINTS], f"{here} && rtcp.xr.bt")
    read = [kind for row in rows for kind in row[0].split(",")]
    assert read.count("7") == len(blocks[7]) and read.count("4") == len(blocks[4])
    assert all(not row[3] and not row[4] for row in rows)
    metrics = [row for row in rows if row[1]]
    assert {gmin for row in metrics for gmin in row[1].split(",")} == {"16"}
    assert 0 <= int(metrics[-1][2].split(",")[-1]) < 500, "the round-trip delay in ms"


def test_the_check_finds_a_malformed_report(call, tmp_path):
    """An RTCP length that points behind the packet is what the tests above would complain of."""
    datagram, compound = next((datagram, compound) for datagram, compound in call.rows if compound[1] in (SR, RR))
    broken = compound[:2] + b"\x00\x60" + compound[4:]
    file = tmp_path / "broken.pcap"
    write_pcap(file, [(datagram, broken)])
    rows = fields(file, COMPLAINTS + ["rtcp.length_check"], None, "-d", f"udp.port=={datagram.source[1]},rtcp")
    assert rows[0][0] or rows[0][1] or rows[0][2] in ("0", "False")


def test_a_changed_byte_is_not_authentic(call):
    """The test's own decryption refuses what was changed on the way; else it would prove nothing about the keys."""
    report = call.rows[0][0]
    for at in (9, len(report.payload) - 1):
        changed = report.payload[:at] + bytes([report.payload[at] ^ 1]) + report.payload[at + 1:]
        with pytest.raises((AssertionError, InvalidTag)):
            list(call.decryption.reports([Datagram(report.time, report.source, report.target, changed)]))
