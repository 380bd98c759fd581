import COpenSSL
import Core

/// The handshake: RFC 6347 §4.2, RFC 5763 §5.
extension DTLSAssociation {
    func receiveHandshake(_ datagram: RawSpan, at now: Instant) {
        filter.records(of: datagram, established: false, overhead: encryptionOverhead) { verdict, record in
            switch verdict {
            case .pass: queue.inbound.append(record)
            case .drop: counters.recordsDropped &+= 1
            case .plaintextAlert(let level, let description):
                counters.recordsDropped &+= 1
                counters.plaintextAlerts &+= 1
                // Fatal, or close_notify: the peer says that it has given up, if it is the peer.
                if level == 2 || description == 0 { suspect(.alert(description), at: now) }
            }
        }
        guard !queue.inbound.isEmpty else { return }
        suspicion = nil
        timers.cancel(.patience)
        advance(at: now)
    }

    /// Lets the library go on until it wants more.
    func advance(at now: Instant) {
        // Each round takes at least one record, or is the last.
        for _ in 0...(queue.inbound.count + 1) {
            prepare(at: now)
            let result = SSL_do_handshake(ssl)
            if result == 1 {
                completed(at: now)
                return
            }
            let error = SSL_get_error(ssl, result)
            guard error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE else {
                handshakeError(at: now)
                return
            }
            if queue.inbound.isEmpty { break }
        }
        rememberFlight(drain())
        schedule(at: now)
    }

    private func rememberFlight(_ datagrams: [[UInt8]]) {
        if !datagrams.isEmpty { flight = datagrams }
    }

    /// Copies the library's timer into ours.
    private func schedule(at now: Instant) {
        if queue.isExhausted {
            timers.cancel(.retransmission)
            if timers.deadline(of: .repetition) == nil { timers.set(.repetition, at: now + .seconds(1)) }
            return
        }
        timers.cancel(.repetition)
        prepare(at: now)
        let remaining = ossl_dtls_timeout_us(ssl)
        if remaining >= 0 { timers.set(.retransmission, at: now + .microseconds(remaining)) } else { timers.cancel(.retransmission) }
    }

    func retransmit(at now: Instant) {
        guard case .handshaking = machine else { return }
        prepare(at: now)
        guard ossl_dtls_handle_timeout(ssl) >= 0 else {
            handshakeError(at: now)
            return
        }
        rememberFlight(drain())
        schedule(at: now)
        // The library's clock may lag behind ours by a hair; not to be asked again at once.
        if let next = timers.deadline(of: .retransmission), next <= now { timers.set(.retransmission, at: now + .milliseconds(1)) }
    }

    /// The same bytes again, once a second until the limit: a callee may answer after half a minute. A peer that has seen these records drops them.
    func repeatFlight(at now: Instant) {
        guard case .handshaking = machine else { return }
        counters.retransmissions &+= 1
        transmit(flight)
        timers.set(.repetition, at: now + .seconds(1))
    }

    private func suspect(_ failure: DTLSFailure, at now: Instant) {
        suspicion = failure
        if timers.deadline(of: .patience) == nil { timers.set(.patience, at: now + configuration.alertPatience) }
    }

    private func handshakeError(at now: Instant) {
        let reason = Int32(truncatingIfNeeded: ERR_GET_REASON(ERR_peek_last_error()))
        let text = libraryReason()
        if let alert = UInt8(exactly: reason - SSL_AD_REASON_OFFSET) {
            drain()
            fail(.alert(alert), at: now)
        } else if role == .server, flight.isEmpty, !Self.isRefusal(reason), counters.restarts < 64 {
            // A ClientHello that cannot be read, before anything was agreed: perhaps not the peer's. Its alert is not sent.
            counters.restarts &+= 1
            guard renew(at: now) else { return }
            suspect(.handshake(reason: text), at: now)
            advance(at: now)
        } else {
            drain()
            fail(.handshake(reason: text), at: now)
        }
    }

    /// A ClientHello that was read and cannot be met: waiting would not help, and the peer is told by an alert.
    private static func isRefusal(_ reason: Int32) -> Bool {
        [
            SSL_R_NO_SHARED_CIPHER, SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_SHARED_GROUPS, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
        ].contains(reason)
    }

    private func completed(at now: Instant) {
        rememberFlight(drain())
        suspicion = nil
        timers.cancelAll()
        var certificate: [UInt8] = []
        if let peer = SSL_get1_peer_certificate(ssl) {
            certificate = derBytes(of: peer)
            X509_free(peer)
        }
        machine = .unverified(certificate: certificate)
        guard selectedProfile != nil else {
            sayGoodbye(at: now)
            fail(.noCommonSRTPProfile, at: now)
            return
        }
        if expected != nil { verify(certificate, at: now) }
        // A datagram may hold the last flight and more behind it.
        if !queue.inbound.isEmpty { readEstablished(at: now) }
    }

    var selectedProfile: SRTPProfile? {
        guard let selected = SSL_get_selected_srtp_profile(ssl), let id = UInt16(exactly: selected.pointee.id) else { return nil }
        return SRTPProfile(dtlsIdentifier: id)
    }
}
