import Logging
import PDDocument
import PDFiles
import PDProtocol
import PDSecrets

/// The programs in `client/commands` of the release in use and of the patches over it: each is run in each cycle until it
/// ends with 0, once for its content, whatever releases follow that hold the same.
///
/// ```
/// commands.json     what became of each: {NAME: {sha256, attempts, done}}
/// ```
struct ReleasedCommands {
    /// Where they lie.
    static let place = ["client", "commands"]
    /// How long each may take, in seconds.
    static let timeLimit = 600
    /// How much of its output is reported, in bytes.
    static let outputLimit = 1 << 20

    /// What became of one.
    struct Record: Equatable {
        var digest: [UInt8]
        var attempts = 0
        var isDone = false
    }

    /// The file that remembers.
    let memory: String
    /// The directory of what lies there, and its description, by the command's name.
    let programs: [String: (root: String, file: SignedFile)]
    /// The release in use; 0 where there is none.
    let release: Int
    /// Keeps a command's result to be delivered.
    let report: (_ name: String, _ result: Document) throws -> Void
    let log: Logger

    /// Those among the files of this machine, and what lies beside them under a name that no command may have.
    static func programs(
        of files: SignedFiles
    ) -> (found: [String: (root: String, file: SignedFile)], unnamed: [RelativePath]) {
        var found: [String: (root: String, file: SignedFile)] = [:]
        var unnamed: [RelativePath] = []
        for (path, file) in files.files where path.components.dropLast().elementsEqual(place) {
            if let name = path.components.last.map({ String($0) }), OrderStatement.Command.isName(name) {
                found[name] = file
            } else {
                unnamed.append(path)
            }
        }
        return (found, unnamed)
    }

    /// Runs those that have not worked yet.
    ///
    /// - Returns: whether any was run.
    /// - Throws: where what became of them cannot be read or written: none is run then, since one that has worked must
    ///   not run again.
    func run() throws -> Bool {
        var records = try read()
        let known = records
        records = records.filter { programs[$0.key] != nil }
        if records != known { try write(records) }
        var wasRun = false
        for (name, program) in programs.sorted(by: { $0.key < $1.key }) {
            var record = records[name] ?? Record(digest: program.file.digest)
            if record.digest != program.file.digest { record = Record(digest: program.file.digest) }
            guard !record.isDone else { continue }
            guard program.file.mode & 0o100 != 0 else {
                log.error("a command of the release is not executable", metadata: ["command": "\(name)"])
                continue
            }
            record.attempts += 1
            records[name] = record
            // Counted before it begins, as with orders.
            try write(records)
            let (result, worked) = try run(name, program.root, program.file, attempt: record.attempts)
            try report(name, result)
            record.isDone = worked
            records[name] = record
            try write(records)
            wasRun = true
        }
        return wasRun
    }

    /// Runs the very file whose content was verified: it is executed by its descriptor.
    private func run(
        _ name: String, _ root: String, _ file: SignedFile, attempt: Int
    ) throws -> (Document, worked: Bool) {
        let origin: Document = ["release": .int(release), "attempt": .int(attempt)]
        guard let program = try Integrity.open(file, in: OpenDirectory(root)) else {
            log.error("a command is not as it was signed; it is not run", metadata: ["command": "\(name)"])
            let reason = Array("it is not as it was signed; it was not run".utf8)
            return (CommandResult.failure([], reason, -1, origin: origin), false)
        }
        do throws(CommandError) {
            let output = try ChildProcess(
                executable: program.path, arguments: [name], environment: OrderKeeper.environment,
                deadline: .now + .seconds(Self.timeLimit), outputLimit: Machine.outputLimit, program: program
            ).run()
            return (CommandResult.of(output, limit: Self.outputLimit, origin: origin), output.returncode == 0)
        } catch {
            return (CommandResult.of(error, limit: Self.outputLimit, origin: origin), false)
        }
    }

    private func read() throws -> [String: Record] {
        let document: Document
        do {
            document = try Document(json: Files.read(memory, limit: 1 << 20, links: .refuse))
        } catch let error as FileError where error.isAbsence {
            return [:]
        } catch { throw OrderError.damagedRecord(memory) }
        var records: [String: Record] = [:]
        for (name, value) in document {
            guard let fields = value.document, let text = fields["sha256"]?.string,
                let digest = BaseN.hexadecimal.decode(text.utf8),
                let attempts = fields["attempts"]?.integer, let isDone = fields["done"]?.bool
            else { throw OrderError.damagedRecord(memory) }
            records[name] = Record(digest: digest, attempts: attempts, isDone: isDone)
        }
        return records
    }

    private func write(_ records: [String: Record]) throws(FileError) {
        let document = Document(
            records.sorted { $0.key < $1.key }.map { name, record in
                let fields: Value = [
                    "sha256": .string(BaseN.hexadecimal.text(record.digest)),
                    "attempts": .int(record.attempts), "done": .bool(record.isDone),
                ]
                return (name, fields)
            })
        try Files.writeAtomically(Array(document.json().utf8), to: memory)
    }
}

extension Agent {
    /// Runs what lies in `client/commands` of the release in use and has not worked yet.
    ///
    /// - Returns: whether there are results to be delivered.
    public func runReleasedCommands() throws -> Bool {
        let lock = try state.lock()
        let files = try SignedFiles(settings.trust, state: state, log: log, now: now() / 1000)
        let (programs, unnamed) = ReleasedCommands.programs(of: files)
        for path in unnamed {
            log.error("a command of the release has no name to report under", metadata: ["path": "\(path)"])
        }
        guard !programs.isEmpty || Files.exists(state.commands) else { return false }
        let spool = try Spool(directory: state.spool, lock: lock, log: log)
        return try ReleasedCommands(
            memory: state.commands, programs: programs, release: files.release,
            report: { name, result in
                let data = V1.Submission(
                    hostname: hostname, collectedAt: now(), plugins: nil, commands: [name: .document(result)]
                ).json()
                let signature = try signer.sign(data, at: now() / 1000)
                try spool.add(SignedReport(data: data, signature: Array(signature.utf8)))
            }, log: log
        ).run()
    }
}
