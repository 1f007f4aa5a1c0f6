import PDBasics
import PDProtocol
import PDQuery
import PDStore

/// Which hosts are meant.
package enum HostSelection: Sendable {
    /// Those with these names or ids.
    case named([String])
    /// Those that a query matches, in MongoDB's language.
    case matching(String)
    /// The whole fleet.
    case all
}

extension Fleet {
    /// The host with that name or id.
    package func host(named name: String) async throws -> FleetHost {
        guard let host = try await store.host(name) else {
            throw FleetError(.failed, "no host is called \(name): see pd-admin hosts list")
        }
        return host
    }

    /// The hosts that are meant, in the order of their names; at least one.
    package func hosts(_ selection: HostSelection, at now: Moment) async throws -> [Hostname] {
        var found: [Hostname] = []
        switch selection {
        case .named(let names): for name in names { found.append(try await host(named: name).hostname) }
        case .matching(let text):
            let query: Query
            do {
                query = try Query(json: text, now: now.milliseconds)
            } catch { throw FleetError(.usage, "--where: \(error)") }
            found = try await store.hosts(where: query).map(\.hostname)
        case .all: found = try await store.hosts().map(\.hostname)
        }
        let names = Set(found).sorted { $0.name < $1.name }
        guard !names.isEmpty else { throw FleetError(.failed, "no host matches: see pd-admin hosts list") }
        return names
    }
}
