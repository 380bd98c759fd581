import Core

/// The receiving half of a VP8 stream: what is missing is asked for, what is complete is given out in order.
struct VideoReceiver: Sendable {
    enum Output: Sendable, Equatable {
        case frame(VP8Frame)
        /// Ask for these again, in rising order.
        case missing([UInt16])
        case keyFrameNeeded
    }

    /// How far sequence numbers may jump; beyond it they start anew.
    private static let largestJump: Int64 = 3000

    private var unwrapper = SequenceUnwrapper()
    private var missing = MissingPackets()
    private var reassembly: VP8Reassembly
    private var outputs: [Output] = []
    /// Lost packets are asked for (`a=rtcp-fb: nack`).
    var repairs: Bool {
        didSet { reassembly.patience = Self.patience(repairs) }
    }
    var roundTrip = Duration.milliseconds(100)
    private(set) var retransmittedPacketsReceived = 0

    init(repairs: Bool) {
        self.repairs = repairs
        reassembly = VP8Reassembly(patience: Self.patience(repairs))
    }

    /// Without repair only reordering is waited for.
    private static func patience(_ repairs: Bool) -> Duration { repairs ? .milliseconds(600) : .milliseconds(60) }

    var framesReceived: Int { reassembly.framesReceived }
    var keyFramesReceived: Int { reassembly.keyFramesReceived }
    var framesDropped: Int { reassembly.framesDropped }
    var packetsDiscarded: Int { reassembly.packetsDiscarded }
    var frameSize: (width: Int, height: Int)? {
        guard let width = reassembly.width, let height = reassembly.height else { return nil }
        return (width, height)
    }

    var deadline: Instant? {
        guard let one = reassembly.deadline, let other = missing.deadline else { return reassembly.deadline ?? missing.deadline }
        return min(one, other)
    }

    mutating func poll() -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }

    /// Takes a packet of the stream.
    /// - Parameter payload: without padding; empty for padding alone.
    /// - Returns: whether it is one that was not there before.
    mutating func receive(_ sequence: UInt16, timestamp: UInt32, marker: Bool, payload: RawSpan, isRetransmission: Bool, at now: Instant) -> Bool {
        if let highest = unwrapper.highest {
            let step = Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
            if abs(step) > Self.largestJump {
                // An old packet, asked for long ago, says nothing about the stream.
                guard !isRetransmission else { return false }
                restart()
            }
        } else if isRetransmission {
            return false
        }
        let extended = unwrapper.unwrap(sequence)
        // What was is given up before this packet is taken: it may begin the key frame that is needed.
        if repairs, !missing.receive(extended, at: now) { reassembly.restart() }
        let isNew = reassembly.receive(extended, timestamp: timestamp, marker: marker, payload: payload, at: now)
        if isNew, isRetransmission { retransmittedPacketsReceived += 1 }
        drain()
        return isNew
    }

    /// Another source, or numbers that start anew.
    mutating func restart() {
        unwrapper = SequenceUnwrapper()
        missing.removeAll()
        reassembly.restart()
        drain()
    }

    mutating func handleTimeout(at now: Instant) {
        reassembly.handleTimeout(at: now)
        drain()
        let due = missing.takeDue(roundTrip: roundTrip, at: now)
        if !due.isEmpty { outputs.append(.missing(due)) }
    }

    private mutating func drain() {
        while let output = reassembly.poll() {
            switch output {
            case .frame(let frame): outputs.append(.frame(frame))
            case .keyFrameNeeded: outputs.append(.keyFrameNeeded)
            }
        }
        if let floor = reassembly.floor { missing.forget(before: floor) }
    }
}
