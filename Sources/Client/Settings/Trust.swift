import PDCrypto
import PDSettings

/// Whose signatures this machine obeys, by what they are about: `trust` in `agent.yml`.
///
/// Nobody is trusted for anything unless a list names the fingerprint; the server's own key is no exception.
public struct Trust: Sendable, Equatable {
    /// What a signature can be about.
    public enum Role: String, Sendable, CaseIterable {
        /// New versions of the agent's files.
        case releases
        /// Single files among them.
        case patches
        /// Programs that are run once.
        case commands
        /// A person's shell.
        case shells
    }

    private var fingerprints: [Role: [OpenPGP.Fingerprint]] = [:]

    /// Nobody.
    public init() {}

    /// The fingerprints of those who may sign that.
    public func fingerprints(_ role: Role) -> [OpenPGP.Fingerprint] { fingerprints[role] ?? [] }

    init(_ top: inout SettingsMapping) throws(SettingsError) {
        var trust = try top.mapping("trust")
        for role in Role.allCases {
            let names = try trust.strings(role.rawValue)
            let known = names.compactMap { OpenPGP.Fingerprint(hex: $0) }
            guard known.count == names.count else {
                throw trust.error(
                    role.rawValue, "must be a list of fingerprints, of 40 hexadecimal digits each")
            }
            if !known.isEmpty { fingerprints[role] = known }
        }
        try trust.finish()
    }
}
