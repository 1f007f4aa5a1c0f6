/// A directory that root does not work in, or below: who may replace a part of its path could lead root elsewhere.
public struct UnsafeDirectory: Error, Equatable, Sendable, CustomStringConvertible {
    /// One line for people: which part, why, and what to do.
    public let description: String

    init(_ part: String, of path: String, _ reason: String, _ remedy: String) {
        let whose = part == path ? "" : " on the way to \(path)"
        description = "\(part)\(whose) \(reason), so root does not work there: \(remedy)"
    }
}
