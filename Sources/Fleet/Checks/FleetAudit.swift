import Foundation
import PDCrypto
import PDStore

/// The one audit of a fleet, whoever asks for it: a server again and again, a timer, an administrator. It puts the checks to
/// the hosts, adds what the server itself knows, plans what is to be told, and removes what is too old.
package struct FleetAudit: Sendable {
    /// Held while an audit runs, so that of several processes on one database one does.
    package static let lease = "audit-run"
    /// An audit that takes longer is taken for dead.
    static let longest: Int64 = 900_000
    /// What orders may wait for a host before that is an issue: by then a machine that is used has asked.
    static let pendingFor: Int64 = 3 * 86_400_000
    /// How long before their end certificates and keys are announced, in days.
    static let noticeDays: Int64 = 60

    package let fleet: Fleet
    /// Different in each process.
    package let holder: String

    package init(_ fleet: Fleet, holder: String) {
        self.fleet = fleet
        self.holder = holder
    }

    /// What an audit did.
    package struct Result: Sendable {
        package let report: AuditReport
        package let checks: CheckSet
        /// How many findings people will be told about.
        package let told: Int
        package let removed: PruneReceipt?
    }

    /// - Parameter now: the clock, in milliseconds since 1970-01-01 UTC.
    /// - Returns: nothing where another process audits at this moment.
    package func run(at now: Int64) async throws -> Result? {
        let store = fleet.store
        let checks = try CheckFile.read(fleet.state.checksFile)
        guard try await store.takeLease(Self.lease, holder: holder, at: now, duration: Self.longest) else {
            return nil
        }
        do {
            let report = try await Audit.run(
                store: store, checks: checks, builtIn: try await builtInFindings(at: now), at: now)
            let told = try await Alerting(store: store, settings: fleet.settings.alerts, checks: checks)
                .plan(report.findings, at: now)
            try await store.apply(records: [
                .put(
                    .presence,
                    StoredRecord(
                        id: "audit",
                        document: ["at": .date(milliseconds: now), "open": .int(report.findings.count)])),
                .put(.presence, try await AuditDays.noting(store, at: now)),
            ])
            let removed = try await fleet.prune(at: now)
            try await store.releaseLease(Self.lease, holder: holder)
            return Result(report: report, checks: checks, told: told, removed: removed)
        } catch {
            // The first error is the one to tell; the lease ends by itself.
            try? await store.releaseLease(Self.lease, holder: holder)
            throw error
        }
    }

    // MARK: What the server itself finds

    /// - Parameter now: the clock, in milliseconds since 1970-01-01 UTC.
    package func builtInFindings(at now: Int64) async throws -> BuiltInFindings {
        var pending: [String: String] = [:]
        for order in try await fleet.store.orders() where order.submittedAt <= now - Self.pendingFor {
            for host in order.pendingHosts {
                let since = AlertText.time(order.submittedAt)
                pending[host.name] =
                    pending[host.name].map { "\($0), \(order.id)" } ?? "since \(since): \(order.id)"
            }
        }
        return BuiltInFindings(hosts: [.pendingPatches: pending], fleet: expiring(at: now))
    }

    /// The certificates and keys that end soon, or have ended.
    private func expiring(at now: Int64) -> [BuiltInFindings.OfFleet] {
        var found: [BuiltInFindings.OfFleet] = []
        func add(_ subject: String, _ evidence: String) {
            found.append(.init(check: .expiringCertificate, subject: subject, evidence: evidence))
        }
        for port in fleet.settings.ports {
            guard let tls = port.tls else { continue }
            let file = URL(filePath: tls.certificate, relativeTo: fleet.state.settingsFile)
            do {
                let days = (try CertificateFile(file).expiresAt - now / 1000) / 86_400
                guard days < Self.noticeDays else { continue }
                add(
                    "port \(port.number)",
                    days < 0 ? "its certificate has ended" : "its certificate ends in \(days) days")
            } catch {
                add("port \(port.number)", "\(error)")
            }
        }
        let time = OpenPGP.Timestamp(now / 1000)
        let directories = [("client", fleet.state.clientKeys)]
        var keys: [(role: String, file: URL)] = [("server", fleet.state.serverPublicKey)]
        for (role, directory) in directories {
            keys += ((try? RoleKeys.keyFiles(in: directory)) ?? []).map { (role, $0.file) }
        }
        for (role, file) in keys where FileManager.default.fileExists(atPath: file.path) {
            do {
                let certificate = try OpenPGP.Certificate(PrivateFiles.read(file))
                guard let expiry = KeyExpiry(certificate, at: time) else { continue }
                add("\(role) key \(certificate.fingerprint)", expiry.text)
            } catch {
                add("\(role) key \(file.lastPathComponent)", "\(error)")
            }
        }
        return found
    }
}
