/// A resampler for each pair of different rates, made ahead for frames of 20 ms: the tick picks one and allocates nothing.
final class ResamplerTable {
    private let resamplers: [Resampler]

    init(from inputs: [Int], to outputs: [Int]) {
        resamplers = inputs.flatMap { input in
            outputs.filter { $0 != input }.map { Resampler(from: input, to: $0, largestInput: input / 50) }
        }
    }

    /// Nil when the rates are the same, or not among those that the table was made for.
    subscript(inputRate: Int, outputRate: Int) -> Resampler? {
        for resampler in resamplers where resampler.inputRate == inputRate && resampler.outputRate == outputRate { return resampler }
        return nil
    }
}
