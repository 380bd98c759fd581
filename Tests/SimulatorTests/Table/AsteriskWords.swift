import Core
import Foundation
import ICE
import RTP
import Secure
import Simulator

/// What Asterisk wrote to pjsua (`asterisk-103-dtls-ice-nomux.txt`, `asterisk-104-webrtc.txt`), with addresses, numbers and keys of this call.
struct AsteriskWords {
    private let asterisk: AsteriskPeer

    init(_ asterisk: AsteriskPeer) { self.asterisk = asterisk }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../SDPTests/Fixtures").standardized

    /// A recorded message that Asterisk sent, by the words that tell it in the recording.
    static func recorded(_ file: String, _ marker: String) -> SIPText {
        let text = (try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)) ?? ""
        var lines: [String] = []
        var isInside = false
        for line in text.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("########") {
                if isInside { break }
                isInside = line.hasPrefix("######## RX") && line.contains(marker)
            } else if isInside {
                lines.append(String(line))
            }
        }
        return SIPText(Array((lines.joined(separator: "\r\n") + "\r\n").utf8)) ?? SIPText(start: "")
    }

    private func template(_ marker: String) -> SIPText {
        AsteriskWords.recorded(asterisk.style.hasMux ? "asterisk-104-webrtc.txt" : "asterisk-103-dtls-ice-nomux.txt", marker)
    }

    private var ip: String { asterisk.peer.address.ip.description }

    /// The lines that are this call's.
    private func localised(_ lines: [String]) -> [String] {
        let hexadecimal = ip.split(separator: ".").compactMap { UInt8($0) }.map { [$0].hexadecimal }.joined()
        var out = lines.compactMap { line -> String? in
            if line.hasPrefix("c=") { return "c=IN IP4 \(ip)" }
            if line.hasPrefix("a=fingerprint:") { return "a=fingerprint:SHA-256 \(asterisk.identity.fingerprint(.sha256).value)" }
            if line.hasPrefix("a=candidate:") || !asterisk.style.hasIce && line.hasPrefix("a=ice-") { return nil }
            if line.hasPrefix("a=ice-ufrag:") { return "a=ice-ufrag:\(asterisk.credentials.ufrag)" }
            if line.hasPrefix("a=ice-pwd:") { return "a=ice-pwd:\(asterisk.credentials.pwd)" }
            return line.hasPrefix("a=ssrc:") ? "a=ssrc:\(asterisk.rtp.ssrc) cname:asterisk" : line
        }
        if asterisk.style.hasIce, let place = out.firstIndex(where: { $0.hasPrefix("a=ice-pwd:") }) {
            let candidates = asterisk.components.map {
                "a=candidate:H\(hexadecimal) \($0.number) UDP \(2_130_706_432 - $0.number) \(ip) \($0.port) typ host"
            }
            out.insert(contentsOf: candidates, at: place + 1)
        }
        return out
    }

    func invite(to node: Node) -> SIPText {
        let recorded = template("Request msg INVITE/cseq")
        var out = asterisk.peer.request(
            "INVITE", to: node.uri, callID: "ea200381-dee7-455a-ae6c-66cc2ef46df5", from: recorded["From"] ?? "", toHeader: "<\(node.uri)>",
            cseq: 2080, body: recorded.body)
        for name in ["Allow", "Supported", "Session-Expires", "Min-SE", "User-Agent"] { out[name] = recorded[name] }
        out.lines = localised(out.lines).map { line in
            if line.hasPrefix("o=") { return "o=- 372703274 372703274 IN IP4 \(ip)" }
            return line.hasPrefix("m=audio ") ? renumbered(line) : line
        }
        return out
    }

    private func renumbered(_ line: String) -> String {
        (["m=audio \(asterisk.components[0].port)"] + line.split(separator: " ").dropFirst(2).map(String.init)).joined(separator: " ")
    }

    /// A new INVITE in the dialog of `session`: its last message of ours (an INVITE answered) or our 200.
    func reinvite(_ session: SIPText, cseq: Int) -> SIPText {
        let isOurs = session["CSeq"]?.hasPrefix("2080") == true
        let from = (isOurs ? session["From"] : session["To"]) ?? ""
        let to = (isOurs ? session["To"] : session["From"]) ?? ""
        let recorded = template("Request msg INVITE/cseq")
        var out = asterisk.peer.request(
            "INVITE", to: "sip:alice@192.0.2.1", callID: session["Call-ID"] ?? "", from: from, toHeader: to, cseq: cseq, body: recorded.body)
        out.lines = localised(out.lines).map { line in
            if line.hasPrefix("o=") { return "o=- 372703274 \(372_703_274 + cseq) IN IP4 \(ip)" }
            return line.hasPrefix("m=audio ") ? renumbered(line) : line
        }
        return out
    }

    /// 401 with MD5 and SHA-256, MD5 first.
    func challenge(_ invite: SIPText) -> SIPText {
        var out = invite.response(401, "Unauthorized", tag: "z9hG4bKPj363167e7")
        out.headers += template("401/INVITE").headers.filter { $0.name == "WWW-Authenticate" }
        return out
    }

    /// The 200: the offer's profile, payload types and session id, all codecs that both have, two telephone-events.
    func answer(to offer: SIPText) -> SIPText {
        let recorded = template("200/INVITE")
        var out = offer.response(200, "OK", tag: "95b1daf6-d796-437f-8a20-49927d8c0954", contact: "sip:\(ip):5060", body: recorded.body)
        for name in ["Server", "Allow", "Supported"] { out[name] = recorded[name] }
        let offered = offer.line("m=audio ")?.split(separator: " ").map(String.init) ?? []
        let numbers = payloadTypes(recorded, offer)
        let isSecure = offer.line("a=fingerprint:") != nil
        out.lines = localised(recorded.lines).compactMap { line in
            if line.hasPrefix("o=") {
                let fields = offer.line("o=")?.split(separator: " ") ?? []
                let version = fields.count > 2 ? (Int(fields[2]) ?? 0) + 2 : 2
                return "o=- \(fields.count > 1 ? fields[1] : "0") \(version) IN IP4 \(ip)"
            }
            if line.hasPrefix("m=audio ") {
                let formats = line.split(separator: " ").dropFirst(3).compactMap { numbers[String($0)] }
                return (["m=audio \(asterisk.components[0].port)", offered.count > 1 ? offered[1] : ""] + formats).joined(separator: " ")
            }
            if line.hasPrefix("a=setup:") {
                return !isSecure ? nil : offer.line("a=setup:") == "active" ? "a=setup:passive" : "a=setup:active"
            }
            if line.hasPrefix("a=fingerprint") || line.hasPrefix("a=connection") { return isSecure ? line : nil }
            if line.hasPrefix("a=group") || line.hasPrefix("a=mid") {
                guard let mid = offer.line("a=mid:") else { return nil }
                return line.hasPrefix("a=mid") ? "a=mid:\(mid)" : offer.line("a=group:") == nil ? nil : "a=group:BUNDLE \(mid)"
            }
            if line.hasPrefix("a=ice") || line.hasPrefix("a=candidate") { return offer.line("a=ice-ufrag:") == nil ? nil : line }
            if line == "a=rtcp-mux" { return offer.lines.contains("a=rtcp-mux") ? line : nil }
            if line == "a=sendrecv" {
                // An address of 0.0.0.0 is hold.
                if offer.line("c=IN IP4 ") == "0.0.0.0" || offer.lines.contains("a=sendonly") { return "a=recvonly" }
                return line
            }
            for name in ["a=rtpmap:", "a=fmtp:"] where line.hasPrefix(name) {
                let rest = line.dropFirst(name.count)
                let old = String(rest.prefix { $0 != " " })
                return numbers[old].map { name + $0 + rest.dropFirst(old.count) }
            }
            return line
        }
        return out
    }

    /// The recording's payload types in the offer's numbers; what was not offered is not there.
    private func payloadTypes(_ recorded: SIPText, _ offer: SIPText) -> [String: String] {
        let fixed = ["0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"]
        func names(_ text: SIPText) -> [(number: String, name: String)] {
            let mapped = text.lines.filter { $0.hasPrefix("a=rtpmap:") }.map { line -> (number: String, name: String) in
                let fields = line.dropFirst(9).split(separator: " ").map(String.init)
                return (fields.first ?? "", fields.last?.lowercased() ?? "")
            }
            let listed = text.line("m=audio ")?.split(separator: " ").dropFirst(2).map(String.init) ?? []
            return mapped + listed.compactMap { number in fixed[number].map { (number, $0.lowercased()) } }
        }
        var out: [String: String] = [:]
        let known = names(offer)
        for (number, name) in names(recorded) { out[number] = known.first { $0.name == name }?.number }
        return out
    }
}
