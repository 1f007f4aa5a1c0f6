import PDBasics
import PDStore

/// A way to people.
package struct AlertChannel: Sendable, Equatable {
    /// How a message gets there.
    package enum Kind: Sendable, Equatable {
        /// A mail to these addresses.
        case mail(to: [String])
        /// A signed request as Standard Webhooks 1.0.0 describes it, with these secrets: the first signs, the others too, so
        /// that a receiver may change from one to another. `reachesPrivate`: whether addresses within the own network are
        /// allowed.
        case webhook(url: String, secrets: [String], reachesPrivate: Bool)
        /// A text in the form that Slack, Mattermost and Rocket.Chat understand.
        case slack(url: String, reachesPrivate: Bool)
        /// A text in the form that Matrix' hookshot and maubot understand.
        case matrix(url: String, reachesPrivate: Bool)
        /// A program that gets the message as JSON on its standard input.
        case program([String])
    }

    /// What settings and the store know it by.
    package let name: String
    /// How a message gets there.
    package let kind: Kind
    /// What checks call the people behind it; several channels may share a group.
    package let group: String
    /// When people may be disturbed; nothing: at any time.
    package let calendar: WorkingCalendar?
    /// How long one message keeps the next away, unless something is critical.
    package let every: TimeSpan
    /// The least severity that is told.
    package let from: Check.Severity

    package init(
        name: String, kind: Kind, group: String = "admins", calendar: WorkingCalendar? = nil,
        every: TimeSpan = TimeSpan(milliseconds: 0), from: Check.Severity = .info
    ) {
        self.name = name
        self.kind = kind
        self.group = group
        self.calendar = calendar
        self.every = every
        self.from = from
    }

    /// Whether several messages that wait may be told as one. A receiver that is a program wants each.
    package var isForPeople: Bool {
        switch kind {
        case .mail, .slack, .matrix: true
        case .webhook, .program: false
        }
    }

    /// Whether people may be disturbed with a message now: what became due in their working time may be late, and is then
    /// left for their next, unless something is critical.
    func mayDisturb(with message: AlertMessage, at now: Int64) -> Bool {
        guard let calendar, !calendar.isOpen(at: now) else { return true }
        return message.sections.contains { section in
            section.severity == .critical && section.subjects.contains { $0.resolvedAt == nil }
        }
    }

    /// A moment so long ago, by its calendar where it has one.
    func moment(before now: Int64, _ span: TimeSpan) -> Int64 {
        calendar.map { $0.moment(before: now, working: $0.working(span)) }
            ?? now.subtractingReportingOverflow(span.milliseconds).partialValue
    }
}
