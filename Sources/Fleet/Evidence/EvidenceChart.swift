import PDBasics

/// Open issues by day as a drawing that stands in a page (SVG 1.1): a bar a day, the part below it that exceptions cover in
/// a lighter colour, a mark under days on which no audit ran.
struct EvidenceChart {
    private static let width = 960.0
    private static let height = 260.0
    private static let left = 48.0
    private static let bottom = 226.0
    private static let top = 14.0

    let days: [Evidence.Day]

    var svg: String {
        let highest = max(days.map(\.open).max() ?? 0, 1)
        let step = Self.step(highest)
        let most = (highest + step - 1) / step * step
        func y(_ value: Int) -> Double {
            Self.bottom - (Self.bottom - Self.top) * Double(value) / Double(most)
        }
        var svg =
            "<svg viewBox=\"0 0 \(Self.number(Self.width)) \(Self.number(Self.height))\" role=\"img\" aria-label=\"\(label.htmlEscaped)\">"
        for value in stride(from: 0, through: most, by: step) {
            svg +=
                "<line class=\"grid\" x1=\"\(Self.number(Self.left))\" x2=\"\(Self.number(Self.width))\" y1=\"\(Self.number(y(value)))\" y2=\"\(Self.number(y(value)))\"/>"
            svg +=
                "<text class=\"axis\" text-anchor=\"end\" x=\"\(Self.number(Self.left - 6))\" y=\"\(Self.number(y(value) + 4))\">\(value)</text>"
        }
        let pitch = (Self.width - Self.left) / Double(max(days.count, 1))
        let bar = min(pitch > 3 ? pitch - 1 : pitch, 48)
        for (index, day) in days.enumerated() {
            let x = Self.left + pitch * Double(index)
            var title = "\(day.date): \(day.open) open at the end of the day"
            if day.excepted > 0 { title += ", \(day.excepted) of them excepted or snoozed" }
            if day.audits == 0 { title += "; no audit ran" }
            svg += "<g><title>\(title)</title>"
            func rectangle(_ kind: String, _ from: Int, _ to: Int) {
                guard to > from else { return }
                svg +=
                    "<rect class=\"\(kind)\" x=\"\(Self.number(x))\" width=\"\(Self.number(bar))\" y=\"\(Self.number(y(to)))\" height=\"\(Self.number(y(from) - y(to)))\"/>"
            }
            rectangle("open", 0, day.open - day.excepted)
            rectangle("excepted", day.open - day.excepted, day.open)
            if day.audits == 0 {
                svg +=
                    "<rect class=\"blind\" x=\"\(Self.number(x))\" width=\"\(Self.number(bar))\" y=\"\(Self.number(Self.bottom + 1))\" height=\"4\"/>"
            }
            svg += "</g>"
        }
        for index in labelled {
            svg +=
                "<text class=\"axis\" x=\"\(Self.number(Self.left + pitch * Double(index)))\" y=\"\(Self.number(Self.bottom + 20))\">\(days[index].date)</text>"
        }
        return svg + "</svg>"
    }

    /// What the drawing says, for those who do not see it.
    private var label: String {
        guard let first = days.first, let last = days.last else { return "No day of the period has begun" }
        let most = days.max { $0.open < $1.open } ?? last
        return
            "Open issues by day from \(first.date) to \(last.date): \(first.open) at first, \(last.open) at the end, at most \(most.open) on \(most.date)"
    }

    /// At most ten days with room for their dates.
    private var labelled: [Int] {
        let step = max(1, (days.count + 8) / 9)
        let room = Self.width - Self.left
        return stride(from: 0, to: days.count, by: step).filter {
            // The last date needs 76 units to its right.
            room * (1 - Double($0) / Double(days.count)) >= 76
        }
    }

    /// 1, 2 or 5 times a power of ten, so that there are at most six lines.
    private static func step(_ highest: Int) -> Int {
        var power = 1
        while true {
            for factor in [1, 2, 5] where highest <= factor * power * 5 { return factor * power }
            power *= 10
        }
    }

    /// With one decimal, which is what a browser needs.
    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }
}
