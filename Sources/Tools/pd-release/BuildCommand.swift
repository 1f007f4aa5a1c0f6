import ArgumentParser
import FoundationEssentials
import Glibc
import PDBasics
import PDCrypto
import PDFiles
import PDProtocol
import PDToolSupport

struct BuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Pack a directory into FILE.tar, and describe it in FILE.manifest.",
        discussion: """
            The same files always make the same bytes of FILE.tar; the manifest is the same, too, where --created or \
            SOURCE_DATE_EPOCH is. With --from-installed the release holds what the agent's package put on this machine: \
            bin/pd-agent, the programs of lib/penguindome/collectors, and what plugins use: bin/pd-plugin and the \
            Python package of share/penguindome/python.
            """)

    @Argument(help: "The directory, of regular files and directories only.")
    var directory: String?

    @Flag(help: "Take the agent that is installed on this machine instead of a directory.")
    var fromInstalled = false

    @Option(help: ArgumentHelp("Where it is installed.", valueName: "dir"))
    var prefix = "/usr"

    @Option(
        name: .customLong("trusted-key"),
        help: ArgumentHelp(
            "A public key to put into the release, at keys/FINGERPRINT.pub.asc; may be repeated.",
            valueName: "file"))
    var trustedKeys: [String] = []

    @Option(
        help: ArgumentHelp(
            "Settings for all agents, where their own agent.yml says nothing: schedule, logging, update, "
                + "secret_keeping.",
            valueName: "agent.yml"))
    var settings: String?

    @Option(
        help: ArgumentHelp(
            "The fleet's checks for pd-agent check, as pd-admin checks export writes them.",
            valueName: "checks.json"))
    var checks: String?

    @Option(help: ArgumentHelp("The release's number: higher than all before it.", valueName: "number"))
    var number: Int

    @Option(help: ArgumentHelp("Where to write it.", valueName: "file.tar"))
    var out: String

    @Option(help: ArgumentHelp("Days until agents install it no more.", valueName: "days"))
    var expires = 90

    @Option(help: ArgumentHelp("The line of releases that it belongs to.", valueName: "name"))
    var channel = "stable"

    @Option(
        help: ArgumentHelp(
            "What it runs on, as uname -m says, or any; else this machine's.", valueName: "name"))
    var architecture: String?

    @Option(help: ArgumentHelp("The lowest release that it may replace.", valueName: "number"))
    var minimumPrevious = 0

    @Option(
        help: ArgumentHelp("When it was built, such as 2026-01-31T00:00:00Z; else now.", valueName: "time"))
    var created: String?

    func validate() throws {
        guard fromInstalled != (directory != nil) else {
            throw ValidationError("name either a directory or --from-installed")
        }
        guard (1...Manifest.numberLimit).contains(number) else {
            throw ValidationError("--number must be from 1 to \(Manifest.numberLimit)")
        }
        guard (1...3650).contains(expires) else {
            throw ValidationError("--expires must be from 1 to 3650 days")
        }
    }

    func run() throws {
        var files: [ReleaseSource] = []
        if let directory { files = try ReleaseSource.all(in: directory) }
        if fromInstalled {
            files = [try ReleaseSource(path: "bin/pd-agent", file: "\(prefix)/bin/pd-agent")]
            let collectors = "\(prefix)/lib/penguindome/collectors"
            if FileManager.default.fileExists(atPath: collectors) {
                files += try ReleaseSource.all(in: collectors, below: "collectors/")
            }
            if FileManager.default.fileExists(atPath: "\(prefix)/bin/pd-plugin") {
                files.append(try ReleaseSource(path: "bin/pd-plugin", file: "\(prefix)/bin/pd-plugin"))
            }
            let python = "\(prefix)/share/penguindome/python"
            if FileManager.default.fileExists(atPath: python) {
                // What Python compiled for itself is of this machine.
                files += try ReleaseSource.all(in: python, below: "plugins/python/")
                    .filter { !$0.file.hasSuffix(".pyc") }
            }
        }
        if let settings { files.append(try ReleaseSource(path: "agent.yml", file: settings)) }
        if let checks {
            do {
                _ = try PublishedChecks(json: try Files.read(checks, limit: PublishedChecks.sizeLimit))
            } catch let error as ProtocolError { throw ToolFailure(.failed, "\(checks): \(error)") }
            files.append(try ReleaseSource(path: PublishedChecks.fileName, file: checks))
        }
        for file in trustedKeys {
            let certificate = try ReleaseFiles.refuseUnfitKey(
                try Files.read(file, limit: OpenPGP.Certificate.sizeLimit), named: file, at: .now())
            files.append(try ReleaseSource(path: "keys/\(certificate.fingerprint).pub.asc", file: file))
        }
        guard !files.isEmpty else { throw ToolFailure(.failed, "\(directory ?? prefix) holds no files") }

        let output = ReleaseFiles(archive: out)
        let (archive, described) = try pack(files)
        let time = try creationTime()
        let manifest: Manifest
        do {
            manifest = try Manifest(
                number: number, channel: channel, architecture: architecture ?? Self.machine(), created: time,
                expires: time + Int64(expires) * 86_400, minimumPrevious: minimumPrevious,
                archive: .init(size: archive.count, digest: SHA256.hash(archive)),
                files: described)
        } catch { throw ToolFailure(.failed, "this makes no release: \(error)") }
        // The archive first: a manifest is never there without what it describes.
        try Files.writeAtomically(archive, to: out, mode: 0o644)
        try Files.writeAtomically(manifest.json(), to: output.manifest, mode: 0o644)
        print(
            "release \(number): \(described.count) files, \(archive.count) bytes, until",
            readable(manifest.expires))
    }

    private func pack(
        _ sources: [ReleaseSource]
    ) throws -> (archive: [UInt8], files: [SignedFile]) {
        var archive: [UInt8] = []
        var described: [SignedFile] = []
        var paths = PathSet()
        for source in sources.sorted(by: { $0.path < $1.path }) {
            let (file, content) = try source.read()
            if let form = SecretKeyScan.find(in: content) ?? SecretKeyScan.find(named: source.file) {
                throw ToolFailure(
                    .failed,
                    "\(source.file.printable) is or holds \(form): a release is handed out to everybody"
                )
            }
            try paths.insert(file: file.path)
            archive += try TarWriter.header(path: file.path, mode: file.mode, size: file.size)
            archive += content
            archive += TarWriter.padding(after: file.size)
            described.append(file)
        }
        return (archive + TarWriter.end, described)
    }

    private func creationTime() throws(ToolFailure) -> Int64 {
        if let created {
            guard let milliseconds = PDToolTime.milliseconds(created), milliseconds >= 0 else {
                throw ToolFailure(.usage, "--created must be a time such as 2026-01-31T00:00:00Z")
            }
            return milliseconds / 1000
        }
        if let text = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"], !text.isEmpty {
            guard let seconds = Int64(text), seconds >= 0 else {
                throw ToolFailure(.usage, "SOURCE_DATE_EPOCH must be seconds since 1970")
            }
            return seconds
        }
        return OpenPGP.Timestamp.now().seconds
    }

    private static func machine() -> String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
