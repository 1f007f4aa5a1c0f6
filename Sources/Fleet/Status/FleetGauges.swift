import PDStore

/// What is measured of a fleet now and then: read from its issues and outbox alone, never from what hosts reported.
package struct FleetGauges: Sendable, Equatable {
    /// How many issues are open, by check; those of the fleet itself too.
    package let openIssues: [String: Int]
    /// How many hosts were found silent by the last audit, those that are suspended aside.
    package let silentHosts: Int
    /// How many messages wait to be delivered.
    package let waitingMessages: Int

    package init(_ store: any FleetStore) async throws {
        let issues = try await store.openIssues()
        let suspended = try await store.suspendedHosts()
        let ofFleet = try await store.records(.fleetIssues).map { try FleetIssue($0) }
        openIssues = (issues.map(\.check) + ofFleet.map(\.check)).reduce(into: [:]) {
            $0[$1, default: 0] += 1
        }
        silentHosts = issues.count { $0.check == Check.notReporting && !suspended.contains($0.hostID) }
        waitingMessages = try await store.records(.outbox).count {
            $0.document["state"]?.string == OutboxMessage.State.waiting.rawValue
        }
    }
}
