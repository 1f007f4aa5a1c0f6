import PDBasics
import PDDocument

extension Evidence {
    /// A line for each check and host: one for each issue that it had, or one that says that it had none, with the exception
    /// that covered it, where one did (RFC 4180, in UTF-8).
    package var csv: String {
        var text = CSV.line([
            "host", "host_id", "last_report", "check", "title", "severity", "controls", "state", "kind",
            "opened_at", "closed_at", "told_at", "open_hours", "seen", "exception", "exception_since",
            "exception_until", "exception_by", "exception_reason", "record", "exception_record",
        ])
        let cells = bySubject()
        var answered: [String: [String]] = [:]
        for control in controls {
            for check in control.checks {
                answered[check, default: []].append("\(control.framework):\(control.name)")
            }
        }
        let ofFleet = Set(episodes.filter { $0.host == nil }.map(\.subject)).sorted()
        for (subject, host) in hosts.map({ ($0.hostname.name, Optional($0)) }) + ofFleet.map({ ($0, nil) }) {
            for check in checks {
                let cell = cells[Cell(subject: subject, check: check.name)]
                // What the fleet itself may have is no question to each host, and the other way round.
                if cell == nil, host == nil || BuiltInCheck.expiringCertificate.rawValue == check.name {
                    continue
                }
                text += lines(
                    subject, host, check, answered[check.name] ?? [], cell ?? Summary())
            }
        }
        return text
    }

    private func lines(
        _ subject: String, _ host: Host?, _ check: Check, _ controls: [String], _ cell: Summary
    )
        -> String
    {
        let start = [
            subject, host?.id.text ?? "", host.map { CSV.time($0.submittedAt) } ?? "", check.name,
            check.title, check.severity.rawValue, controls.joined(separator: " "),
        ]
        func covering(_ exception: Exception?) -> [String] {
            guard let exception else { return ["", "", "", "", ""] }
            return [
                exception.kind.rawValue, CSV.time(exception.since), exception.end.map(CSV.time) ?? "",
                exception.by, exception.reason,
            ]
        }
        let known = cell.exceptions.map { exceptions[$0] }
        guard !cell.episodes.isEmpty else {
            guard !known.isEmpty else {
                return CSV.line(start + ["none", "", "", "", "", "0", ""] + covering(nil) + ["", ""])
            }
            return known.map {
                CSV.line(start + ["none", "", "", "", "", "0", ""] + covering($0) + ["", $0.record])
            }.joined()
        }
        return cell.episodes.map { index in
            let episode = episodes[index]
            let exception = known.last {
                $0.since < episode.closedAt ?? .max && $0.end ?? .max > episode.openedAt
            }
            return CSV.line(
                start + [
                    episode.isOpen(at: period.knownTo) ? "open" : "closed", episode.kind.rawValue,
                    CSV.time(episode.openedAt), episode.closedAt.map(CSV.time) ?? "",
                    episode.alertedAt.map(CSV.time) ?? "",
                    "\((openTime(episode) + 1_800_000) / 3_600_000)", episode.evidence,
                ] + covering(exception) + [episode.record, exception?.record ?? ""])
        }.joined()
    }
}

/// Comma-separated values that a spreadsheet shows and does not obey.
package enum CSV {
    /// One line, with its end.
    package static func line(_ cells: [String]) -> String { cells.map(cell).joined(separator: ",") + "\r\n" }

    /// Text that begins like a formula gets an apostrophe in front of it, as OWASP advises
    /// (<https://owasp.org/www-community/attacks/CSV_Injection>): what hosts and people wrote runs nothing on the machine of
    /// whoever opens it.
    static func cell(_ text: String) -> String {
        let text = String(text.map { $0.isWhitespace ? " " : $0 }).printable
        let begins = text.unicodeScalars.first { !$0.properties.isWhitespace }
        let isFormula = begins.map { "=+-@|%＝＋－＠".unicodeScalars.contains($0) } ?? false
        let safe = isFormula ? "'" + text : text
        guard safe.unicodeScalars.contains(where: { "\",;'".unicodeScalars.contains($0) }) else {
            return safe
        }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }

    static func time(_ milliseconds: Int64) -> String { Timestamp.text(milliseconds: milliseconds) }
}
