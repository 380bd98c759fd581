/// Cuts a byte stream (TCP, TLS) into messages (RFC 3261 §7.5, §18.3) and keep-alives (RFC 5626 §3.5.1).
///
/// After an error the stream has no more boundaries: `next` throws it again and the connection must be closed.
public struct SIPStreamFramer: Sendable {
    public enum Item: Sendable, Equatable {
        /// One whole message, for `SIPMessage.parse`.
        case message([UInt8])
        /// A CRLFCRLF from the peer: answer with one CRLF.
        case ping
        /// A CRLF that answers a ping of ours, announced by `notePingSent`.
        case pong
    }

    private enum State: Sendable {
        /// Between messages.
        case idle
        /// In a header whose end is not here; `searched` bytes of it were looked at.
        case header(searched: Int)
        /// The header is here; the message has `length` bytes in all.
        case body(length: Int)
        case failed(SIPParseError)
    }

    /// The largest header and the largest body, in bytes.
    public let maximumHeader: Int
    public let maximumBody: Int

    private var state = State.idle
    private var buffer: [UInt8] = []
    private var start = 0
    private var awaitedPongs = 0

    public init(maximumHeader: Int = 65_536, maximumBody: Int = 65_536) {
        self.maximumHeader = maximumHeader
        self.maximumBody = maximumBody
    }

    /// Bytes held that make no whole message yet.
    public var pendingCount: Int { buffer.count - start }

    public mutating func append(_ bytes: some Collection<UInt8>) {
        if case .failed = state { return }
        if start > 0, start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            start = 0
        } else if start > 16_384 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Tells that a CRLFCRLF went out, so that the next lone CRLF is its pong.
    public mutating func notePingSent() { awaitedPongs = min(awaitedPongs + 1, 8) }

    /// The next item, or nil until more bytes are here.
    public mutating func next() throws(SIPParseError) -> Item? {
        while true {
            switch state {
            case .failed(let error): throw error
            case .idle:
                if let keepAlive = takeKeepAlive() { return keepAlive }
                guard pendingCount > 0, !isLoneLineEnd else { return nil }
                state = .header(searched: 0)
            case .header(let searched):
                guard let length = headerLength(after: searched) else {
                    if pendingCount >= maximumHeader { throw fail(.headerTooLarge, headerLength: nil) }
                    state = .header(searched: pendingCount)
                    return nil
                }
                if length > maximumHeader { throw fail(.headerTooLarge, headerLength: length) }
                state = .body(length: try messageLength(header: length))
            case .body(let length):
                guard pendingCount >= length else { return nil }
                let message = Array(buffer[start..<start + length])
                start += length
                state = .idle
                return .message(message)
            }
        }
    }

    // What lies at `start` is CR, or CRLF, and what follows decides what it is.
    private var isLoneLineEnd: Bool {
        switch pendingCount {
        case 1: buffer[start] == SIPSyntax.cr
        case 2, 3: startsWithLineEnd(at: start) && (pendingCount == 2 || buffer[start + 2] == SIPSyntax.cr)
        default: false
        }
    }

    private func startsWithLineEnd(at i: Int) -> Bool {
        i + 1 < buffer.count && buffer[i] == SIPSyntax.cr && buffer[i + 1] == SIPSyntax.lf
    }

    private mutating func takeKeepAlive() -> Item? {
        while startsWithLineEnd(at: start) {
            if awaitedPongs > 0 {
                awaitedPongs -= 1
                start += 2
                return .pong
            }
            if startsWithLineEnd(at: start + 2) {
                start += 4
                return .ping
            }
            guard pendingCount > 2, !isLoneLineEnd else { return nil }
            // A line end before a start line (§7.5), or a pong that nobody announced.
            start += 2
        }
        return nil
    }

    /// The length of the header with its empty line; the search goes on where it stopped.
    private func headerLength(after searched: Int) -> Int? {
        var i = start + max(0, searched - 3)
        while i + 3 < buffer.count {
            if buffer[i + 3] == SIPSyntax.lf {
                if buffer[i] == SIPSyntax.cr, buffer[i + 1] == SIPSyntax.lf, buffer[i + 2] == SIPSyntax.cr { return i + 4 - start }
                i += 1
            } else if buffer[i + 3] == SIPSyntax.cr {
                i += 1
            } else {
                i += 4
            }
        }
        return nil
    }

    private mutating func messageLength(header length: Int) throws(SIPParseError) -> Int {
        switch ContentLengthScan(buffer, start..<start + length).result {
        case .missing: throw fail(.missing(.contentLength), headerLength: length)
        case .malformed: throw fail(.malformed(.contentLength), headerLength: length)
        case .repeated: throw fail(.repeated(.contentLength), headerLength: length)
        case .length(let body):
            guard body <= maximumBody else { throw fail(.bodyTooLarge, headerLength: length) }
            return length + body
        }
    }

    /// Ends the stream; what is there of the header serves for an answer.
    private mutating func fail(_ problem: SIPParseError.Problem, headerLength: Int?) -> SIPParseError {
        var error = SIPParseError(problem)
        if let headerLength, headerLength <= 4 * maximumHeader {
            var parser = SIPMessageParser(Array(buffer[start..<start + headerLength]))
            do {
                if case .request(let request) = try parser.parse() { error.recoveredRequest = request.recovered() }
            } catch {
                return failed(SIPParseError(problem, recoveredRequest: error.recoveredRequest))
            }
        }
        return failed(error)
    }

    private mutating func failed(_ error: SIPParseError) -> SIPParseError {
        state = .failed(error)
        buffer = []
        start = 0
        return error
    }
}

/// Finds Content-Length in a header without parsing the rest.
private struct ContentLengthScan {
    enum Result {
        case missing
        case malformed
        case repeated
        case length(Int)
    }

    private(set) var result = Result.missing

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        var scanner = ByteScanner(bytes, range)
        var isFirst = true
        while !scanner.isAtEnd {
            if !isFirst, let name = scanner.run(SIPSyntax.isToken), KnownHeader(bytes, name) == .contentLength {
                if case .missing = result {
                    result = ContentLengthScan.value(&scanner)
                } else {
                    result = .repeated
                    return
                }
            }
            isFirst = false
            _ = scanner.run { $0 != SIPSyntax.lf }
            _ = scanner.take(SIPSyntax.lf)
        }
    }

    private static func value(_ scanner: inout ByteScanner) -> Result {
        scanner.skipBlanks()
        guard scanner.take(SIPSyntax.colon) else { return .malformed }
        scanner.skipBlanks()
        guard let number = scanner.number(), let length = Int(exactly: number) else { return .malformed }
        scanner.skipBlanks()
        return scanner.peek == SIPSyntax.cr ? .length(length) : .malformed
    }
}

extension ByteScanner {
    /// Blanks and folds, but not the end of the field.
    fileprivate mutating func skipBlanks() {
        while position < end {
            let c = bytes[position]
            if c == SIPSyntax.space || c == SIPSyntax.tab {
                position += 1
            } else if c == SIPSyntax.cr, position + 2 < end, bytes[position + 1] == SIPSyntax.lf,
                bytes[position + 2] == SIPSyntax.space || bytes[position + 2] == SIPSyntax.tab
            {
                position += 3
            } else {
                return
            }
        }
    }
}
