/// Prints figures and asserts nothing about time. With words, only the groups whose names begin with one of them.
///
/// Times are CPU times of this thread. Where a library alone is measured beside, both run in turns in the same process,
/// so that a busy machine slows both down; the ratio is the figure to look at.
@main
struct Benchmarks {
    static func main() {
        let wanted = CommandLine.arguments.dropFirst()
        let groups: [(name: String, run: () throws -> Void)] = [
            ("sip", SIPBenchmarks.run), ("sdp", DescriptionBenchmarks.run), ("stun", ConnectivityBenchmarks.stun),
            ("handshake", ConnectivityBenchmarks.handshake), ("srtp", SRTPBenchmarks.run), ("codec", CodecBenchmarks.run),
            ("pipeline", PipelineBenchmarks.run), ("jitter", PipelineBenchmarks.jitterBuffer), ("ring", PipelineBenchmarks.ring),
            ("picture", PictureBenchmarks.run),
        ]
        for group in groups where wanted.isEmpty || wanted.contains(where: { group.name.hasPrefix($0) }) {
            do { try group.run() } catch { print("\(group.name): \(error)") }
        }
    }
}
