import Foundation
import PDDocument
import PDProtocol
import PDStore
import Testing

@Suite("A store and processes that are killed")
struct ProcessContractTests {
    /// How many hosts one child submits for.
    private static let hosts = 4

    /// How many submissions are made while processes are killed; `PENGUINDOME_TEST_KILLED_SUBMISSIONS=10000` for the
    /// long run.
    private static let submissions =
        ProcessInfo.processInfo.environment["PENGUINDOME_TEST_KILLED_SUBMISSIONS"].flatMap { Int($0) } ?? 400

    /// Milliseconds that a process is let work before it is killed: longer where getting over that takes a minute.
    private static func longestRun(_ kind: StoreKind) -> Int {
        kind.name == StoreKind.sqlite.name ? 700 : 10_000
    }

    /// A process that records submissions and writes down which were acknowledged.
    private struct Child {
        let process = Process()
        let output: String

        init(_ database: any TestDatabase, prefix: String, first: Int) throws {
            // Beside the test runner, where the build put it.
            let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            process.executableURL = URL(fileURLWithPath: runner).deletingLastPathComponent()
                .appendingPathComponent("store-crash-child")
            process.arguments = [database.uri, prefix, "\(ProcessContractTests.hosts)", "\(first)"]
            output = FileManager.default.temporaryDirectory.path + "/penguindome-child-\(UUID().uuidString)"
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

        /// Waits until it has written about each host. In MongoDB, the transaction of a process that was killed stands in
        /// the way for a minute.
        func waitForAll() async throws {
            for _ in 0..<15_000 {
                let names = try Set(lines().dropLast().map { $0.prefix { $0 != " " } })
                if names.count == ProcessContractTests.hosts { return }
                try #require(process.isRunning, "the child ended by itself")
                try await Task.sleep(for: .milliseconds(10))
            }
        }

        /// Ends it without warning; the answer is the last number that was acknowledged, by host.
        func kill() async throws -> [String: Int] {
            Glibc.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(process.terminationReason == .uncaughtSignal)
            defer { try? FileManager.default.removeItem(atPath: output) }
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

    /// A host and the numbers in its trail, as they were at one moment.
    ///
    /// A database server may still carry out the last request of a client that was killed. As the host and its trail are
    /// asked for one after the other, such a request may come between them: it did where the host has changed after.
    private func atOneMoment(
        _ host: FleetHost, _ store: any FleetStore
    ) async throws -> (stored: Int, steps: [Value?]) {
        var stored = try #require(host.document[["plugins", "counter", "value"]]?.integer)
        while true {
            let steps = try await store.auditTrail(of: host.id, limit: .max).map(\.change)
                .filter { $0.key == "plugins.counter.value" }.map(\.new)
            let after = try #require(try await store.host(host.id.description))
            let storedAfter = try #require(after.document[["plugins", "counter", "value"]]?.integer)
            if storedAfter == stored { return (stored, steps) }
            // Forwards only, so that this comes to an end.
            try #require(storedAfter > stored)
            stored = storedAfter
        }
    }

    /// Checks that a host holds what was acknowledged last or the one after it, and every step once in its trail.
    private func check(_ host: FleetHost, acknowledged: Int, _ store: any FleetStore) async throws -> Int {
        let (stored, steps) = try await atOneMoment(host, store)
        #expect(stored == acknowledged || stored == acknowledged + 1)
        #expect(steps == (1..<(steps.count + 1)).map { Value.int($0) })
        #expect(steps.last??.integer ?? 0 == stored)
        return stored
    }

    /// Tries again while the store is not available, for two minutes.
    private func patiently(_ body: () async throws -> Void) async throws {
        let end = ContinuousClock.now + .seconds(120)
        while true {
            do {
                return try await body()
            } catch {
                guard isUnavailable(error), ContinuousClock.now < end else { throw error }
            }
        }
    }

    @Test(
        "Nothing that was acknowledged is lost when the process is killed, and nothing is stored twice",
        arguments: StoreKind.all)
    func killed(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            var first = 0
            while first * Self.hosts < Self.submissions {
                let child = try Child(database, prefix: "h", first: first)
                // At least one more of each host, then at any moment.
                try await child.waitForAll()
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<Self.longestRun(kind))))
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
                        try await patiently {
                            _ = try await store.record(
                                submission(host.hostname.name, plugins: ["counter": ["value": .int(number)]]),
                                submittedAt: 1)
                        }
                    }
                }
                first = newest + 1
                try await store.close()
                try await database.checkIntegrity()
            }
        }
    }

    @Test(
        "Two processes write the same database, one of them is killed, the other goes on",
        arguments: StoreKind.all)
    func twoProcesses(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
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
