import Foundation
import GRDB
import PDDocument
import PDProtocol
import PDStore
import Testing

@Suite("A SQLite store and other processes")
struct SQLiteProcessTests {
    /// How many hosts one child submits for.
    private static let hosts = 4

    /// A process that records submissions and writes down which were acknowledged.
    private struct Child {
        let process = Process()
        let output: String

        init(_ database: SQLiteTestDatabase, prefix: String, first: Int) throws {
            // Beside the test runner, where the build put it.
            let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            process.executableURL = URL(fileURLWithPath: runner).deletingLastPathComponent()
                .appendingPathComponent("store-crash-child")
            process.arguments = [database.path, prefix, "\(SQLiteProcessTests.hosts)", "\(first)"]
            output = database.directory + "/output-\(UUID().uuidString)"
            try Data().write(to: URL(fileURLWithPath: output))
            process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
            try process.run()
        }

        /// Waits until it has written that many bytes more about acknowledgements, some ten for each.
        func wait(bytes: UInt64) async throws {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: output))
            let end = try file.seekToEnd() + bytes
            for _ in 0..<6000 where try file.seekToEnd() < end {
                try #require(process.isRunning, "the child ended by itself")
                try await Task.sleep(for: .milliseconds(2))
            }
        }

        /// Ends it without warning; the answer is the last number that was acknowledged, by host.
        func kill() async throws -> [String: Int] {
            Glibc.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(process.terminationReason == .uncaughtSignal)
            var last: [String: Int] = [:]
            for line in try lines() {
                let words = line.split(separator: " ")
                last[String(words[0])] = Int(words[1])
            }
            return last
        }

        private func lines() throws -> [Substring] {
            try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")
        }
    }

    /// Checks that a host holds what was acknowledged last or the one after it, and every step once in its trail.
    private func check(_ host: FleetHost, acknowledged: Int, _ store: any FleetStore) async throws -> Int {
        let stored = try #require(host.document[["plugins", "counter", "value"]]?.integer)
        #expect(stored == acknowledged || stored == acknowledged + 1)
        let steps = try await store.auditTrail(of: host.id, limit: .max).map(\.change)
            .filter { $0.key == "plugins.counter.value" }
        #expect(steps.map(\.new) == (1..<(steps.count + 1)).map { Value.int($0) })
        #expect(steps.last?.new?.integer ?? 0 == stored)
        return stored
    }

    @Test("Nothing that was acknowledged is lost when the process is killed, and nothing is stored twice")
    func killed() async throws {
        try await SQLiteTestDatabase.with { database in
            var first = 0
            for round in 0..<6 {
                let child = try Child(database, prefix: "h", first: first)
                try await child.wait(bytes: UInt64(400 + 370 * round))
                let acknowledged = try await child.kill()
                let store = try await database.open()
                let hosts = try await store.hosts()
                #expect(hosts.count == Self.hosts)
                var newest = 0
                for host in hosts {
                    let number = try #require(acknowledged[host.hostname.name])
                    newest = max(newest, try await check(host, acknowledged: number, store))
                }
                // All hosts go on from the same number, so that each trail is without a gap.
                for host in hosts {
                    var number = try #require(host.document[["plugins", "counter", "value"]]?.integer)
                    while number < newest {
                        number += 1
                        _ = try await store.record(
                            submission(host.hostname.name, plugins: ["counter": ["value": .int(number)]]),
                            submittedAt: 1)
                    }
                }
                first = newest + 1
                try await store.close()
                let integrity = try await database.rawConnection().read {
                    try String.fetchOne($0, sql: "PRAGMA integrity_check")
                }
                #expect(integrity == "ok")
            }
        }
    }

    @Test("Two processes write the same database, one of them is killed, the other goes on")
    func twoProcesses() async throws {
        try await SQLiteTestDatabase.with { database in
            let left = try Child(database, prefix: "left", first: 0)
            let right = try Child(database, prefix: "right", first: 0)
            try await left.wait(bytes: 1000)
            try await right.wait(bytes: 1000)
            var acknowledged = try await left.kill()
            let store = try await database.open()
            _ = try await store.record(submission("here", plugins: ["x": 1]), submittedAt: 1)
            try await right.wait(bytes: 1000)
            acknowledged.merge(try await right.kill()) { $1 }

            let hosts = try await store.hosts()
            #expect(hosts.count == 2 * Self.hosts + 1)
            for host in hosts where host.hostname.name != "here" {
                let number = try #require(acknowledged[host.hostname.name])
                _ = try await check(host, acknowledged: number, store)
            }
            try await store.close()
        }
    }
}
