/// What has been found out about a yes-or-no question.
enum Verdict: Equatable, Sendable {
    case on
    case off
    /// Could not look, and why.
    case unknown(String)
    /// The question does not arise, and why.
    case notApplicable(String)

    var word: String {
        switch self {
        case .on: "on"
        case .off: "off"
        case .unknown: "unknown"
        case .notApplicable: "not_applicable"
        }
    }

    var reason: String? {
        switch self {
        case .on, .off: nil
        case .unknown(let reason), .notApplicable(let reason): reason
        }
    }
}
