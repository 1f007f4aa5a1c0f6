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
        commandName: "store", abstract: "The database: copy, check, prune.",
        discussion: "pd-admin backup and restore take the whole server, its database among it.",
        subcommands: [Copy.self, Check.self, Prune.self])

    struct Copy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy a whole fleet from one database to another, and verify it.",
            discussion: """
                A database is named as sqlite:PATH, mongodb://USER:PASSWORD@HOST/NAME, or env:NAME for the variable that \
                holds one of these, since everybody on the machine can see the arguments of a program. A copy that was broken off goes \
                on when it is started again; what the target has and the source has not is never removed. Stop the \
                server first: what it writes meanwhile makes the verification fail.
                """)

        @OptionGroup var options: FleetOptions

        @Option(help: ArgumentHelp("The database to read; else the one of the state.", valueName: "uri"))
        var from: String?

        @Option(help: ArgumentHelp("The database to write.", valueName: "uri"))
        var to: String

        func run() async throws {
            let source = try from.map { try location($0, "--from") } ?? ownDatabase()
            let target = try location(to, "--to")
            guard source != target else {
                throw ToolFailure(.usage, "--from and --to name the same database")
            }
            let receipt = try await owner(of: [source, target]) {
                try await copyFleet(from: source, to: target)
            }
            if options.json {
                print(receipt.summary.json(pretty: true))
            } else {
                print("Copied from \(source) to \(target), and verified: \(receipt.text).")
            }
        }

        /// The database that the state's settings name.
        private func ownDatabase() throws -> StoreLocation {
            let state = options.state
            do {
                return try options.asOwner {
                    let text = String(decoding: try PrivateFiles.read(state.settingsFile), as: UTF8.self)
                    let settings = try ServerSettings(
                        yaml: text, file: state.settingsFile.path, isStrict: false)
                    return Fleet.database(of: settings, in: state)
                }
            } catch { throw ToolFailure(explaining: error) }
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

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read everything in the database, and tell what is wrong. Changes nothing.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let problems = try await options.withFleet { try await $0.store.check() }
            options.show(problems.map { ["problem": .string($0)] }) {
                problems.isEmpty
                    ? "The database is sound." : problems.map(\.printable).joined(separator: "\n")
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
                    "Removed \(Plural.of(receipt.auditRecords, "audit record")) and \(Plural.of(receipt.closedIssues, "closed issue"))."
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
            let bar = ProgressBar()
            defer { bar.finish() }
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            return try await FleetCopy(from: source, to: store).run(at: now) {
                bar.show($0.phase.rawValue, $0.done, of: $0.total)
            }
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
        [
            Plural.of(hosts, "host"), Plural.of(auditRecords, "audit record"), Plural.of(issues, "issue"),
            Plural.of(patches, "patch", "patches"), Plural.of(parameters, "parameter"),
        ].joined(separator: ", ") + "; SHA-256 \(digest.prefix(16))…"
    }
}
