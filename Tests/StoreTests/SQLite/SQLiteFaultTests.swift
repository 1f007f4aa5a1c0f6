import Foundation
import GRDB
import PDDocument
import PDProtocol
import Testing

@testable import PDStore

@Suite("A SQLite store in trouble")
struct SQLiteFaultTests {
    private func impatient(_ database: SQLiteTestDatabase) async throws -> SQLiteStore {
        var settings = SQLiteStore.Settings()
        settings.busyTimeout = .milliseconds(200)
        return try await SQLiteStore.open(path: database.path, settings: settings)
    }

    /// Waits until that many submissions are in the store's queue.
    private func waiting(_ count: Int, _ store: SQLiteStore) async throws {
        for _ in 0..<1000 where store.submissions.count < count {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(store.submissions.count == count)
    }

    @Test("While another process holds the lock, writes fail in bounded time and reads go on")
    func locked() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await impatient(database)
            let id = try await store.record(submission("a", plugins: ["x": 1]), submittedAt: 1).id
            let other = try database.rawConnection()
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }

            let begin = ContinuousClock.now
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        await #expect(
                            performing: {
                                try await store.record(submission("a", plugins: ["x": 2]), submittedAt: 2)
                            },
                            throws: isUnavailable)
                    }
                }
            }
            await #expect(
                performing: { try await store.reconcileIssues(found: ["c": [id]], at: 1) },
                throws: isUnavailable)
            // Three times the timeout at most; much slack for a busy machine.
            #expect(ContinuousClock.now - begin < .seconds(5))
            #expect(try await store.document("a")[["plugins", "x"]] == 1)

            try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            #expect(
                try await store.record(submission("a", plugins: ["x": 3]), submittedAt: 3).disposition
                    == .stored)
            #expect(try await store.document("a")[["plugins", "x"]] == 3)
            try await store.close()
        }
    }

    @Test(
        "p169_A report waits for a lock through one failure at most, though others prove meanwhile that writes fail"
    )
    func lockedWithProbes() async throws {
        try await SQLiteTestDatabase.with { database in
            var settings = SQLiteStore.Settings()
            settings.busyTimeout = .seconds(1)
            let store = try await SQLiteStore.open(path: database.path, settings: settings)
            let other = try database.rawConnection()
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
            try await withThrowingTaskGroup(of: Duration.self) { group in
                group.addTask { try await refusal(of: store, "first") }
                try await committing(store)
                for _ in 0..<3 {
                    group.addTask {
                        await #expect(throws: StoreError.self) {
                            try await store.proveWritable(holder: "p", at: 1, patience: .milliseconds(200))
                        }
                        return .zero
                    }
                }
                group.addTask { try await refusal(of: store, "second") }
                for try await waited in group { #expect(waited < .milliseconds(2300)) }
            }
            try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            try await store.proveWritable(holder: "p", at: 1, patience: .zero)
            try await store.close()
        }
    }

    /// How long it took until a report could not be stored.
    private func refusal(of store: SQLiteStore, _ name: String) async throws -> Duration {
        let begin = ContinuousClock.now
        let report = try submission(name, plugins: [:])
        await #expect(performing: { try await store.record(report, submittedAt: 1) }, throws: isUnavailable)
        return ContinuousClock.now - begin
    }

    @Test("A store can be opened and read while another process writes")
    func openedWhileLocked() async throws {
        try await SQLiteTestDatabase.with { database in
            let server = try await database.open()
            _ = try await server.record(submission("a", plugins: [:]), submittedAt: 1)
            let other = try database.rawConnection()
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            let tool = try await impatient(database)
            #expect(try await tool.hosts().count == 1)
            try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            try await tool.close()
            try await server.close()
        }
    }

    @Test("p167_A process that commits without a break on a slow disk lets others have their turn")
    func turns() async throws {
        try await SQLiteTestDatabase.with { database in
            let server = try #require(try await database.open() as? SQLiteStore)
            let isOver = Locked(false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await server.pool.writeWithoutTransaction { db in
                        while !isOver.withLock({ $0 }) {
                            try server.turns.write {
                                try db.inTransaction(.immediate) {
                                    // As long as a slow disk takes to have the log written.
                                    usleep(60_000)
                                    return .commit
                                }
                            }
                        }
                    }
                }
                defer { isOver.withLock { $0 = true } }
                var settings = SQLiteStore.Settings()
                settings.busyTimeout = .seconds(2)
                let tool = try await SQLiteStore.open(path: database.path, settings: settings)
                for number in 0..<10 {
                    _ = try await tool.record(submission("h\(number)", plugins: [:]), submittedAt: 1)
                }
                try await tool.close()
            }
            #expect(try await server.hosts().count == 10)
            try await server.close()
        }
    }

    @Test("A queue that is full turns submissions away at once, and serves those that wait")
    func backpressure() async throws {
        try await SQLiteTestDatabase.with { database in
            var settings = SQLiteStore.Settings()
            settings.maximumWaiting = 4
            settings.busyTimeout = .seconds(30)
            let store = try await SQLiteStore.open(path: database.path, settings: settings)
            let other = try database.rawConnection()
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                // The first is taken out of the queue, and waits for the lock.
                group.addTask {
                    _ = try await store.record(submission("first", plugins: [:]), submittedAt: 1)
                }
                try await committing(store)
                for number in 0..<4 {
                    group.addTask {
                        _ = try await store.record(submission("h\(number)", plugins: [:]), submittedAt: 1)
                    }
                }
                try await waiting(4, store)
                let begin = ContinuousClock.now
                await #expect(
                    performing: { try await store.record(submission("h5", plugins: [:]), submittedAt: 1) },
                    throws: isUnavailable)
                #expect(ContinuousClock.now - begin < .seconds(5))
                try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
                try await group.waitForAll()
            }
            #expect(try await store.hosts().map(\.hostname.name) == ["first", "h0", "h1", "h2", "h3"])
            try await store.close()
        }
    }

    @Test("Closing commits what waits before it closes")
    func closeCommits() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await SQLiteStore.open(path: database.path)
            let other = try database.rawConnection()
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try await store.record(submission("first", plugins: [:]), submittedAt: 1)
                }
                try await committing(store)
                for number in 0..<4 {
                    group.addTask {
                        _ = try await store.record(submission("h\(number)", plugins: [:]), submittedAt: 1)
                    }
                }
                try await waiting(4, store)
                group.addTask { try await store.close() }
                try await Task.sleep(for: .milliseconds(100))
                try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
                try await group.waitForAll()
            }
            let again = try await database.open()
            #expect(try await again.hosts().count == 5)
            try await again.close()
        }
    }

    /// Waits until a commit has begun and nothing else waits.
    private func committing(_ store: SQLiteStore) async throws {
        for _ in 0..<1000 where !(store.submissions.isCommitting && store.submissions.count == 0) {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(store.submissions.isCommitting && store.submissions.count == 0)
    }

    @Test("Submissions are bounded by their size as well, but one is always taken")
    func backpressureBySize() async throws {
        let queue = SubmissionQueue(maximumCount: 100, maximumBytes: 10_000)
        let large = HostReport(
            try submission("a", plugins: ["x": .string(String(repeating: "x", count: 9000))]), submittedAt: 1)
        var admissions: [SubmissionQueue.Admission] = []
        let receipt: Result<SubmissionReceipt, StoreError> = await withCheckedContinuation { caller in
            for _ in 0..<3 {
                admissions.append(queue.offer(SubmissionQueue.Entry(report: large, caller: caller)))
                if admissions.count == 2 { _ = queue.takeGroup() }
            }
            caller.resume(returning: .failure(.unavailable(reason: "test")))
        }
        #expect(admissions == [.first, .full, .queued])
        #expect(receipt == .failure(.unavailable(reason: "test")))
    }

    @Test("A submission that cannot be stored does not fail the others of its group")
    func failsAlone() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await database.open() as? SQLiteStore
            let sqlite = try #require(store)
            for name in ["fine", "damaged"] {
                _ = try await sqlite.record(submission(name, plugins: ["x": 1]), submittedAt: 1)
            }
            let other = try database.rawConnection()
            try await other.writeWithoutTransaction { db in
                try db.execute(sql: "UPDATE hosts SET document = x'0500' WHERE hostname = 'damaged'")
                try db.execute(
                    sql: """
                        CREATE TRIGGER clash BEFORE INSERT ON hosts WHEN new.hostname = 'clash'
                        BEGIN SELECT raise(ABORT, 'clash'); END
                        """)
                try db.execute(sql: "BEGIN IMMEDIATE")
            }
            let names = ["first", "fine", "damaged", "new", "clash", "newer"]
            let failed = try await withThrowingTaskGroup(of: String?.self) { group in
                for (number, name) in names.enumerated() {
                    group.addTask {
                        do {
                            _ = try await sqlite.record(submission(name, plugins: ["x": 2]), submittedAt: 2)
                            return nil
                        } catch  where isCorrupt(error) {
                            return name
                        }
                    }
                    // All but the first wait together, in this order.
                    if number == 0 { try await committing(sqlite) } else { try await waiting(number, sqlite) }
                }
                try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
                return try await group.reduce(into: Set()) { if let name = $1 { $0.insert(name) } }
            }
            #expect(failed == ["damaged", "clash"])
            for name in ["first", "fine", "new", "newer"] {
                #expect(try await sqlite.document(name)[["plugins", "x"]] == 2)
            }
            #expect(try await sqlite.auditedKeys("fine") == ["plugins.x"])
            #expect(try await sqlite.host("clash") == nil)
            try await sqlite.close()
        }
    }

    @Test("A damaged page fails the host that lies on it, and not the others of its group")
    func damagedPage() async throws {
        try await SQLiteTestDatabase.with { database in
            let large = String(repeating: "M", count: 30_000)
            let first = try await database.open()
            _ = try await first.record(submission("damaged", plugins: ["x": .string(large)]), submittedAt: 1)
            try await first.close()
            // A page that is filled with the text but for the number of the next one, in its first four bytes.
            var file = try Data(contentsOf: URL(fileURLWithPath: database.path))
            let page = try #require(
                stride(from: 0, to: file.count, by: 4096).first { start in
                    file[(start + 4)..<(start + 4096)].allSatisfy { $0 == UInt8(ascii: "M") }
                })
            file.replaceSubrange(page..<(page + 4), with: [0x7F, 0xFF, 0xFF, 0xFF])
            try file.write(to: URL(fileURLWithPath: database.path))

            let store = try await SQLiteStore.open(path: database.path)
            let other = try database.rawConnection()
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try await store.record(submission("first", plugins: [:]), submittedAt: 1)
                }
                try await committing(store)
                group.addTask {
                    _ = try await store.record(submission("before", plugins: [:]), submittedAt: 1)
                }
                try await waiting(1, store)
                group.addTask {
                    await #expect(
                        performing: {
                            try await store.record(submission("damaged", plugins: [:]), submittedAt: 2)
                        },
                        throws: isCorrupt)
                }
                try await waiting(2, store)
                group.addTask {
                    _ = try await store.record(submission("after", plugins: [:]), submittedAt: 1)
                }
                try await waiting(3, store)
                try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
                try await group.waitForAll()
            }
            for name in ["first", "before", "after"] { #expect(try await store.host(name) != nil) }
            await #expect(performing: { try await store.hosts() }, throws: isCorrupt)
            try await store.close()
        }
    }

    @Test(
        "A damaged row is an error that says so",
        arguments: [
            "document = x''", "document = x'0600000000'", "id = 'x'", "hostname = '../../x'",
            "document = x'ff'",
        ])
    func damagedRow(damage: String) async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await database.open()
            _ = try await store.record(submission("a", plugins: [:]), submittedAt: 1)
            try await database.rawConnection().write { try $0.execute(sql: "UPDATE hosts SET \(damage)") }
            await #expect(performing: { try await store.hosts() }, throws: isCorrupt)
            try await store.close()
        }
    }

    @Test("When no page is left, submissions fail, nothing is half written, and it works again with room")
    func outOfPages() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await SQLiteStore.open(path: database.path)
            try await store.pool.writeWithoutTransaction { db in
                let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                try db.execute(sql: "PRAGMA max_page_count = \(pages + 40)")
            }
            try await fillUp(store)
            try await store.pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA max_page_count = 1000000")
            }
            try await worksAgain(store)
            try await store.close()
        }
    }

    @Test(
        "When the disk is full, submissions fail, nothing is half written, and it works again with room",
        .enabled(if: Tmpfs.isAvailable, "needs root and the right to mount"))
    func diskFull() async throws {
        try await SQLiteTestDatabase.with { database in
            let disk = try Tmpfs(at: database.directory + "/state", megabytes: 4)
            let store = try await SQLiteStore.open(path: database.path)
            let ballast = database.directory + "/state/ballast"
            try Data(count: 1 << 20).write(to: URL(fileURLWithPath: ballast))
            try await fillUp(store)
            try FileManager.default.removeItem(atPath: ballast)
            try await worksAgain(store)
            try await store.close()
            try disk.unmount()
        }
    }

    /// Submits until it fails, then checks that exactly what was acknowledged is there.
    private func fillUp(_ store: SQLiteStore) async throws {
        let text = String(repeating: "x", count: 10_000)
        var acknowledged: [String: Int] = [:]
        var failures = 0
        for number in 0..<2000 where failures < 5 {
            let name = "h\(number % 100)"
            do {
                _ = try await store.record(
                    submission(
                        name, plugins: ["n": .int(number), "text": .string(text), "again": .int(number)]),
                    submittedAt: Int64(number))
                acknowledged[name] = number
            } catch StoreError.unavailable {
                failures += 1
            }
        }
        #expect(failures == 5)
        #expect(!acknowledged.isEmpty)
        let hosts = try await store.hosts()
        #expect(hosts.count == acknowledged.count)
        for host in hosts {
            let number = try #require(acknowledged[host.hostname.name])
            #expect(host.document[["plugins", "n"]] == .int(number))
            let trail = try await store.auditTrail(of: host.id, limit: .max)
            #expect(trail.last.map { $0.change.new == .int(number) } ?? (number < 100))
            #expect(trail.count.isMultiple(of: 2))
        }
    }

    private func worksAgain(_ store: SQLiteStore) async throws {
        let receipt = try await store.record(
            submission("after", plugins: ["text": .string(String(repeating: "y", count: 100_000))]),
            submittedAt: 9)
        #expect(receipt.disposition == .newHost)
        let check = try await store.pool.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
        #expect(check == "ok")
    }
}

/// A small disk in memory.
struct Tmpfs {
    let path: String

    init(at path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { throw POSIXError(.EPERM) }
    }

    func unmount() throws {
        guard umount2(path, Int32(MNT_DETACH)) == 0 else { throw POSIXError(.EBUSY) }
    }

    /// Whether this process may mount, found out by doing it.
    static let isAvailable: Bool = {
        let path = FileManager.default.temporaryDirectory.path + "/penguindome-tmpfs-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        return (try? Tmpfs(at: path, megabytes: 1).unmount()) != nil
    }()
}
