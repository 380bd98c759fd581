import COpenSSL
import Core

/// One TLS 1.2 or 1.3 connection: bytes of the stream in, bytes and what they hold out. It knows neither sockets nor clocks.
///
/// As a client it ends with a reason unless the peer's certificate is signed by somebody trusted, is valid now, and names the peer. Nothing of
/// the peer's is let out before that. Belongs to one thread. After every call `poll` is drained until nil.
public final class TLSConnection {
    private enum State {
        case idle
        case handshaking
        case established
        case over
    }

    private let name: TLSPeerName?
    private var state: State = .idle
    private var ssl: OpaquePointer?
    private var inbound: OpaquePointer?
    private var outbound: OpaquePointer?
    private var outputs: [TLSOutput] = []
    /// What was found wrong with the certificate: it stands before what the library makes of it.
    private var verdict: TLSFailure?

    /// - Parameters: server: whom the certificate must name; unixTime: seconds since 1970, by which it must be valid.
    public init(client context: TLSContext, server name: TLSPeerName, unixTime: Int64) {
        self.name = name
        make(context, unixTime)
    }

    public init(server context: TLSContext, unixTime: Int64) {
        name = nil
        make(context, unixTime)
    }

    private func make(_ context: TLSContext, _ unixTime: Int64) {
        guard (context.role == .client) == (name != nil), let made = context.makeSSL(name: name, unixTime: unixTime) else { return }
        (ssl, inbound, outbound) = made
        ossl_set_ex_self(ssl, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { SSL_free(ssl) }

    static func of(ssl: OpaquePointer?) -> TLSConnection? {
        guard let ssl, let raw = ossl_ex_self(ssl) else { return nil }
        return Unmanaged<TLSConnection>.fromOpaque(raw).takeUnretainedValue()
    }

    public var isEstablished: Bool { if case .established = state { true } else { false } }

    // MARK: what it is told

    /// Begins the handshake: a client's first bytes are in `poll` at once. A no-op the second time.
    public func start() {
        guard case .idle = state else { return }
        state = .handshaking
        guard ssl != nil else { return fail(.library(reason: libraryReason())) }
        advance()
    }

    /// Bytes from the peer, in any pieces. Whatever they hold, it never traps.
    public func receive(_ bytes: some Collection<UInt8>) {
        guard ssl != nil, !isOver else { return }
        for piece in Array(bytes).split(maximum: 16_384) {
            guard !isOver else { return }
            let written = piece.withUnsafeBytes { BIO_write(inbound, $0.baseAddress, Int32(truncatingIfNeeded: $0.count)) }
            guard written == Int32(truncatingIfNeeded: piece.count) else { return fail(.library(reason: libraryReason())) }
            advance()
        }
    }

    /// Sends bytes. A no-op unless the connection is established.
    public func send(_ bytes: some Collection<UInt8>) {
        for piece in Array(bytes).split(maximum: 16_384) {
            guard isEstablished else { return }
            ERR_clear_error()
            let written = piece.withUnsafeBytes { SSL_write(ssl, $0.baseAddress, Int32(truncatingIfNeeded: $0.count)) }
            flush()
            if written <= 0 { fail(.record(reason: libraryReason())) }
        }
    }

    /// The peer's stream ended. Without a close_notify before it that is a failure.
    public func endOfInput() {
        switch state {
        case .idle, .handshaking: fail(.interrupted)
        case .established: fail(.truncated)
        case .over: break
        }
    }

    /// Says close_notify (when there is a session) and ends. A no-op after the end.
    public func close() {
        guard !isOver else { return }
        if isEstablished { sayGoodbye() }
        state = .over
        outputs.append(.closed)
    }

    public func poll() -> TLSOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    // MARK: the machine

    private var isOver: Bool { if case .over = state { true } else { false } }

    private func advance() {
        if case .handshaking = state {
            ERR_clear_error()
            let result = SSL_do_handshake(ssl)
            let error = SSL_get_error(ssl, result)
            flush()
            guard result == 1 else {
                if error != SSL_ERROR_WANT_READ, error != SSL_ERROR_WANT_WRITE { fail(handshakeFailure()) }
                return
            }
            established()
        }
        if isEstablished { read() }
    }

    private func established() {
        guard name == nil || SSL_get0_peer_certificate(ssl) != nil else { return fail(.noCertificate) }
        let version = SSL_get_version(ssl).map { String(cString: $0) } ?? ""
        let cipher = SSL_get_current_cipher(ssl).flatMap { SSL_CIPHER_standard_name($0) }.map { String(cString: $0) } ?? ""
        state = .established
        outputs.append(.established(TLSNegotiated(version: version, cipher: cipher, peerName: name?.description)))
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while isEstablished {
            ERR_clear_error()
            let count = SSL_read(ssl, &buffer, Int32(buffer.count))
            if count > 0 {
                outputs.append(.received(Array(buffer.prefix(Int(count)))))
                continue
            }
            let error = SSL_get_error(ssl, count)
            flush()
            if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE { return }
            if error == SSL_ERROR_ZERO_RETURN { return close() }
            let reason = lastReason
            let text = libraryReason()
            fail(alert(reason).map { .alert($0) } ?? .record(reason: text))
        }
    }

    /// What the library wrote goes out.
    private func flush() {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = BIO_read(outbound, &buffer, Int32(buffer.count))
            guard count > 0 else { break }
            all += buffer.prefix(Int(count))
        }
        if !all.isEmpty { outputs.append(.transmit(all)) }
    }

    private func sayGoodbye() {
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
        flush()
    }

    private func fail(_ failure: TLSFailure) {
        state = .over
        outputs.append(.failed(failure))
    }

    func keyLog(_ line: String) { outputs.append(.keyLog(line)) }

    // MARK: reasons

    private var lastReason: Int32 { Int32(truncatingIfNeeded: ERR_GET_REASON(ERR_peek_last_error())) }

    private func alert(_ reason: Int32) -> UInt8? { reason > SSL_AD_REASON_OFFSET ? UInt8(exactly: reason - SSL_AD_REASON_OFFSET) : nil }

    private func handshakeFailure() -> TLSFailure {
        let reason = lastReason
        let text = libraryReason()
        if let verdict { return verdict }
        switch reason {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_VERSION_NUMBER, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION, SSL_R_UNKNOWN_PROTOCOL,
            SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_AD_REASON_OFFSET + SSL_AD_PROTOCOL_VERSION:
            return .protocolVersion
        default: return alert(reason).map { .alert($0) } ?? .handshake(reason: text)
        }
    }

    // MARK: the certificate

    /// Called by the library in the middle of a client's handshake.
    func verify(_ store: OpaquePointer) -> Bool {
        guard let name else { return false }
        guard X509_verify_cert(store) == 1 else {
            verdict = Self.failure(store)
            return false
        }
        guard let certificate = X509_STORE_CTX_get0_cert(store) else { return false }
        let names = CertificateNames(certificate: certificate)
        guard name.isMatched(by: names) else {
            verdict = .wrongName(expected: name.description, presented: names.presented(rules: name.rules))
            X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH)
            return false
        }
        return true
    }

    private static func failure(_ store: OpaquePointer) -> TLSFailure {
        let code = X509_STORE_CTX_get_error(store)
        let current = X509_STORE_CTX_get_current_cert(store)
        switch code {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_UNTRUSTED:
            return .unknownAuthority
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return .selfSigned
        case X509_V_ERR_CERT_HAS_EXPIRED: return .expired(on: day(current.flatMap { X509_get0_notAfter($0) }))
        case X509_V_ERR_CERT_NOT_YET_VALID: return .notYetValid(before: day(current.flatMap { X509_get0_notBefore($0) }))
        case X509_V_ERR_INVALID_PURPOSE: return .certificate(reason: "it is not a server's")
        default: return .certificate(reason: X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "error \(code)")
        }
    }

    private static func day(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        var (year, month, day): (Int32, Int32, Int32) = (0, 0, 0)
        guard ossl_time_day(time, &year, &month, &day) == 1 else { return "an unknown day" }
        let two = { (value: Int32) in (value < 10 ? "0" : "") + String(value) }
        return "\(year)-\(two(month))-\(two(day))"
    }
}

extension Array where Element == UInt8 {
    /// Pieces of at most `maximum` bytes.
    fileprivate func split(maximum: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: count, by: maximum).map { self[$0..<Swift.min($0 + maximum, count)] }
    }
}
