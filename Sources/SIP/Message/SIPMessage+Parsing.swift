import Core

extension SIPMessage {
    /// Parses a borrowed datagram; see `parse(_:)` for bytes.
    public static func parse(_ datagram: RawSpan) throws(SIPParseError) -> SIPMessage { try parse(datagram.copy()) }

    /// Parses a datagram, or one message that `SIPStreamFramer` cut out of a stream.
    ///
    /// Line ends before the start line are skipped; bytes after Content-Length are left out; without Content-Length the body
    /// goes to the end. The mandatory header fields are checked as by `validate()`.
    public static func parse(_ bytes: [UInt8]) throws(SIPParseError) -> SIPMessage {
        var parser = SIPMessageParser(bytes)
        let message = try parser.parse()
        try message.validate()
        return message
    }

    /// Checks what RFC 3261 §8.1.1 and §20 ask of every message: the mandatory fields are there once and can be read, CSeq fits
    /// the method; in a request also Contact, Route and Record-Route.
    public func validate() throws(SIPParseError) {
        guard let problem = headers.problem(in: self) else { return }
        guard case .request(let request) = self else { throw SIPParseError(problem) }
        throw SIPParseError(problem, recoveredRequest: request.recovered())
    }
}

extension SIPRequest {
    /// What an answer needs, or nil when there is nobody to answer. A Via with broken parameters keeps the good ones before them.
    func recovered() -> SIPRequest? {
        guard method != .ack, let line = headers.first(.via) else { return nil }
        var request = self
        if headers.topVia == nil || headers.vias.isEmpty {
            var scanner = ByteScanner(line)
            guard let via = scanner.via(leniently: true) else { return nil }
            request.headers.set(.via, via)
        }
        request.body = []
        return request
    }
}

extension SIPHeaders {
    fileprivate func problem(in message: SIPMessage) -> SIPParseError.Problem? {
        if let name = repeatedName() { return .repeated(name) }
        for name in [HeaderName.via, .from, .to, .callID, .cSeq] where !contains(name) { return .missing(name) }
        if callID?.isEmpty != false { return .malformed(.callID) }
        guard isList(.via, { $0.via() }) else { return .malformed(.via) }
        guard from != nil else { return .malformed(.from) }
        guard to != nil else { return .malformed(.to) }
        guard let cSeq else { return .malformed(.cSeq) }
        guard case .request(let request) = message else { return nil }
        guard cSeq.method == request.method else { return .cSeqMethodMismatch }
        if !isContactStar, !isList(.contact, { $0.nameAddress() }) { return .malformed(.contact) }
        for name in [HeaderName.route, .recordRoute] where !isList(name, { $0.nameAddress() }) { return .malformed(name) }
        if let line = first(.maxForwards), line.isEmpty || !line.utf8.allSatisfy(SIPSyntax.isDigit) { return .malformed(.maxForwards) }
        return nil
    }

    private func repeatedName() -> HeaderName? {
        var seen: UInt32 = 0
        for field in fields {
            guard let bit = field.name.known?.singleBit else { continue }
            if seen & bit != 0 { return field.name }
            seen |= bit
        }
        return nil
    }

    private func isList<Value>(_ name: HeaderName, _ parse: (inout ByteScanner) -> Value?) -> Bool {
        var out: [Value] = []
        for field in fields where field.name == name {
            guard SIPHeaders.parseList(field.value, into: &out, parse) else { return false }
        }
        return true
    }
}
