import PDBasics

/// HTML that grows. Only ``raw(_:)`` writes what it gets as it is: everything else is made printable and escaped, since
/// names, reasons and what was seen come from hosts and people.
struct Markup {
    private(set) var html = ""

    /// HTML of this program's own.
    mutating func raw(_ html: String) { self.html += html }

    /// Text, whoever wrote it.
    mutating func text(_ text: String) { html += text.printable.htmlEscaped }

    /// A link to a place in the same page.
    mutating func link(_ anchor: String, _ text: String) {
        html += "<a href=\"#\(anchor.printable.htmlEscaped)\">"
        self.text(text)
        html += "</a>"
    }

    /// Links to records by their places, of which the first has the number 1.
    mutating func links(_ letter: String, _ places: [Int]) {
        for (index, place) in places.enumerated() {
            if index > 0 { raw(", ") }
            link("\(letter)\(place + 1)", "\(letter)\(place + 1)")
        }
    }

    mutating func table(_ headings: [String], _ rows: (inout Markup) -> Void) {
        raw("<table><thead><tr>")
        for heading in headings {
            raw("<th scope=\"col\">")
            text(heading)
            raw("</th>")
        }
        raw("</tr></thead><tbody>\n")
        rows(&self)
        raw("</tbody></table>\n")
    }

    mutating func row(id: String? = nil, _ cells: (inout Markup) -> Void) {
        raw(id.map { "<tr id=\"\($0.printable.htmlEscaped)\">" } ?? "<tr>")
        cells(&self)
        raw("</tr>\n")
    }

    mutating func cell(_ text: String) { cell { $0.text(text) } }

    /// The number of a record, which stays on one line.
    mutating func key(_ text: String) {
        raw("<td class=\"k\">")
        self.text(text)
        raw("</td>")
    }

    mutating func cell(_ content: (inout Markup) -> Void) {
        raw("<td>")
        content(&self)
        raw("</td>")
    }

    /// A figure, which leads to the first of the records that it was counted from.
    mutating func number(_ value: Int, link anchor: String? = nil) {
        raw("<td class=\"n\">")
        if let anchor { link(anchor, "\(value)") } else { text("\(value)") }
        raw("</td>")
    }

    /// What the store calls a record.
    mutating func record(_ name: String) {
        raw("<td class=\"r\">")
        text(name)
        raw("</td>")
    }
}
