/// The header fields of a message, in their order.
public struct SIPHeaders: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public var name: HeaderName
        /// One field line: folds joined, blanks around it removed; may hold a list.
        public var value: String

        public init(name: HeaderName, value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var fields: [Field] = []

    public init() {}
    public init(_ fields: [(HeaderName, String)]) { self.fields = fields.map { Field(name: $0.0, value: $0.1) } }
    init(fields: [Field]) { self.fields = fields }

    public var isEmpty: Bool { fields.isEmpty }
    public var count: Int { fields.count }

    public func contains(_ name: HeaderName) -> Bool { fields.contains { $0.name == name } }

    /// How many field lines have this name.
    public func count(of name: HeaderName) -> Int { fields.reduce(0) { $1.name == name ? $0 + 1 : $0 } }

    /// The first field line of this name.
    public func first(_ name: HeaderName) -> String? {
        for field in fields where field.name == name { return field.value }
        return nil
    }

    public subscript(name: HeaderName) -> String? {
        get { first(name) }
        set { if let newValue { set(name, newValue) } else { remove(name) } }
    }

    /// One string for each field line of this name.
    public func all(_ name: HeaderName) -> [String] {
        var out: [String] = []
        for field in fields where field.name == name { out.append(field.value) }
        return out
    }

    /// Appends a field line after all others.
    public mutating func add(_ name: HeaderName, _ value: some CustomStringConvertible) {
        fields.append(Field(name: name, value: value.description))
    }

    /// Puts a field line before all others of its name (before all fields when there is none), as Via and Record-Route need.
    public mutating func prepend(_ name: HeaderName, _ value: some CustomStringConvertible) {
        let index = fields.firstIndex { $0.name == name } ?? 0
        fields.insert(Field(name: name, value: value.description), at: index)
    }

    /// Replaces all field lines of this name by one, in the place of the first.
    public mutating func set(_ name: HeaderName, _ value: some CustomStringConvertible) { set(name, all: [value.description]) }

    /// Replaces all field lines of this name by these, in the place of the first.
    public mutating func set(_ name: HeaderName, all values: [String]) {
        let index = fields.firstIndex { $0.name == name }
        fields.removeAll { $0.name == name }
        fields.insert(contentsOf: values.map { Field(name: name, value: $0) }, at: min(index ?? fields.count, fields.count))
    }

    public mutating func remove(_ name: HeaderName) { fields.removeAll { $0.name == name } }

    /// Removes the first value of the first field line of this name: what a response does with its topmost Via.
    public mutating func removeFirstValue(_ name: HeaderName) {
        guard let index = fields.firstIndex(where: { $0.name == name }) else { return }
        let rest = SIPHeaders.split(fields[index].value).dropFirst()
        if rest.isEmpty { fields.remove(at: index) } else { fields[index].value = rest.joined(separator: ", ") }
    }

    /// Appends all field lines of this name from `other`, unchanged.
    public mutating func copy(_ name: HeaderName, from other: SIPHeaders) {
        for field in other.fields where field.name == name { fields.append(field) }
    }
}

extension SIPHeaders {
    /// All values of this name over all its lines, comma-separated lists taken apart, blanks trimmed, empty ones left out.
    public func values(_ name: HeaderName) -> [String] {
        var out: [String] = []
        for field in fields where field.name == name { out += SIPHeaders.split(field.value) }
        return out
    }

    /// Splits at commas outside of quoted strings, `<>` and comments.
    static func split(_ value: String) -> [String] {
        var scanner = ByteScanner(value)
        guard scanner.bytes.contains(SIPSyntax.comma) else {
            let text = trimmed(scanner, 0..<scanner.end)
            return text.isEmpty ? [] : [text]
        }
        var out: [String] = []
        var start = 0
        while !scanner.isAtEnd {
            scanner.skipListElement()
            let text = trimmed(scanner, start..<scanner.position)
            if !text.isEmpty { out.append(text) }
            _ = scanner.take(SIPSyntax.comma)
            start = scanner.position
        }
        return out
    }

    private static func trimmed(_ scanner: ByteScanner, _ range: Range<Int>) -> String {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high, SIPSyntax.isWhite(scanner.bytes[low]) { low += 1 }
        while high > low, SIPSyntax.isWhite(scanner.bytes[high - 1]) { high -= 1 }
        return scanner.text(low..<high)
    }
}

extension ByteScanner {
    /// Goes to the next comma outside of quotes, `<>` and comments, or to the end.
    fileprivate mutating func skipListElement() {
        var isQuoted = false
        var isInURI = false
        var comments = 0
        while position < end {
            let c = bytes[position]
            if isQuoted {
                if c == SIPSyntax.backslash { position += 1 } else if c == SIPSyntax.quote { isQuoted = false }
            } else if isInURI {
                if c == SIPSyntax.greater { isInURI = false }
            } else {
                switch c {
                case SIPSyntax.quote: isQuoted = true
                case SIPSyntax.less where comments == 0: isInURI = true
                case 0x28: comments += 1
                case 0x29: comments = max(0, comments - 1)
                case SIPSyntax.backslash where comments > 0: position += 1
                case SIPSyntax.comma where comments == 0: return
                default: break
                }
            }
            position += 1
        }
        position = min(position, end)
    }
}
