import Foundation

/// Starts the built `pd-shares` in a directory of its own.
package final class SharesToolRunner {
    /// How a run ended.
    package struct Outcome {
        package let status: Int32
        package let output: Data
        package let errors: String

        package var text: String { String(decoding: output, as: UTF8.self) }
        /// The last line on standard error: the one that names the cause.
        package var lastError: String { errors.split(separator: "\n").last.map(String.init) ?? "" }
    }

    package let directory: URL

    /// The executables lie next to the test bundle.
    package static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()
        .appending(path: "pd-shares")

    package init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "pd-shares-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    }

    deinit {
        // A directory that is left behind in the temporary directory harms nobody.
        try? FileManager.default.removeItem(at: directory)
    }

    package func path(_ name: String) -> URL { directory.appending(path: name) }

    package func write(_ name: String, _ bytes: Data) throws { try bytes.write(to: path(name)) }

    package func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

    package func read(_ name: String) throws -> Data { try Data(contentsOf: path(name)) }

    package func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    package func names(_ name: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(name).path).sorted()
    }

    package func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name).path) }

    package func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path(name).path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }

    /// Runs the tool; with `prefix` another program runs it.
    package func run(_ arguments: [String], prefix: [String] = [], input: Data = Data()) throws -> Outcome {
        let process = try start(arguments, prefix: prefix)
        try process.input.write(contentsOf: input)
        try process.input.close()
        return try process.finish()
    }

    /// A run that the test talks to.
    package struct Running {
        package let process: StartedProgram
        package let input: FileHandle
        package let output: URL
        package let errors: URL

        /// Whether a crash would leave something of its memory: core(5).
        package func dumpsCore() throws -> Bool {
            func text(_ name: String) throws -> String {
                let file = URL(filePath: "/proc/\(process.processIdentifier)/\(name)")
                return try String(contentsOf: file, encoding: .utf8)
            }
            let limits = try text("limits").split(separator: "\n")
            let limit = limits.first { $0.hasPrefix("Max core file size") }
            return try limit?.split(separator: " ").dropFirst(4).prefix(2) != ["0", "0"]
                || text("coredump_filter") != "00000000\n"
        }

        package func finish() throws -> Outcome {
            defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
            guard let end = process.wait() else { throw POSIXError(.ETIMEDOUT) }
            return Outcome(
                status: end.status, output: try Data(contentsOf: output),
                errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
        }
    }

    package func start(_ arguments: [String], prefix: [String] = []) throws -> Running {
        try start(command: prefix + [Self.executable.path] + arguments)
    }

    package func start(command: [String]) throws -> Running {
        // Files, not pipes: nothing has to be drained while the tool runs.
        let name = UUID().uuidString
        let output = FileManager.default.temporaryDirectory.appending(path: "\(name).out")
        let errors = FileManager.default.temporaryDirectory.appending(path: "\(name).err")
        for file in [output, errors] { try Data().write(to: file) }
        let input = Pipe()
        let (outputHandle, errorsHandle) = try (
            FileHandle(forWritingTo: output), FileHandle(forWritingTo: errors)
        )
        let process = try StartedProgram(
            command, in: directory,
            streams: .descriptors(
                input: input.fileHandleForReading.fileDescriptor, output: outputHandle.fileDescriptor,
                errors: errorsHandle.fileDescriptor))
        for handle in [input.fileHandleForReading, outputHandle, errorsHandle] { try handle.close() }
        return Running(process: process, input: input.fileHandleForWriting, output: output, errors: errors)
    }
}

extension SharesToolRunner {
    /// Runs another program in the same directory.
    package func run(_ arguments: [String], program: String, input: Data = Data()) throws -> Outcome {
        let process = try start(command: [program] + arguments)
        try process.input.write(contentsOf: input)
        try process.input.close()
        return try process.finish()
    }
}
