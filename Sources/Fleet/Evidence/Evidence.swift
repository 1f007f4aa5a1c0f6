import PDDocument
import PDProtocol
import PDStore

/// What a fleet can show of itself over a period: each issue, each documented exception, each decision, and what follows
/// from them by day, check, control and host. All figures are counted from the records that it holds, and each of these
/// names the record of the store that it was read from.
package struct Evidence: Sendable, Equatable {
    /// From when to when, in milliseconds since 1970-01-01 UTC.
    package struct Period: Sendable, Equatable {
        /// Its beginning.
        package let from: Int64
        /// Its end, which does not belong to it.
        package let to: Int64
        /// Up to when something is known: the end, or the moment at which the report was made where that is earlier.
        package let knownTo: Int64

        package init(from: Int64, to: Int64, now: Int64) {
            self.from = from
            self.to = to
            knownTo = max(from, min(to, now))
        }

        /// The days of it in UTC of which something is known.
        var days: [CivilDate] {
            guard from < knownTo else { return [] }
            return (Self.day(from)...Self.day(knownTo - 1)).map { CivilDate(number: $0) }
        }

        /// The number of the day in UTC.
        static func day(_ milliseconds: Int64) -> Int {
            Int(milliseconds / 86_400_000) - (milliseconds % 86_400_000 < 0 ? 1 : 0)
        }
    }

    /// A host of the fleet.
    package struct Host: Sendable, Equatable {
        package let id: HostID
        package let hostname: Hostname
        /// When it reported last, in milliseconds since 1970-01-01 UTC.
        package let submittedAt: Int64
        package let isSuspended: Bool
    }

    /// An issue that was open at some moment of the period.
    package struct Episode: Sendable, Equatable {
        /// The issue in the store: its host, its check and when it was opened. No two have the same.
        package let record: String
        /// The host; nothing where it is an issue of the fleet itself.
        package let host: HostID?
        /// What has it, as people call it.
        package let subject: String
        /// The check, by its name.
        package let check: String
        package let kind: Finding.Kind
        package let openedAt: Int64
        /// Nothing where it is open still.
        package let closedAt: Int64?
        /// When people were told last.
        package let alertedAt: Int64?
        /// What was seen.
        package let evidence: String
        /// Who opened it by hand, and who closed it by hand; empty where an audit did.
        package let openedBy: String
        package let closedBy: String

        /// Whether it was open at the end of what is known.
        package func isOpen(at end: Int64) -> Bool { closedAt.map { $0 >= end } ?? true }
    }

    /// A decision that something may stay as it is: for good until a date, or for a while.
    package struct Exception: Sendable, Equatable {
        /// The record of the store.
        package let record: String
        /// ``Silence/Kind/exemption`` or ``Silence/Kind/snooze``.
        package let kind: Silence.Kind
        package let host: HostID
        package let hostname: String
        package let check: String
        package let since: Int64
        /// Until when it was to hold.
        package let until: Int64?
        /// When it ended before that, and why.
        package var endedAt: Int64?
        package var endReason = ""
        package let by: String
        package let reason: String

        /// When it ceased to hold; nothing where it holds still.
        package var end: Int64? { [until, endedAt].compactMap(\.self).min() }
    }

    /// A decision of a person.
    package struct Decision: Sendable, Equatable {
        /// The record of the store.
        package let record: String
        package let event: IssueEvent
    }

    /// What stood at the end of a day in UTC, or at the end of what is known.
    package struct Day: Sendable, Equatable {
        package let date: CivilDate
        /// The issues that were opened and closed on it, by their place in ``Evidence/episodes``.
        package var opened: [Int] = []
        package var closed: [Int] = []
        /// How many were open at its end, and how many of them an exception or a snooze covered.
        package var open = 0
        package var excepted = 0
        /// How often the fleet was audited on it; nothing where that was not kept.
        package var audits: Int?
    }

    package let period: Period
    /// When it was made.
    package let madeAt: Int64
    /// The framework that it was made for; nothing: all.
    package let framework: String?
    /// The checks in the order of their file; those that the file no longer has are the last.
    package let checks: [Check]
    /// The names of the checks that the file no longer has.
    package let formerChecks: Set<String>
    /// By name.
    package let hosts: [Host]
    /// By check, subject and time.
    package let episodes: [Episode]
    /// By check, host and time.
    package let exceptions: [Exception]
    /// By time.
    package let decisions: [Decision]
    package let days: [Day]
    /// The moment before which closed issues were removed, as the settings say; nothing where all are kept.
    package let keptSince: Int64?
}

// MARK: - What follows from the records

extension Evidence {
    /// What a check found, on one host or on all.
    package struct Summary: Sendable, Equatable {
        /// By their place in ``Evidence/episodes``.
        package var episodes: [Int] = []
        /// By their place in ``Evidence/exceptions``.
        package var exceptions: [Int] = []
        /// How many issues are open at the end.
        package var open = 0
        /// For how long, within the period, in milliseconds; of several at a time each counts.
        package var openTime: Int64 = 0
        /// How many hosts, or things of the fleet, had one.
        package var subjects: Set<String> = []
    }

    /// A check on a host.
    package struct Cell: Sendable, Hashable {
        package let subject: String
        package let check: String
    }

    /// By check.
    package func byCheck() -> [String: Summary] { summaries { check, _ in check } }

    /// By host, or thing of the fleet, and check; those that had nothing are not there.
    package func bySubject() -> [Cell: Summary] { summaries { Cell(subject: $1, check: $0) } }

    private func summaries<Key: Hashable>(_ key: (_ check: String, _ subject: String) -> Key) -> [Key:
        Summary]
    {
        var summaries: [Key: Summary] = [:]
        for (index, episode) in episodes.enumerated() {
            let key = key(episode.check, episode.subject)
            summaries[key, default: Summary()].episodes.append(index)
            summaries[key, default: Summary()].subjects.insert(episode.subject)
            summaries[key, default: Summary()].openTime += openTime(episode)
            if episode.isOpen(at: period.knownTo) { summaries[key, default: Summary()].open += 1 }
        }
        for (index, exception) in exceptions.enumerated() {
            summaries[key(exception.check, exception.hostname), default: Summary()].exceptions.append(index)
        }
        return summaries
    }

    /// How long an issue was open within the period, in milliseconds.
    package func openTime(_ episode: Episode) -> Int64 {
        max(
            0, min(episode.closedAt ?? period.knownTo, period.knownTo) - max(episode.openedAt, period.from))
    }

    /// A control with the checks that answer to it.
    package struct Control: Sendable, Equatable {
        package let framework: String
        package let name: String
        /// What it is about, where it is one that is known here.
        package let title: String
        package let checks: [String]
    }

    /// The controls that checks answer to, by framework and name.
    package var controls: [Control] {
        var found: [Control] = []
        for framework in Set(checks.flatMap(\.controls.keys)).sorted()
        where self.framework.map({ $0 == framework }) ?? true {
            let names = Set(checks.flatMap { $0.controls[framework] ?? [] })
            found += names.sorted(by: Framework.isBefore).map { name in
                Control(
                    framework: framework, name: name, title: Framework.title(framework, name),
                    checks: checks.filter { $0.controls[framework]?.contains(name) == true }.map(\.name))
            }
        }
        return found
    }

    /// The days on which, as far as was kept, no audit ran.
    package var unauditedDays: [CivilDate] { days.filter { $0.audits == 0 }.map(\.date) }
}
