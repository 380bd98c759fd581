import AudioIO
import Foundation
import TestSignal
import Testing

@Suite struct WAVTests {
    @Test func readsPlainAndExtensible() throws {
        let samples: [Int16] = [1, -2, 3, 32767, -32768]
        #expect(try WAVAudio(bytes: wav(samples)) == WAVAudio(rate: 8000, samples: samples))
        #expect(try WAVAudio(bytes: wav(samples, rate: 44100, extensible: true)) == WAVAudio(rate: 44100, samples: samples))
    }

    @Test func stereoIsMixedDown() throws {
        #expect(try WAVAudio(bytes: wav([100, 300, -10, 10], channels: 2)).samples == [200, 0])
    }

    @Test func otherChunksAreSkipped() throws {
        let list = Array("LIST".utf8) + [3, 0, 0, 0, 1, 2, 3, 0]
        #expect(try WAVAudio(bytes: wav([5, 6], before: list)).samples == [5, 6])
    }

    @Test func aCutFileGivesWhatIsThere() throws {
        #expect(try WAVAudio(bytes: wav([5, 6], dataSize: 0x7FFF_FFFF)).samples == [5, 6])
        #expect(try WAVAudio(bytes: Array(wav([5, 6, 7]).dropLast())).samples == [5, 6])
    }

    @Test(arguments: [
        ([UInt8](), "not a WAV file"), (Array("RIFF....WAVE".utf8), "no format chunk"), (wav([1], bits: 24), "24 bits"),
        (wav([1], tag: 3), "coding 3"), (wav([1], tag: 6, extensible: true), "coding 6"), (wav([]), "no samples"),
        (wav([1], channels: 0), "0 channels"), (wav([1], rate: 1), "1 samples a second"), (Array(wav([1]).prefix(36)), "no data chunk"),
        (Array(wav([1]).prefix(30)), "too short"),
    ])
    func brokenFilesAreOneClearLine(bytes: [UInt8], message: String) {
        do {
            _ = try WAVAudio(bytes: bytes)
            Issue.record("accepted")
        } catch {
            #expect(error.message.contains(message))
            #expect(!error.message.contains("\n"))
        }
    }

    @Test func everyPrefixIsHandled() {
        let bytes = wav([1, 2, 3, 4], channels: 2, extensible: true)
        var accepted = 0
        for n in 0..<bytes.count where (try? WAVAudio(bytes: Array(bytes.prefix(n)))) != nil { accepted += 1 }
        #expect(accepted == 4)
    }

    @Test func aMissingFileAndAFolderAreNamed() throws {
        let folder = try TemporaryFolder()
        let missing = #expect(throws: AudioDeviceError.self) { try WAVAudio(path: folder.path("none.wav")) }
        #expect(missing?.message == "\(folder.path("none.wav")): No such file or directory")
        let directory = #expect(throws: AudioDeviceError.self) { try WAVAudio(path: folder.url.path) }
        #expect(directory?.message.hasSuffix("not a regular file") == true)
        let output = #expect(throws: AudioDeviceError.self) { try WAVWriter(path: folder.path("no/such/folder.wav")) }
        #expect(output?.kind == .unavailable)
    }

    @Test func whatIsWrittenCanBeReadAtAnyTime() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1, 2, 3, 4, 5], "out.wav")
        let writer = try WAVWriter(path: path)
        writer.setRate(8000)
        let second = sine(440, rate: 8000, count: 8000)
        #expect(second.withUnsafeBufferPointer { writer.append($0) })
        // After a whole second the header on disk is right although the file was not closed.
        #expect(try WAVAudio(path: path) == WAVAudio(rate: 8000, samples: second))
        #expect([Int16]([7, 8]).withUnsafeBufferPointer { writer.append($0) })
        writer.finish()
        #expect(try WAVAudio(path: path).samples == second + [7, 8])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect((mode ?? 0) & 0o600 == 0o600)
        #expect(![Int16]([1]).withUnsafeBufferPointer { writer.append($0) })
    }

    @Test func anEmptyRecordingHasAHeader() throws {
        let folder = try TemporaryFolder()
        let writer = try WAVWriter(path: folder.path("e.wav"))
        writer.finish()
        #expect(try Data(contentsOf: URL(filePath: folder.path("e.wav"))).count == 44)
    }
}
