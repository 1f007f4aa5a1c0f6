import Foundation

/// Another program, started for a second opinion.
enum Program {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Runs a program from PATH, and gives its exit status and what it wrote.
    static func run(_ arguments: [String], in folder: URL) throws -> (
        status: Int32, output: [UInt8], errors: String
    ) {
        let id = UUID().uuidString
        // Files instead of pipes: none can fill up and block, nor be held open by an agent.
        let files = ["out", "err"].map { folder.appending(path: "\(id).\($0)") }
        for file in files { try Data().write(to: file) }
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C.UTF-8"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        return try (
            process.terminationStatus, Array(Data(contentsOf: files[0])),
            String(decoding: Data(contentsOf: files[1]), as: UTF8.self)
        )
    }

    /// As ``run(_:in:)``; throws unless the program exits with 0.
    @discardableResult
    static func succeed(_ arguments: [String], in folder: URL) throws -> [UInt8] {
        let result = try run(arguments, in: folder)
        guard result.status == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")): \(result.errors)")
        }
        return result.output
    }
}
