import Engine
import Testing

@testable import sidetone

@Suite struct ConfigurationTests {
    private func load(_ text: String) throws -> ConfigurationFile { try ConfigurationFile(text: text, path: "c.toml") }

    private func message(_ text: String) -> String? {
        do {
            _ = try load(text)
            return nil
        } catch {
            return (error as? UsageError)?.line
        }
    }

    /// An error of the file itself is an object where the file asks for objects, wherever it says so.
    @Test(arguments: [
        ("json = true\ncolour = 1", true), ("colour = 1\njson = true", true), ("json = false\ncolour = 1", false), ("colour = 1", false),
    ])
    func errorsOfAFileThatWantsJSON(_ text: String, _ wants: Bool) {
        let error = #expect(throws: UsageError.self) { try UsageError.told(json: false) { try load(text) } }
        #expect(error?.wantsJSON == wants)
    }

    @Test func valuesFlagsAndAccounts() throws {
        let file = try load(
            """
            security = "dtls"
            codec = ["PCMU", "opus"]
            listen = "udp:127.0.0.1:0"
            ring-timeout = 30
            ice = true
            echo = false
            json = true
            [account.work]
            account = "sip:alice@example.org"
            username = "alice7"
            [account.home]
            account = "sip:bob@example.org"
            registrar = "none"
            """)
        #expect(file.values["security"] == [Given(text: "dtls", origin: .key("security", path: "c.toml", line: 1))])
        #expect(file.values["codec"]?.map(\.text) == ["PCMU", "opus"])
        #expect(file.values["ring-timeout"]?.map(\.text) == ["30"])
        #expect(file.values["ice"]?.map(\.text) == ["on"])
        #expect(Set(file.flags.keys) == ["json"])
        #expect(file.accounts.map(\.name) == ["work", "home"])
        #expect(file.accounts.first?.values["username"]?.text == "alice7")
    }

    @Test(arguments: [
        ("\nfoo = 1", "c.toml:2: unknown key \"foo\""),
        ("config = \"x\"", "c.toml:1: unknown key \"config\""),
        ("capture = \"x\"", "c.toml:1: not in this version: capture"),
        ("max-calls = \"3\"", "c.toml:1: max-calls: takes a number, not a text"),
        ("echo = \"yes\"", "c.toml:1: echo: takes true or false, not a text"),
        ("codec = [1]", "c.toml:1: codec: takes a list of texts, not a number in it"),
        ("security = dtls", "c.toml:1: \"dtls\" is not a value: put a text in quotes"),
        ("[account.a]\nusername = \"x\"", "c.toml:1: [account.a] needs account = \"sip:user@domain\""),
        ("[account.a]\naccount = \"sip:a@b\"\n[account.a.quirks]\nx = true", "c.toml:4: unknown key \"x\" in [account.a.quirks]"),
        ("[account.a]\naccount = \"sip:a@b\"\nquirks = 1", "c.toml:3: quirks are a table: [account.a.quirks]"),
        ("[account.a]\naccount = \"sip:a@b\"\nquirks.crypto-in-answer = 1", "c.toml:3: crypto-in-answer: takes true or false, not a number"),
        ("[dtls]\nverify = 1", "c.toml:2: dtls.verify: takes a text in quotes, not a number"),
        ("[dtls]\nverifi = \"ca\"", "c.toml:2: unknown key \"verifi\" in [dtls]"), ("dtls = 1", "c.toml:1: unknown key \"dtls\""),
        ("\"dtls.verify\" = \"ca\"", "c.toml:1: unknown key \"dtls.verify\""),
        ("[account.a]\naccount = \"sip:a@b\"\nsecurity = \"dtls\"", "c.toml:3: not in this version: security of one account"),
        ("[account.a]\naccount = \"sip:a@b\"\npasword = \"x\"", "c.toml:3: unknown key \"pasword\" in [account.a]"),
        ("[account.a]\naccount = 3", "c.toml:2: account: takes a text in quotes, not a number"),
        ("account.a = 3", "c.toml:1: accounts are tables: [account.a]"),
    ])
    func mistakesNameFileAndLine(_ text: String, _ expected: String) { #expect(message(text) == expected) }

    @Test func tablesOfDTLSAndQuirks() throws {
        let file = try load(
            """
            profile = "RTP/SAVPF"
            dtls.ciphers = "ECDHE-RSA-AES256-GCM-SHA384"
            [account.old]
            account = "sip:a@b"
            [account.old.quirks]
            crypto-in-answer = true
            accept-sha1-fingerprint = false
            """)
        #expect(file.values["profile"]?.map(\.text) == ["RTP/SAVPF"])
        #expect(file.values["dtls.ciphers"] == [Given(text: "ECDHE-RSA-AES256-GCM-SHA384", origin: .key("dtls.ciphers", path: "c.toml", line: 2))])
        #expect(try load("[dtls]\nverify = \"ca\"").values["dtls.verify"]?.map(\.text) == ["ca"])
        #expect(file.accounts.first?.quirks.cryptoInAnswer == true && file.accounts.first?.quirks.acceptsSHA1Fingerprint == false)
    }

    @Test func anOptionStandsBeforeTheKey() throws {
        let file = try load("security = \"sdes\"\ncodec = [\"opus\", \"PCMA\"]\naudio-in = \"tone:440\"")
        let choices = Choices(options: ["security": ["none"], "codec": ["PCMU"]], flags: ["json"], file: file)
        #expect(choices.value("security") == Given(text: "none", origin: .option("security")))
        #expect(choices.all("codec").map(\.text) == ["PCMU"])
        #expect(choices.value("audio-in")?.origin == .key("audio-in", path: "c.toml", line: 3))
        #expect(choices.flag("json") && !choices.flag("echo"))
    }

    @Test(arguments: ["0", "-1", "x", "", "nan", "inf", "31536001", "1 "])
    func refusesSeconds(_ text: String) {
        let choices = Choices(options: ["for": [text]], flags: [], file: ConfigurationFile())
        #expect(throws: UsageError.self) { try choices.seconds("for") }
    }

    @Test func takesSeconds() throws {
        let choices = Choices(options: ["for": ["1.5"], "answer-after": ["0"]], flags: [], file: ConfigurationFile())
        #expect(try choices.seconds("for") == .milliseconds(1500))
        #expect(try choices.seconds("answer-after", orZero: true) == .zero)
        #expect(try choices.seconds("ring-timeout") == nil)
    }
}
