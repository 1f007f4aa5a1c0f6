import Foundation
import PDDocument
import PDFleet
import PDProtocol
import PDStore
import Testing

/// A fleet in a database of its own, whose hosts are as a test wants them.
final class StoredFleet: Sendable {
    let store: any FleetStore
    let directory: URL

    init(_ hosts: [FleetHost] = []) async throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "fleet-\(UUID().uuidString)")
        store = try await SQLiteStore.open(path: directory.appending(path: "fleet.sqlite").path)
        for host in hosts { try await set(host) }
    }

    deinit {
        let (store, directory) = (store, directory)
        Task {
            try? await store.close()
            try? FileManager.default.removeItem(at: directory)
        }
    }

    /// The same with files of settings, as servers and tools open it.
    func opened(checks: String, settings: String = "port: 8080") throws -> Fleet {
        let state = ServerState(directory: directory)
        try Data(checks.utf8).write(to: state.checksFile)
        return Fleet(
            state: state, settings: try ServerSettings(yaml: settings, file: "server.yml"), store: store)
    }

    /// Puts a host there, or another document in the place of what it had; its issues stay.
    func set(_ host: FleetHost) async throws {
        let issues = try await store.archive(of: host.id)?.issues ?? []
        try await store.put(HostArchive(host: host, auditTrail: [], issues: issues))
    }

    /// A host with that name, and that much of a document.
    static func host(_ name: String, _ fields: Document = [:], at submittedAt: Int64) throws -> FleetHost {
        let hostname = try #require(Hostname(name))
        return FleetHost(
            id: HostID(v1: hostname), hostname: hostname, submittedAt: submittedAt,
            document: Document(
                [("hostname", .string(name)), ("submitted_at", .date(milliseconds: submittedAt))]
                    + fields.map { ($0.key, $0.value) }))
    }
}
