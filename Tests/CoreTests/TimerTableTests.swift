import Core
import Testing

struct TimerTableTests {
    private func at(_ n: UInt64) -> Instant { Instant(nanoseconds: n) }

    private func drain(_ table: inout TimerTable<String>, at now: UInt64) -> [String] {
        var out: [String] = []
        while let name = table.popExpired(at: at(now)) { out.append(name) }
        return out
    }

    @Test func earliestFirst() {
        var table = TimerTable<String>()
        table.set("c", at: at(30))
        table.set("a", at: at(10))
        table.set("b", at: at(20))
        #expect(table.deadline == at(10))
        #expect(table.count == 3)
        #expect(drain(&table, at: 9) == [])
        #expect(drain(&table, at: 20) == ["a", "b"])
        #expect(table.deadline == at(30))
        #expect(drain(&table, at: 1000) == ["c"])
        #expect(table.isEmpty && table.deadline == nil)
    }

    @Test func tiesFireInTheOrderTheyWereSet() {
        var table = TimerTable<String>()
        let names = (0..<40).map { "t\($0)" }
        for name in names { table.set(name, at: at(5)) }
        #expect(drain(&table, at: 5) == names)
    }

    @Test func setAgainReplacesAndGoesToTheEndOfItsTie() {
        var table = TimerTable<String>()
        table.set("a", at: at(5))
        table.set("b", at: at(5))
        table.set("a", at: at(5))
        #expect(table.count == 2)
        #expect(drain(&table, at: 5) == ["b", "a"])
    }

    @Test func setLaterMovesTheDeadline() {
        var table = TimerTable<String>()
        table.set("a", at: at(5))
        table.set("b", at: at(50))
        table.set("a", at: at(100))
        #expect(table.deadline == at(50))
        #expect(table.deadline(of: "a") == at(100))
        #expect(drain(&table, at: 99) == ["b"])
        table.set("a", at: at(1))
        #expect(table.deadline == at(1))
        #expect(drain(&table, at: 1) == ["a"])
    }

    @Test func cancel() {
        var table = TimerTable<String>()
        table.set("a", at: at(5))
        table.set("b", at: at(7))
        table.cancel("never set")
        #expect(table.deadline == at(5))
        table.cancel("a")
        #expect(table.deadline == at(7))
        #expect(table.deadline(of: "a") == nil)
        table.cancelAll()
        #expect(table.isEmpty && table.deadline == nil)
        #expect(drain(&table, at: .max) == [])
    }

    /// Against the plain definition: a list kept sorted by time, then by the order of setting.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func agreesWithASortedList(seed: UInt64) {
        let random = RandomSource(seed: seed)
        var table = TimerTable<Int>()
        var list: [(name: Int, at: UInt64)] = []
        var now: UInt64 = 0
        for step in 0..<2000 {
            let name = Int(random.next() % 12)
            switch random.next() % 4 {
            case 0, 1:
                let due = now + random.next() % 20
                table.set(name, at: at(due))
                list.removeAll { $0.name == name }
                list.insert((name, due), at: list.firstIndex { $0.at > due } ?? list.count)
            case 2:
                table.cancel(name)
                list.removeAll { $0.name == name }
            default:
                now += random.next() % 6
                var expected: [Int] = []
                while let first = list.first, first.at <= now { expected.append(list.removeFirst().name) }
                var popped: [Int] = []
                while let name = table.popExpired(at: at(now)) { popped.append(name) }
                if popped != expected { Issue.record("step \(step): \(popped), expected \(expected)") }
            }
            if table.deadline?.nanoseconds != list.first?.at || table.count != list.count { Issue.record("step \(step): wrong deadline or count") }
        }
    }
}
