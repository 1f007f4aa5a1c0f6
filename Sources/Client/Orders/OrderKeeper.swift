import Glibc
import Logging
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

/// Carries out what trusted people ordered, once, and nothing else.
struct OrderKeeper {
    /// What came of a run.
    struct Outcome {
        /// Whether anything was put in place or run.
        var changed = false
        /// What to tell the server of each order, one receipt an order.
        var receipts: [V2.Receipt] = []
        /// The orders that were refused, with the reason.
        var refused: [(id: String, reason: String)] = []

        /// The orders that this machine is through with, whether they worked or not.
        var done: [String] { receipts.filter { $0.state == .done || $0.state == .failed }.map(\.id) }
        /// The commands that did not work, and are not tried again.
        var failed: [String] { receipts.filter { $0.state == .failed }.map(\.id) }
    }

    let folder: OrderFolder
    let keys: TrustedKeys
    let hostname: Hostname
    /// The fingerprints of the fleet's server: of its present key, and of those before, under which orders may wait still.
    let fleets: Set<OpenPGP.Fingerprint>
    /// The release in use; 0 where there is none.
    let release: Int
    /// Keeps a command's result to be delivered.
    let report: (_ name: String, _ result: Document) throws -> Void
    let log: Logger

    /// Carries out the orders.
    ///
    /// - Parameter now: seconds since 1970-01-01 UTC.
    func run(_ orders: [V2.OfferedOrder], now: Int64) -> Outcome {
        var outcome = Outcome()
        for offered in orders {
            // A name that is none is not even logged.
            guard OrderStatement.isID(offered.id) else {
                outcome.refused.append(("?", "its number is none"))
                continue
            }
            do {
                try run(offered, now, &outcome)
            } catch {
                log.error("an order is refused: \(error)", metadata: ["order": "\(offered.id)"])
                outcome.refused.append((offered.id, "\(error)"))
                outcome.receipts.append(receipt(offered.id, .refused, reason: "\(error)"))
            }
        }
        return outcome
    }

    /// What to tell the server before an order is carried out: that it was found good, and is not done yet. Nothing where
    /// it was carried out before, or is to be refused, which ``run(_:now:)`` tells.
    func announcement(of offered: V2.OfferedOrder, now: Int64) -> V2.Receipt? {
        guard OrderStatement.isID(offered.id),
            let record = try? folder.record(offered.id)
                ?? OrderFolder.Record(base: 0, accepted: 0, expires: 0),
            !record.isDone, let order = try? accept(offered, now)
        else { return nil }
        guard case .command = order.kind else { return receipt(offered.id, .received) }
        return receipt(offered.id, .running, record)
    }

    private func receipt(
        _ id: String, _ state: V2.Receipt.State, _ record: OrderFolder.Record? = nil, reason: String? = nil
    ) -> V2.Receipt {
        V2.Receipt(
            hostname: hostname, id: id, state: state, attempts: record?.attempts ?? 0,
            returncode: record?.returncode, reason: reason)
    }

    private func run(_ offered: V2.OfferedOrder, _ now: Int64, _ outcome: inout Outcome) throws {
        if let record = try folder.record(offered.id), record.isDone {
            // The server did not hear that it was done.
            return outcome.receipts.append(
                receipt(offered.id, record.hasFailed ? .failed : .done, record, reason: record.reason))
        }
        let order = try accept(offered, now)
        if order.kind == .files { try folder.check(order, over: release, keys) }
        var record =
            try folder.record(order.id)
            ?? OrderFolder.Record(base: release, accepted: now, expires: order.expires)
        record.base = release
        try folder.keep(offered.statement, order.id)
        switch order.kind {
        case .files: try apply(order, offered.contents)
        case .command(let command):
            guard try run(command, order, offered.contents, &record) else {
                outcome.changed = true
                return outcome.receipts.append(receipt(order.id, .running, record, reason: record.reason))
            }
        }
        record.isDone = true
        try folder.write(record, order.id)
        outcome.changed = true
        outcome.receipts.append(
            receipt(order.id, record.hasFailed ? .failed : .done, record, reason: record.reason))
        if record.hasFailed {
            log.warning("an order failed", metadata: ["order": "\(order.id)"])
        } else {
            log.notice("an order was carried out", metadata: ["order": "\(order.id)"])
        }
    }

    /// The order, after everything about it was found good.
    private func accept(_ offered: V2.OfferedOrder, _ now: Int64) throws -> OrderStatement {
        let order: OrderStatement
        do throws(SignedStatement.Failure) {
            order = try offered.statement.order(
                patches: keys.verifier(.patches), commands: keys.verifier(.commands),
                at: OpenPGP.Timestamp(now))
        } catch { throw OrderError.statement(error) }
        guard order.id == offered.id else { throw OrderError.otherID }
        guard fleets.contains(order.fleet) else { throw OrderError.otherFleet }
        guard order.names(hostname) else { throw OrderError.otherHost }
        guard now < order.expires, order.created <= now + OpenPGP.Certificate.clockSkew else {
            throw OrderError.outdated
        }
        guard try order.expires > folder.forgotten() else { throw OrderError.forgotten }
        for file in order.files where file.mode != 0 {
            guard let content = offered.contents[file.path.text], file.describes(content) else {
                throw OrderError.content(file.path)
            }
        }
        return order
    }

    // MARK: - Patches

    /// Writes all files beside their places, then renames each. One that is cut short is done again whole.
    private func apply(_ order: OrderStatement, _ contents: [String: [UInt8]]) throws {
        let root = try folder.directory.makeDirectory("files-\(release)")
        var ready: [(directory: OpenDirectory, temporary: String, name: String)] = []
        for file in order.files where file.mode != 0 {
            let (directory, name) = try root.parent(of: file.path, making: true)
            let temporary = ".\(order.id).\(ready.count)"
            try directory.remove(temporary)
            try directory.create(temporary, contents[file.path.text] ?? [], mode: mode_t(file.mode))
            ready.append((directory, temporary, name))
        }
        for file in ready {
            if file.directory.kind(file.name) == .directory { try file.directory.remove(file.name) }
            try file.directory.rename(file.temporary, to: file.name)
            try file.directory.synchronize()
        }
        for file in order.files where file.mode == 0 {
            do throws(FileError) {
                let (directory, name) = try root.parent(of: file.path, making: false)
                try directory.remove(name)
                try directory.synchronize()
            } catch { guard error.isAbsence else { throw error } }
        }
        try root.synchronizeAll()
        try folder.directory.synchronize()
    }

    // MARK: - Commands

    /// Runs a command once.
    ///
    /// - Returns: whether there is nothing more to do: it worked, or was tried as often as it may be.
    private func run(
        _ command: OrderStatement.Command, _ order: OrderStatement, _ contents: [String: [UInt8]],
        _ record: inout OrderFolder.Record
    ) throws -> Bool {
        guard let file = order.files.first, let program = contents[file.path.text] else { return true }
        guard command.attempts.map({ record.attempts < $0 }) ?? true else {
            // The last attempt was cut short: the machine stopped, or the agent was killed.
            record.hasFailed = true
            record.reason = "cut short"
            try report(
                command.name,
                CommandResult.failure(
                    [], Array("cut short".utf8), 1, origin: Self.origin(order, record)))
            return true
        }
        let name = "\(order.id).run"
        try folder.directory.remove(name)
        try folder.directory.create(name, program, mode: 0o700)
        defer {
            // One that is left is overwritten by the next attempt and never run by itself.
            try? folder.directory.remove(name)
        }
        record.attempts += 1
        record.returncode = nil
        record.reason = nil
        // Counted before it begins: a machine that it brings down must not begin it for ever.
        try folder.write(record, order.id)
        let origin = Self.origin(order, record)
        let result: Document
        var worked = false
        do throws(CommandError) {
            let output = try ChildProcess(
                executable: "\(folder.path)/\(name)", arguments: [command.name],
                environment: Self.environment,
                deadline: .now + .seconds(command.timeLimit), outputLimit: Machine.outputLimit
            ).run()
            worked = output.returncode == 0
            record.returncode = Int(output.returncode)
            result = CommandResult.of(output, limit: command.outputLimit, origin: origin)
        } catch {
            record.reason = "\(error)"
            result = CommandResult.of(error, limit: command.outputLimit, origin: origin)
        }
        record.hasFailed = !worked
        try report(command.name, result)
        try folder.write(record, order.id)
        return worked || command.attempts.map { record.attempts >= $0 } ?? false
    }

    /// What commands are run with.
    static let environment = ["LC_ALL=C", "PATH=" + Machine.searchPath.joined(separator: ":")]

    /// Which attempt at which order a result is of.
    private static func origin(_ order: OrderStatement, _ record: OrderFolder.Record) -> Document {
        ["order": .string(order.id), "attempt": .int(record.attempts)]
    }
}
