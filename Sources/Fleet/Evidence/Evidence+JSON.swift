import PDDocument

extension Evidence {
    /// All of it, for programs.
    package var json: Document {
        let byCheck = byCheck()
        var writer = DocumentWriter()
        writer.append("from", .date(milliseconds: period.from))
        writer.append("to", .date(milliseconds: period.to))
        writer.append("known_to", .date(milliseconds: period.knownTo))
        writer.append("made_at", .date(milliseconds: madeAt))
        writer.append("framework", framework.map(Value.string) ?? .null)
        if let keptSince { writer.append("closed_issues_kept_since", .date(milliseconds: keptSince)) }
        writer.append("checks", .array(checks.map { .document(summary($0, byCheck[$0.name] ?? Summary())) }))
        writer.append(
            "controls",
            .array(
                controls.map {
                    [
                        "framework": .string($0.framework), "control": .string($0.name),
                        "title": .string($0.title), "checks": .array($0.checks.map(Value.string)),
                    ]
                }))
        writer.append("hosts", .array(hosts.map { .document($0.summary) }))
        writer.append("issues", .array(episodes.map { .document(summary($0)) }))
        writer.append("exceptions", .array(exceptions.map { .document($0.summary) }))
        writer.append("decisions", .array(decisions.map { .document($0.summary) }))
        writer.append("days", .array(days.map { .document(summary($0)) }))
        return writer.finish()
    }

    private func summary(_ check: Check, _ summary: Summary) -> Document {
        [
            "check": .string(check.name), "title": .string(check.title),
            "severity": .string(check.severity.rawValue),
            "in_file": .bool(!formerChecks.contains(check.name)),
            "controls": .document(
                Document(
                    check.controls.sorted { $0.key < $1.key }.map {
                        ($0.key, .array($0.value.map(Value.string)))
                    })),
            "issues": .int(summary.episodes.count), "open_at_end": .int(summary.open),
            "subjects": .int(summary.subjects.count), "open_ms": .int64(summary.openTime),
            "exceptions": .int(summary.exceptions.count),
        ]
    }

    private func summary(_ episode: Episode) -> Document {
        var writer = DocumentWriter()
        writer.append("record", .string(episode.record))
        writer.append("host", .string(episode.subject))
        if let host = episode.host { writer.append("host_id", .string(host.text)) }
        writer.append("check", .string(episode.check))
        writer.append("kind", .string(episode.kind.rawValue))
        writer.append("opened_at", .date(milliseconds: episode.openedAt))
        if let closedAt = episode.closedAt { writer.append("closed_at", .date(milliseconds: closedAt)) }
        if let alertedAt = episode.alertedAt { writer.append("alerted_at", .date(milliseconds: alertedAt)) }
        writer.append("open_at_end", .bool(episode.isOpen(at: period.knownTo)))
        writer.append("open_ms", .int64(openTime(episode)))
        writer.append("evidence", .string(episode.evidence))
        if !episode.openedBy.isEmpty { writer.append("opened_by", .string(episode.openedBy)) }
        if !episode.closedBy.isEmpty { writer.append("closed_by", .string(episode.closedBy)) }
        return writer.finish()
    }

    private func summary(_ day: Day) -> Document {
        [
            "date": .string("\(day.date)"), "open": .int(day.open), "excepted": .int(day.excepted),
            "opened": .array(day.opened.map { .string(episodes[$0].record) }),
            "closed": .array(day.closed.map { .string(episodes[$0].record) }),
            "audits": day.audits.map(Value.int) ?? .null,
        ]
    }
}

extension Evidence.Host {
    fileprivate var summary: Document {
        [
            "host": .string(hostname.name), "host_id": .string(id.text),
            "submitted_at": .date(milliseconds: submittedAt), "suspended": .bool(isSuspended),
        ]
    }
}

extension Evidence.Exception {
    fileprivate var summary: Document {
        var writer = DocumentWriter()
        writer.append("record", .string(record))
        writer.append("kind", .string(kind.rawValue))
        writer.append("host", .string(hostname))
        writer.append("host_id", .string(host.text))
        writer.append("check", .string(check))
        writer.append("since", .date(milliseconds: since))
        if let until { writer.append("until", .date(milliseconds: until)) }
        if let endedAt { writer.append("ended_at", .date(milliseconds: endedAt)) }
        writer.append("end_reason", .string(endReason))
        writer.append("by", .string(by))
        writer.append("reason", .string(reason))
        return writer.finish()
    }
}

extension Evidence.Decision {
    fileprivate var summary: Document {
        var writer = DocumentWriter()
        writer.append("record", .string(record))
        writer.append("at", .date(milliseconds: event.at))
        writer.append("what", .string(event.kind.rawValue))
        writer.append("host", .string(event.hostname.name))
        writer.append("check", .string(event.check))
        writer.append("by", .string(event.by))
        writer.append("reason", .string(event.reason))
        if let until = event.until { writer.append("until", .date(milliseconds: until)) }
        return writer.finish()
    }
}
