import PDBasics
import PDDocument
import PDStore

/// One thing that an audit looks for.
package struct Check: Sendable, Equatable {
    /// What issues and the database know it by: lower-case letters, digits and hyphens.
    package let name: String
    /// What is wrong with a host that it finds.
    package let title: String
    /// Why that matters; may be empty.
    package let why: String
    /// What to do about it; may be empty.
    package let fix: String
    /// The hosts that it finds, in the language of ``Query``, with `$ago` as it was written.
    package let query: Document
    /// How long an issue is left alone before it is told to people.
    package let gracePeriod: TimeSpan
    /// How often an open issue is told to people again.
    package let alertFrequency: TimeSpan

    /// A check whose query has been compiled once, so that it is known to be right.
    package init(
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
