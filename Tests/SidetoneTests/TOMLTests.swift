import Testing

@testable import sidetone

@Suite struct TOMLTests {
    private func kind(_ text: String) throws -> TOMLValue.Kind? { try TOMLDocument.parse("x = \(text)")["x"]?.kind }

    @Test(arguments: [
        ("\"a\\tb\\u00e9\"", TOMLValue.Kind.string("a\tbé")),
        ("'C:\\x'", .string("C:\\x")),
        ("\"\"\"\none\ntwo \\\n   three\"\"\"", .string("one\ntwo three")),
        ("'''it's'''", .string("it's")),
        ("1_000", .integer(1000)), ("-17", .integer(-17)), ("0xff", .integer(255)), ("0o17", .integer(15)), ("0b101", .integer(5)),
        ("2.5", .number(2.5)), ("1e3", .number(1000)), ("-0.5e-1", .number(-0.05)),
        ("true", .boolean(true)), ("false # no", .boolean(false)),
        ("1979-05-27T07:32:00Z", .date("1979-05-27T07:32:00Z")), ("07:32:00", .date("07:32:00")),
    ])
    func scalars(_ text: String, _ expected: TOMLValue.Kind) throws { #expect(try kind(text) == expected) }

    @Test(arguments: [
        "01", "1__0", "_1", "1_", ".5", "5.", "+0x1", "0x", "yes", "on", "", "\"a", "'a", "\"\\q\"", "\"\\ud800\"", "[1, 2", "{ a = 1", "1 2", "0x-1",
        "9223372036854775808",
    ])
    func refuses(_ text: String) { #expect(throws: TOMLError.self) { try kind(text) } }

    @Test func tablesAndLines() throws {
        let table = try TOMLDocument.parse(
            """
            # comment
            listen = ["udp:0.0.0.0:5060", # one
              "tcp:[::]:5060",
            ]
            a.b = 1

            [account.work]
            account = "sip:alice@example.org"
            [account."my home"]
            account = 'sip:bob@example.org'
            [[list]]
            n = 1
            [[list]]
            n = 2
            """)
        #expect(table.entries.map(\.key) == ["listen", "a", "account", "list"])
        #expect(table.entries.map(\.line) == [2, 5, 7, 11])
        guard case .table(let accounts)? = table["account"]?.kind, case .array(let list)? = table["list"]?.kind else {
            Issue.record("no tables")
            return
        }
        #expect(accounts.entries.map(\.key) == ["work", "my home"])
        #expect(accounts.entries.map(\.line) == [7, 9])
        #expect(list.count == 2)
    }

    @Test(arguments: [
        ("a = 1\nb = \n", 2), ("a = 1\na = 2", 2), ("[t]\n[t]", 2), ("\n\n= 3", 3), ("a = { b = 1 }\n[a]", 2), ("a = [\n1\n2]", 1), ("[t", 1),
        ("a = \"x\" y", 1), ("a = 1\n[a.b]", 2), ("a.b = 1\na.b.c = 2", 2), ("[[t]]\n[t]", 2), ("a b = 1", 1), ("\"\"\"k\"\"\" = 1", 1),
    ])
    func errorsNameTheLine(_ text: String, _ line: Int) {
        #expect(throws: TOMLError.self) {
            do throws(TOMLError) {
                _ = try TOMLDocument.parse(text)
            } catch {
                #expect(error.line == line)
                throw error
            }
        }
    }

    @Test func deepNestingIsAnError() { #expect(throws: TOMLError.self) { try kind(String(repeating: "[", count: 5000)) } }

    @Test func anyBytesAreSurvived() {
        var state: UInt64 = 7
        let seed = Array("a = [1, 'x', { b = \"\\u00e9\" }]\n[t.\"q\"]\n[[l]]\n\"\"\"'''\\\n #0x_e1-".utf8)
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<24 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(seed[Int(state >> 33) % seed.count])
            }
            _ = try? TOMLDocument.parse(String(decoding: bytes, as: UTF8.self))
        }
    }
}
