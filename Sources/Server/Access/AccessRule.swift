import PDCrypto

/// Who may use an endpoint: what `server_auth:ENDPOINT` says. Any one that matches admits.
public struct AccessRule: Sendable, Equatable {
    /// From these addresses nothing else is asked.
    public var ranges: [AddressRange]
    /// Hashes of passwords by user; a user may have one of the endpoint's own and one of the server's.
    public var passwords: [String: [PasswordHash]]

    /// A rule.
    public init(ranges: [AddressRange] = [], passwords: [String: [PasswordHash]] = [:]) {
        self.ranges = ranges
        self.passwords = passwords
    }

    /// The costliest of all hashes: what every wrong answer costs.
    var rounds: Int {
        passwords.values.joined().map(\.rounds).max() ?? PasswordHash.defaultRounds
    }
}
