import PDCrypto
import PDDocument
import PDProtocol
import PDStore

/// A key, or the certificate of the port, that is being replaced.
package struct Rotation: Sendable, Equatable {
    /// What is replaced.
    package enum Subject: String, Sendable, CaseIterable {
        /// The key that all hosts sign reports with.
        case client
        /// The key that the server signs with.
        case server
        /// The certificate that the server made for its port.
        case certificate
    }

    /// What is replaced.
    package let subject: Subject
    /// The fingerprints of the keys that are to go; none for a certificate.
    package var old: [OpenPGP.Fingerprint] = []
    /// The key that takes their place; nothing for a certificate.
    package var new: OpenPGP.Fingerprint?
    /// The serial number of the statement that announced it; 0 before that.
    package var serial = 0
    /// Since when, in milliseconds since 1970-01-01 UTC.
    package let startedAt: Int64
    /// Hosts that are in the wrong hands: they are sent nothing, and nobody waits for them.
    package var lost: [Hostname] = []

    init(_ subject: Subject, at startedAt: Int64) {
        self.subject = subject
        self.startedAt = startedAt
    }

    init?(_ record: StoredRecord) {
        guard let subject = Subject(rawValue: record.id) else { return nil }
        self.subject = subject
        let document = record.document
        func keys(_ name: String) -> [OpenPGP.Fingerprint] {
            (document[name]?.array ?? []).compactMap { $0.string.flatMap { OpenPGP.Fingerprint(hex: $0) } }
        }
        old = keys("old_keys")
        new = keys("new_keys").first
        serial = document["serial"]?.integer ?? 0
        startedAt = document["started_at"]?.milliseconds ?? 0
        lost = (document["lost"]?.array ?? []).compactMap { $0.string.flatMap { Hostname($0) } }
    }

    var record: StoredRecord {
        let document: Document = [
            "old_keys": .array(old.map { .string("\($0)") }),
            "new_keys": .array([new].compactMap { $0.map { .string("\($0)") } }),
            "serial": .int(serial),
            "started_at": .date(milliseconds: startedAt),
            "lost": .array(lost.map { .string($0.name) }),
        ]
        return StoredRecord(id: subject.rawValue, document: document)
    }
}

extension RecordStore {
    /// The rotation that is under way.
    package func rotation(_ subject: Rotation.Subject) async throws(StoreError) -> Rotation? {
        try await record(.rotations, subject.rawValue).flatMap { Rotation($0) }
    }
}

/// How far the hosts of a fleet are with a rotation. Each is in one of the lists, by name.
package struct RotationProgress: Sendable, Equatable {
    /// Uses what is new.
    package var moved: [Hostname] = []
    /// Has registered its machine's key: takes what is new when it next asks.
    package var following: [Hostname] = []
    /// Its machine's key waits for an administrator.
    package var waiting: [Hostname] = []
    /// An agent of this software whose machine has registered no key yet: an older one, or one that has not asked since.
    package var unregistered: [Hostname] = []
    /// Agents of version 1, which cannot do this.
    package var version1: [Hostname] = []
    /// In the wrong hands.
    package var lost: [Hostname] = []

    /// Those that still use what is old.
    package var remaining: [Hostname] { following + waiting + unregistered + version1 }

    /// Looks at all hosts.
    init(_ rotation: Rotation, _ store: any FleetStore) async throws(StoreError) {
        let uses = try await store.keyUses()
        let machines = Dictionary(
            try await store.machines().map { ($0.hostname, $0) }, uniquingKeysWith: { first, _ in first })
        let hosts = try await store.reduceHosts(where: nil, into: [(Hostname, Bool)]()) { list, host in
            list.append((host.hostname, host.document["agent"] != nil))
        }
        for (host, isOurs) in hosts {
            let machine = machines[host] ?? Machine(host)
            let hasMoved =
                switch rotation.subject {
                case .client: uses[host].map { !rotation.old.contains($0) } ?? false
                case .server: rotation.new.map { machine.serverKey == $0 } ?? false
                case .certificate: machine.serial >= rotation.serial && rotation.serial > 0
                }
            if machine.isLost {
                lost.append(host)
            } else if hasMoved {
                moved.append(host)
            } else if machine.keys != nil {
                following.append(host)
            } else if !machine.claims.isEmpty {
                waiting.append(host)
            } else if isOurs {
                unregistered.append(host)
            } else {
                version1.append(host)
            }
        }
    }
}
