import Core
import Digest

/// The page of click to call, as it is in the program: nothing is read from disk, nothing is loaded from elsewhere.
enum WebPage {
    /// Style and script stand in the page itself; their hashes are all that the policy lets in (CSP Level 3 §8.4).
    static let document: [UInt8] = {
        let page = String(decoding: PackageResources.page_html, as: UTF8.self)
        let parts = page.split(separator: "<!-- style -->", maxSplits: 1, omittingEmptySubsequences: false)
        let rest = parts.last?.split(separator: "<!-- script -->", maxSplits: 1, omittingEmptySubsequences: false) ?? []
        guard parts.count == 2, rest.count == 2 else { return [] }
        return Array(parts[0].utf8) + Array("<style>".utf8) + PackageResources.page_css + Array("</style>".utf8) + Array(rest[0].utf8)
            + Array("<script>".utf8) + PackageResources.page_js + Array("</script>".utf8) + Array(rest[1].utf8)
    }()

    private static let styleHash = hash(PackageResources.page_css)
    private static let scriptHash = hash(PackageResources.page_js)
    private static func hash(_ bytes: [UInt8]) -> String { "'sha256-\(Base64.encode(Digest.hash(.sha256, bytes)))'" }

    private static let nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// What the page may do: run its script, have its style, connect back to where it came from.
    static func policy(webSocket: String) -> String {
        "\(nothing); script-src \(scriptHash); style-src \(styleHash); connect-src 'self' \(webSocket); media-src mediastream: blob:; img-src data:"
    }

    /// The policy of all other answers.
    static let plainPolicy = "\(nothing); style-src \(styleHash)"

    /// - Parameters: texts of our own, without markup.
    static func message(_ title: String, _ text: String) -> [UInt8] {
        let head =
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>\(title)</title>"
            + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>"
        let body = "</style></head><body><main><h1>\(title)</h1><p>\(text)</p></main></body></html>\n"
        return Array(head.utf8) + PackageResources.page_css + Array(body.utf8)
    }
}
