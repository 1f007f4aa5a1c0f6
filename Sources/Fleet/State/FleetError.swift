/// Why something about a fleet could not be done: one line for people, and whose turn it is.
package struct FleetError: Error, CustomStringConvertible, Equatable {
    /// What kind of failure it is; tools have an exit code for each.
    package enum Kind: Sendable {
        /// The thing itself failed, or is not there.
        case failed
        /// What was asked for cannot be meant.
        case usage
        /// Whoever asks may not.
        case refused
    }

    package let kind: Kind
    /// What was wrong, where, and what to do.
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
