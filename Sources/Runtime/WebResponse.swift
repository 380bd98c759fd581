/// One response of the web port; the connection ends with it.
struct WebResponse: Sendable, Equatable {
    var status: Int
    var fields: [(name: String, value: String)]
    var body: [UInt8]

    static func == (a: WebResponse, b: WebResponse) -> Bool {
        a.status == b.status && a.body == b.body && a.fields.elementsEqual(b.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    init(_ status: Int, fields: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// A short page that says one thing.
    static func message(_ status: Int, _ title: String, _ text: String, fields: [(name: String, value: String)] = []) -> WebResponse {
        WebResponse(status, fields: [("Content-Type", "text/html; charset=utf-8")] + fields, body: WebPage.message(title, text))
    }

    static let phrases = [
        200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 421: "Misdirected Request",
        426: "Upgrade Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large", 505: "HTTP Version Not Supported",
    ]

    /// - Parameter isHead: the answer to HEAD has no body.
    func serialize(isHead: Bool = false) -> [UInt8] {
        var lines = ["HTTP/1.1 \(status) \(WebResponse.phrases[status] ?? "")"]
        lines += fields.map { "\($0.name): \($0.value)" }
        lines += [
            "Content-Length: \(body.count)", "Connection: close", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer", "Cross-Origin-Opener-Policy: same-origin", "Cross-Origin-Resource-Policy: same-origin",
        ]
        if !fields.contains(where: { $0.name == "Content-Security-Policy" }) { lines.append("Content-Security-Policy: \(WebPage.plainPolicy)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (isHead ? [] : body)
    }
}
