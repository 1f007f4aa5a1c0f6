import PDCrypto
import PDLegacy

/// Who may use an endpoint: what `server_auth:ENDPOINT` says. Any one that matches admits.
package struct AccessRule: Sendable, Equatable {
    /// From these addresses nothing else is asked.
    package var ranges: [AddressRange]
    /// Hashes of passwords by user; a user may have one of the endpoint's own and one of the server's.
    package var passwords: [String: [PasswordHash]]

    /// A rule.
    package init(ranges: [AddressRange] = [], passwords: [String: [PasswordHash]] = [:]) {
        self.ranges = ranges
        self.passwords = passwords
    }

    /// What the user with the costliest hashes costs, and so what every wrong answer costs.
    package var rounds: Int {
        passwords.values.map { $0.map(\.rounds).reduce(0, +) }.max() ?? PasswordHash.defaultRounds
    }

    /// What a wrong password of this user has to cost beyond the user's own hashes; all of it for an unknown user.
    package func roundsBeyond(_ user: String) -> Int {
        rounds - (passwords[user] ?? []).map(\.rounds).reduce(0, +)
    }
}
