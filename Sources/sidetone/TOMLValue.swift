/// A value of a TOML document with the line that it starts on.
struct TOMLValue: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case string(String)
        case integer(Int64)
        case number(Double)
        case boolean(Bool)
        /// A date or time, as written.
        case date(String)
        case array([TOMLValue])
        case table(TOMLTable)
    }

    var kind: Kind
    var line: Int

    /// "a text", "a number", …: for messages.
    var typeName: String {
        switch kind {
        case .string: "a text"
        case .integer, .number: "a number"
        case .boolean: "true or false"
        case .date: "a date"
        case .array: "a list"
        case .table: "a table"
        }
    }
}

/// Keys in the order of the document.
struct TOMLTable: Equatable, Sendable {
    enum Origin: Equatable, Sendable {
        /// Made by a header below it, such as `[a.b]` for `a`: may still get a header of its own.
        case implied
        case header
        /// Made by dotted keys.
        case dotted
        /// `{ … }`: complete as written.
        case inline
    }

    struct Entry: Equatable, Sendable {
        var key: String
        /// Where the key stands.
        var line: Int
        var value: TOMLValue
    }

    var entries: [Entry] = []
    var origin = Origin.header
    subscript(key: String) -> TOMLValue? { entries.first { $0.key == key }?.value }
    func index(of key: String) -> Int? { entries.firstIndex { $0.key == key } }
}

/// What is wrong with a document, and where.
struct TOMLError: Error, Equatable {
    var line: Int
    var message: String
}
