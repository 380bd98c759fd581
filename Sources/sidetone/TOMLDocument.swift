/// Reads TOML 1.0: tables, lists of tables, dotted and quoted keys, all kinds of values. Bytes in, a table or one error with its line out.
struct TOMLDocument {
    private var scanner: TOMLScanner
    private var root = TOMLTable()
    /// Where `key = value` lines go: the names of the last header.
    private var place: [String] = []
    /// How deep values may nest.
    private static let maximumDepth = 32

    static func parse(_ text: String) throws(TOMLError) -> TOMLTable {
        var document = TOMLDocument(scanner: TOMLScanner(Array(text.utf8)))
        try document.read()
        return document.root
    }

    private init(scanner: TOMLScanner) { self.scanner = scanner }

    private mutating func read() throws(TOMLError) {
        while true {
            scanner.skipBlankLines()
            guard let byte = scanner.peek else { return }
            if byte == UInt8(ascii: "[") {
                try header()
            } else {
                let line = scanner.line
                let path = try scanner.keyPath()
                try scanner.expect("=", after: "a key")
                let value = try value(depth: 0)
                try TOMLDocument.assign(path, value, line, to: place, in: &root)
            }
            try scanner.endOfLine()
        }
    }

    private mutating func header() throws(TOMLError) {
        let line = scanner.line
        scanner.advance()
        let isList = scanner.take("[")
        let path = try scanner.keyPath()
        try scanner.expect("]", after: "a table's name")
        if isList { try scanner.expect("]", after: "a table's name") }
        try TOMLDocument.open(path[...], isList: isList, line, in: &root)
        place = path
    }

    /// Makes the table of a header, or takes the one that a header below it implied.
    private static func open(_ path: ArraySlice<String>, isList: Bool, _ line: Int, in table: inout TOMLTable) throws(TOMLError) {
        guard let name = path.first else { return }
        let isLast = path.count == 1
        let duplicate = TOMLError(line: line, message: "\"\(name)\" is defined twice")
        guard let index = table.index(of: name) else {
            var made = TOMLTable()
            made.origin = isLast ? .header : .implied
            if !isLast { try open(path.dropFirst(), isList: isList, line, in: &made) }
            var value = TOMLValue(kind: .table(made), line: line)
            if isLast, isList { value = TOMLValue(kind: .array([value]), line: line) }
            table.entries.append(TOMLTable.Entry(key: name, line: line, value: value))
            return
        }
        switch table.entries[index].value.kind {
        case .table(var inner):
            guard inner.origin != .inline else { throw duplicate }
            if isLast {
                guard !isList, inner.origin == .implied else { throw duplicate }
                inner.origin = .header
                table.entries[index].line = line
            } else {
                try open(path.dropFirst(), isList: isList, line, in: &inner)
            }
            table.entries[index].value.kind = .table(inner)
        case .array(var list):
            // Only a list that `[[…]]` made has tables of headers in it.
            guard case .table(var inner)? = list.last?.kind, inner.origin == .header else { throw duplicate }
            if isLast {
                guard isList else { throw duplicate }
                list.append(TOMLValue(kind: .table(TOMLTable()), line: line))
            } else {
                try open(path.dropFirst(), isList: isList, line, in: &inner)
                list[list.count - 1].kind = .table(inner)
            }
            table.entries[index].value.kind = .array(list)
        default: throw duplicate
        }
    }

    private static func assign(
        _ path: [String], _ value: TOMLValue, _ line: Int, to place: [String], in table: inout TOMLTable
    ) throws(TOMLError) {
        if let name = place.first, let index = table.index(of: name) {
            let rest = Array(place.dropFirst())
            switch table.entries[index].value.kind {
            case .table(var inner):
                try assign(path, value, line, to: rest, in: &inner)
                table.entries[index].value.kind = .table(inner)
            case .array(var list):
                guard case .table(var inner)? = list.last?.kind else { return }
                try assign(path, value, line, to: rest, in: &inner)
                list[list.count - 1].kind = .table(inner)
                table.entries[index].value.kind = .array(list)
            default: return
            }
            return
        }
        try set(path[...], value, line, in: &table)
    }

    /// `a.b.c = value` inside one table.
    private static func set(_ path: ArraySlice<String>, _ value: TOMLValue, _ line: Int, in table: inout TOMLTable) throws(TOMLError) {
        guard let name = path.first else { return }
        let index = table.index(of: name)
        guard path.count > 1 else {
            guard index == nil else { throw TOMLError(line: line, message: "\"\(name)\" is set twice") }
            table.entries.append(TOMLTable.Entry(key: name, line: line, value: value))
            return
        }
        guard let index else {
            var made = TOMLTable()
            made.origin = .dotted
            try set(path.dropFirst(), value, line, in: &made)
            table.entries.append(TOMLTable.Entry(key: name, line: line, value: TOMLValue(kind: .table(made), line: line)))
            return
        }
        guard case .table(var inner) = table.entries[index].value.kind, inner.origin == .dotted else {
            throw TOMLError(line: line, message: "\"\(name)\" is set twice")
        }
        try set(path.dropFirst(), value, line, in: &inner)
        table.entries[index].value.kind = .table(inner)
    }

    // MARK: values

    private mutating func value(depth: Int) throws(TOMLError) -> TOMLValue {
        scanner.skipBlanks()
        let line = scanner.line
        guard depth < TOMLDocument.maximumDepth else { throw TOMLError(line: line, message: "values are nested too deep") }
        guard let byte = scanner.peek else { throw TOMLError(line: line, message: "a value is missing") }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return TOMLValue(kind: .string(try scanner.string()), line: line)
        case UInt8(ascii: "["): return TOMLValue(kind: .array(try list(depth: depth)), line: line)
        case UInt8(ascii: "{"): return TOMLValue(kind: .table(try inlineTable(depth: depth)), line: line)
        default: return TOMLValue(kind: try TOMLScalar.kind(scanner.bareValue(), line: line), line: line)
        }
    }

    private mutating func list(depth: Int) throws(TOMLError) -> [TOMLValue] {
        let line = scanner.line
        scanner.advance()
        var out: [TOMLValue] = []
        while true {
            scanner.skipBlankLines()
            if scanner.take("]") { return out }
            guard scanner.peek != nil else { throw TOMLError(line: line, message: "a list has no \"]\"") }
            out.append(try value(depth: depth + 1))
            scanner.skipBlankLines()
            if scanner.take("]") { return out }
            guard scanner.take(",") else { throw TOMLError(line: line, message: "a list needs \",\" between its values and \"]\" at its end") }
        }
    }

    private mutating func inlineTable(depth: Int) throws(TOMLError) -> TOMLTable {
        let start = scanner.line
        scanner.advance()
        var table = TOMLTable()
        scanner.skipBlanks()
        if !scanner.take("}") {
            while true {
                let line = scanner.line
                let path = try scanner.keyPath()
                try scanner.expect("=", after: "a key")
                let value = try value(depth: depth + 1)
                try TOMLDocument.set(path[...], value, line, in: &table)
                scanner.skipBlanks()
                if scanner.take("}") { break }
                guard scanner.take(",") else {
                    throw TOMLError(line: start, message: "an inline table needs \",\" between its keys and \"}\" at its end")
                }
            }
        }
        table.origin = .inline
        return table
    }
}
