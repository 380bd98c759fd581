import Interface
import Testing

@testable import Screen

@Suite struct KeyMapTests {
    @Test func noKeyMeansTwoThingsInOneContext() {
        var seen: Set<String> = []
        var twice: [String] = []
        for binding in KeyMap.bindings where binding.pattern != .text {
            let name = "\(binding.context) \(binding.keyName)"
            if !seen.insert(name).inserted { twice.append(name) }
        }
        #expect(twice.isEmpty)
    }

    @Test func everyCommandHasAKeyAndAHelpText() {
        let bound = Set(KeyMap.bindings.map(\.command))
        #expect(ScreenCommand.allCases.filter { !bound.contains($0) }.isEmpty)
        #expect(KeyMap.bindings.filter(\.help.isEmpty).isEmpty)
    }

    /// What the bar shows can be pressed: the key has a binding now.
    @Test(arguments: GoldenTests.pictures) func theBarShowsOnlyValidKeys(_ picture: GoldenTests.Picture) {
        var model = Model()
        _ = update(&model, .snapshot(picture.snapshot))
        for key in picture.keys { _ = update(&model, .key(key)) }
        let valid = Set(KeyMap.bindings.filter { model.contexts.contains($0.context) && $0.command.isAvailable(in: model) }.map(\.keyName))
        #expect(KeyMap.bar(model).allSatisfy { valid.contains($0.key) })
        #expect(!KeyMap.bar(model).isEmpty)
    }

    @Test func theHelpNamesEveryKeyOfTheCalls() {
        var model = Model(columns: 120, rows: 200)
        _ = update(&model, .key(.function(1)))
        let text = render(model).text
        let missing = KeyMap.bindings.filter { $0.context == .calls && $0.help != "the same" && !text.contains($0.help) }.map(\.help)
        #expect(missing.isEmpty)
    }

    @Test func theWayOutIsAlwaysInTheBar() {
        for (columns, snapshot) in [(80, Samples.idle()), (80, Samples.incoming()), (60, Samples.several()), (40, Samples.incoming())] {
            var model = Model(columns: columns, rows: 16)
            _ = update(&model, .snapshot(snapshot))
            let bar = render(model).line(15)
            #expect(snapshot.calls.isEmpty ? bar.contains("quit") : bar.contains("answer") && bar.contains("hang up"))
        }
    }
}
