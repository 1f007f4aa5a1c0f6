/// What the server itself finds.
package enum BuiltInCheck: String, CaseIterable, Sendable {
    /// A host still asks on a deprecated port.
    case deprecatedPort = "deprecated-port"
    /// Orders have waited long for a host.
    case pendingPatches = "pending-patches"
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
    /// What was found of the fleet; nothing where nobody looked.
    package var fleet: [OfFleet]?

    package init(hosts: [BuiltInCheck: [String: String]] = [:], fleet: [OfFleet]? = nil) {
        self.hosts = hosts
        self.fleet = fleet
    }
}
