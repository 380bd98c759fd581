import Core
import Interface
import TestPicture
import Testing

@testable import Screen

@Suite struct FuzzTests {
    private static let keys: [Key] =
        [
            .enter, .escape, .tab, .backTab, .backspace, .delete, .up, .down, .left, .right, .home, .end, .pageUp, .pageDown, .character("山"),
            .character("e\u{301}"), .character("\u{7}"), .character("👍"), .character(" "),
        ] + (0..<26).map { Key.control(Character(Unicode.Scalar(UInt8(0x61 + $0)))) } + (0...13).map(Key.function)
        + (32..<127).map { Key.character(Character(Unicode.Scalar(UInt8($0)))) }

    private static func text(_ random: inout RandomSource) -> String {
        var out = ""
        for _ in 0..<Int(random.next() % 40) {
            let value = random.next() % 5 == 0 ? UInt32(random.next() % 0x110000) : UInt32(random.next() % 0x3000)
            if let scalar = Unicode.Scalar(value) { out.unicodeScalars.append(scalar) }
        }
        return out
    }

    private static func number(_ random: inout RandomSource) -> Double? {
        [nil, 0, -1, 0.05, 1e20, -1e300, .nan, .infinity, Double(random.next() % 100_000) / 7][Int(random.next() % 9)]
    }

    private static func snapshot(_ random: inout RandomSource) -> Snapshot {
        let bases = [
            Samples.idle(), Samples.incoming(), Samples.connected(), Samples.noMux(), Samples.sdes(), Samples.several(), Samples.withHistory(),
            Samples.video(), Samples.video(),
            Samples.names(),
        ]
        var out = bases[Int(random.next() % UInt64(bases.count))]
        out.time = WallTime(milliseconds: random.next() % 10 == 0 ? Int64(bitPattern: random.next()) : Samples.start.milliseconds)
        if random.next() % 4 == 0 { out.calls = (0..<Int(random.next() % 60)).map { _ in out.calls.first ?? Samples.dtlsCall() } }
        for index in out.calls.indices {
            out.calls[index].id = CallID(index + 1)
            out.calls[index].state = CallState.allCases[Int(random.next() % UInt64(CallState.allCases.count))]
            out.calls[index].displayName = random.next() % 3 == 0 ? nil : text(&random)
            out.calls[index].remoteUri = text(&random)
            for stream in out.calls[index].streams.indices {
                out.calls[index].streams[stream].inbound.audioLevelDbov = number(&random)
                out.calls[index].streams[stream].inbound.jitterMs = number(&random)
                out.calls[index].streams[stream].inbound.packetsLost = [nil, Int.max, Int.min, 7][Int(random.next() % 4)]
                out.calls[index].streams[stream].mos = number(&random)
            }
        }
        out.focused = random.next() % 2 == 0 ? nil : CallID(Int(random.next() % 4))
        if random.next() % 3 == 0 { out.notice = Notice(severity: .error, code: "x", message: text(&random), time: out.time) }
        if random.next() % 5 == 0 { out.audio.inputs = (0..<Int(random.next() % 40)).map { _ in text(&random) } }
        return out
    }

    private static func event(_ random: inout RandomSource) -> ScreenEvent {
        switch random.next() % 20 {
        case 0: .resize(columns: Int(random.next() % 140) - 2, rows: Int(random.next() % 50) - 2)
        case 1, 2: .snapshot(snapshot(&random))
        case 3: .paste(text(&random))
        case 4: .picture(CallPicture(call: CallID(Int(random.next() % 3)), picture: Pictures.flat(1 + Int(random.next() % 40), 9, y: 90)))
        case 5: .tick(WallTime(milliseconds: Int64(bitPattern: random.next())))
        default: .key(keys[Int(random.next() % UInt64(keys.count))])
        }
    }

    /// The grid is whole: its size, no control characters, each wide character with its second half.
    private static func isWhole(_ grid: CellGrid, for model: Model) -> Bool {
        guard grid.columns == model.columns, grid.rows == model.rows, grid.cells.count == model.columns * model.rows else { return false }
        for row in 0..<grid.rows {
            var expectsTail = false
            for column in 0..<grid.columns {
                let cell = grid.cells[row * grid.columns + column]
                if (cell.width == 0) != expectsTail { return false }
                expectsTail = cell.width == 2
                if cell.text.unicodeScalars.contains(where: { !TextWidth.isPrintable($0) }) || (cell.width > 0) == cell.text.isEmpty { return false }
            }
            if expectsTail { return false }
        }
        guard let cursor = grid.cursor else { return true }
        return cursor.column >= 0 && cursor.column < grid.columns && cursor.row >= 0 && cursor.row < grid.rows
    }

    @Test(arguments: [UInt64(1), 2, 3, 4]) func randomEventsNeverBreakThePicture(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var model = Model()
        var broken: [Int] = []
        for step in 0..<5000 {
            let event = Self.event(&random)
            let effects = update(&model, event)
            // Leaving would make the rest dull.
            if effects.contains(.quit) || effects.contains(.quitNow) {
                model = Model(columns: model.columns, rows: model.rows, snapshot: Self.snapshot(&random))
            }
            if !Self.isWhole(render(model), for: model) { broken.append(step) }
        }
        #expect(broken.isEmpty)
    }
}
