import Interface

/// Everything about a call's transports: candidates, pairs, the handshake's datagrams, profiles, fingerprints, what was dropped and why.
struct TransportView {
    let call: CallSnapshot

    func lines(width: Int) -> [StyledLine] {
        var out = [
            StyledLine([Span("Transport", .heading), Span("  " + call.peer, .dim)], right: [Span(call.securityMark.text, call.securityMark.role)])
        ]
        if call.transports.isEmpty { out.append(StyledLine("nothing has been agreed on yet", .dim)) }
        for transport in call.transports {
            out += ice(transport, width)
            out += dtls(transport, width)
            out += packets(transport, width)
        }
        return out
    }

    private func ice(_ transport: TransportStatistics, _ width: Int) -> [StyledLine] {
        var head = Flow("ICE" + suffix(transport))
        head.add(transport.iceState == "none" ? "not used" : transport.iceState, transport.iceState == "none" ? .dim : .text)
        if let role = transport.iceRole { head.add(role) }
        head.add(transport.component == "rtcp" ? "RTCP's own transport" : transport.rtcpMux ? "rtcp-mux" : "no rtcp-mux", .dim)
        var out = head.lines(width: width)
        for (name, list) in [("local", transport.localCandidates), ("remote", transport.remoteCandidates)] {
            for (index, candidate) in list.enumerated() {
                var flow = Flow(index == 0 ? name : "")
                flow.add(Format.candidate(candidate))
                if let base = candidate.relatedAddress { flow.add("from \(base):\(candidate.relatedPort ?? 0)", .dim) }
                if let priority = candidate.priority { flow.add("priority \(priority)", .dim) }
                out += flow.lines(width: width)
            }
        }
        if transport.remoteNamesIgnored > 0 {
            var flow = Flow("")
            flow.add("\(transport.remoteNamesIgnored) of the peer's candidates are mDNS names: not looked up", .dim)
            out += flow.lines(width: width)
        }
        for (index, pair) in transport.pairs.enumerated() {
            var flow = Flow(index == 0 ? "pairs" : "")
            flow.add(pair.nominated ? "● nominated" : "○ " + pair.state, Self.role(of: pair))
            flow.add(Format.candidate(pair.local) + " → " + Format.candidate(pair.remote))
            flow.add(name: "RTT", Format.milliseconds(pair.currentRoundTripTimeMs))
            flow.add(name: "asked", "\(pair.requestsSent)/\(pair.responsesReceived)")
            flow.add(name: "answered", "\(pair.requestsReceived)/\(pair.responsesSent)")
            if pair.consentRequestsSent > 0 { flow.add(name: "consent", "\(pair.consentRequestsSent)") }
            out += flow.lines(width: width)
        }
        return out
    }

    private static func role(of pair: CandidatePairStatistics) -> Role {
        if pair.nominated { return .good }
        return pair.state == "failed" ? .bad : pair.state == "succeeded" ? .text : .dim
    }

    private func dtls(_ transport: TransportStatistics, _ width: Int) -> [StyledLine] {
        guard transport.dtlsState != "none" else { return [] }
        var head = Flow("DTLS" + suffix(transport))
        head.add(transport.dtlsState)
        if let role = transport.dtlsRole { head.add(role) }
        head.add(Format.dtlsVersion(transport.tlsVersion))
        head.add(transport.dtlsCipher ?? Format.unknown)
        var out = head.lines(width: width)
        for (index, flight) in transport.dtlsFlights.enumerated() {
            var flow = Flow(index == 0 ? "flight" : "")
            flow.add((flight.isSent ? "→ " : "← ") + Format.decimal(flight.timeMs) + " ms", .dim, reserve: 11)
            for message in flight.messages { flow.add(message) }
            flow.add("\(flight.bytes) bytes", .dim)
            if flight.isRepeated { flow.add("repeated", .warning) }
            out += flow.lines(width: width)
        }
        for (name, print) in [("ours", transport.localFingerprint), ("peer's", transport.remoteFingerprint)] {
            guard let print else { continue }
            var flow = Flow(name)
            flow.add(print.algorithm)
            if name != "ours" {
                flow.add(
                    print.verified ? "is the one signalled ✓" : "not seen yet in a handshake", print.verified ? print.isWeak ? .warning : .good : .bad
                )
                if print.isWeak { flow.add("weak hash, accepted by a quirk ▲", .warning) }
            }
            out += flow.lines(width: width)
            out += Self.rows(of: print.value, width: width)
        }
        return out
    }

    /// A fingerprint in rows of the same length, to be compared by eye.
    static func rows(of value: String, width: Int) -> [StyledLine] {
        let fitting = max(1, (width - Flow.labelWidth + 1) / 3)
        let bytes = fitting >= 32 ? 32 : fitting >= 16 ? 16 : fitting >= 8 ? 8 : fitting
        var out: [StyledLine] = []
        var rest = value[...]
        while !rest.isEmpty {
            out.append(StyledLine([Span(String(repeating: " ", count: Flow.labelWidth)), Span(String(rest.prefix(bytes * 3)), .dim)]))
            rest = rest.dropFirst(bytes * 3)
        }
        return out
    }

    private func packets(_ transport: TransportStatistics, _ width: Int) -> [StyledLine] {
        var srtp = Flow("SRTP" + suffix(transport))
        srtp.add(transport.srtpCipher ?? (call.security == .some(.none) ? "not used" : Format.unknown), transport.srtpCipher == nil ? .dim : .text)
        if let offered = transport.srtpProfilesOffered { srtp.add(name: "offered", offered.isEmpty ? "none" : offered.joined(separator: ", ")) }
        var traffic = Flow("pkts")
        traffic.add(name: "sent", "\(transport.packetsSent) (\(transport.bytesSent) bytes)")
        traffic.add(name: "received", "\(transport.packetsReceived) (\(transport.bytesReceived) bytes)")
        var dropped = Flow("drop")
        let reasons = [
            ("authentication", transport.dropped.authentication), ("replay", transport.dropped.replay), ("no key yet", transport.dropped.noKey),
            ("unknown source", transport.dropped.unknownSource), ("other", transport.dropped.other),
        ]
        for (name, count) in reasons { dropped.add(name: name, Format.count(count), count > 0 ? .warning : .text) }
        return srtp.lines(width: width) + traffic.lines(width: width) + dropped.lines(width: width)
    }

    private func suffix(_ transport: TransportStatistics) -> String { transport.component == "rtcp" ? "/2" : "" }
}
