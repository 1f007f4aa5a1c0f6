import PDProtocol

/// Which findings somebody wants to see.
package struct FindingFilter: Sendable {
    /// Only those of these hosts; empty: of all, and of the fleet itself.
    package var hosts: Set<HostID> = []
    /// Only those of these checks; empty: of all.
    package var checks: Set<String> = []
    /// How they may stand.
    package var states: Set<Finding.State> = [.open]
    /// Whether those are shown too that people were told within the check's alert frequency.
    package var showsRecent = true

    package init() {}

    /// - Parameter now: the clock, in milliseconds since 1970-01-01 UTC.
    package func shows(_ finding: Finding, at now: Int64) -> Bool {
        guard checks.isEmpty || checks.contains(finding.check.name), states.contains(finding.state) else {
            return false
        }
        if !hosts.isEmpty {
            guard case .host(let id, _) = finding.subject, hosts.contains(id) else { return false }
        }
        guard !showsRecent, let told = finding.alertedAt else { return true }
        return told <= finding.check.moment(before: now, finding.check.alertFrequency)
    }
}
