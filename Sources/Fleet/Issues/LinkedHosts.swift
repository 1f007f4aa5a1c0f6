import PDStore

/// The machines of one person: whoever uses one of them need not use the others.
struct LinkedHosts {
    /// The parameter that links hosts.
    static let parameter = "user_clients"

    private let groups: [String: Set<String>]

    /// All hosts that are linked with others.
    var names: Set<String> { Set(groups.keys) }

    /// Groups of hosts that are linked, directly or over others.
    init(_ parameters: [HostParameter]) {
        var groups: [String: Set<String>] = [:]
        for parameter in parameters where parameter.name == Self.parameter {
            var joined = Set(parameter.values + [parameter.hostname.name])
            for name in joined { joined.formUnion(groups[name] ?? []) }
            for name in joined { groups[name] = joined }
        }
        self.groups = groups
    }

    /// The hosts of `found` that are not spared: that have no linked host which is not found as well, or that have been
    /// silent for too long for that to count.
    ///
    /// - Parameters:
    ///   - silentSince: whoever reported last before that is not spared.
    ///   - answering: when each host reported last, by name.
    func unspared(_ found: [FoundHost], silentSince: Int64, answering: [String: Int64]) -> [FoundHost] {
        let names = Set(found.map(\.hostname.name))
        return found.filter { host in
            guard host.submittedAt > silentSince else { return true }
            return !(groups[host.hostname.name] ?? []).contains {
                !names.contains($0) && answering[$0] != nil
            }
        }
    }
}
