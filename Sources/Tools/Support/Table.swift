import Glibc
import PDBasics

/// Rows under headings, in columns as wide as their widest text, or as narrow as a terminal wants them.
public struct Table {
    /// How wide tables may be that are made now; nothing where they may be as wide as they like.
    @TaskLocal public static var width: Int?

    /// The width of the terminal that standard output is; nothing where it is none.
    public static var terminalWidth: Int? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0
        else { return nil }
        return Int(size.ws_col)
    }

    /// No column becomes narrower than this to make room for others.
    private static let leastWidth = 8

    private var rows: [[String]]

    /// A table with its headings.
    public init(_ headings: String...) {
        rows = [headings]
    }

    /// Adds a row. Control characters become `?`, so that no name can move the cursor.
    public mutating func add(_ cells: String...) {
        rows.append(cells.map(\.printable))
    }

    /// The table, one line a row, without trailing spaces. Where it would be wider than ``width``, the widest columns are
    /// cut, with an ellipsis.
    public var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        let fitted = Self.fit(widths)
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let text = Self.cut(cell, to: fitted[column])
                line += text
                if column + 1 < row.count {
                    line += String(repeating: " ", count: fitted[column] - text.count + 2)
                }
            }
            return line
        }.joined(separator: "\n")
    }

    private static func cut(_ text: String, to width: Int) -> String {
        text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
    }

    /// The widths of columns such that a row fits, as far as that can be.
    private static func fit(_ widths: [Int]) -> [Int] {
        guard let width else { return widths }
        var widths = widths
        var excess = widths.reduce(0, +) + 2 * max(0, widths.count - 1) - width
        while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
            widths[widest] > leastWidth
        {
            // Down to the next one, or as far as is needed.
            let next = widths.filter { $0 < widths[widest] }.max() ?? 0
            let step = min(excess, max(1, widths[widest] - max(next, leastWidth)))
            widths[widest] -= step
            excess -= step
        }
        return widths
    }
}
