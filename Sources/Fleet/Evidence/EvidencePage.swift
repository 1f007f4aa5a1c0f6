import PDBasics
import PDDocument

/// The evidence as one page of HTML that needs nothing from elsewhere, runs no script and prints well.
///
/// Every figure leads to the records that it was counted from, in the same page; every record names itself as the store
/// does.
package struct EvidencePage {
    private let evidence: Evidence
    private let byCheck: [String: Evidence.Summary]

    package init(_ evidence: Evidence) {
        self.evidence = evidence
        byCheck = evidence.byCheck()
    }

    /// The page.
    package var html: String {
        var page = Markup()
        page.raw(
            """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
            <link rel="icon" href="data:,">
            <title>
            """)
        page.text("State of the fleet, \(day(evidence.period.from)) to \(day(evidence.period.to - 1))")
        page.raw("</title><style>\(Self.style)</style></head><body>\n")
        head(&page)
        page.raw("<h2 id=\"days\">Open issues by day</h2>\n")
        page.raw(EvidenceChart(days: evidence.days).svg)
        page.raw(
            "<p class=\"legend\"><span class=\"key open\"></span> open <span class=\"key excepted\"></span> open, excepted or snoozed <span class=\"key blind\"></span> no audit ran</p>\n"
        )
        controls(&page)
        checks(&page)
        hosts(&page)
        exceptions(&page)
        decisions(&page)
        records(&page)
        days(&page)
        page.raw("</body></html>\n")
        return page.html
    }

    // MARK: Parts

    private func head(_ page: inout Markup) {
        let period = evidence.period
        page.raw("<h1>State of the fleet</h1>\n<p class=\"period\">")
        page.text("\(time(period.from)) to \(time(period.to))")
        if let framework = evidence.framework { page.text(" · \(Framework.name(framework))") }
        page.raw("</p>\n<ul class=\"facts\">")
        func fact(_ one: String, _ many: String, _ value: Int, _ link: String) {
            page.raw("<li><a href=\"#\(link)\"><b>\(value)</b> ")
            page.text(value == 1 ? one : many)
            page.raw("</a></li>")
        }
        fact("host", "hosts", evidence.hosts.count, "hosts")
        fact("check", "checks", evidence.checks.count - evidence.formerChecks.count, "checks")
        fact("issue", "issues", evidence.episodes.count, "records")
        let open = evidence.episodes.count { $0.isOpen(at: period.knownTo) }
        fact("open at the end", "open at the end", open, "records")
        let exempt = evidence.exceptions.count { $0.kind == .exemption }
        fact("exception", "exceptions", exempt, "exceptions")
        page.raw("</ul>\n<p class=\"note\">")
        page.text(
            "Made by PenguinDome \(BuildStamp.text) on \(time(evidence.madeAt)). All times are UTC. The numbers of issues (R1, R2, …) and exceptions (E1, E2, …) lead to the records that figures were counted from."
        )
        page.raw("</p>\n")
        func note(_ text: String) {
            page.raw("<p class=\"note\">")
            page.text(text)
            page.raw("</p>\n")
        }
        if period.knownTo < period.to {
            note("The period is not over: it is known up to \(time(period.knownTo)).")
        }
        if let keptSince = evidence.keptSince, keptSince > period.from {
            note(
                "Issues that were closed before \(time(keptSince)) are no longer kept and are missing here, as the settings of the fleet want it."
            )
        }
        let unknown = evidence.days.count { $0.audits == nil }
        if unknown > 0 {
            note(
                "Whether the fleet was audited was not kept for \(unknown == 1 ? "one day" : "\(unknown) days")."
            )
        }
        let blind = evidence.unauditedDays
        if !blind.isEmpty {
            let names = blind.prefix(40).map(\.description).joined(separator: ", ")
            note("No audit ran on \(names)\(blind.count > 40 ? " and \(blind.count - 40) more days" : "").")
        }
    }

    private func controls(_ page: inout Markup) {
        let controls = evidence.controls
        guard !controls.isEmpty else { return }
        page.raw("<h2 id=\"controls\">By control</h2>\n")
        page.table(["Framework", "Control", "Checks", "Issues", "Open at the end", "Exceptions"]) { page in
            for control in controls {
                let found = control.checks.compactMap { byCheck[$0] }
                page.row { row in
                    row.cell(Framework.name(control.framework))
                    row.cell("\(control.name)\(control.title.isEmpty ? "" : " · \(control.title)")")
                    row.cell { cell in
                        for (index, check) in control.checks.enumerated() {
                            if index > 0 { cell.raw(", ") }
                            cell.link("check-\(check)", check)
                        }
                    }
                    row.number(found.reduce(0) { $0 + $1.episodes.count })
                    row.number(found.reduce(0) { $0 + $1.open })
                    row.number(found.reduce(0) { $0 + $1.exceptions.count })
                }
            }
        }
    }

    private func checks(_ page: inout Markup) {
        page.raw("<h2 id=\"checks\">By check</h2>\n")
        page.table([
            "Check", "Finds", "Severity", "Controls", "Hosts", "Issues", "Open at the end", "Time open",
            "Exceptions",
        ]) { page in
            for check in evidence.checks {
                let found = byCheck[check.name] ?? Evidence.Summary()
                page.row(id: "check-\(check.name)") { row in
                    row.cell(check.name)
                    row.cell(
                        evidence.formerChecks.contains(check.name)
                            ? "(no longer in checks.yml)" : check.title)
                    row.cell(evidence.formerChecks.contains(check.name) ? "" : check.severity.rawValue)
                    row.cell(
                        check.controls.sorted { $0.key < $1.key }
                            .filter { evidence.framework == nil || $0.key == evidence.framework }
                            .map {
                                "\($0.key): \($0.value.sorted(by: Framework.isBefore).joined(separator: ", "))"
                            }
                            .joined(separator: "; "))
                    row.number(found.subjects.count, link: found.episodes.first.map { "R\($0 + 1)" })
                    row.number(found.episodes.count, link: found.episodes.first.map { "R\($0 + 1)" })
                    row.number(found.open)
                    row.cell(span(found.openTime))
                    row.number(found.exceptions.count, link: found.exceptions.first.map { "E\($0 + 1)" })
                }
            }
        }
    }

    private func hosts(_ page: inout Markup) {
        page.raw("<h2 id=\"hosts\">By host and check</h2>\n")
        let cells = evidence.bySubject()
        var checksOf: [String: [String]] = [:]
        for cell in cells.keys { checksOf[cell.subject, default: []].append(cell.check) }
        let known = Dictionary(evidence.hosts.map { ($0.hostname.name, $0) }) { first, _ in first }
        let gone = Set(checksOf.keys).subtracting(known.keys).sorted()
        page.table(["Host", "Last report", "Check", "State at the end", "Time open", "Issues", "Exceptions"])
        { page in
            for subject in evidence.hosts.map(\.hostname.name).filter({ checksOf[$0] != nil }) + gone {
                for check in (checksOf[subject] ?? []).sorted() {
                    guard let cell = cells[Evidence.Cell(subject: subject, check: check)] else { continue }
                    page.row { row in
                        row.cell(subject)
                        row.cell(
                            known[subject].map {
                                time($0.submittedAt) + ($0.isSuspended ? ", suspended" : "")
                            } ?? "")
                        row.cell { $0.link("check-\(check)", check) }
                        row.cell(cell.open > 0 ? "open" : cell.episodes.isEmpty ? "no issue" : "closed")
                        row.cell(span(cell.openTime))
                        row.cell { $0.links("R", cell.episodes) }
                        row.cell { $0.links("E", cell.exceptions) }
                    }
                }
            }
        }
        let clean = evidence.hosts.filter { checksOf[$0.hostname.name] == nil }
        guard !clean.isEmpty else { return }
        page.raw("<p>")
        page.text(
            "No check found \(clean.count == 1 ? "this host" : "these \(clean.count) hosts") in the period (in brackets: the last report): "
        )
        page.text(clean.map { "\($0.hostname) (\(time($0.submittedAt)))" }.joined(separator: ", "))
        page.raw(".</p>\n")
    }

    private func exceptions(_ page: inout Markup) {
        page.raw("<h2 id=\"exceptions\">Exceptions and snoozes</h2>\n")
        guard !evidence.exceptions.isEmpty else { return page.raw("<p>There was none.</p>\n") }
        page.table(["", "What", "Host", "Check", "Since", "Until", "Ended", "By", "Why", "Record"]) { page in
            for (index, exception) in evidence.exceptions.enumerated() {
                page.row(id: "E\(index + 1)") { row in
                    row.key("E\(index + 1)")
                    row.cell(exception.kind == .exemption ? "exception" : "snooze")
                    row.cell(exception.hostname)
                    row.cell { $0.link("check-\(exception.check)", exception.check) }
                    row.cell(time(exception.since))
                    row.cell(exception.until.map(time) ?? "it is resolved")
                    row.cell(
                        exception.endedAt.map {
                            "\(time($0))\(exception.endReason.isEmpty ? "" : ": \(exception.endReason)")"
                        } ?? "")
                    row.cell(exception.by)
                    row.cell(exception.reason)
                    row.record(exception.record)
                }
            }
        }
    }

    private func decisions(_ page: inout Markup) {
        page.raw("<h2 id=\"decisions\">What people decided</h2>\n")
        guard !evidence.decisions.isEmpty else { return page.raw("<p>Nothing.</p>\n") }
        page.table(["When", "What", "Host", "Check", "Until", "By", "Why", "Record"]) { page in
            for decision in evidence.decisions {
                let event = decision.event
                page.row { row in
                    row.cell(time(event.at))
                    row.cell(event.kind.rawValue.replacing("_", with: " "))
                    row.cell(event.hostname.name)
                    row.cell(event.check)
                    row.cell(event.until.map(time) ?? "")
                    row.cell(event.by)
                    row.cell(event.reason)
                    row.record(decision.record)
                }
            }
        }
    }

    private func records(_ page: inout Markup) {
        page.raw("<h2 id=\"records\">Issues</h2>\n")
        guard !evidence.episodes.isEmpty else { return page.raw("<p>There was none.</p>\n") }
        page.table(["", "Check", "Host", "Opened", "Closed", "Told", "Time open", "Seen", "Record"]) { page in
            for (index, episode) in evidence.episodes.enumerated() {
                page.row(id: "R\(index + 1)") { row in
                    row.key("R\(index + 1)")
                    row.cell { $0.link("check-\(episode.check)", episode.check) }
                    row.cell(episode.subject)
                    row.cell(
                        time(episode.openedAt) + (episode.openedBy.isEmpty ? "" : " by \(episode.openedBy)"))
                    row.cell(
                        (episode.closedAt.map(time) ?? "open")
                            + (episode.closedBy.isEmpty ? "" : " by \(episode.closedBy)"))
                    row.cell(episode.alertedAt.map(time) ?? "")
                    row.cell(span(evidence.openTime(episode)))
                    row.cell(
                        [episode.kind == .unknown ? "cannot tell" : "", episode.evidence]
                            .filter { !$0.isEmpty }.joined(separator: ": "))
                    row.record(episode.record)
                }
            }
        }
    }

    private func days(_ page: inout Markup) {
        page.raw("<h2 id=\"by-day\">Day by day</h2>\n")
        page.table(["Day", "Open at its end", "Excepted or snoozed", "Opened", "Closed", "Audits"]) { page in
            for day in evidence.days {
                page.row { row in
                    row.cell("\(day.date)")
                    row.number(day.open)
                    row.number(day.excepted)
                    row.cell { $0.links("R", day.opened) }
                    row.cell { $0.links("R", day.closed) }
                    row.cell(day.audits.map(String.init) ?? "not kept")
                }
            }
        }
    }

    // MARK: Words

    private func day(_ milliseconds: Int64) -> String {
        "\(CivilDate(number: Evidence.Period.day(milliseconds)))"
    }

    /// `2026-11-02 10:00`.
    private func time(_ milliseconds: Int64) -> String {
        let text = Timestamp.text(milliseconds: milliseconds)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5))"
    }

    private func span(_ milliseconds: Int64) -> String {
        guard milliseconds > 0 else { return "" }
        guard milliseconds >= 60_000 else { return "< 1m" }
        let span = TimeSpan(milliseconds: milliseconds - milliseconds % 60_000)
        return span.description.replacing("w", with: "w ").replacing("d", with: "d ").replacing(
            "h", with: "h ")
    }

    private static let style = """
        :root{--open:#b3402b;--excepted:#e3b7a8;--blind:#555}
        body{font:14px/1.45 system-ui,sans-serif;color:#1d2327;margin:2rem auto;max-width:75rem;padding:0 1rem}
        h1{margin:0;font-size:1.7rem}h2{margin:2rem 0 .5rem;font-size:1.2rem}
        .period{margin:.2rem 0 1rem;color:#444}.note{color:#444;margin:.3rem 0}
        .facts{display:flex;flex-wrap:wrap;gap:.5rem 2rem;list-style:none;padding:0}.facts b{font-size:1.5rem}
        a{color:inherit;text-decoration-color:#999}
        table{border-collapse:collapse;width:100%;font-size:12.5px}
        th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid #ddd;overflow-wrap:anywhere}
        th{border-bottom:2px solid #888;white-space:nowrap}td.k{white-space:nowrap}td.n{text-align:right;font-variant-numeric:tabular-nums}
        td.r{font:11px ui-monospace,monospace;color:#444}tr:target{background:#fff3c4}
        svg{width:100%;height:auto;display:block}.axis{font-size:11px;fill:#444}.grid{stroke:#ddd}
        rect.open,.key.open{fill:var(--open);background:var(--open)}
        rect.excepted,.key.excepted{fill:var(--excepted);background:var(--excepted)}
        rect.blind,.key.blind{fill:var(--blind);background:var(--blind)}
        .key{display:inline-block;width:.8em;height:.8em;margin-left:1em}
        @page{size:A4 landscape;margin:12mm}
        @media print{body{margin:0;padding:0;max-width:none;font-size:10pt}table{font-size:8pt}thead{display:table-header-group}
        tr{break-inside:avoid}h2{break-after:avoid}svg,.key{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
        """
}
