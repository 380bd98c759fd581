import Core
import Foundation
import Interface
import TestPicture
import Testing

@testable import Screen

/// The pictures as files. `SIDETONE_RECORD=1` writes them anew.
@Suite struct GoldenTests {
    struct Picture: Sendable, CustomTestStringConvertible {
        var name: String
        var snapshot: Snapshot
        var keys: [Key] = []
        var picture: VideoPicture?
        var testDescription: String { name }
    }

    static let sizes = [(80, 24), (120, 40), (60, 16), (40, 10)]

    static let pictures = [
        Picture(name: "idle", snapshot: Samples.idle()),
        Picture(name: "typing", snapshot: Samples.idle(), keys: "sip:bob@192.0.2.7".map(Key.character)),
        Picture(name: "incoming", snapshot: Samples.incoming()),
        Picture(name: "connected", snapshot: Samples.connected()),
        Picture(name: "no-mux", snapshot: Samples.noMux()),
        Picture(name: "sdes", snapshot: Samples.sdes()),
        Picture(name: "several", snapshot: Samples.several()),
        Picture(name: "history", snapshot: Samples.withHistory(), keys: [.function(8), .down, .down]),
        Picture(name: "devices", snapshot: Samples.idle(), keys: [.function(7), .down]),
        Picture(name: "help", snapshot: Samples.idle(), keys: [.function(1)]),
        Picture(name: "transport", snapshot: Samples.transportCall(), keys: [.character("t")]),
        Picture(name: "transport-end", snapshot: Samples.transportCall(), keys: [.function(12)] + Array(repeating: .pageDown, count: 8)),
        Picture(name: "names", snapshot: Samples.names()),
        Picture(name: "video-waiting", snapshot: Samples.video(), keys: [.character("v")]),
        Picture(name: "video", snapshot: Samples.video(), keys: [.character("v")], picture: Pictures.colourBars(320, 240)),
        Picture(name: "quit-question", snapshot: Samples.connected(), keys: [.character("q")]),
    ]

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")

    @Test(arguments: pictures) func picture(_ picture: Picture) throws {
        let isRecording = ProcessInfo.processInfo.environment["SIDETONE_RECORD"] == "1"
        for (columns, rows) in Self.sizes {
            var model = Model(columns: columns, rows: rows, utcOffsetSeconds: 3600)
            _ = update(&model, .snapshot(picture.snapshot))
            for key in picture.keys { _ = update(&model, .key(key)) }
            if let shown = picture.picture { _ = update(&model, .picture(CallPicture(call: CallID(1), picture: shown))) }
            let text = render(model).text
            let file = Self.folder.appendingPathComponent("\(picture.name)-\(columns)x\(rows).txt")
            if isRecording { try text.write(to: file, atomically: true, encoding: .utf8) }
            let expected = try String(contentsOf: file, encoding: .utf8)
            #expect(text == expected, "\(file.lastPathComponent)")
        }
    }

    /// Meaning is never in colour alone: both themes show the same text.
    @Test(arguments: pictures) func themesShowTheSameText(_ picture: Picture) {
        var texts: [String] = []
        for theme in [Theme.standard, Theme.mono] {
            var model = Model(theme: theme)
            _ = update(&model, .snapshot(picture.snapshot))
            for key in picture.keys { _ = update(&model, .key(key)) }
            texts.append(render(model).text)
        }
        #expect(texts[0] == texts[1])
    }

    @Test func monoHasNoColour() {
        #expect(Role.allCases.allSatisfy { Theme.mono.style($0).foreground == .standard && Theme.mono.style($0).background == .standard })
    }
}
