import Foundation
import Testing

/// Starts the built `pd-shares` in a directory of its own.
final class SharesToolRunner {
    /// How a run ended.
    struct Outcome {
        let status: Int32
        let output: Data
        let errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
        /// The last line on standard error: the one that names the cause.
        var lastError: String { errors.split(separator: "\n").last.map(String.init) ?? "" }
    }

    let directory: URL

    /// The executables lie next to the test bundle.
    static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()
        .appending(path: "pd-shares")

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "pd-shares-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    }

    deinit {
        // A directory that is left behind in the temporary directory harms nobody.
        try? FileManager.default.removeItem(at: directory)
    }

    func path(_ name: String) -> URL { directory.appending(path: name) }

    func write(_ name: String, _ bytes: Data) throws { try bytes.write(to: path(name)) }

    func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

    func read(_ name: String) throws -> Data { try Data(contentsOf: path(name)) }

    func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    func names(_ name: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(name).path).sorted()
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name).path) }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path(name).path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    /// Runs the tool; with `prefix` another program runs it.
    func run(_ arguments: [String], prefix: [String] = [], input: Data = Data()) throws -> Outcome {
        let process = try start(arguments, prefix: prefix)
        try process.input.write(contentsOf: input)
        try process.input.close()
        return try process.finish()
    }

    /// A run that the test talks to.
    struct Running {
        let process: Process
        let input: FileHandle
        let output: URL
        let errors: URL

        /// Whether a crash would leave something of its memory: core(5).
        func dumpsCore() throws -> Bool {
            func text(_ name: String) throws -> String {
                let file = URL(filePath: "/proc/\(process.processIdentifier)/\(name)")
                return try String(contentsOf: file, encoding: .utf8)
            }
            let limits = try text("limits").split(separator: "\n")
            let limit = try #require(limits.first { $0.hasPrefix("Max core file size") })
            return try limit.split(separator: " ").dropFirst(4).prefix(2) != ["0", "0"]
                || text("coredump_filter") != "00000000\n"
        }

        func finish() throws -> Outcome {
            defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
            process.waitUntilExit()
            return Outcome(
                status: process.terminationStatus, output: try Data(contentsOf: output),
                errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
        }
    }

    func start(_ arguments: [String], prefix: [String] = []) throws -> Running {
        try start(command: prefix + [Self.executable.path] + arguments)
    }

    func start(command: [String]) throws -> Running {
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = directory
        // Files, not pipes: nothing has to be drained while the tool runs.
        let name = UUID().uuidString
        let output = FileManager.default.temporaryDirectory.appending(path: "\(name).out")
        let errors = FileManager.default.temporaryDirectory.appending(path: "\(name).err")
        for file in [output, errors] { try Data().write(to: file) }
        let input = Pipe()
        process.standardInput = input
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        return Running(process: process, input: input.fileHandleForWriting, output: output, errors: errors)
    }
}

extension SharesToolRunner {
    /// Runs another program in the same directory.
    func run(_ arguments: [String], program: String, input: Data = Data()) throws -> Outcome {
        let process = try start(command: [program] + arguments)
        try process.input.write(contentsOf: input)
        try process.input.close()
        return try process.finish()
    }
}
