import PDBasics
import PDDocument
import PDStore

/// One thing that an audit looks for.
package struct Check: Sendable, Equatable {
    /// How bad it is.
    package enum Severity: String, Sendable, CaseIterable, Comparable {
        case info, low, medium, high, critical

        package static func < (left: Severity, right: Severity) -> Bool {
            (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
        }
    }

    /// How hosts are found.
    package enum Method: Sendable, Equatable {
        /// By what they reported, in the language of ``Query``, with `$ago` as it was written.
        case query(Document)
        /// By the server itself, which knows what no host reports: ``BuiltInCheck``.
        case builtIn
    }

    /// What a host is that cannot tell what the check wants to know.
    package struct Unknown: Sendable, Equatable {
        /// The hosts that cannot tell. They have an issue of a kind of its own, whether the check's query finds them or not.
        package let query: Document
        /// How long such an issue is left alone.
        package let gracePeriod: TimeSpan
    }

    /// The shipped check that finds hosts that are silent.
    package static let notReporting = "not-reporting"
    /// Whom `tell` means by the person whose machine it is.
    package static let owner = "owner"

    /// What issues and the database know it by: lower-case letters, digits and hyphens.
    package let name: String
    /// What is wrong with a host that it finds.
    package let title: String
    /// Why that matters; may be empty.
    package var why = ""
    /// What to do about it; may be empty.
    package var fix = ""
    /// What to do about it on a distribution, by its identifier in os-release.
    package var fixOn: [String: String] = [:]
    /// How hosts are found.
    package let method: Method
    /// The hosts that it is about; nothing: all.
    package var appliesTo: Document?
    /// What a host is that cannot tell; nothing: no finding.
    package var unknown: Unknown?
    /// Where a host's report says more about what was seen: a path such as `plugins.firewall.reason`.
    package var evidence = ""
    /// How long an issue is left alone before it is told to people.
    package var gracePeriod = TimeSpan(milliseconds: 0)
    /// How often an open issue is told to people again.
    package var alertFrequency = TimeSpan(milliseconds: 3_600_000)
    /// By which its spans of time count; nothing: around the clock.
    package var calendar: WorkingCalendar?
    /// How bad it is.
    package var severity = Severity.medium
    /// Words to choose checks by.
    package var tags: [String] = []
    /// Which controls of a framework it answers to, by the framework's name.
    package var controls: [String: [String]] = [:]
    /// Groups or names of channels, or ``owner``.
    package var tell = ["admins"]
    /// For how long a host is spared while another one of the same person is not found; nothing: it never is.
    package var sparesLinkedHosts: TimeSpan?

    package init(name: String, title: String, method: Method) {
        self.name = name
        self.title = title
        self.method = method
    }

    /// What to do about it on a host whose distribution has these names, the most exact one first.
    package func fix(on distributions: [String]) -> String {
        distributions.lazy.compactMap { fixOn[$0] }.first ?? fix
    }

    /// That long before `now`, as the check counts time.
    func moment(before now: Int64, _ span: TimeSpan) -> Int64 {
        calendar.map { $0.moment(before: now, working: $0.working(span)) }
            ?? now.subtractingReportingOverflow(span.milliseconds).partialValue
    }
}
