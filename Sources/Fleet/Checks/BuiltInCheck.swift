/// What the server itself finds.
package enum BuiltInCheck: String, CaseIterable, Sendable {
    /// A host still asks on a deprecated port.
    case deprecatedPort = "deprecated-port"
    /// Orders have waited long for a host.
    case pendingPatches = "pending-patches"
    /// The agent's release is not the newest one.
    case agentOutdated = "agent-outdated"
    /// Two machines report under one name.
    case twinHosts = "twin-hosts"
    /// Something was sent in the host's name with a signature that does not count.
    case failedVerification = "failed-verification"
    /// A certificate or key of the fleet ends soon, or has ended.
    case expiringCertificate = "expiring-certificate"
}

/// What a built-in check found, at one moment.
package struct BuiltInFindings: Sendable, Equatable {
    /// Something of the fleet itself.
    package struct OfFleet: Sendable, Equatable {
        package let check: BuiltInCheck
        /// What has it.
        package let subject: String
        /// What was seen.
        package let evidence: String

        package init(check: BuiltInCheck, subject: String, evidence: String) {
            self.check = check
            self.subject = subject
            self.evidence = evidence
        }
    }

    /// For each check that was looked at, the hosts by name, with what was seen. A check that is not named is left alone.
    package var hosts: [BuiltInCheck: [String: String]]
    /// The newest release of the agent, 0 where there is none; nothing where nobody looked.
    package var newestRelease: Int?
    /// What was found of the fleet; nothing where nobody looked.
    package var fleet: [OfFleet]?

    /// Whether somebody looked for what a check finds.
    func hasLooked(_ check: BuiltInCheck?) -> Bool {
        guard let check else { return false }
        return check == .agentOutdated ? newestRelease != nil : hosts[check] != nil
    }

    package init(
        hosts: [BuiltInCheck: [String: String]] = [:], newestRelease: Int? = nil, fleet: [OfFleet]? = nil
    ) {
        self.hosts = hosts
        self.newestRelease = newestRelease
        self.fleet = fleet
    }
}
