import PDBasics
import PDDocument

/// A message in words.
package struct AlertText: Sendable, Equatable {
    /// How many hosts of a check are named; of the others only the number is told.
    static let namedSubjects = 20

    /// One line: what a person sees in a list of mails.
    package let subject: String
    /// Everything, in lines of plain text.
    package let text: String
    /// The same as HTML that needs nothing from elsewhere.
    package let html: String

    /// - Parameters:
    ///   - message: what to tell.
    ///   - createdAt: when it became due, in milliseconds since 1970-01-01 UTC.
    ///   - sentAt: when it is told; where that is much later, the message says so.
    ///   - toOwner: whether the reader is the owner of the machines, not an administrator.
    package init(_ message: AlertMessage, createdAt: Int64, sentAt: Int64, toOwner: Bool) {
        subject = Self.subject(message)
        var lines: [String] = []
        var html = ""
        let late = sentAt - createdAt >= 3_600_000
        if late {
            let note =
                "This message was due on \(Self.time(createdAt)) and could not be delivered before. It tells all that was missed."
            lines += [note, ""]
            html += "<p><em>\(note.htmlEscaped)</em></p>"
        }
        if toOwner {
            let intro = "This is about the computer that is registered as yours."
            lines += [intro, ""]
            html += "<p>\(intro.htmlEscaped)</p>"
        }
        for section in message.sections {
            let title = Self.title(section)
            lines.append("\(section.severity.rawValue.uppercased()): \(title)")
            html +=
                "<h2 style=\"font-size:1.1em\">\(title.htmlEscaped) <small>(\(section.severity.rawValue))</small></h2>"
            if !section.why.isEmpty {
                lines.append("  Why: \(section.why)")
                html += "<p>\(section.why.htmlEscaped)</p>"
            }
            if !section.fix.isEmpty {
                lines += ["  Fix: " + section.fix.split(separator: "\n").joined(separator: "\n       ")]
                html += "<p><strong>Fix:</strong></p><pre>\(section.fix.htmlEscaped)</pre>"
            }
            html += "<ul>"
            for subject in section.subjects.prefix(Self.namedSubjects) {
                let line = Self.line(subject)
                lines.append("  - \(line)")
                html += "<li>\(line.htmlEscaped)</li>"
            }
            let rest = section.subjects.count - Self.namedSubjects
            if rest > 0 {
                lines.append("  - and \(rest) more: pd-admin issues list --check \(section.check)")
                html +=
                    "<li>and \(rest) more: <code>pd-admin issues list --check \(section.check.htmlEscaped)</code></li>"
            }
            html += "</ul>"
            lines.append("")
        }
        if !message.resolved.isEmpty {
            lines.append("No longer so:")
            html += "<h2 style=\"font-size:1.1em\">No longer so</h2><ul>"
            for over in message.resolved.prefix(Self.namedSubjects) {
                lines.append("  - \(over.name.printable): \(over.title)")
                html += "<li>\(over.name.printable.htmlEscaped): \(over.title.htmlEscaped)</li>"
            }
            let rest = message.resolved.count - Self.namedSubjects
            if rest > 0 {
                lines.append("  - and \(rest) more")
                html += "<li>and \(rest) more</li>"
            }
            html += "</ul>"
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        text = lines.joined(separator: "\n") + "\n"
        self.html =
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>\(subject.htmlEscaped)</title></head><body>\(html)</body></html>\n"
    }

    private static func subject(_ message: AlertMessage) -> String {
        let open = message.openCount
        guard let first = message.sections.first(where: { $0.subjects.contains { $0.resolvedAt == nil } })
        else {
            return "Nothing is open any more"
        }
        let hosts = first.subjects.filter { $0.resolvedAt == nil }
        let one = hosts.count == 1 ? hosts[0].name.printable : "\(hosts.count) hosts"
        let rest = open - hosts.count
        return "\(title(first)): \(one)" + (rest > 0 ? ", and \(rest) more" : "")
    }

    private static func title(_ section: AlertMessage.Section) -> String {
        section.kind == .unknown ? "Cannot tell: \(section.title)" : section.title
    }

    private static func line(_ subject: AlertMessage.Subject) -> String {
        var line = "\(subject.name.printable), since \(time(subject.openedAt))"
        if !subject.evidence.isEmpty { line += ": \(subject.evidence.printable)" }
        if let resolvedAt = subject.resolvedAt {
            line += " (over since \(time(resolvedAt)))"
        } else if subject.flips > 0 {
            line +=
                " (came and went \(subject.flips) \(subject.flips == 1 ? "time" : "times") since it was told)"
        } else if subject.isReminder {
            line += " (told before)"
        }
        return line
    }

    /// `2026-11-02 10:00 UTC`.
    static func time(_ milliseconds: Int64) -> String {
        let text = Timestamp.text(milliseconds: milliseconds)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
    }
}
