import PDDocument
import PDStore

/// What is told to people at once: all that is due, by check.
package struct AlertMessage: Sendable, Equatable {
    /// A host, or something of the fleet, that a check found.
    package struct Subject: Sendable, Equatable {
        /// What people call it.
        package let name: String
        /// Since when, in milliseconds since 1970-01-01 UTC.
        package let openedAt: Int64
        /// What was seen.
        package let evidence: String
        /// How often it came and went since it was told last.
        package let flips: Int
        /// Whether it was told before.
        package let isReminder: Bool
        /// When it went, where it did so before the message could be delivered.
        package var resolvedAt: Int64?
    }

    /// What a check found.
    package struct Section: Sendable, Equatable {
        /// The check's name.
        package let check: String
        package let title: String
        package let why: String
        /// What to do about it, with the command.
        package let fix: String
        package let severity: Check.Severity
        package let kind: Finding.Kind
        package var subjects: [Subject]
    }

    /// A finding that was told and is no more.
    package struct Resolved: Sendable, Equatable {
        package let check: String
        package let title: String
        package let name: String
        package let resolvedAt: Int64
    }

    /// The most severe first.
    package var sections: [Section]
    /// What was told before and is over.
    package var resolved: [Resolved]

    package init(sections: [Section], resolved: [Resolved] = []) {
        self.sections = sections
        self.resolved = resolved
    }

    /// How many things there are to do.
    package var openCount: Int { sections.reduce(0) { $0 + $1.subjects.count { $0.resolvedAt == nil } } }
}

// MARK: - In the store

extension AlertMessage {
    package var document: Document {
        [
            "sections": .array(sections.map { .document($0.document) }),
            "resolved": .array(
                resolved.map {
                    [
                        "check": .string($0.check), "title": .string($0.title), "name": .string($0.name),
                        "resolved_at": .date(milliseconds: $0.resolvedAt),
                    ]
                }),
        ]
    }

    /// Nothing where the document is no message.
    package init?(_ document: Document) {
        guard let sections = document["sections"]?.array, let resolved = document["resolved"]?.array else {
            return nil
        }
        self.sections = sections.compactMap { $0.document.flatMap(Section.init) }
        self.resolved = resolved.compactMap { value in
            guard let document = value.document, let check = document["check"]?.string,
                let title = document["title"]?.string, let name = document["name"]?.string,
                let at = document["resolved_at"]?.milliseconds
            else { return nil }
            return Resolved(check: check, title: title, name: name, resolvedAt: at)
        }
    }
}

extension AlertMessage.Section {
    fileprivate var document: Document {
        [
            "check": .string(check), "title": .string(title), "why": .string(why), "fix": .string(fix),
            "severity": .string(severity.rawValue), "kind": .string(kind.rawValue),
            "subjects": .array(subjects.map { .document($0.document) }),
        ]
    }

    fileprivate init?(_ document: Document) {
        guard let check = document["check"]?.string, let title = document["title"]?.string,
            let severity = document["severity"]?.string.flatMap(Check.Severity.init(rawValue:)),
            let kind = document["kind"]?.string.flatMap(Finding.Kind.init(rawValue:)),
            let subjects = document["subjects"]?.array
        else { return nil }
        self.init(
            check: check, title: title, why: document["why"]?.string ?? "",
            fix: document["fix"]?.string ?? "",
            severity: severity, kind: kind,
            subjects: subjects.compactMap { $0.document.flatMap(AlertMessage.Subject.init) })
    }
}

extension AlertMessage.Subject {
    fileprivate var document: Document {
        var writer = DocumentWriter()
        writer.append("name", .string(name))
        writer.append("opened_at", .date(milliseconds: openedAt))
        writer.append("evidence", .string(evidence))
        writer.append("flips", .int(flips))
        writer.append("is_reminder", .bool(isReminder))
        if let resolvedAt { writer.append("resolved_at", .date(milliseconds: resolvedAt)) }
        return writer.finish()
    }

    fileprivate init?(_ document: Document) {
        guard let name = document["name"]?.string, let openedAt = document["opened_at"]?.milliseconds else {
            return nil
        }
        self.init(
            name: name, openedAt: openedAt, evidence: document["evidence"]?.string ?? "",
            flips: document["flips"]?.integer ?? 0, isReminder: document["is_reminder"]?.bool ?? false,
            resolvedAt: document["resolved_at"]?.milliseconds)
    }
}
