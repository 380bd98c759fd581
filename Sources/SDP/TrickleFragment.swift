import Core

/// The body of an INFO request of the package trickle-ice (RFC 8840 §9): candidates that became known after the offer or answer.
///
/// Reading is total: a line that cannot be used is left out and counted in `ignoredLines`.
public struct TrickleFragment: Hashable, Sendable {
    public static let contentType = "application/trickle-ice-sdpfrag"
    public static let infoPackage = "trickle-ice"
    /// Caps on what a peer can send.
    public static let maximumLength = 32_768
    public static let maximumSections = 64
    public static let maximumCandidates = 128

    /// What belongs to one m= line.
    public struct Section: Hashable, Sendable {
        /// "audio".
        public var media: String
        public var mid: String?
        /// Nil: those of the fragment.
        public var ufrag: String?
        public var pwd: String?
        public var rtcpMux: Bool
        public var candidates: [SDPCandidate]
        public var endOfCandidates: Bool

        public init(
            media: String = "audio", mid: String? = nil, ufrag: String? = nil, pwd: String? = nil, rtcpMux: Bool = false,
            candidates: [SDPCandidate] = [], endOfCandidates: Bool = false
        ) {
            self.media = media
            self.mid = mid
            self.ufrag = ufrag
            self.pwd = pwd
            self.rtcpMux = rtcpMux
            self.candidates = candidates
            self.endOfCandidates = endOfCandidates
        }
    }

    public var ufrag: String?
    public var pwd: String?
    public var isLite: Bool
    public var options: [String]
    /// The mids of a=group:BUNDLE: their candidates are those of the first of them.
    public var bundle: [String]
    /// For all sections.
    public var endOfCandidates: Bool
    public var sections: [Section]
    /// How many lines were left out.
    public private(set) var ignoredLines: Int

    public init(
        ufrag: String? = nil, pwd: String? = nil, options: [String] = [], bundle: [String] = [], endOfCandidates: Bool = false,
        sections: [Section] = []
    ) {
        self.ufrag = ufrag
        self.pwd = pwd
        self.options = options
        self.bundle = bundle
        self.endOfCandidates = endOfCandidates
        self.sections = sections
        isLite = false
        ignoredLines = 0
    }

    /// What is said about the m= line of that mid, or of that place where the peer uses no mids. Nil: nothing.
    public func section(mid: String?, index: Int = 0) -> Section? {
        if let mid, let found = sections.first(where: { $0.mid == mid }) { return found }
        guard sections.indices.contains(index), sections[index].mid == nil || mid == nil else { return nil }
        return sections[index]
    }

    /// The user fragment that the candidates of a section belong to: those of another generation of ICE are to be dropped (RFC 8840 §4.4).
    public func ufrag(of section: Section) -> String? { section.ufrag ?? ufrag }
    public func pwd(of section: Section) -> String? { section.pwd ?? pwd }

    /// Every candidate of that section is known now.
    public func isComplete(_ section: Section) -> Bool { endOfCandidates || section.endOfCandidates }
}

extension TrickleFragment {
    /// - Throws: `.tooLong` or `.tooManyMediaSections`; everything else is read as far as it can be.
    public init(parsing bytes: some Collection<UInt8>) throws(SDPError) {
        guard bytes.count <= TrickleFragment.maximumLength else { throw .tooLong(bytes.count) }
        self.init()
        var candidates = 0
        for raw in Array(bytes).split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let text = String(decoding: raw.dropFirst(2), as: UTF8.self)
            guard raw.count >= 2, raw[raw.startIndex + 1] == .equals, !raw.contains(0) else {
                ignoredLines += 1
                continue
            }
            switch raw[raw.startIndex] {
            case UInt8(ascii: "m"):
                guard sections.count < TrickleFragment.maximumSections else { throw .tooManyMediaSections }
                // The rest of the line means nothing here (RFC 8840 §9.1).
                sections.append(Section(media: text.fields.first.map { String($0) } ?? ""))
            case UInt8(ascii: "a"): read(Attribute(line: text), candidates: &candidates)
            default: ignoredLines += 1
            }
        }
    }

    private mutating func read(_ attribute: Attribute, candidates: inout Int) {
        let value = String((attribute.value ?? "").trimmed)
        let isCredential = (1...256).contains(value.utf8.count)
        guard let last = sections.indices.last else {
            switch attribute.name.lowercased() {
            case "ice-ufrag" where isCredential: ufrag = value
            case "ice-pwd" where isCredential: pwd = value
            case "ice-options": options = value.fields.map { String($0) }
            case "ice-lite": isLite = true
            case "end-of-candidates": endOfCandidates = true
            case "group":
                if let group = MediaGroup(value), group.semantics.matches("BUNDLE") { bundle = group.mids } else { ignoredLines += 1 }
            default: ignoredLines += 1
            }
            return
        }
        switch attribute.name.lowercased() {
        case "mid" where !value.isEmpty: sections[last].mid = value
        case "ice-ufrag" where isCredential: sections[last].ufrag = value
        case "ice-pwd" where isCredential: sections[last].pwd = value
        case "rtcp-mux", "rtcp-mux-only": sections[last].rtcpMux = true
        case "end-of-candidates": sections[last].endOfCandidates = true
        case "candidate":
            if candidates < TrickleFragment.maximumCandidates, let candidate = SDPCandidate(value) {
                candidates += 1
                sections[last].candidates.append(candidate)
            } else {
                ignoredLines += 1
            }
        default: ignoredLines += 1
        }
    }
}

extension TrickleFragment: CustomStringConvertible {
    /// The lines in the order of RFC 8840 §9.2, each ended by CRLF. An m= line always reads "m=… 9 RTP/AVP 0" (§9.1).
    public var description: String {
        var lines: [Attribute?] = []
        if !bundle.isEmpty { lines.append(Attribute("group", "BUNDLE " + bundle.joined(separator: " "))) }
        if isLite { lines.append(Attribute("ice-lite")) }
        lines.append(ufrag.map { Attribute("ice-ufrag", $0) })
        lines.append(pwd.map { Attribute("ice-pwd", $0) })
        if !options.isEmpty { lines.append(Attribute("ice-options", options.joined(separator: " "))) }
        if endOfCandidates { lines.append(Attribute("end-of-candidates")) }
        var out = TrickleFragment.text(lines)
        for section in sections {
            out += "m=\(TrickleFragment.safe(section.media)) 9 RTP/AVP 0\r\n"
            var lines = [
                section.mid.map { Attribute("mid", $0) }, section.rtcpMux ? Attribute("rtcp-mux") : nil,
                section.ufrag.map { Attribute("ice-ufrag", $0) }, section.pwd.map { Attribute("ice-pwd", $0) },
            ]
            for candidate in section.candidates { lines.append(Attribute("candidate", candidate.description)) }
            if section.endOfCandidates { lines.append(Attribute("end-of-candidates")) }
            out += TrickleFragment.text(lines)
        }
        return out
    }

    public var bytes: [UInt8] { Array(description.utf8) }

    private static func text(_ attributes: [Attribute?]) -> String {
        attributes.compactMap { $0 }.map { "a=\(safe($0.description))\r\n" }.joined()
    }

    /// No value can add a line.
    private static func safe(_ text: String) -> String {
        String(decoding: text.utf8.filter { $0 != 0x0A && $0 != 0x0D && $0 != 0 }, as: UTF8.self)
    }
}
