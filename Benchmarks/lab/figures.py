"""What is measured, and the tables."""

import os
import statistics
import time

from . import bare


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(part * (len(ordered) - 1))))]


def spread(values, unit="ms", digits=1):
    if not values:
        return "–"
    return f"{statistics.median(values):.{digits}f} {unit} (least {min(values):.{digits}f}, p95 {percentile(values, 0.95):.{digits}f}, n {len(values)})"


def ratio(a, b):
    return f"{statistics.median(a) / statistics.median(b):.2f}" if a and b and statistics.median(b) else "–"


def table(title, names, rows):
    """rows: (what, one list of values for each name, unit, digits)."""
    print(f"\n{title}")
    for what, values, unit, digits in rows:
        print(f"  {what}")
        for name, mine in zip(names, values):
            print(f"    {name:10} {spread(mine, unit, digits)}")
        if len(values) == 2 and values[0] and values[1]:
            print(f"    {names[0]} / {names[1]} = {ratio(values[0], values[1])}")


def starts(lab, kinds, count):
    """exec → the line that says ready, exec → first REGISTER on the wire; memory and CPU while idle."""
    ready = {kind.name: [] for kind in kinds}
    register = {kind.name: [] for kind in kinds}
    begin = {kind.name: [] for kind in kinds}
    idle = {}
    registrar = lab.far.socket()
    registrar.bind((lab.far.address, 5999))
    for turn in range(count + 1):
        for kind in kinds:
            phone = kind.start(lab.near)
            try:
                at, _ = phone.wait_line(kind.ready_line)
                cpu = phone.cpu()
                if turn:
                    ready[kind.name].append((at - phone.started) * 1000)
                    begin[kind.name].append(cpu * 1000)
                if turn == count:
                    time.sleep(2)
                    before, start = phone.ticks(), time.monotonic()
                    time.sleep(20)
                    used = (phone.ticks() - before) / (time.monotonic() - start) * 60
                    idle[kind.name] = (phone.memory(), used, phone.threads())
            finally:
                phone.stop()
            lab.wire.clear()
            phone = kind.start(lab.near, register=f"{lab.far.address}:5999")
            try:
                seen = lab.wire.wait(lambda packets: next((p for p in packets if p.payload.startswith(b"REGISTER ")), None), 5)
                if turn and seen:
                    register[kind.name].append((seen.at - phone.started) * 1000)
            finally:
                phone.stop(number=9)
    registrar.close()
    names = [kind.name for kind in kinds]
    table("Start", names, [
        ("exec → says that it is ready", [ready[n] for n in names], "ms", 1),
        ("exec → first REGISTER on the wire", [register[n] for n in names], "ms", 1),
        ("CPU until ready", [begin[n] for n in names], "ms", 1),
    ])
    print("\nIdle, waiting for calls")
    for name in names:
        (rss, own, share), used, threads = idle[name]
        print(f"  {name:10} resident {rss:5.1f} MB (anonymous {own:.1f}, proportional {share:.1f})  CPU {used:.3f} s/min  {threads} threads")


def first_media(packets):
    """(INVITE, first RTP out, first RTP in), or None while something is missing."""
    invite = next((p for p in packets if p.leaves and p.payload.startswith(b"INVITE ")), None)
    out = next((p for p in packets if p.leaves and p.kind == "rtp"), None)
    back = next((p for p in packets if not p.leaves and p.kind == "rtp"), None)
    return (invite, out, back) if invite and out and back else None


def steps(packets, invite):
    """Milliseconds from INVITE to what matters on the wire."""
    def first(name, condition):
        found = next((p for p in packets if condition(p)), None)
        return (name, (found.at - invite.at) * 1000) if found else (name, None)
    dtls = [p for p in packets if p.kind == "dtls"]
    return dict([
        first("200 OK", lambda p: p.payload.startswith(b"SIP/2.0 200") and b"INVITE" in p.payload),
        first("STUN check", lambda p: p.kind == "stun"),
        first("STUN success", lambda p: p.kind == "stun" and p.payload[:2] == b"\x01\x01"),
        first("ClientHello", lambda p: p.kind == "dtls"),
        ("last of DTLS", (dtls[-1].at - invite.at) * 1000 if dtls else None),
        first("RTP out", lambda p: p.leaves and p.kind == "rtp"),
        first("RTP in", lambda p: not p.leaves and p.kind == "rtp"),
    ])


def setups(lab, kinds, mode, count, timeline):
    both = {kind.name: [] for kind in kinds}
    own, parts, lines = [], {kind.name: {} for kind in kinds}, []
    failures = {kind.name: 0 for kind in kinds}
    for kind in kinds:
        kind.prepare(mode, "opus")
    for turn in range(count + 1):
        for kind in kinds:
            time.sleep(0.2)
            lab.wire.clear()
            call = kind.call(mode, "opus")
            found = lab.wire.wait(first_media, 12)
            time.sleep(0.15)
            packets = list(lab.wire.packets)
            results = call.hang_up()
            if not found:
                failures[kind.name] += 1
                continue
            if turn == 0:
                if timeline:
                    lines.append((kind.name, packets, found[0]))
                continue  # the first call warms up
            both[kind.name].append((max(found[1].at, found[2].at) - found[0].at) * 1000)
            for name, value in steps(packets, found[0]).items():
                if value is not None:
                    parts[kind.name].setdefault(name, []).append(value)
            if results:
                own.append({end: results[end]["setup"] for end in results})
    title = {"plain": "Set-up, plain RTP", "dtls": "Set-up, ICE + DTLS-SRTP + rtcp-mux"}[mode]
    names = [kind.name for kind in kinds]
    table(f"{title}: INVITE → first media packet both ways, by capture", names, [("later of both directions", [both[n] for n in names], "ms", 1)])
    for name in names:
        print(f"    {name} step by step (medians): " + ", ".join(f"{k} {statistics.median(v):.1f}" for k, v in parts[name].items()))
        if failures[name]:
            print(f"    {name}: {failures[name]} calls without media both ways")
    for end in ("caller", "callee"):
        fields = ["ringingMs", "answeredMs", "iceConnectedMs", "dtlsConnectedMs", "firstMediaSentMs", "firstMediaReceivedMs"]
        shown = []
        for field in fields:
            values = [o[end][field] for o in own if o.get(end, {}).get(field) is not None]
            if values:
                shown.append(f"{field} {statistics.median(values):.1f}")
        if shown:
            print(f"    Sidetone's own words, {end} (medians): " + ", ".join(shown))
    last = [max(o[e]["firstMediaReceivedMs"] for e in o) for o in own if all(o[e].get("firstMediaReceivedMs") is not None for e in o)]
    if last:
        print(f"    Sidetone's own words, media both ways: {spread(last)}")
    for name, packets, invite in lines:
        print(f"  {name}, first call:")
        for p in packets[:40]:
            print(f"    {(p.at - invite.at) * 1000:8.2f} {'→' if p.leaves else '←'} {p.kind:5} {p.meaning} ({len(p.payload)})")


def load(kinds, mode, codec, seconds):
    title = {"dtls": f"{codec}, ICE + DTLS-SRTP", "plain": f"{codec}, plain RTP"}[mode]
    print(f"\nOne call, {title}: CPU over {seconds:.0f} s, resident memory")
    sums = []
    for kind in kinds:
        kind.prepare(mode, codec)
        time.sleep(0.3)
        call = kind.call(mode, codec)
        try:
            time.sleep(3)
            before, start = [p.cpu() for p in call.programs], time.monotonic()
            time.sleep(seconds)
            length = time.monotonic() - start
            used = [(p.cpu() - b) / length * 60 for p, b in zip(call.programs, before)]
            memory = [p.memory() for p in call.programs]
            threads = [p.threads() for p in call.programs]
        finally:
            call.hang_up()
        sums.append(sum(used) / len(used))
        for end, cpu, (rss, own, share), n in zip(("caller", "callee"), used, memory, threads):
            print(f"  {kind.name:10} {end}  CPU {cpu:.2f} s/min   resident {rss:.1f} MB (anonymous {own:.1f}, proportional {share:.1f})  {n} threads")
    if len(sums) == 2:
        print(f"  {kinds[0].name} / {kinds[1].name} = {sums[0] / sums[1]:.2f} (mean of both ends)")


def bridge(product, codecs, seconds):
    """CPU of the process that joins two calls, beside what the codecs alone would take in the same run."""
    joined = product.bridge(codecs)
    try:
        how = joined.wait_line('"code":"bridged"')[1]
        time.sleep(3)
        before, start = joined.cpu(), time.monotonic()
        time.sleep(seconds)
        used = (joined.cpu() - before) / (time.monotonic() - start) * 60
    finally:
        joined.stop()
    what = "transcoded" if "transcoded" in how else "passed through"
    print(f"\nTwo calls joined, {' and '.join(codecs)}, both ICE + DTLS-SRTP, {what}: CPU over {seconds:.0f} s")
    print(f"  {product.name:10} {used:.2f} s/min")
    if what == "transcoded":
        # One direction decodes Opus, the other encodes it; G.711 and G.722 beside it are left out of the bare sum.
        alone = bare.opus_seconds_per_minute()
        print(f"  libopus    {alone:.2f} s/min, encoding and decoding alone\n  {product.name} / libopus = {used / alone:.2f}")


def machine_line():
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; a busy machine changes times more than ratios"
