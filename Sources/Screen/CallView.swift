import Interface

/// The focused call with its live statistics, as lines of a given width.
struct CallView {
    let call: CallSnapshot
    let now: WallTime

    func lines(width: Int) -> [StyledLine] {
        var out: [StyledLine] = [
            StyledLine([call.stateMark.span, Span("  "), Span(call.peer, .heading)], right: [Span(" " + call.timer(now: now), .heading)])
        ]
        if call.peer != call.remoteUri { out.append(StyledLine(call.remoteUri, .dim)) }
        out.append(StyledLine([call.securityMark.span], right: flags))
        if call.securityDowngraded { out.append(StyledLine([CallSnapshot.downgradeMark.span])) }
        var flows: [Flow] = []
        for stream in call.streams { flows += self.flows(of: stream) }
        for transport in call.transports { flows += self.flows(of: transport) }
        flows.append(setup)
        if !call.digitsSent.isEmpty || !call.digitsReceived.isEmpty { flows.append(digits) }
        for flow in flows { out += flow.lines(width: width) }
        for transport in call.transports { out += fingerprint(of: transport, width: width) }
        return out
    }

    private var flags: [Span] {
        var out: [Span] = []
        if let other = call.joinedWith {
            let how = call.bridgeMode.map { $0 == .passedThrough ? " · passed through" : " · transcoded" } ?? ""
            out.append(Span(" ⇄ joined with call \(other)\(how)", .good))
        }
        if call.isMuted { out.append(Span(" ⊘ muted", .warning)) }
        if call.isSilenced, call.isWaiting { out.append(Span(" ring silenced", .dim)) }
        return out
    }

    private func flows(of stream: StreamStatistics) -> [Flow] {
        let inbound = stream.inbound
        let outbound = stream.outbound
        var head = Flow(stream.kind)
        head.add(stream.codec)
        head.add("\(stream.clockRate) Hz")
        head.add(stream.direction)
        head.add(name: "MOS", Format.decimal(stream.mos))

        var received = Flow("recv")
        received.add(name: "packets", Format.count(inbound.packetsReceived), reserve: 14)
        received.add(name: "lost", lost(inbound), inbound.packetsLost ?? 0 > 0 ? .warning : .text, reserve: 16)
        received.add(name: "jitter", Format.milliseconds(inbound.jitterMs), reserve: 14)
        received.add(name: "buffer", Format.milliseconds(inbound.jitterBufferDelayMs), reserve: 15)
        if stream.kind == "audio" {
            received.add(name: "concealed", Format.percent(inbound.concealedSamples, of: inbound.totalSamplesReceived), reserve: 15)
        }
        if inbound.unprotectErrors > 0 { received.add(name: "unprotect errors", Format.count(inbound.unprotectErrors), .warning) }

        var sent = Flow("sent")
        sent.add(name: "packets", Format.count(outbound.packetsSent), reserve: 14)
        sent.add(name: "peer lost", Format.count(outbound.remotePacketsLost), outbound.remotePacketsLost ?? 0 > 0 ? .warning : .text, reserve: 16)
        sent.add(name: "RTT", Format.milliseconds(outbound.roundTripTimeMs), reserve: 14)
        sent.add(name: "peer jitter", Format.milliseconds(outbound.remoteJitterMs), reserve: 19)

        guard stream.kind == "audio" else { return [head, received, sent] }
        var level = Flow("level")
        level.items = [meter("in", inbound.audioLevelDbov), meter("out", outbound.audioLevelDbov)]
        return [head, received, sent, level]
    }

    private func lost(_ inbound: InboundStatistics) -> String {
        guard let lost = inbound.packetsLost else { return Format.unknown }
        guard lost > 0 else { return Format.count(lost) }
        let (expected, overflow) = lost.addingReportingOverflow(inbound.packetsReceived)
        return "\(lost) (\(Format.percent(lost, of: overflow ? nil : expected)))"
    }

    private func meter(_ name: String, _ level: Double?) -> Flow.Item {
        let value = level == nil ? Format.unknown : Format.decimal(level) + " dBov"
        return Flow.Item(spans: [Span(name + " ", .dim), Span(Format.bar(level, columns: 8), .meter), Span(" " + value)], reserve: 23)
    }

    private func flows(of transport: TransportStatistics) -> [Flow] {
        // Without rtcp-mux there are two transports; the second is RTCP's own.
        let suffix = transport.component == "rtcp" ? "/2" : ""
        var ice = Flow("ICE" + suffix)
        if transport.iceState == "none" {
            ice.add("not used", .dim)
        } else {
            ice.add(transport.iceState, Self.role(ofState: transport.iceState))
            if let role = transport.iceRole { ice.add(role) }
            ice.add(name: "RTT", Format.milliseconds(transport.selectedCandidatePair?.currentRoundTripTimeMs), reserve: 12)
        }
        if transport.component == "rtcp" {
            ice.add("RTCP's own transport", .dim)
        } else {
            ice.add(transport.rtcpMux ? "rtcp-mux" : "no rtcp-mux", .dim)
        }
        if let pair = transport.selectedCandidatePair {
            ice.add(Format.candidate(pair.local))
            ice.add("→ " + Format.candidate(pair.remote))
            if transport.iceState != "none", pair.state != "succeeded" { ice.add(pair.state, .dim) }
        } else if transport.iceState != "none" {
            ice.add("no pair selected yet", .dim)
        }

        var dtls = Flow("DTLS" + suffix)
        if transport.dtlsState == "none" {
            dtls.add("not used", .dim)
        } else {
            dtls.add(transport.dtlsState, Self.role(ofState: transport.dtlsState))
            dtls.add(transport.dtlsRole ?? Format.unknown)
            dtls.add(Format.dtlsVersion(transport.tlsVersion))
            dtls.add(transport.dtlsCipher ?? Format.unknown)
        }

        var srtp = Flow("SRTP" + suffix)
        srtp.add(transport.srtpCipher ?? (call.security == .some(.none) ? "not used" : Format.unknown), transport.srtpCipher == nil ? .dim : .text)
        if let print = transport.remoteFingerprint {
            srtp.add(
                print.verified ? print.isWeak ? "fingerprint verified, weak hash ▲" : "fingerprint verified ✓" : "fingerprint NOT verified ✕",
                print.verified ? print.isWeak ? .warning : .good : .bad)
        }
        let dropped = transport.dropped.total
        if dropped > 0 { srtp.add(name: "dropped", Format.count(dropped) + " (t tells why)", .warning) }
        return [ice, dtls, srtp]
    }

    private static func role(ofState state: String) -> Role {
        switch state {
        case "connected", "completed": .good
        case "failed", "disconnected", "closed": .bad
        default: .warning
        }
    }

    /// All in milliseconds; the unit stands once.
    private var setup: Flow {
        let times = call.setup
        var flow = Flow("setup")
        flow.add(name: "ringing", Format.decimal(times.ringingMs))
        flow.add(name: "answered", Format.decimal(times.answeredMs))
        flow.add(name: "ICE", Format.decimal(times.iceConnectedMs))
        flow.add(name: "DTLS", Format.decimal(times.dtlsConnectedMs))
        flow.add(name: "first in", Format.decimal(times.firstMediaReceivedMs))
        flow.add(name: "first out", Format.decimal(times.firstMediaSentMs))
        flow.add("ms", .dim)
        return flow
    }

    private var digits: Flow {
        var flow = Flow("DTMF")
        flow.add(name: "sent", call.digitsSent.isEmpty ? Format.unknown : String(call.digitsSent.suffix(20)))
        flow.add(name: "received", call.digitsReceived.isEmpty ? Format.unknown : String(call.digitsReceived.suffix(20)))
        return flow
    }

    private func fingerprint(of transport: TransportStatistics, width: Int) -> [StyledLine] {
        guard let print = transport.remoteFingerprint else { return [] }
        var flow = Flow(transport.component == "rtp" ? "peer" : "peer/2")
        flow.add(print.algorithm + (print.verified ? " verified ✓" : " NOT verified ✕"), print.verified ? .good : .bad)
        return flow.lines(width: width) + TransportView.rows(of: print.value, width: width)
    }
}
