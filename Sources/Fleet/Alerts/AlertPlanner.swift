import PDBasics
import PDDocument
import PDStore

/// Decides what is told to whom, and when. Pure: what it is given decides, and nothing else.
///
/// Nobody hears anything while all is well. One message tells all that is due on a channel, once; another does not follow
/// before the channel's interval and the check's alert frequency have passed. What comes and goes is one line with a count.
/// A channel that is new is told all that is open. A message for people that could not be delivered yet grows instead of
/// being followed by others.
package struct AlertPlanner: Sendable {
    /// When something was told on a channel.
    struct Told: Sendable, Equatable {
        let channel: String
        let subject: String
        let check: String
        let title: String
        let at: Int64
        /// Whether the channel was told that it is over.
        var isResolvedTold = false

        var id: String { "\(channel) \(check) \(subject)" }

        var record: StoredRecord {
            StoredRecord(
                id: id,
                document: [
                    "channel": .string(channel), "subject": .string(subject), "check": .string(check),
                    "title": .string(title), "at": .date(milliseconds: at),
                    "is_resolved_told": .bool(isResolvedTold),
                ])
        }

        init(channel: String, subject: String, check: String, title: String, at: Int64) {
            self.channel = channel
            self.subject = subject
            self.check = check
            self.title = title
            self.at = at
        }

        init?(_ document: Document) {
            guard let channel = document["channel"]?.string, let subject = document["subject"]?.string,
                let check = document["check"]?.string, let at = document["at"]?.milliseconds
            else { return nil }
            self.init(
                channel: channel, subject: subject, check: check, title: document["title"]?.string ?? check,
                at: at)
            isResolvedTold = document["is_resolved_told"]?.bool ?? false
        }
    }

    /// The channels of the settings.
    package let channels: [AlertChannel]
    /// The channel to the owner of a host, by the host's name; made of the parameter `user_email`.
    package let owners: [String: AlertChannel]
    package let now: Int64

    package init(channels: [AlertChannel], owners: [String: AlertChannel], now: Int64) {
        self.channels = channels
        self.owners = owners
        self.now = now
    }

    /// What is to be written: messages for the outbox, and what was told.
    package struct Plan: Sendable, Equatable {
        package var records: [RecordChange] = []
        /// The findings that are in a new message.
        package var told: [Finding] = []
    }

    /// - Parameters:
    ///   - findings: all open ones, as they stand.
    ///   - told: the records of what was told.
    ///   - outbox: the messages of the outbox that were not delivered yet, and those that were lately.
    ///   - flips: how often an issue of a subject and a check was opened after that moment.
    package func plan(
        findings: [Finding], told: [StoredRecord], outbox: [OutboxMessage],
        flips: (_ subject: String, _ check: String, _ after: Int64) -> Int
    ) -> Plan {
        var plan = Plan()
        let known = told.compactMap { Told($0.document) }
        let toldByChannel = Dictionary(grouping: known, by: \.channel)
        let messages = Dictionary(grouping: outbox, by: \.channel)
        let standing = Set(findings.map { Key(subject: $0.subject.name, check: $0.check.name) })
        for (channel, candidates) in recipients(of: findings) {
            planOne(
                channel, candidates, told: toldByChannel[channel.name] ?? [],
                messages: messages[channel.name] ?? [], standing: standing, flips: flips, &plan)
        }
        return plan
    }

    private struct Key: Hashable {
        let subject: String
        let check: String
    }

    /// Each channel with the findings that concern it, in the order of the settings, then the owners by name.
    private func recipients(of findings: [Finding]) -> [(AlertChannel, [Finding])] {
        let alerting = findings.filter(\.isAlerting)
        let ofChannels = channels.map { channel in
            (
                channel,
                alerting.filter { finding in
                    finding.check.severity >= channel.from
                        && finding.check.tell.contains { $0 == channel.group || $0 == channel.name }
                }
            )
        }
        // Somebody with several machines gets one message.
        var byOwner: [String: (AlertChannel, [Finding])] = [:]
        for owner in owners.values { byOwner[owner.name] = (owner, []) }
        for finding in alerting where finding.check.tell.contains(Check.owner) {
            guard case .host(_, let hostname) = finding.subject, let owner = owners[hostname.name] else {
                continue
            }
            byOwner[owner.name]?.1.append(finding)
        }
        return ofChannels + byOwner.sorted { $0.key < $1.key }.map(\.value)
    }

    private func planOne(
        _ channel: AlertChannel, _ findings: [Finding], told: [Told], messages: [OutboxMessage],
        standing: Set<Key>, flips: (String, String, Int64) -> Int, _ plan: inout Plan
    ) {
        let toldByKey = Dictionary(
            told.map { (Key(subject: $0.subject, check: $0.check), $0) },
            uniquingKeysWith: { $0.at > $1.at ? $0 : $1 })
        let over = told.filter { !standing.contains(Key(subject: $0.subject, check: $0.check)) }
        let waiting = messages.first { $0.state == .waiting }

        let due = findings.filter { finding in
            guard let last = toldByKey[Key(subject: finding.subject.name, check: finding.check.name)] else {
                return true
            }
            return last.at <= channel.moment(before: now, finding.check.alertFrequency)
        }
        var resolved = over.filter { !$0.isResolvedTold }
        guard mayTell(channel, due, messages) || (waiting != nil && channel.isForPeople) else {
            return forget(over.filter(\.isResolvedTold), channel, &plan)
        }
        // People are not written to only to hear that something is over; a program is.
        if due.isEmpty, channel.isForPeople, waiting == nil { resolved = [] }
        guard !due.isEmpty || !resolved.isEmpty else {
            return forget(over.filter(\.isResolvedTold), channel, &plan)
        }

        let new = message(due, resolved, toldByKey, flips)
        if var waiting, channel.isForPeople {
            waiting.message.merge(new, resolved: resolved.map { Self.resolved($0, now) })
            if waiting.message != messages.first(where: { $0.id == waiting.id })?.message {
                plan.records.append(.put(.outbox, waiting.record))
            }
        } else {
            plan.records.append(
                .put(.outbox, OutboxMessage(channel: channel.name, message: new, at: now).record))
        }
        for finding in due {
            let entry = Told(
                channel: channel.name, subject: finding.subject.name, check: finding.check.name,
                title: finding.check.title, at: now)
            plan.records.append(.put(.told, entry.record))
        }
        for var entry in resolved {
            entry.isResolvedTold = true
            plan.records.append(.put(.told, entry.record))
        }
        plan.told += due
    }

    /// Whether something may be told now: it is not the channel's quiet time, and the last message lies long enough back, or
    /// something is critical.
    private func mayTell(_ channel: AlertChannel, _ due: [Finding], _ messages: [OutboxMessage]) -> Bool {
        guard due.isEmpty || due.contains(where: { $0.check.severity == .critical }) == false else {
            return true
        }
        if let calendar = channel.calendar, !calendar.isOpen(at: now) { return false }
        guard let last = messages.map(\.createdAt).max() else { return true }
        return last <= channel.moment(before: now, channel.every)
    }

    /// What is over and told is remembered as long as it would be kept quiet if it came back: a check that flaps is told
    /// once, not each time.
    private func forget(_ over: [Told], _ channel: AlertChannel, _ plan: inout Plan) {
        let day = TimeSpan(milliseconds: 7 * 86_400_000)
        for entry in over where entry.at <= channel.moment(before: now, day) {
            plan.records.append(.remove(.told, id: entry.id))
        }
    }

    private static func resolved(_ told: Told, _ now: Int64) -> AlertMessage.Resolved {
        AlertMessage.Resolved(check: told.check, title: told.title, name: told.subject, resolvedAt: now)
    }

    private func message(
        _ due: [Finding], _ resolved: [Told], _ told: [Key: Told], _ flips: (String, String, Int64) -> Int
    ) -> AlertMessage {
        var sections: [AlertMessage.Section] = []
        for finding in due {
            let last = told[Key(subject: finding.subject.name, check: finding.check.name)]
            let subject = AlertMessage.Subject(
                name: finding.subject.name, openedAt: finding.openedAt, evidence: finding.evidence,
                flips: last.map { flips(finding.subject.name, finding.check.name, $0.at) } ?? 0,
                isReminder: last != nil)
            if let index = sections.firstIndex(where: {
                $0.check == finding.check.name && $0.kind == finding.kind
            }) {
                sections[index].subjects.append(subject)
            } else {
                sections.append(
                    AlertMessage.Section(
                        check: finding.check.name, title: finding.check.title, why: finding.check.why,
                        fix: finding.check.fix, severity: finding.check.severity, kind: finding.kind,
                        subjects: [subject]))
            }
        }
        return AlertMessage(
            sections: sections.sorted {
                ($1.severity, $0.check, $0.kind.rawValue) < ($0.severity, $1.check, $1.kind.rawValue)
            },
            resolved: resolved.map { Self.resolved($0, now) })
    }
}

extension AlertMessage {
    /// Takes up what became due while this message waited to be delivered.
    mutating func merge(_ other: AlertMessage, resolved: [Resolved]) {
        for section in other.sections {
            guard
                let index = sections.firstIndex(where: {
                    $0.check == section.check && $0.kind == section.kind
                })
            else {
                sections.append(section)
                continue
            }
            for subject in section.subjects {
                if let known = sections[index].subjects.firstIndex(where: { $0.name == subject.name }) {
                    // The older one tells since when; that it came back is what counts now.
                    sections[index].subjects[known].resolvedAt = nil
                } else {
                    sections[index].subjects.append(subject)
                }
            }
        }
        for over in resolved {
            var wasWaiting = false
            for section in sections.indices where sections[section].check == over.check {
                for subject in sections[section].subjects.indices
                where sections[section].subjects[subject].name == over.name {
                    sections[section].subjects[subject].resolvedAt = over.resolvedAt
                    wasWaiting = true
                }
            }
            if !wasWaiting, !self.resolved.contains(where: { $0.check == over.check && $0.name == over.name })
            {
                self.resolved.append(over)
            }
        }
        sections.sort {
            ($1.severity, $0.check, $0.kind.rawValue) < ($0.severity, $1.check, $1.kind.rawValue)
        }
    }
}
