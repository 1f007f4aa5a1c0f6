import PDCrypto

/// What is to be said about how long a key will be good.
package struct KeyExpiry: Sendable, Equatable {
    /// So long before its end a key is announced, in days.
    package static let noticeDays: Int64 = 60

    /// What to say, for instance `expires in 12 days`.
    package let text: String

    /// Nothing where the key is good for longer than ``noticeDays``.
    package init?(_ certificate: OpenPGP.Certificate, at now: OpenPGP.Timestamp) {
        if let problem = certificate.problem(at: now) {
            text = "cannot be used: \(problem)"
            return
        }
        guard let end = certificate.expirationTime(at: now) else { return nil }
        let days = (end.seconds - now.seconds) / 86_400
        guard days < Self.noticeDays else { return nil }
        text = days <= 0 ? "expires today" : "expires in \(days) day\(days == 1 ? "" : "s")"
    }
}
