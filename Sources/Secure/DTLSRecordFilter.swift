import Core

/// Looks at each record of a datagram before the library does (RFC 6347 §4.1). What is not authenticated must neither end a handshake by an
/// alert nor touch an established association.
struct DTLSRecordFilter {
    /// The longest handshake message taken, in bytes: a certificate chain.
    static let maximumMessage = 32_768

    enum Verdict: Equatable {
        case pass
        case drop
        /// An alert in clear, dropped.
        case plaintextAlert(level: UInt8, description: UInt8)
    }

    let role: DTLSRole

    /// Splits a datagram and judges each record. Bytes that are not a whole record end it and count as one dropped record.
    /// - Parameter overhead: what encryption adds to a record at least, in bytes. The library takes an encrypted record that is shorter for an
    ///   error of its own and ends the session, though anybody can send one. Nil: no suite is chosen, so no record can be encrypted yet.
    func records(of datagram: RawSpan, established: Bool, overhead: Int?, _ body: (Verdict, [UInt8]) -> Void) {
        var offset = 0
        while offset < datagram.byteCount {
            guard let type = datagram.u8(at: offset), let version = datagram.u8(at: offset + 1), let epoch = datagram.u16(at: offset + 3),
                let length = datagram.u16(at: offset + 11), let record = datagram.copy(at: offset, count: 13 + Int(length)),
                20...23 ~= type, version == 0xFE
            else {
                body(.drop, [])
                return
            }
            let isPossible = epoch != 1 || overhead.map { Int(length) >= $0 } == true
            body(isPossible ? verdict(type: type, epoch: epoch, record, established: established) : .drop, record)
            offset += record.count
        }
    }

    private func verdict(type: UInt8, epoch: UInt16, _ record: [UInt8], established: Bool) -> Verdict {
        if established { return epoch == 1 ? .pass : .drop }
        switch (epoch, type) {
        case (1, _): return .pass
        case (0, 21): return record.count == 15 ? .plaintextAlert(level: record[13], description: record[14]) : .drop
        case (0, 20): return record.count == 14 && record[13] == 1 ? .pass : .drop
        case (0, 22): return record.withUnsafeBytes { isPlausible(handshake: $0.bytes) } ? .pass : .drop
        default: return .drop
        }
    }

    /// RFC 6347 §4.2.2: the first message's type belongs to the peer's role and its fragment lies inside the message and the record.
    private func isPlausible(handshake record: RawSpan) -> Bool {
        guard let type = record.u8(at: 13), let word = record.u32(at: 13), let offsetWord = record.u32(at: 18), let lengthWord = record.u32(at: 21)
        else { return false }
        let message = Int(word & 0xFF_FFFF)
        let offset = Int(offsetWord & 0xFF_FFFF)
        let length = Int(lengthWord & 0xFF_FFFF)
        guard message <= Self.maximumMessage, offset + length <= message, 25 + length <= record.byteCount else { return false }
        switch role {
        case .client: return [2, 3, 4, 11, 12, 13, 14, 22].contains(type)
        case .server: return [1, 11, 15, 16].contains(type)
        }
    }
}
