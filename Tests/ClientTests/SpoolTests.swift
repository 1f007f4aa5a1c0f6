import Foundation
import Logging
import PDFiles
import Synchronization
import Testing

@testable import PDClient

/// Keeps what is logged.
final class LogLines: Sendable {
    private let storage = Mutex<[String]>([])

    var lines: [String] { storage.withLock { $0 } }

    func logger(_ level: Logger.Level = .trace) -> Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = level
        return logger
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.storage.withLock { $0.append("\(event.level): \(event.message) \(event.metadata ?? [:])") }
        }
    }
}

@Suite("The spool")
struct SpoolTests {
    private func report(_ number: Int, bytes: Int = 100) -> SignedReport {
        SignedReport(
            data: Array("{\"number\":\(number)}".utf8) + Array(repeating: 0x20, count: bytes),
            signature: Array("signature \(number)".utf8))
    }

    private func withSpool(
        _ limits: Spool.Limits = .init(), log: Logger = LogLines().logger(),
        _ body: (Spool, TemporaryDirectory) throws -> Void
    ) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let lock = try StateLock(directory.path + "/lock")
        try body(
            try Spool(directory: directory.path + "/spool", limits: limits, lock: lock, log: log), directory)
    }

    @Test("gives back the bytes that were put in, oldest first")
    func roundTrip() throws {
        try withSpool { spool, _ in
            for number in 0..<12 { try spool.add(report(number)) }
            let waiting = try spool.contents().waiting
            #expect(waiting.map { spool.read($0) } == (0..<12).map { report($0) })
            #expect(waiting.map(\.name) == waiting.map(\.name).sorted())
            try spool.remove(waiting[0])
            #expect(try spool.contents().waiting == Array(waiting.dropFirst()))
        }
    }

    @Test("is for its owner alone")
    func modes() throws {
        try withSpool { spool, directory in
            try spool.add(report(1))
            for (path, mode) in [
                ("/spool", 0o700), ("/spool/0000000000000001.report", 0o600), ("/lock", 0o600),
            ] {
                let found = try FileManager.default.attributesOfItem(atPath: directory.path + path)
                #expect(found[.posixPermissions] as? Int == mode, "\(path)")
            }
        }
    }

    @Test("drops the oldest when there are too many, and says so")
    func count() throws {
        let log = LogLines()
        var limits = Spool.Limits()
        limits.reports = 3
        try withSpool(limits, log: log.logger()) { spool, _ in
            for number in 1...5 { try spool.add(report(number)) }
            #expect(try spool.contents().waiting.map { try spool.read($0) } == (3...5).map { report($0) })
            #expect(log.lines.count == 2)
            #expect(log.lines.allSatisfy { $0.contains("dropped the oldest report: 3 reports or") })
        }
    }

    @Test("drops the oldest when they take too much, but never the newest")
    func bytes() throws {
        var limits = Spool.Limits()
        limits.bytes = 2500
        try withSpool(limits) { spool, _ in
            for number in 1...4 { try spool.add(report(number, bytes: 1000)) }
            #expect(try spool.contents().waiting.count == 2)
            #expect(try spool.contents().byteCount <= 2500)
            try spool.add(report(5, bytes: 2400))
            #expect(try spool.contents().waiting.map { try spool.read($0) } == [report(5, bytes: 2400)])
        }
    }

    @Test("keeps the newest refused reports apart, and goes on numbering after them")
    func bad() throws {
        var limits = Spool.Limits()
        limits.badReports = 2
        try withSpool(limits) { spool, _ in
            for number in 1...3 { try spool.add(report(number)) }
            for entry in try spool.contents().waiting { try spool.setAside(entry) }
            let contents = try spool.contents()
            #expect(contents.waiting.isEmpty)
            #expect(contents.bad.map(\.name) == ["0000000000000002.bad", "0000000000000003.bad"])
            try spool.add(report(4))
            #expect(try spool.contents().waiting.map(\.name) == ["0000000000000004.report"])
        }
    }

    @Test("clears away what a crash left half-written, and leaves alone what is not its own")
    func leftovers() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try directory.write("half", to: "/spool/0000000000000007.report.tmp")
        try directory.write("mine", to: "/spool/notes.txt")
        try directory.write("mine", to: "/spool/12.report")
        let lock = try StateLock(directory.path + "/lock")
        let spool = try Spool(directory: directory.path + "/spool", lock: lock, log: LogLines().logger())
        #expect(try spool.contents().waiting.isEmpty)
        #expect(try Files.names(in: directory.path + "/spool") == ["12.report", "notes.txt"])
    }

    @Test(
        "knows a damaged file",
        arguments: [
            "", "penguindome-report 1 ", "penguindome-report 1 2 1\nab", "penguindome-report 1 2 1\nabcd",
            "penguindome-report 1 -1 4\nabc", "penguindome-report 1 9223372036854775807 1\nabc",
            "penguindome-report 1 2 9223372036854775807\nabc", "penguindome-report 2 2 1\nabc",
            "penguindome-report 1 2\nab",
        ])
    func damaged(content: String) {
        #expect(SignedReport(fileContent: Array(content.utf8)) == nil)
    }

    @Test("does not follow a link that lies in a report's place")
    func links() throws {
        try withSpool { spool, directory in
            try directory.write("secret", to: "/elsewhere")
            try directory.link("/spool/0000000000000001.report", to: "../elsewhere")
            let entry = try #require(try spool.contents().waiting.first)
            #expect(spool.read(entry) == nil)
        }
    }

    @Test("is worked on by one process at a time")
    func locking() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/lock"
        var first: StateLock? = try StateLock(path)
        #expect { try StateLock(path) } throws: { ($0 as? FileError)?.code == EWOULDBLOCK }
        withExtendedLifetime(first) {}
        first = nil
        _ = try StateLock(path)
    }

    @Test("loses and breaks nothing when its process is killed at any moment")
    func killed() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        setenv("PD_TEST_SPOOL", directory.path, 1)
        defer { unsetenv("PD_TEST_SPOOL") }
        for round in 1...30 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                let path = try #require(getenv("PD_TEST_SPOOL").map { String(cString: $0) })
                let lock = try StateLock(path + "/lock")
                let killer = Thread {
                    usleep(UInt32.random(in: 0...20_000))
                    kill(getpid(), SIGKILL)
                }
                killer.start()
                let spool = try Spool(directory: path + "/spool", lock: lock, log: Logger(label: "child"))
                let progress = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
                for number in 0... {
                    try spool.add(
                        SignedReport(
                            data: Array(repeating: UInt8(number & 0xFF), count: 20_000 + number),
                            signature: Array("\(number)".utf8)))
                    // What has been promised, for the parent to count.
                    write(progress, "x", 1)
                }
            }
            let acknowledged = Files.size(directory.path + "/acknowledged") ?? 0
            let lock = try StateLock(directory.path + "/lock")
            let spool = try Spool(directory: directory.path + "/spool", lock: lock, log: LogLines().logger())
            let waiting = try spool.contents().waiting
            // All that was promised is there; in each round, one more may have come to disk just before the end.
            #expect((acknowledged...(acknowledged + round)).contains(waiting.count))
            for entry in waiting {
                let report = try #require(try spool.read(entry))
                let number = try #require(Int(String(decoding: report.signature, as: UTF8.self)))
                #expect(report.data == Array(repeating: UInt8(number & 0xFF), count: 20_000 + number))
            }
            #expect(try Files.names(in: directory.path + "/spool").allSatisfy { $0.hasSuffix(".report") })
        }
        #expect((Files.size(directory.path + "/acknowledged") ?? 0) > 0)
    }

    @Test("leaves what it has alone when the disk is full, and nothing half-written")
    func fullDisk() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        setenv("PD_TEST_FULL_SPOOL", directory.path, 1)
        defer { unsetenv("PD_TEST_FULL_SPOOL") }
        await #expect(processExitsWith: .exitCode(EXIT_SUCCESS)) {
            let path = try #require(getenv("PD_TEST_FULL_SPOOL").map { String(cString: $0) })
            let lock = try StateLock(path + "/lock")
            let spool = try Spool(directory: path + "/spool", lock: lock, log: Logger(label: "child"))
            try spool.add(SignedReport(data: [1, 2, 3], signature: [4]))
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1000, rlim_max: 1000)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            do {
                try spool.add(SignedReport(data: Array(repeating: 0, count: 5000), signature: [4]))
                exit(1)
            } catch let error as FileError {
                guard error.operation == "write", error.code == EFBIG else { exit(2) }
            }
            guard try Files.names(in: path + "/spool") == ["0000000000000001.report"],
                try spool.read(spool.contents().waiting[0]) == SignedReport(data: [1, 2, 3], signature: [4])
            else { exit(3) }
            // There is room for a small one again.
            try spool.add(SignedReport(data: [5], signature: [6]))
            exit(0)
        }
    }

    @Test("survives a file system without room", .enabled(if: geteuid() == 0, "mounting takes root"))
    func fullFileSystem() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try directory.makeDirectory("/small")
        try #require(mount("tmpfs", directory.path + "/small", "tmpfs", 0, "size=64k") == 0)
        defer { umount2(directory.path + "/small", 2) }
        let lock = try StateLock(directory.path + "/lock")
        let spool = try Spool(
            directory: directory.path + "/small/spool", lock: lock, log: LogLines().logger())
        var added = 0
        #expect {
            while added < 100 {
                try spool.add(report(added, bytes: 10_000))
                added += 1
            }
        } throws: { ($0 as? FileError)?.code == ENOSPC }
        #expect(added > 0)
        #expect(
            try spool.contents().waiting.map { try spool.read($0) }
                == (0..<added).map { report($0, bytes: 10_000) })
        #expect(try Files.names(in: directory.path + "/small/spool").count == added)
        try spool.remove(spool.contents().waiting[0])
        try spool.add(report(99, bytes: 5000))
    }
}
