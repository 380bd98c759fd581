import Testing

@testable import sidetone

@Suite struct InstanceIdentifierTests {
    @Test func eachRunWithoutStateHasItsOwn() {
        let one = InstanceIdentifier.load(keepsState: false)
        let other = InstanceIdentifier.load(keepsState: false)
        #expect(InstanceIdentifier.valid(one) == one && InstanceIdentifier.valid(other) == other && one != other)
        #expect(one.dropFirst("urn:uuid:".count).split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
        #expect(Array(one)[23] == "4" && "89ab".contains(Array(one)[28]))
    }

    @Test(arguments: ["", "urn:uuid:", "urn:uuid:ABC", "urn:uuid:00000000-0000-4000-8000-00000000000\"", "00000000-0000-4000-8000-000000000000"])
    func whatIsNoIdentifierIsMadeAnew(_ text: String) { #expect(InstanceIdentifier.valid(text) == nil) }
}
