import PDBasics

/// Rows under headings, in columns as wide as their widest text.
public struct Table {
    private var rows: [[String]]

    /// A table with its headings.
    public init(_ headings: String...) {
        rows = [headings]
    }

    /// Adds a row. Control characters become `?`, so that no name can move the cursor.
    public mutating func add(_ cells: String...) {
        rows.append(cells.map(\.printable))
    }

    /// The table, one line a row, without trailing spaces.
    public var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column + 1 < row.count {
                    line += String(repeating: " ", count: widths[column] - cell.count + 2)
                }
            }
            return line
        }.joined(separator: "\n")
    }
}
