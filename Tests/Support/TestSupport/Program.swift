import Foundation

/// Other programs.
package enum Program {
    /// Runs one to its end, on a thread that no server needs. What it prints and complains of comes together.
    package static func run(
        _ program: String, _ arguments: [String]
    ) async throws -> (status: Int32, output: String) {
        let result: Result<(Int32, String), any Error> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result {
                        let process = Process()
                        let pipe = Pipe()
                        process.executableURL = URL(filePath: program)
                        process.arguments = arguments
                        process.standardOutput = pipe
                        process.standardError = pipe
                        process.standardInput = FileHandle.nullDevice
                        try process.run()
                        let output = pipe.fileHandleForReading.readDataToEndOfFile()
                        process.waitUntilExit()
                        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
                    })
            }
        }
        return try result.get()
    }
}
