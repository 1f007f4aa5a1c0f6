import Foundation

/// What programs say that every server of the original has.
enum ProgramOutput {
    /// Runs one to its end.
    ///
    /// - Returns: what it wrote on standard output.
    /// - Throws: ``StateError`` where it cannot be started, or does not end with 0.
    static func read(_ program: String, _ arguments: [String]) throws(StateError) -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        do { try process.run() } catch { throw StateError("cannot run \(program): is it installed?") }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw StateError("\(program) ended with \(process.terminationStatus)")
        }
        return Array(bytes)
    }
}
