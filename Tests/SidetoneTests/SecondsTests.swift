import Testing

@testable import sidetone

@Suite struct SecondsTests {
    @Test(arguments: [0.0, -1, 31_536_001, .nan, .infinity])
    func refuses(_ value: Double) { #expect(throws: UsageError.self) { try Seconds.duration(value, "--for") } }
}
