import Core

/// One end of a reliable, ordered byte stream (TCP without its packets).
public final class StreamEnd {
    private unowned let simulation: Simulation
    private let delay: Duration
    fileprivate(set) weak var peer: StreamEnd?
    public var onBytes: ([UInt8]) -> Void = { _ in }
    public var onClose: () -> Void = {}
    public private(set) var isOpen = true
    private var lastArrival = Instant.zero

    init(simulation: Simulation, delay: Duration) {
        self.simulation = simulation
        self.delay = delay
    }

    static func pair(simulation: Simulation, delay: Duration) -> (StreamEnd, StreamEnd) {
        let one = StreamEnd(simulation: simulation, delay: delay)
        let other = StreamEnd(simulation: simulation, delay: delay)
        one.peer = other
        other.peer = one
        return (one, other)
    }

    public func send(_ bytes: [UInt8]) {
        guard isOpen, let peer else { return }
        simulation.countStream(bytes.count)
        later { if peer.isOpen { peer.onBytes(bytes) } }
    }

    public func close() {
        guard isOpen else { return }
        isOpen = false
        guard let peer else { return }
        later {
            guard peer.isOpen else { return }
            peer.isOpen = false
            peer.onClose()
        }
    }

    private func later(_ body: @escaping () -> Void) {
        lastArrival = max(lastArrival, simulation.now + delay)
        simulation.schedule(at: lastArrival, body)
    }
}
