import Foundation

/// A folder of its own for one test, removed at the end.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "sidetone-audio-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }
    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: url.appending(path: name))
        return path(name)
    }
}

/// A WAV file's bytes.
func wav(
    _ samples: [Int16], rate: Int = 8000, channels: Int = 1, bits: Int = 16, tag: Int = 1, extensible: Bool = false,
    before: [UInt8] = [], dataSize: Int? = nil
) -> [UInt8] {
    func u16(_ v: Int) -> [UInt8] { [UInt8(v & 255), UInt8(v >> 8 & 255)] }
    func u32(_ v: Int) -> [UInt8] { u16(v & 0xFFFF) + u16(v >> 16) }
    var format = u16(extensible ? 0xFFFE : tag) + u16(channels) + u32(rate) + u32(rate * channels * 2) + u16(channels * 2) + u16(bits)
    if extensible { format += u16(22) + u16(16) + u32(3) + u16(tag) + [0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113] }
    let data = samples.flatMap { u16(Int(UInt16(bitPattern: $0))) }
    var body = Array("WAVE".utf8) + Array("fmt ".utf8) + u32(format.count) + format + before
    body += Array("data".utf8) + u32(dataSize ?? data.count) + data
    return Array("RIFF".utf8) + u32(body.count) + body
}
