/// Where the zones lie on a terminal of at least 60 × 16. They do not move while it keeps its size.
struct Layout: Equatable {
    let columns: Int
    let rows: Int

    let titleRow = 0
    /// A rule; the banner of an incoming call takes its place.
    let bannerRow = 1
    let bodyTop = 2
    var messageRow: Int { rows - 3 }
    var dialRow: Int { rows - 2 }
    var barRow: Int { rows - 1 }
    /// First row after calls and statistics; a rule stands there when rows are not scarce.
    var bodyBottom: Int { hasLowerRule ? rows - 4 : rows - 3 }
    var hasLowerRule: Bool { rows >= 26 }
    var bodyRows: Int { max(0, bodyBottom - bodyTop) }

    /// Columns of the list of calls.
    var listColumns: Int { columns < 72 ? 18 : columns < 100 ? 23 : 36 }
    var separatorColumn: Int { listColumns }
    var detailColumn: Int { listColumns + 2 }
    var detailColumns: Int { max(1, columns - detailColumn) }

    init(_ model: Model) {
        columns = model.columns
        rows = model.rows
    }
}
