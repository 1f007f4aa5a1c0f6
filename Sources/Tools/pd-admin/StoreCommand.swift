import ArgumentParser
import Foundation
import PDBasics
import PDDocument
import PDFiles
import PDFleet
import PDServerToolSupport
import PDStore
import PDToolSupport

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "The database: copy, back up, restore, check, prune.",
        subcommands: [Copy.self, Backup.self, Restore.self, Check.self, Prune.self])

    struct Copy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy a whole fleet from one database to another, and verify it.",
            discussion: """
                A database is named as sqlite:PATH, mongodb://USER:PASSWORD@HOST/NAME, or env:NAME for the variable that \
                holds one of these, since everybody on the machine can see the arguments of a program. A copy that was broken off goes \
                on when it is started again; what the target has and the source has not is never removed. Stop the \
                server first: what it writes meanwhile makes the verification fail.
                """)

        @Option(help: ArgumentHelp("The database to read.", valueName: "uri"))
        var from: String

        @Option(help: ArgumentHelp("The database to write.", valueName: "uri"))
        var to: String

        @Flag(help: "Write JSON instead of text.")
        var json = false

        func run() async throws {
            let source = try location(from, "--from")
            let target = try location(to, "--to")
            guard source != target else {
                throw ToolFailure(.usage, "--from and --to name the same database")
            }
            let receipt = try await owner(of: [source, target]) {
                try await copyFleet(from: source, to: target)
            }
            if json {
                print(receipt.summary.json(pretty: true))
            } else {
                print("Copied from \(source) to \(target), and verified: \(receipt.text).")
            }
        }

        /// Works as whom the directories of the SQLite files belong to, of whom there must be one beside root.
        private func owner<Result>(
            of places: [StoreLocation], _ body: () async throws -> Result
        ) async throws -> Result {
            var foreign: OwnedDirectory?
            for case .sqlite(let path) in places {
                let directory = try OwnedDirectory(URL(filePath: path).deletingLastPathComponent().path)
                guard directory.isForeign else { continue }
                guard foreign.map({ $0.owner.user == directory.owner.user }) ?? true else {
                    throw ToolFailure(.failed, "the databases belong to two users: copy as one of them")
                }
                foreign = directory
            }
            guard let foreign else { return try await body() }
            return try await foreign.perform(body)
        }

        private func location(_ uri: String, _ option: String) throws -> StoreLocation {
            do {
                return try StoreLocation(uri: uri)
            } catch {
                throw ToolFailure(.usage, "\(option): \(error)")
            }
        }
    }

    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a copy of the database while it is used.",
            discussion: """
                The copy is an SQLite file, whatever the database is. Only the copy of an SQLite database is of one \
                moment.
                """)

        @OptionGroup var options: FleetOptions

        @Argument(help: "A file that does not exist.")
        var file: String

        func run() async throws {
            let place = try options.place()
            if place.isForeign {
                // The database is read as its owner, who may not write where root wants the backup.
                let name = "backup-\(UUID().uuidString).part"
                defer {
                    // What is left of it is in nobody's way.
                    try? place.perform { try Files.remove("\(place.path)/\(name)") }
                }
                try await write(to: "\(place.path)/\(name)")
                try place.read(name) { try Files.copy(from: $0, toNew: file) }
            } else {
                try await write(to: file)
            }
            if options.json {
                print((["file": .string(file)] as Document).json(pretty: true))
            } else {
                print("Wrote \(file).")
            }
        }

        private func write(to file: String) async throws {
            try await options.withFleet { fleet in
                if let store = fleet.store as? SQLiteStore {
                    try await store.backup(to: file)
                } else {
                    guard !FileManager.default.fileExists(atPath: file) else {
                        throw ToolFailure(.failed, "\(file) exists already")
                    }
                    // Under its name only once it is whole; one that was broken off is taken up again.
                    let partial = file + ".copying"
                    try await copyFleet(from: fleet.store, to: .sqlite(path: partial))
                    let copy = try await SQLiteStore.open(path: partial)
                    try await closing(copy) { try await copy.backup(to: file) }
                    for suffix in ["", "-wal", "-shm"]
                    where FileManager.default.fileExists(atPath: partial + suffix) {
                        try FileManager.default.removeItem(atPath: partial + suffix)
                    }
                }
            }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a backup in the place of what the database has.",
            discussion: """
                The backup is checked first; one that is damaged changes nothing. An SQLite database is replaced in one \
                step, also while a server uses it. A MongoDB database has to be empty, or to hold a part of the backup.
                """)

        @OptionGroup var options: FleetOptions

        @Argument(help: "What pd-admin store backup wrote.")
        var file: String

        func run() async throws {
            let place = try options.place()
            if place.isForeign {
                // Root may read it, and the owner of the database may not.
                let own = "\(place.path)/restore-\(UUID().uuidString).part"
                defer {
                    // What is left of it is in nobody's way.
                    try? place.perform { try Files.remove(own) }
                }
                let descriptor = open(file, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { throw FileError(operation: "open", path: file, code: errno) }
                defer { close(descriptor) }
                try place.perform { try Files.copy(from: descriptor, toNew: own) }
                try await restore(own)
            } else {
                try await restore(file)
            }
            if options.json {
                print((["restored": .string(file)] as Document).json(pretty: true))
            } else {
                print("Restored \(file).")
            }
        }

        private func restore(_ file: String) async throws {
            try await options.withFleet { fleet in
                if let store = fleet.store as? SQLiteStore {
                    try await store.restore(from: file)
                } else {
                    let copy =
                        FileManager.default.temporaryDirectory.path + "/pd-restore-\(UUID().uuidString)"
                    defer { SQLiteStore.removeDatabase(copy) }
                    try await SQLiteStore.copyBackup(file, to: copy)
                    let backup = try await StoreLocation.sqlite(path: copy).open()
                    try await closing(backup) {
                        if let problem = try await backup.check().first {
                            throw ToolFailure(.failed, "the backup \(file) is not restored: \(problem)")
                        }
                        _ = try await FleetCopy(from: backup, to: fleet.store).run(at: options.now())
                    }
                }
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read everything in the database, and tell what is wrong. Changes nothing.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let problems = try await options.withFleet { try await $0.store.check() }
            options.show(problems.map { ["problem": .string($0)] }) {
                problems.isEmpty
                    ? "The database is sound." : problems.map(Table.printable).joined(separator: "\n")
            }
            if !problems.isEmpty { throw ExitCode(ToolFailure.Code.failed.rawValue) }
        }
    }

    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove old records of the audit trail and old closed issues.",
            discussion: "Without an option, what the settings under retention say; without those, nothing.")

        @OptionGroup var options: FleetOptions

        @Option(
            help: ArgumentHelp(
                "Remove records of the audit trail that are older, for instance 90d.", valueName: "span"))
        var auditTrail: String?

        @Option(
            help: ArgumentHelp(
                "Remove issues that were closed longer ago, for instance 30d.", valueName: "span"))
        var closedIssues: String?

        func run() async throws {
            let asked = ServerSettings.Retention(
                auditTrail: try span(auditTrail, "--audit-trail"),
                closedIssues: try span(closedIssues, "--closed-issues"))
            let receipt = try await options.withFleet { fleet in
                if asked == ServerSettings.Retention() { return try await fleet.prune(at: options.now()) }
                return try await fleet.store.prune(asked, at: options.now())
            }
            guard let receipt else {
                throw ToolFailure(
                    .usage, "nothing says what is old: use --audit-trail or --closed-issues, or set retention"
                )
            }
            if options.json {
                let summary: Document = [
                    "audit_records": .int(receipt.auditRecords), "closed_issues": .int(receipt.closedIssues),
                ]
                print(summary.json(pretty: true))
            } else {
                print(
                    "Removed \(receipt.auditRecords) audit records and \(receipt.closedIssues) closed issues."
                )
            }
        }

        private func span(_ text: String?, _ option: String) throws -> TimeSpan? {
            guard let text else { return nil }
            guard let span = TimeSpan(text) else {
                throw ToolFailure(.usage, "\(option) must be \(TimeSpan.form)")
            }
            return span
        }
    }
}

// MARK: - Copying

/// Copies between two places.
private func copyFleet(from source: StoreLocation, to target: StoreLocation) async throws -> FleetCopy.Receipt
{
    let store: any FleetStore
    do {
        store = try await source.open(mustHoldFleet: true)
    } catch {
        throw ToolFailure(explaining: error)
    }
    return try await closing(store) { try await copyFleet(from: store, to: target) }
}

@discardableResult
private func copyFleet(from source: any FleetStore, to target: StoreLocation) async throws
    -> FleetCopy.Receipt
{
    do {
        let store = try await target.open(mustExist: false)
        return try await closing(store) {
            var bar = ProgressBar()
            defer { bar.finish() }
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            return try await FleetCopy(from: source, to: store).run(at: now) { bar.show($0) }
        }
    } catch {
        throw ToolFailure(explaining: error)
    }
}

/// Lends a store and closes it.
private func closing<Result>(_ store: any FleetStore, _ body: () async throws -> Result) async throws
    -> Result
{
    do {
        let result = try await body()
        try await store.close()
        return result
    } catch {
        // The first error is the one to tell.
        try? await store.close()
        throw error
    }
}

/// A bar on standard error, where that is a terminal.
private struct ProgressBar {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shown = ""

    mutating func show(_ progress: FleetCopy.Progress) {
        guard isTerminal, progress.total > 0 else { return }
        let width = 40
        let filled = width * progress.done / progress.total
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let percent = 100 * progress.done / progress.total
        let text = "\r\(progress.phase.rawValue) [\(bar)] \(percent) %"
        guard text != shown else { return }
        shown = text
        FileHandle.standardError.write(Data(text.utf8))
    }

    func finish() {
        if !shown.isEmpty { FileHandle.standardError.write(Data("\n".utf8)) }
    }
}

extension FleetCopy.Receipt {
    /// The members that scripts rely on.
    fileprivate var summary: Document {
        [
            "hosts": .int(hosts), "audit_records": .int(auditRecords), "issues": .int(issues),
            "patches": .int(patches), "parameters": .int(parameters), "unchanged": .int(unchanged),
            "digest": .string(digest),
        ]
    }

    fileprivate var text: String {
        "\(hosts) hosts, \(auditRecords) audit records, \(issues) issues, \(patches) patches, \(parameters) parameters; SHA-256 \(digest.prefix(16))…"
    }
}
