import PDDocument
import PDProtocol
import PDStore

/// One thing to fix, as it stands at an audit.
package struct Finding: Sendable, Equatable {
    /// What has it.
    package enum Subject: Sendable, Hashable {
        case host(HostID, Hostname)
        /// Something of the fleet itself: a port's certificate, a key.
        case fleet(String)

        /// What people call it.
        package var name: String {
            switch self {
            case .host(_, let hostname): hostname.name
            case .fleet(let name): name
            }
        }
    }

    /// Of what kind it is.
    package enum Kind: String, Sendable {
        /// The check found it.
        case failing
        /// The host cannot tell what the check wants to know.
        case unknown
    }

    /// How it stands.
    package enum State: String, Sendable {
        /// Younger than the check's grace period.
        case grace
        case open
        case snoozed
        case exempt
        /// Its host is suspended until it reports again.
        case suspended
    }

    package let subject: Subject
    /// What is wrong, why it matters and what to do about it.
    package let check: Check
    package let kind: Kind
    /// Since when it has been seen, in milliseconds since 1970-01-01 UTC.
    package let openedAt: Int64
    /// When it was last told to people.
    package let alertedAt: Int64?
    /// What was seen, where that is more than the check says.
    package let evidence: String
    package let state: State
    /// The decision that keeps it quiet.
    package let silence: Silence?

    /// Whether people should be told.
    package var isAlerting: Bool { state == .open }
}

extension Issue {
    /// Of what kind it is.
    package var kind: Finding.Kind {
        details["kind"]?.string.flatMap(Finding.Kind.init(rawValue:)) ?? .failing
    }
    /// What was seen.
    package var evidence: String { details["evidence"]?.string ?? "" }
    /// Who opened it by hand.
    package var openedBy: String? { details["opened_by"]?.string }

    /// A snooze of version 1, which stands in the issue itself.
    package func legacySnooze(at now: Int64) -> Silence? {
        guard let snoozed = details["snoozed_at"]?.milliseconds,
            let until = details["unsnooze_at"]?.milliseconds,
            until > now, details["unsnoozed_at"]?.milliseconds == nil
        else { return nil }
        return Silence(.snooze, host: hostID, check: check, since: snoozed, until: until)
    }
}
