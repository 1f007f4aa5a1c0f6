import Foundation
import PDDocument
import PDProtocol
import PDTestSupport
import Testing

@testable import PDStore

@Suite("A MongoDB store in trouble", .enabled(if: MongoTestServer.program != nil), .timeLimit(.minutes(5)))
struct MongoFaultTests {
    /// Waits less than a server would, so that the tests are done sooner.
    private func settings(_ server: MongoTestServer) throws -> MongoSettings {
        var settings = try MongoSettings(uri: server.uri + "faults")
        settings.patience = .seconds(1)
        settings.retryTime = .seconds(1)
        return settings
    }

    @Test("A database that is lost fails calls in bounded time, and is used again once it is back")
    func lost() async throws {
        let server = try MongoTestServer(flags: ["--sync-on-commit"])
        defer { server.remove() }
        let store = try await MongoStore.open(settings(server))
        _ = try await store.record(submission("a", collectedAt: 1, plugins: ["x": 1]), submittedAt: 2)
        server.kill()
        let start = ContinuousClock.now
        await #expect(throws: StoreError.self) {
            _ = try await store.record(submission("a", collectedAt: 3, plugins: ["x": 2]), submittedAt: 4)
        }
        await #expect { _ = try await store.hosts() } throws: { isUnavailable($0) }
        // A hundred at once are not answered one after the other.
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    await #expect { _ = try await store.host("h\(number)") } throws: { isUnavailable($0) }
                }
            }
        }
        #expect(ContinuousClock.now - start < .seconds(20))

        try server.start()
        var receipt: SubmissionReceipt?
        for _ in 0..<100 where receipt == nil {
            // Until the driver has noticed.
            receipt = try? await store.record(
                submission("a", collectedAt: 3, plugins: ["x": 2]), submittedAt: 4)
        }
        #expect(receipt?.disposition == .stored)
        #expect(try await store.auditedKeys("a") == ["plugins.x"])
        try await store.close()
    }

    @Test("Nothing that was acknowledged is lost when the database is killed, and nothing is stored twice")
    func serverKilled() async throws {
        let server = try MongoTestServer(flags: ["--sync-on-commit"])
        defer { server.remove() }
        let store = try await MongoStore.open(settings(server))
        var number = 0
        for round in 0..<5 {
            let killing = Task.detached {
                try await Task.sleep(for: .milliseconds(100 + 150 * round))
                server.kill()
                try server.start()
            }
            let end = number + 150
            while number < end {
                // An agent sends the same report until it is taken.
                let report = try submission(
                    "a", collectedAt: Int64(1000 + number), plugins: ["n": .int(number)])
                do {
                    _ = try await store.record(report, submittedAt: Int64(2000 + number))
                    number += 1
                } catch {
                    guard isUnavailable(error) else { throw error }
                }
            }
            try await killing.value
        }
        let id = HostID(v1: try #require(Hostname("a")))
        #expect(try await store.document("a")[["plugins", "n"]] == .int(number - 1))
        #expect(
            try await store.auditTrail(of: id, limit: .max).map(\.change.new) == (1..<number).map { .int($0) }
        )
        try await store.close()
    }

    @Test("A database that cannot be reached is an error, or is waited for")
    func unreachable() async throws {
        let server = try MongoTestServer()
        defer { server.remove() }
        server.kill()
        let settings = try settings(server)
        await #expect { _ = try await MongoStore.open(settings) } throws: { isUnavailable($0) }
        let waiting = Task { try await StoreLocation.mongo(settings).open(waits: true) }
        try await Task.sleep(for: .milliseconds(500))
        try server.start()
        let store = try await waiting.value
        #expect(try await store.hosts().isEmpty)
        try await store.close()
    }

    @Test("A server without transactions is refused, and is left as it is")
    func standalone() async throws {
        let server = try MongoTestServer(flags: ["--standalone"])
        defer { server.remove() }
        let database = try MongoTestDatabase(server: server.uri)
        await #expect {
            _ = try await database.open()
        } throws: { error in
            if case .conflict(let reason) = error as? StoreError {
                reason.contains("--replSet")
            } else {
                false
            }
        }
        #expect(try await database.contents() == [:])
    }
}

@Suite("A MongoDB store with authentication and TLS", .enabled(if: MongoTestServer.program != nil))
struct MongoSecurityTests {
    private static let password = "p:a/s@s w%ö?"

    /// A certificate for 127.0.0.1 that nobody but the tests trusts.
    private func makeCertificate(_ directory: String) throws {
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=localhost",
            "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", directory + "/key.pem", "-out",
            directory + "/certificate.pem",
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0)
    }

    @Test("A user with a password, over TLS, has a whole store; nobody else has")
    func authenticated() async throws {
        let server = try MongoTestServer()
        defer { server.remove() }
        try await MongoTestDatabase(server: server.uri).raw { connection in
            try connection.run(
                [
                    "createUser": "pd", "pwd": .string(Self.password),
                    "roles": [["role": "root", "db": "admin"]],
                ], on: "admin")
        }
        server.kill()
        try makeCertificate(server.directory)
        try server.start(flags: [
            "--auth", "--tls-cert-file", server.directory + "/certificate.pem", "--tls-key-file",
            server.directory + "/key.pem",
        ])
        let plain = try MongoSettings(
            hosts: ["127.0.0.1:\(server.port)"], username: "pd", password: Self.password)
        let base = String(plain.uri.dropLast(plain.database.count))
        let tls = "?tls=true&tlsCAFile=\(server.directory)/certificate.pem"

        let kind = StoreKind(name: "MongoDB with TLS") { try MongoTestDatabase(server: base + tls) }
        try await SubmissionContractTests().auditsChanges(kind: kind)
        try await HostContractTests().listsHosts(kind: kind)
        try await HostContractTests().survivesClose(kind: kind)
        try await IssueContractTests().reconciles(kind: kind)
        try await ConcurrencyContractTests().chain(kind: kind)
        try await AdministrationContractTests().renames(kind: kind)

        let refused = [
            // Not the password, not TLS, not an authority that is trusted, nobody.
            base.replacingOccurrences(of: "pd:", with: "pd:x") + "x" + tls + "&authSource=admin",
            base + "x?authSource=admin",
            base + "x?tls=true&authSource=admin",
            "mongodb://127.0.0.1:\(server.port)/x" + tls,
        ]
        for uri in refused {
            var settings = try MongoSettings(uri: uri)
            settings.patience = .seconds(1)
            await #expect {
                _ = try await MongoStore.open(settings)
            } throws: { error in
                // Who is refused is told that; where there is no connection at all, nothing more can be known.
                let isRefused = if case .conflict = error as? StoreError { true } else { false }
                return (isRefused || isUnavailable(error)) && !"\(error)".contains("s@s")
                    && !"\(error)".contains("%40")
            }
        }
    }
}
