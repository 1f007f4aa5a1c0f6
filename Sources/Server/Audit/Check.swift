import PDDocument
import PDStore

/// One thing that an audit looks for.
public struct Check: Sendable, Equatable {
    /// What issues and the database know it by: lower-case letters, digits and hyphens.
    public let name: String
    /// What is wrong with a host that it finds.
    public let title: String
    /// Why that matters; may be empty.
    public let why: String
    /// What to do about it; may be empty.
    public let fix: String
    /// The hosts that it finds, in the language of ``Query``, with `$ago` as it was written.
    public let query: Document
    /// How long an issue is left alone before it is told to people.
    public let gracePeriod: TimeSpan
    /// How often an open issue is told to people again.
    public let alertFrequency: TimeSpan

    /// A check whose query has been compiled once, so that it is known to be right.
    public init(
        name: String, title: String, why: String = "", fix: String = "", query: Document,
        gracePeriod: TimeSpan = TimeSpan(milliseconds: 0),
        alertFrequency: TimeSpan = TimeSpan(milliseconds: 3_600_000)
    ) {
        self.name = name
        self.title = title
        self.why = why
        self.fix = fix
        self.query = query
        self.gracePeriod = gracePeriod
        self.alertFrequency = alertFrequency
    }
}
