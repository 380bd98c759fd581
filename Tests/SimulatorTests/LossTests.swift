import Core
import Interface
import Simulator
import Testing

@testable import Engine

/// What must be empty after a call.
final class Remains {
    private var watched: [(String, () -> Bool)] = []

    /// Media sessions and DTLS associations of all calls that are up now.
    func watch(_ node: Node) {
        for call in node.phone.calls.values {
            let media = call.media
            watched.append(("\(node.name)'s media session", { [weak media] in media != nil }))
            for transport in media.transports.values {
                guard let association = transport.association else { continue }
                watched.append(("\(node.name)'s association", { [weak association] in association != nil }))
            }
        }
    }

    var count: Int { watched.count }
    var alive: [String] { watched.filter { $0.1() }.map(\.0) }
}

/// One call of two seconds over a bad network, and what came of it.
struct LossyCall {
    var isConnected = false
    var problems: [String] = []
    var journal: [String] = []

    init(seed: UInt64, loss: Double, isTracing: Bool = false) {
        // Every other seed loses in bursts.
        let kind: Loss = seed % 2 == 0 ? .bernoulli(loss) : .bursts(loss)
        let pair = Pair(seed: seed, profile: .rough(loss: loss == 0 ? .none : kind))
        pair.simulation.isTracing = isTracing
        isConnected = pair.connect(limit: .seconds(40))
        if isConnected {
            let remains = Remains()
            remains.watch(pair.alice)
            remains.watch(pair.bob)
            if remains.count != 4 { problems.append("\(remains.count) media sessions and associations are watched") }
            pair.simulation.run(for: .seconds(2))
            check(pair, loss)
            pair.alice.command(.hangUp(pair.alice.call))
            let hasEnded = pair.simulation.run(limit: .seconds(40)) { pair.alice.hasEnded && pair.bob.hasEnded }
            if !hasEnded { problems.append("BYE ended nothing: \(pair.alice.states) \(pair.bob.states)") }
            pair.settle()
            problems += remains.alive.map { "left: \($0)" }
        } else {
            problems.append("not connected: \(pair.alice.states) \(pair.bob.states)")
            pair.alice.command(.hangUp(pair.alice.call))
            pair.simulation.run(for: .seconds(120))
        }
        for node in [pair.alice, pair.bob] where !node.isQuiet {
            problems.append("\(node.name) is left with \(node.phone.aliveCounts), \(node.audio.attachedCount) streams, \(node.mediaAddresses.count) sockets")
        }
        problems += pair.faults
        journal = pair.simulation.journal
    }

    private mutating func check(_ pair: Pair, _ loss: Double) {
        let atBob = pair.bob.heard().share(of: Pair.aliceTone)
        let atAlice = pair.alice.heard().share(of: Pair.bobTone)
        // Concealment of a fifth of the frames keeps most of a tone.
        let least = loss == 0 ? 0.9 : loss < 0.1 ? 0.8 : 0.35
        if min(atBob, atAlice) < least { problems.append("heard \(atBob) and \(atAlice) of the tones") }
        let result = pair.alice.snapshot.calls.first?.transports.first
        if result?.dtlsState != "connected" || result?.remoteFingerprint?.verified != true { problems.append("transport \(String(describing: result))") }
    }
}

@Suite struct LossTests {
    static let chunks = 4

    /// Loss in percent and the chunk of the seeds, so that both cores have work.
    @Test(arguments: [0, 5, 20], Array(0..<chunks))
    func callsOverBadNetworks(percent: Int, chunk: Int) {
        var failed: [UInt64] = []
        var unconnected = 0
        for seed in stride(from: chunk + 1, through: Seeds.count(), by: Self.chunks) {
            let call = LossyCall(seed: UInt64(seed), loss: Double(percent) / 100)
            if !call.isConnected { unconnected += 1 }
            if call.problems.isEmpty { continue }
            if percent == 20, !call.isConnected, unconnected <= 0 { continue }
            failed.append(UInt64(seed))
            print("seed \(seed) at \(percent) %: \(call.problems)")
        }
        #expect(failed.isEmpty, "replay with SIDETONE_SEED=… SIDETONE_LOSS=\(Double(percent) / 100)")
    }

    @Test(.enabled(if: Seeds.replayed != nil)) func replay() {
        let call = LossyCall(seed: Seeds.replayed ?? 1, loss: Seeds.replayedLoss, isTracing: true)
        for line in call.journal { print(line) }
        print(call.problems)
    }

    @Test(arguments: [UInt64(3), 4]) func aSeedReplays(seed: UInt64) {
        let first = LossyCall(seed: seed, loss: 0.2, isTracing: true)
        let second = LossyCall(seed: seed, loss: 0.2, isTracing: true)
        #expect(first.journal.count > 200)
        for (one, other) in zip(first.journal, second.journal) where one != other {
            Issue.record("differs: \(one) | \(other)")
            break
        }
        #expect(first.journal.count == second.journal.count)
    }
}
