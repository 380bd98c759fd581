import Testing

@testable import sidetone

@Suite struct AccountTests {
    private static let two = """
        [account.b]
        account = "sip:bob@example.org"
        username = "bob1"
        [account.a]
        account = "sip:alice@example.org"
        registrar = "none"
        """

    private func accounts(_ options: [String: [String]], file: String = two) throws -> [ConfigurationFile.Account] {
        try Settings.accounts(Choices(options: options, flags: [], file: ConfigurationFile(text: file, path: "c.toml")))
    }

    @Test func theFilesOrderIsKept() throws { #expect(try accounts([:]).map(\.name) == ["b", "a"]) }

    @Test func anOptionChoosesOneAndKeepsItsKeys() throws {
        let chosen = try accounts(["account": ["sip:alice@example.org"], "username": ["al"]])
        #expect(chosen.map(\.name) == ["a"])
        #expect(chosen.first?.values["registrar"]?.text == "none")
        #expect(chosen.first?.values["username"]?.text == "al")
        #expect(try accounts(["account": ["sip:carol@example.org"]]).map(\.name) == ["sip:carol@example.org"])
    }

    @Test func aKeyOfAnAccountNeedsToKnowWhich() throws {
        #expect(throws: UsageError.self) { try accounts(["username": ["x"]]) }
        #expect(throws: UsageError.self) { try accounts(["registrar": ["none"]], file: "") }
        let only = "[account.w]\naccount = \"sip:w@example.org\"\nusername = \"old\""
        #expect(try accounts(["username": ["new"]], file: only).first?.values["username"]?.text == "new")
    }

    @Test func anAccountMayStandAtTheTopOfTheFile() throws {
        let file = "account = \"sip:t@example.org\"\nregistrar = \"none\""
        let found = try accounts([:], file: file)
        #expect(found.map(\.address.text) == ["sip:t@example.org"])
        #expect(found.first?.values["registrar"]?.text == "none")
    }
}
