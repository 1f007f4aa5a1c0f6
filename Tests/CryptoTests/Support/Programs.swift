import Foundation

/// Another program, started for a second opinion.
enum Program {
    struct Result {
        var status: Int32
        var output: [UInt8]
        var errors: String
    }

    struct NotFound: Error, CustomStringConvertible {
        var description: String
    }

    static func path(_ name: String) throws -> URL {
        if name.hasPrefix("/") { return URL(filePath: name) }
        for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":") {
            let candidate = URL(filePath: String(folder)).appending(path: name)
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
        }
        throw NotFound(description: "\(name) is needed for this test and is not on PATH")
    }

    static func run(
        _ name: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
    ) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pd-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Files instead of pipes: none can fill up and block.
        let files = ["in", "out", "err"].map { folder.appending(path: $0) }
        try Data(input).write(to: files[0])
        for file in files.dropFirst() { try Data().write(to: file) }
        let process = Process()
        process.executableURL = try path(name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        process.waitUntilExit()
        return try Result(
            status: process.terminationReason == .exit
                ? process.terminationStatus : -process.terminationStatus,
            output: Array(Data(contentsOf: files[1])),
            errors: String(decoding: Data(contentsOf: files[2]), as: UTF8.self))
    }
}

/// A GnuPG home in a temporary folder, gone with this object.
final class GnuPGHome {
    let folder: URL

    init() throws {
        // The path of the agent's socket must stay short.
        let name = UUID().uuidString.prefix(8)
        folder = FileManager.default.temporaryDirectory.appending(path: "pdg-\(name)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit {
        _ = try? Program.run("gpgconf", ["--homedir", folder.path, "--kill", "all"])
        try? FileManager.default.removeItem(at: folder)
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Runs gpg and gives its standard output; throws unless it succeeds.
    @discardableResult
    func gpg(_ arguments: String..., input: [UInt8] = []) throws -> [UInt8] {
        let result = try tryGpg(arguments, input: input)
        guard result.status == 0 else {
            throw Failure(description: "gpg \(arguments.joined(separator: " ")): \(result.errors)")
        }
        return result.output
    }

    func tryGpg(_ arguments: [String], input: [UInt8] = []) throws -> Program.Result {
        try Program.run(
            "gpg",
            [
                "--homedir", folder.path, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback",
                "--passphrase", "", "--trust-model", "always",
            ] + arguments,
            input: input, environment: ["LC_ALL": "C"])
    }

    /// A file in this home, with these bytes.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = folder.appending(path: name)
        try Data(bytes).write(to: file)
        return file.path
    }

    /// Whether `gpg --verify` accepts `signature` of `document`, and what it says.
    func verifies(_ signature: [UInt8], _ document: [UInt8], _ options: [String] = []) throws
        -> Program.Result
    {
        let id = UUID().uuidString
        let paths = try (file("\(id).sig", signature), file("\(id).doc", document))
        defer {
            try? FileManager.default.removeItem(atPath: paths.0)
            try? FileManager.default.removeItem(atPath: paths.1)
        }
        return try tryGpg(options + ["--verify", paths.0, paths.1])
    }
}
