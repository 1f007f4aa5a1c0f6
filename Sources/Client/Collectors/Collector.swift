import PDDocument

/// Finds out one thing about the machine.
public protocol Collector: Sendable {
    /// The plugin name under which the result is reported.
    var name: String { get }

    /// Looks at the machine. Runs on a thread of its own, so it may block until the machine's deadline.
    ///
    /// What could not be found out is part of the result: `status` `unknown` with a `reason`, never a pass or a fail.
    /// The result must not change while the machine does not: no counters, no times, lists sorted.
    ///
    /// - Throws: what makes the whole result impossible; it is reported in the result's place.
    func collect(_ machine: Machine) throws -> Value
}

/// The collectors that every agent has.
public enum BuiltInCollectors {
    /// All of them, in the order of their names.
    public static let all: [any Collector] = [
        FirewallCollector(), DiskEncryptionCollector(), NetworkDevicesCollector(), OSInfoCollector(),
        SSHDCollector(),
    ]
}

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

extension DocumentWriter {
    /// Adds the field where there is a value.
    mutating func append(_ key: String, ifPresent text: String?) {
        if let text { append(key, .string(text)) }
    }
}

/// One line without white space at its ends.
func trimmed(_ text: some StringProtocol) -> String {
    var rest = Substring(text)
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
}
