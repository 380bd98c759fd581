/// Parameters of a URI or of a header value: in order, names without case (RFC 3261 §7.3.1).
public struct SIPParameters: Hashable, Sendable {
    public struct Element: Hashable, Sendable {
        public var name: String
        /// Without quotes and their escapes; nil for a flag. In a URI: escaped as on the wire.
        public var value: String?
        var isQuoted = false

        public init(name: String, value: String? = nil) {
            self.name = name
            self.value = value
        }

        /// Quotes are a matter of spelling.
        public static func == (a: Element, b: Element) -> Bool { a.name == b.name && a.value == b.value }

        public func hash(into hasher: inout Hasher) {
            hasher.combine(name)
            hasher.combine(value)
        }
    }

    public private(set) var elements: [Element] = []

    public init() {}
    public init(_ elements: [Element]) { self.elements = elements }

    public var isEmpty: Bool { elements.isEmpty }

    public func contains(_ name: String) -> Bool { index(of: name) != nil }

    /// The value of the first such parameter: "" for a flag, nil when absent. Setting "" writes a flag, nil removes.
    public subscript(name: String) -> String? {
        get { index(of: name).map { elements[$0].value ?? "" } }
        set {
            guard let newValue else {
                elements.removeAll { SIPSyntax.equalIgnoringCase($0.name, name) }
                return
            }
            let element = Element(name: name, value: newValue.isEmpty ? nil : newValue)
            if let i = index(of: name) { elements[i] = element } else { elements.append(element) }
        }
    }

    mutating func appendElement(_ element: Element) { elements.append(element) }

    public mutating func append(_ name: String, _ value: String? = nil) { elements.append(Element(name: name, value: value)) }

    /// Adds `;name="value"`, with quotes even when the value would do without.
    public mutating func appendQuoted(_ name: String, _ value: String) {
        var element = Element(name: name, value: value)
        element.isQuoted = true
        elements.append(element)
    }

    public mutating func remove(_ name: String) { self[name] = nil }

    private func index(of name: String) -> Int? { elements.firstIndex { SIPSyntax.equalIgnoringCase($0.name, name) } }

    /// `;name=value` for each, quoted where the value came so or cannot stand without. A peer's tag with an odd character goes
    /// back as it came: some compare the text.
    public var headerText: String {
        var out = ""
        for element in elements {
            out += ";"
            out += SIPSyntax.isTokenText(element.name) ? element.name : SIPSyntax.escaped(element.name, SIPSyntax.isToken)
            guard let value = element.value else { continue }
            out += "="
            out += element.isQuoted || value.isEmpty || !value.utf8.allSatisfy(SIPSyntax.isBareValue) ? SIPSyntax.quoted(value) : value
        }
        return out
    }

    /// `;name=value` for each, with what a URI does not allow escaped.
    public var uriText: String {
        var out = ""
        for element in elements {
            out += ";" + SIPSyntax.repaired(element.name, until: SIPSyntax.semicolon, SIPSyntax.question, SIPSyntax.at, SIPSyntax.equals)
            if let value = element.value, !value.isEmpty {
                out += "=" + SIPSyntax.repaired(value, until: SIPSyntax.semicolon, SIPSyntax.question, SIPSyntax.at)
            }
        }
        return out
    }
}

extension ByteScanner {
    /// `*( SEMI generic-param )` to the end or to what cannot belong to it; nil when one is broken.
    /// A lenient reading stops before the broken one instead.
    mutating func headerParameters(leniently: Bool = false) -> SIPParameters? {
        var elements: [SIPParameters.Element] = []
        while takeSeparator(SIPSyntax.semicolon) {
            guard let element = headerParameter() else {
                if leniently { break }
                return nil
            }
            elements.append(element)
        }
        skipWhite()
        return SIPParameters(elements)
    }

    private mutating func headerParameter() -> SIPParameters.Element? {
        guard let name = token() else { return nil }
        var element = SIPParameters.Element(name: name)
        guard takeSeparator(SIPSyntax.equals) else { return element }
        if peek == SIPSyntax.quote {
            guard let value = quotedString() else { return nil }
            element.value = value
            element.isQuoted = true
        } else if let range = run(SIPSyntax.isBareValue) {
            element.value = text(range)
        }
        return element
    }

}
