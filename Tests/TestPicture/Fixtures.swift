import Codecs
import Glibc

/// Files beside this one.
public enum Fixtures {
    public struct Missing: Error { public var path: String }

    /// `walk.ivf`: 160×120, eight frames of `Pictures.walk`, made by libvpx 1.12; the fifth is a key frame again.
    public static func walk() throws -> [[UInt8]] {
        let file = try IVFFile(bytes(of: "walk.ivf"))
        return file.frames.indices.map { Array(file.bytes(of: $0)) }
    }

    public static func path(_ name: String) -> String {
        var folder = "\(#filePath)"
        while let last = folder.last, last != "/" { folder.removeLast() }
        return folder + "Fixtures/" + name
    }

    private static func bytes(of name: String) throws -> [UInt8] {
        guard let file = fopen(path(name), "r") else { throw Missing(path: path(name)) }
        defer { fclose(file) }
        var out: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return out }
            out += buffer[..<count]
        }
    }
}
