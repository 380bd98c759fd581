import Foundation

/// A parsed JSON text, strict about what is a number and what is a boolean.
indirect enum JSONText: Equatable, Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONText])
    case object([String: JSONText])

    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? single.decode(Double.self) {
            self = .number(value)
        } else if let value = try? single.decode(String.self) {
            self = .string(value)
        } else if let value = try? single.decode([JSONText].self) {
            self = .array(value)
        } else {
            self = .object(try single.decode([String: JSONText].self))
        }
    }

    static func parse(_ text: String) throws -> JSONText { try JSONDecoder().decode(JSONText.self, from: Data(text.utf8)) }

    subscript(_ key: String) -> JSONText? { if case .object(let members) = self { members[key] } else { nil } }

    var type: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// Where `self` lacks a member that `example` has, or has it with another type. Arrays are compared by their first element.
    func departures(from example: JSONText, at path: String = "") -> [String] {
        switch (self, example) {
        case (.object(let mine), .object(let theirs)):
            return theirs.keys.sorted().flatMap { key -> [String] in
                guard let value = mine[key], let expected = theirs[key] else { return ["\(path).\(key) is missing"] }
                return value.departures(from: expected, at: "\(path).\(key)")
            }
        case (.array(let mine), .array(let theirs)):
            guard let expected = theirs.first else { return [] }
            guard let value = mine.first else { return ["\(path) is empty"] }
            return value.departures(from: expected, at: "\(path)[0]")
        default:
            return type == example.type ? [] : ["\(path) is a \(type), not a \(example.type)"]
        }
    }
}
