import CPlatform
import Core
import Glibc
import Screen
import TestPicture
import Testing

@testable import Terminal

/// Tests that take a terminal over: the crash handlers are the process's own, so one at a time.
@Suite(.serialized) enum TerminalTests {}

extension TerminalTests {
    @Suite(.serialized) struct PicturePainterTests {
        private func grid(_ picture: VideoPicture, _ columns: Int, _ rows: Int, _ colours: PictureColours) -> CellGrid {
            var grid = CellGrid(columns: columns, rows: rows)
            PictureCells.draw(picture, into: &grid, area: PictureCells.Area(column: 0, row: 0, columns: columns, rows: rows), colours: colours)
            return grid
        }

        /// Until nothing waits any more, as a poll loop does it.
        private func settle(_ painter: PicturePainter) {
            while true {
                painter.flush()
                if painter.wantsWriting {
                    var polled = pollfd(fd: painter.descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&polled, 1, -1)
                } else if let due = painter.nextDraw {
                    let now = platform_monotonic_ns()
                    if due > now { _ = poll(nil, 0, Int32(clamping: (due - now) / 1_000_000 + 1)) }
                } else {
                    return
                }
            }
        }

        @Test(.enabled(if: TerminalPicture.isPossible), arguments: [PictureColours.indexed, .trueColour, .sixteen, .eight, .monochrome])
        func thePictureStandsAboveTheLines(colours: PictureColours) throws {
            let pty = try PseudoTerminal(columns: 60, rows: 20)
            let painter = try PicturePainter(terminal: pty.terminal, colours: colours)
            let second = Pictures.walk(64, 48, frame: 12)
            painter.show(Pictures.colourBars(64, 48))
            painter.line("first line")
            settle(painter)
            painter.show(second)
            for number in 0..<7 { painter.line("line \(number) \u{1B}[31m" + String(repeating: "x", count: number * 15)) }
            settle(painter)
            let picture = try TerminalPicture(pty.output(), columns: 60, rows: 20)
            #expect(picture.differences(from: grid(second, 60, 15, colours), rows: 0..<15) == [])
            #expect(picture.line(15).hasPrefix("line 2 \u{FFFD}[31mxxx"))
            #expect(picture.line(19).hasPrefix("line 6 ") && picture.line(19).hasSuffix("…"))
            painter.stop()
        }

        /// The shell's screen is back, with the lines on it; so are the terminal's modes.
        @Test(.enabled(if: TerminalPicture.isPossible)) func stopGivesTheTerminalBack() throws {
            let pty = try PseudoTerminal(columns: 60, rows: 20)
            let before = pty.state
            let painter = try PicturePainter(terminal: pty.terminal, colours: .indexed)
            #expect(pty.state.c_lflag != before.c_lflag)
            painter.show(Pictures.colourBars(64, 48))
            painter.line("call answered")
            settle(painter)
            painter.show(Pictures.colourBars(32, 32))
            painter.stop()
            painter.stop()
            painter.line("too late")
            #expect(pty.state.c_lflag == before.c_lflag)
            let prompt = Array("$ sidetone call\r\n".utf8)
            let picture = try TerminalPicture(prompt + pty.output() + Array("$ ".utf8), columns: 60, rows: 20)
            #expect(picture.line(0) == "$ sidetone call")
            #expect(picture.line(1) == "call answered")
            #expect(picture.line(2) == "$")
            #expect(picture.rows.joined().allSatisfy { $0.text != "▀" && $0.background.isEmpty })
        }

        /// Nobody reads: nothing blocks, little is kept, and when somebody reads again the newest picture and the lines are there.
        @Test(.enabled(if: TerminalPicture.isPossible)) func aTerminalThatTakesNothingBlocksNothing() throws {
            let random = RandomSource(seed: 5)
            let pty = try PseudoTerminal(columns: 80, rows: 24, reads: false)
            let painter = try PicturePainter(terminal: pty.terminal, colours: .indexed)
            for _ in 0..<50 {
                let noise = Pictures.make(40, 30) { _, _ in (UInt8(truncatingIfNeeded: random.next()), 128, UInt8(truncatingIfNeeded: random.next()))
                }
                painter.show(noise)
            }
            #expect(painter.wantsWriting)
            for number in 0..<20_000 { painter.line("line \(number)") }
            #expect(painter.wantsWriting)
            #expect(painter.nextDraw == nil)
            let last = Pictures.colourBars(80, 60)
            painter.show(last)
            pty.startReading()
            settle(painter)
            let picture = try TerminalPicture(pty.output(), columns: 80, rows: 24)
            #expect(picture.differences(from: grid(last, 80, 19, .indexed), rows: 0..<19) == [])
            #expect(picture.line(23) == "line 19999")
            #expect(picture.line(19) == "line 19995")
            painter.stop()
        }

        @Test func withoutATerminalThereIsAnError() throws {
            var ends: [Int32] = [-1, -1]
            _ = pipe(&ends)
            defer { for end in ends { close(end) } }
            #expect(throws: TerminalError.notATerminal) { _ = try PicturePainter(terminal: ends[1], colours: .indexed) }
            #expect(PicturePainter.refusal(json: true)?.hasPrefix("--video-out terminal needs a terminal") == true)
        }

        @Test func theEnvironmentSaysWhatColoursThereAre() {
            func colours(_ values: [String: String]) -> PictureColours { PicturePainter.colours { values[$0] } }
            #expect(colours(["TERM": "xterm-256color"]) == .indexed)
            #expect(colours(["TERM": "xterm-256color", "COLORTERM": "truecolor"]) == .trueColour)
            #expect(colours(["TERM": "xterm-direct"]) == .trueColour)
            #expect(colours(["TERM": "xterm"]) == .sixteen)
            #expect(colours(["TERM": "linux"]) == .eight)
            #expect(colours(["TERM": "vt100"]) == .monochrome)
            #expect(colours(["TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"]) == .monochrome)
        }
    }
}
