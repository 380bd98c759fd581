import Core
import Foundation
import Glibc
import Interface
import Screen
import TestPicture
import Testing

@testable import Terminal

extension TerminalTests {
    /// Curses on a terminal of its own; what it wrote is shown by tmux. Curses has one current screen, so one test at a time.
    @Suite(.serialized) struct TerminalSessionTests {
        private func grid(_ picture: VideoPicture, _ columns: Int, _ rows: Int, _ colours: PictureColours) -> CellGrid {
            var grid = CellGrid(columns: columns, rows: rows)
            PictureCells.draw(picture, into: &grid, area: PictureCells.Area(column: 0, row: 0, columns: columns, rows: rows), colours: colours)
            return grid
        }

        private func open(_ pty: PseudoTerminal, _ type: String) throws -> TerminalSession {
            try TerminalSession(input: pty.terminal, output: pty.terminal, type: type)
        }

        @Test(arguments: [
            ("tmux-256color", PictureColours.indexed), ("xterm-256color", .indexed), ("linux", .eight), ("vt100", .monochrome),
            ("vt220", .monochrome),
        ])
        func theDescriptionSaysWhatColoursThereAre(type: String, colours: PictureColours) throws {
            let session = try open(PseudoTerminal(columns: 80, rows: 24), type)
            #expect(session.pictureColours == colours)
            session.restore()
        }

        @Test(
            .enabled(if: TerminalPicture.isPossible),
            arguments: [
                ("tmux-256color", PictureColours.indexed), ("tmux-256color", .eight), ("linux", .eight), ("vt220", .monochrome),
            ])
        func thePictureIsOnTheTerminal(type: String, colours: PictureColours) throws {
            let pty = try PseudoTerminal(columns: 80, rows: 24)
            let session = try open(pty, type)
            session.draw(grid(Pictures.colourBars(160, 96), 80, 24, colours))
            let second = grid(Pictures.walk(160, 96, frame: 12), 80, 24, colours)
            session.draw(second)
            let picture = try TerminalPicture(pty.output(), columns: 80, rows: 24)
            #expect(picture.differences(from: second, rows: 0..<24) == [])
            session.restore()
        }

        /// The whole screen with its view of the picture, as the phone draws it.
        @Test(.enabled(if: TerminalPicture.isPossible)) func theViewOfAPictureIsOnTheTerminal() throws {
            var snapshot = Snapshot(time: WallTime(milliseconds: 0))
            var call = CallSnapshot(id: CallID(1), direction: .outgoing, state: .media, remoteUri: "sip:a@b", startedAt: snapshot.time)
            call.hasVideo = true
            snapshot.calls = [call]
            snapshot.focused = call.id
            let pty = try PseudoTerminal(columns: 80, rows: 24)
            let session = try open(pty, "tmux-256color")
            var model = Model(pictureColours: session.pictureColours)
            for event in [
                ScreenEvent.snapshot(snapshot), .key(.character("v")), .picture(CallPicture(call: call.id, picture: Pictures.colourBars(64, 48))),
            ] { _ = update(&model, event) }
            session.draw(render(model))
            let picture = try TerminalPicture(pty.output(), columns: 80, rows: 24)
            #expect(picture.differences(from: render(model), rows: 4..<21).filter { $0.contains("▀") } == [])
            #expect(picture.line(8).contains("▀▀▀▀▀▀▀▀"))
            #expect(picture.line(3).contains("64×48"))
            session.restore()
        }

        @Test func restoreGivesTheModesBack() throws {
            let pty = try PseudoTerminal(columns: 80, rows: 24)
            let before = pty.state
            let session = try open(pty, "tmux-256color")
            #expect(pty.state.c_lflag != before.c_lflag)
            session.draw(grid(Pictures.colourBars(160, 96), 80, 24, .indexed))
            session.restore()
            #expect(pty.state.c_lflag == before.c_lflag)
            #expect(pty.state.c_iflag == before.c_iflag)
        }

        /// Direct colours, and more pairs of them than there are: all are given up and the newest picture is right.
        @Test(.enabled(if: TerminalPicture.isPossible)) func pairsThatRunOutAreMadeAnew() throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("terminfo-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let source = folder.appendingPathComponent("source")
            let set = #"setab=\E[%?%p1%{8}%<%t4%p1%d%e48;2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%d%;m"#
            let text =
                "sidetone-direct|test,\n\tRGB, colors#0x1000000, pairs#0x7fff,\n\t\(set),\n"
                + "\t\(set.replacingOccurrences(of: "setab", with: "setaf").replacingOccurrences(of: "t4%p1", with: "t3%p1").replacingOccurrences(of: "e48", with: "e38")),\n"
                + "\tinitc@, initp@, ccc@, use=tmux-256color,\n"
            try text.write(to: source, atomically: true, encoding: .utf8)
            // Not Foundation's Process: what it leaves open would be counted by the tests of descriptors.
            try #require(system("/usr/bin/tic -x -o '\(folder.path)' '\(source.path)'") == 0)
            setenv("TERMINFO", folder.path, 1)
            defer { unsetenv("TERMINFO") }

            let pty = try PseudoTerminal(columns: 160, rows: 60)
            let session = try open(pty, "sidetone-direct")
            #expect(session.pictureColours == .trueColour)
            let random = RandomSource(seed: 11)
            var newest = CellGrid(columns: 160, rows: 60)
            for _ in 0..<5 {
                let noise = Pictures.make(160, 120) { _, _ in
                    (UInt8(truncatingIfNeeded: random.next()), UInt8(truncatingIfNeeded: random.next()), 128)
                }
                newest = grid(noise, 160, 60, .trueColour)
                session.draw(newest)
            }
            let picture = try TerminalPicture(pty.output(), columns: 160, rows: 60)
            // Values under 8 are drawn as 8, for they would be the first eight colours.
            let wrong = picture.differences(from: newest, rows: 0..<60).filter { !$0.contains("rgb(0, 0,") }
            #expect(wrong == [])
            session.restore()
        }
    }
}
