import Foundation
import Testing

/// The design's rules that a machine can check: who imports whom, what pure code may not touch, how long files are.
@Suite struct ArchitectureTests {
    /// The targets in the design's order: each imports only targets before it.
    static let order = [
        "Core", "Digest", "SIP", "SDP", "ICE", "RTP", "Secure", "Codecs", "Audio", "Interface", "Barcode", "Engine", "Screen", "Control",
        "Runtime", "AudioIO", "Terminal", "sidetone", "Simulator", "Benchmarks",
    ]
    static let pure = Array(order.prefix(14))
    static let libraries: Set<String> = [
        "COpenSSL", "CSRTP", "COpus", "CVPX", "CALSA", "CNcurses", "CAres", "CQRencode", "CPlatform", "CVirtualTime",
    ]

    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct SourceFile: CustomStringConvertible {
        var path: String
        var lines: [String]
        var description: String { path }
    }

    static func files(under folder: String) -> [SourceFile] {
        let base = root.appendingPathComponent(folder)
        let names = (FileManager.default.enumerator(atPath: base.path)?.allObjects as? [String]) ?? []
        return names.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
            guard let text = try? String(contentsOf: base.appendingPathComponent(name), encoding: .utf8) else { return nil }
            return SourceFile(path: "\(folder)/\(name)", lines: text.components(separatedBy: "\n"))
        }
    }

    /// The line without its comment and without the text of string literals, so that words in them do not count.
    static func code(_ line: String) -> String {
        var out = ""
        var isInString = false
        var previous: Character = " "
        for character in line {
            if character == "\"", previous != "\\" { isInString.toggle() }
            if !isInString {
                if character == "/", out.last == "/" { return String(out.dropLast()) }
                out.append(character)
            }
            previous = character
        }
        return out
    }

    static func imports(_ file: SourceFile) -> [String] {
        file.lines.compactMap { line in
            var words = code(line).split(separator: " ").map(String.init)
            while let first = words.first, first.hasPrefix("@") || ["public", "internal", "private", "package"].contains(first) {
                words.removeFirst()
            }
            guard words.count >= 2, words[0] == "import" else { return nil }
            let module =
                ["struct", "class", "enum", "func", "protocol", "typealias", "var", "let"].contains(words[1]) && words.count > 2 ? words[2] : words[1]
            return module.split(separator: ".").first.map(String.init)
        }
    }

    /// What the manifest says that a target depends on, itself and by others.
    static func manifest() throws -> [String: [String]] {
        let text = try String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8)
        var out: [String: [String]] = [:]
        for target in order {
            let starts = ["pure(\"\(target)\"", "name: \"\(target)\""]
            guard let start = starts.compactMap({ text.range(of: $0, options: .backwards) }).first else { continue }
            let rest = text[start.upperBound...]
            guard let open = rest.firstIndex(of: "["), let close = rest[open...].firstIndex(of: "]") else { continue }
            let parts = rest[open..<close].split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            out[target] = parts
        }
        return out
    }

    @Test func everyTargetIsKnown() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.root.appendingPathComponent("Sources").path)
        let known = Set(Self.order).union(Self.libraries)
        #expect(folders.filter { !known.contains($0) && !$0.hasPrefix(".") }.isEmpty)
    }

    @Test func theManifestFollowsTheOrder() throws {
        let manifest = try Self.manifest()
        #expect(manifest.count == Self.order.count, "every target of the design stands in the manifest")
        var problems: [String] = []
        for (target, dependencies) in manifest {
            let place = Self.order.firstIndex(of: target) ?? 0
            for dependency in dependencies {
                if let other = Self.order.firstIndex(of: dependency), other >= place { problems.append("\(target) depends on \(dependency)") }
            }
        }
        #expect(problems.isEmpty)
    }

    @Test(arguments: order) func importsOnlyTargetsAbove(target: String) {
        let place = Self.order.firstIndex(of: target) ?? 0
        var problems: [String] = []
        for file in Self.files(under: "Sources/\(target)") {
            for module in Self.imports(file) {
                if let other = Self.order.firstIndex(of: module), other >= place { problems.append("\(file) imports \(module)") }
            }
        }
        #expect(problems.isEmpty)
    }

    /// Pure targets: nothing of the world, and of C only their own libraries.
    @Test(arguments: pure + ["Simulator"]) func pureTargetsImportNoWorld(target: String) {
        let allowed: Set<String> = ["Synchronization", "Swift"]
        var problems: [String] = []
        for file in Self.files(under: "Sources/\(target)") {
            for module in Self.imports(file) where !Self.order.contains(module) && !Self.libraries.contains(module) && !allowed.contains(module) {
                problems.append("\(file) imports \(module)")
            }
        }
        #expect(problems.isEmpty)
    }

    /// Words that pure code must not have, and why.
    static let forbidden = [
        ("print(", "output"), ("debugPrint(", "output"), ("ContinuousClock", "a clock"), ("SuspendingClock", "a clock"), ("clock_gettime", "a clock"),
        ("gettimeofday", "a clock"), ("Date(", "a clock"), ("SystemRandomNumberGenerator", "random numbers"), ("Task {", "a thread"),
        ("Task.sleep", "a thread"),
        ("DispatchQueue", "a thread"), ("Thread(", "a thread"), ("fatalError", "a trap"), ("preconditionFailure", "a trap"),
        ("precondition(", "a trap"),
        ("assertionFailure", "a trap"), ("try!", "a trap"), ("as!", "a trap"), ("unsafelyWrapped", "a trap"),
        ("nonisolated(unsafe) var", "shared state"), ("nonisolated(unsafe) static var", "shared state"),
        ("getenv", "the environment"),
    ]

    /// Random numbers without a source are the system's.
    private static func drawsFromTheSystem(_ code: String) -> Bool {
        for word in [".random(in:", ".randomElement()", ".shuffled()", ".shuffle()"] where code.contains(word) {
            if !code.contains("using:") { return true }
        }
        return false
    }

    @Test(arguments: pure + ["Simulator"]) func pureTargetsTouchNothing(target: String) {
        var problems: [String] = []
        for file in Self.files(under: "Sources/\(target)") {
            for (number, line) in file.lines.enumerated() {
                let code = Self.code(line)
                for (word, what) in Self.forbidden where Self.has(word, in: code) { problems.append("\(file):\(number + 1) \(what): \(word)") }
                if Self.drawsFromTheSystem(code) { problems.append("\(file):\(number + 1) the system's random numbers") }
                if Self.forcesUnwrapping(code) { problems.append("\(file):\(number + 1) force unwrap: \(line.trimmingCharacters(in: .whitespaces))") }
                if Self.isGlobalVariable(line) { problems.append("\(file):\(number + 1) a global variable") }
            }
        }
        #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
    }

    /// The word itself, not the end of a longer one.
    private static func has(_ word: String, in code: String) -> Bool {
        var rest = code[...]
        while let found = rest.range(of: word) {
            let before = found.lowerBound == code.startIndex ? " " : code[code.index(before: found.lowerBound)]
            if !before.isLetter, !before.isNumber, before != "_" { return true }
            rest = rest[found.upperBound...]
        }
        return false
    }

    /// `x!`, `x)!`, `x]!`, but not `!x`, `!=` or an operator's declaration.
    private static func forcesUnwrapping(_ code: String) -> Bool {
        let characters = Array(code)
        for (index, character) in characters.enumerated() where character == "!" && index > 0 {
            let before = characters[index - 1]
            guard before.isLetter || before.isNumber || before == ")" || before == "]" || before == "_" else { continue }
            if index + 1 < characters.count, characters[index + 1] == "=" { continue }
            return true
        }
        return false
    }

    /// A stored one: `var` at the left margin without a getter.
    private static func isGlobalVariable(_ line: String) -> Bool {
        guard ["var ", "public var ", "private var ", "fileprivate var "].contains(where: line.hasPrefix) else { return false }
        return line.contains(" = ") || !line.contains("{")
    }

    /// Files under 400 lines, lines of at most 160 characters, no leftovers.
    @Test func filesAreShort() {
        let files = Self.files(under: "Sources") + Self.files(under: "Tests")
        #expect(files.count > 100)
        #expect(files.filter { $0.lines.count > 401 }.map { "\($0.path): \($0.lines.count)" }.isEmpty)
        let leftovers = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        #expect(files.filter { file in file.lines.contains { line in leftovers.contains { line.contains($0) } } }.map(\.path).isEmpty)
    }

    /// The rules above find what they are for.
    @Test func theRulesBite() {
        #expect(Self.forcesUnwrapping("let a = b!") && Self.forcesUnwrapping("f(x)!.y") && Self.forcesUnwrapping("a[0]! + 1"))
        #expect(!Self.forcesUnwrapping("a != b") && !Self.forcesUnwrapping("if !a {") && !Self.forcesUnwrapping("(!a)"))
        #expect(Self.code("let a = \"fatalError\" // print(") == "let a = \" ")
        #expect(Self.has("print(", in: "  print(x)") && !Self.has("print(", in: "fingerprint(x)"))
        #expect(Self.drawsFromTheSystem("Int.random(in: 0..<4)") && !Self.drawsFromTheSystem("Int.random(in: 0..<4, using: &g)"))
        #expect(
            Self.imports(SourceFile(path: "", lines: ["@testable import Core", "import struct NIOCore.ByteBuffer", "// import X"])) == [
                "Core", "NIOCore",
            ])
        #expect(Self.isGlobalVariable("var counter = 0") && !Self.isGlobalVariable("    var counter = 0"))
        #expect(!Self.isGlobalVariable("public var version: String { name }"))
    }
}
