/// Reads one message from its bytes (RFC 3261 §7, §18.3). Header values stay text until somebody asks for them.
struct SIPMessageParser {
    static let maximumFields = 512

    private let bytes: [UInt8]
    private var position = 0
    private var fields: [SIPHeaders.Field] = []
    /// The first fault; reading goes on, so that a request can still be answered.
    private var fault: SIPParseError.Problem?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func parse() throws(SIPParseError) -> SIPMessage {
        while position + 1 < bytes.count, bytes[position] == SIPSyntax.cr, bytes[position + 1] == SIPSyntax.lf { position += 2 }
        guard position < bytes.count else { throw SIPParseError(.empty) }
        guard let startLine = nextLine() else { throw SIPParseError(.malformedStartLine) }
        fields.reserveCapacity(16)
        readFields()
        let headers = SIPHeaders(fields: fields)
        let body = readBody(headers)
        if isResponse(startLine) {
            guard let (status, reason) = statusLine(startLine) else { throw SIPParseError(.malformedStartLine) }
            if let fault { throw SIPParseError(fault) }
            return .response(SIPResponse(status: status, reason: reason, headers: headers, body: body))
        }
        let request = try requestLine(startLine, headers, body)
        if let fault { throw SIPParseError(fault, recoveredRequest: request.recovered()) }
        return .request(request)
    }

    /// The range of the next line without its CRLF; nil when no CRLF follows.
    private mutating func nextLine() -> Range<Int>? {
        let start = position
        var i = start
        let last = bytes.count - 1
        while i < last {
            let c = bytes[i]
            if c == SIPSyntax.cr, bytes[i + 1] == SIPSyntax.lf {
                position = i + 2
                return start..<i
            }
            // A lone CR or LF must not stand in a line: another element could take it for the end of one.
            if c == SIPSyntax.cr || c == SIPSyntax.lf { note(.malformedHeaderLine) }
            i += 1
        }
        return nil
    }

    private mutating func note(_ problem: SIPParseError.Problem) { if fault == nil { fault = problem } }

    private mutating func readFields() {
        while true {
            guard let line = nextLine() else {
                note(.truncated)
                position = bytes.count
                return
            }
            if line.isEmpty { return }
            guard fields.count < SIPMessageParser.maximumFields else {
                note(.tooManyFields)
                position = bytes.count
                return
            }
            readField(line)
        }
    }

    private mutating func readField(_ line: Range<Int>) {
        var i = line.lowerBound
        while i < line.upperBound, SIPSyntax.isToken(bytes[i]) { i += 1 }
        let name = line.lowerBound..<i
        while i < line.upperBound, bytes[i] == SIPSyntax.space || bytes[i] == SIPSyntax.tab { i += 1 }
        guard !name.isEmpty, i < line.upperBound, bytes[i] == SIPSyntax.colon else {
            note(.malformedHeaderLine)
            skipContinuations()
            return
        }
        let value = fieldValue(i + 1..<line.upperBound)
        fields.append(SIPHeaders.Field(name: HeaderName(bytes, name), value: value))
    }

    private var continues: Bool {
        position < bytes.count && (bytes[position] == SIPSyntax.space || bytes[position] == SIPSyntax.tab)
    }

    private mutating func skipContinuations() { while continues, nextLine() != nil {} }

    /// Trims the value and joins its continuation lines with one blank each (§7.3.1).
    private mutating func fieldValue(_ range: Range<Int>) -> String {
        let first = trimmed(range)
        guard continues else { return String(decoding: bytes[first], as: UTF8.self) }
        var joined = Array(bytes[first])
        while continues, let line = nextLine() {
            let more = trimmed(line)
            if more.isEmpty { continue }
            if !joined.isEmpty { joined.append(SIPSyntax.space) }
            joined.append(contentsOf: bytes[more])
        }
        return String(decoding: joined, as: UTF8.self)
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high, bytes[low] == SIPSyntax.space || bytes[low] == SIPSyntax.tab { low += 1 }
        while high > low, bytes[high - 1] == SIPSyntax.space || bytes[high - 1] == SIPSyntax.tab { high -= 1 }
        return low..<high
    }

    private mutating func readBody(_ headers: SIPHeaders) -> [UInt8] {
        let available = bytes.count - position
        switch headers.count(of: .contentLength) {
        case 0: return available > 0 ? Array(bytes[position...]) : []
        case 1: break
        default:
            note(.repeated(.contentLength))
            return []
        }
        guard let length = headers.contentLength else {
            note(.malformed(.contentLength))
            return []
        }
        guard length <= available else {
            note(.truncated)
            return []
        }
        return length > 0 ? Array(bytes[position..<position + length]) : []
    }
}

extension SIPMessageParser {
    private static let version = Array("SIP/2.0".utf8)

    private func isResponse(_ line: Range<Int>) -> Bool {
        line.count >= 4 && zip(bytes[line], SIPMessageParser.version).prefix(4).allSatisfy { SIPSyntax.lowercase($0) == SIPSyntax.lowercase($1) }
    }

    private func isVersion(_ range: Range<Int>) -> Bool {
        range.count == 7 && zip(bytes[range], SIPMessageParser.version).allSatisfy { SIPSyntax.lowercase($0) == SIPSyntax.lowercase($1) }
    }

    private func statusLine(_ line: Range<Int>) -> (Int, String)? {
        let digits = line.lowerBound + 8
        guard line.count >= 11, isVersion(line.lowerBound..<line.lowerBound + 7), bytes[digits - 1] == SIPSyntax.space else { return nil }
        var status = 0
        for i in digits..<digits + 3 {
            guard SIPSyntax.isDigit(bytes[i]) else { return nil }
            status = status * 10 + Int(bytes[i] &- 0x30)
        }
        guard (100...699).contains(status) else { return nil }
        // The blank before an empty reason phrase is often forgotten.
        guard line.upperBound == digits + 3 || bytes[digits + 3] == SIPSyntax.space else { return nil }
        return (status, String(decoding: bytes[min(digits + 4, line.upperBound)..<line.upperBound], as: UTF8.self))
    }

    /// `Method SP Request-URI SP SIP-Version`, with exactly these two blanks.
    private mutating func requestLine(_ line: Range<Int>, _ headers: SIPHeaders, _ body: [UInt8]) throws(SIPParseError) -> SIPRequest {
        var scanner = ByteScanner(bytes, line)
        guard let name = scanner.token() else { throw SIPParseError(.malformedStartLine) }
        let method = SIPMethod(rawValue: name)
        // Stands in for a URI that cannot be read; only a rejection is made from it.
        var request = SIPRequest(method: method, uri: SIPURI(host: .name("invalid.invalid")), headers: headers, body: body)
        guard scanner.take(SIPSyntax.space), let space = bytes[line].lastIndex(of: SIPSyntax.space), space >= scanner.position else {
            throw SIPParseError(.malformedStartLine, recoveredRequest: request.recovered())
        }
        let version = space + 1..<line.upperBound
        let uri = SIPURI(bytes, scanner.position..<space)
        if let uri { request.uri = uri }
        guard isVersion(version) else {
            throw SIPParseError(isOtherVersion(version) ? .unsupportedVersion : .malformedStartLine, recoveredRequest: request.recovered())
        }
        // Headers in a Request-URI would be an order to forge fields (§19.1.1).
        guard let uri, uri.headers.isEmpty else { throw SIPParseError(.malformedRequestURI, recoveredRequest: request.recovered()) }
        return request
    }

    /// `SIP/` digits `.` digits
    private func isOtherVersion(_ range: Range<Int>) -> Bool {
        guard isResponse(range) else { return false }
        var scanner = ByteScanner(bytes, range.lowerBound + 4..<range.upperBound)
        return scanner.number() != nil && scanner.take(0x2E) && scanner.number() != nil && scanner.isAtEnd
    }
}
