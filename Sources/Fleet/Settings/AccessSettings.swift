import PDCrypto
import PDLegacy
import PDSettings

/// Who may use which endpoint: `users`, `groups`, `server_auth`.
struct AccessSettings: Sendable, Equatable {
    /// `server_auth:download_release`.
    let downloadRelease: AccessRule?
    /// `server_auth:pipe_create`.
    let pipeCreate: AccessRule?

    init(_ top: inout SettingsMapping) throws(SettingsError) {
        let users = try Self.hashes("users", in: &top)
        var mapping = try top.mapping("groups")
        var groups: [String: [String]] = [:]
        for name in mapping.names {
            groups[name] = try mapping.strings(name)
            for user in groups[name] ?? [] where users[user] == nil {
                throw mapping.error(name, "names \(user), who is not one of the users")
            }
        }
        var endpoints = try top.mapping("server_auth")
        downloadRelease = try Self.rule("download_release", in: &endpoints, users, groups)
        pipeCreate = try Self.rule("pipe_create", in: &endpoints, users, groups)
        try endpoints.finish()
    }

    private static func rule(
        _ name: String, in endpoints: inout SettingsMapping, _ users: [String: PasswordHash],
        _ groups: [String: [String]]
    ) throws(SettingsError) -> AccessRule? {
        // A rule that is empty admits nobody; only without one an endpoint does as it does by itself.
        let isThere = endpoints.names.contains(name)
        var mapping = try endpoints.mapping(name)
        var rule = AccessRule()
        for text in try mapping.strings("ipranges") {
            guard let range = AddressRange(text) else {
                throw mapping.error("ipranges", "has \(text), which is neither an address nor a range")
            }
            rule.ranges.append(range)
        }
        for (user, hash) in try hashes("passwords", in: &mapping) { rule.passwords[user] = [hash] }
        var admitted = try mapping.strings("users")
        for user in admitted where users[user] == nil {
            throw mapping.error("users", "names \(user), who is not one of the users")
        }
        for group in try mapping.strings("groups") {
            guard let members = groups[group] else {
                throw mapping.error("groups", "names \(group), which is not one of the groups")
            }
            admitted += members
        }
        for user in Set(admitted) {
            if let hash = users[user] { rule.passwords[user, default: []].append(hash) }
        }
        try mapping.finish()
        return isThere ? rule : nil
    }

    /// A mapping of users to the hashes of their passwords. An error never quotes a hash.
    private static func hashes(
        _ name: String, in owner: inout SettingsMapping
    ) throws(SettingsError) -> [String: PasswordHash] {
        var mapping = try owner.mapping(name)
        var hashes: [String: PasswordHash] = [:]
        for user in mapping.names {
            guard let text = try mapping.string(user) else {
                throw mapping.error(user, "has no password hash: see pd-admin passwords set")
            }
            do {
                hashes[user] = try PasswordHash(modular: text)
            } catch {
                throw mapping.error(user, "is not a password hash: \(error)")
            }
        }
        return hashes
    }
}

extension AddressRange {
    /// A list of addresses and ranges.
    static func read(_ name: String, in mapping: inout SettingsMapping) throws(SettingsError)
        -> [AddressRange]
    {
        var ranges: [AddressRange] = []
        for text in try mapping.strings(name) {
            guard let range = AddressRange(text) else {
                throw mapping.error(name, "has \(text), which is neither an address nor a range")
            }
            ranges.append(range)
        }
        return ranges
    }
}
