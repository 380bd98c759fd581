import Core
import Foundation
import Secure
import Testing

/// Certificates of `Fixtures/tls`, made by the script beside them.
enum TLSFixture {
    /// A time at which all of them are valid: 2030.
    static let time: Int64 = 1_900_000_000
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/tls")

    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appendingPathComponent(name + ".pem"))) }
    static func identity(_ name: String) throws -> TLSIdentity { try TLSIdentity(certificatePEM: bytes(name), keyPEM: bytes(name)) }
    static func trust(_ names: String...) throws -> TLSConfiguration.Trust {
        .authorities(try CertificateList(pem: try names.flatMap { try bytes($0) }))
    }

    static func client(trusting trust: TLSConfiguration.Trust? = nil, identity: String? = nil, keyLog: Bool = false) throws -> TLSContext {
        var configuration = TLSConfiguration(trust: try trust ?? TLSFixture.trust("ca"), identity: try identity.map(TLSFixture.identity))
        configuration.keyLog = keyLog
        return try TLSContext(role: .client, configuration: configuration)
    }

    static func server(_ name: String) throws -> TLSContext {
        try TLSContext(role: .server, configuration: TLSConfiguration(identity: try identity(name)))
    }
}

/// Two connections joined by their bytes, in pieces of `piece`.
final class TLSPair {
    final class End {
        let connection: TLSConnection
        var received: [UInt8] = []
        var negotiated: TLSNegotiated?
        var failure: TLSFailure?
        var isClosed = false
        var keyLog: [String] = []
        var sent: [[UInt8]] = []
        init(_ connection: TLSConnection) { self.connection = connection }

        /// What goes to the other end.
        func drain() -> [UInt8] {
            var out: [UInt8] = []
            while let output = connection.poll() {
                switch output {
                case .transmit(let bytes):
                    out += bytes
                    sent.append(bytes)
                case .established(let value): negotiated = value
                case .received(let bytes): received += bytes
                case .keyLog(let line): keyLog.append(line)
                case .failed(let reason): failure = reason
                case .closed: isClosed = true
                }
            }
            return out
        }
    }

    let client: End
    let server: End
    var piece = Int.max

    init(_ name: TLSPeerName, client: TLSContext, server: TLSContext, unixTime: Int64 = TLSFixture.time) {
        self.client = End(TLSConnection(client: client, server: name, unixTime: unixTime))
        self.server = End(TLSConnection(server: server, unixTime: TLSFixture.time))
        self.client.connection.start()
        self.server.connection.start()
    }

    /// Carries bytes until both are quiet.
    func run() {
        for _ in 0..<100 {
            let toServer = client.drain()
            let toClient = server.drain()
            if toServer.isEmpty, toClient.isEmpty { return }
            carry(toServer, to: server)
            carry(toClient, to: client)
        }
    }

    private func carry(_ bytes: [UInt8], to end: End) {
        var rest = bytes[...]
        while !rest.isEmpty {
            end.connection.receive(rest.prefix(piece))
            rest = rest.dropFirst(piece)
        }
    }
}
