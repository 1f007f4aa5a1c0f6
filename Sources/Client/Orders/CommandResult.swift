import PDDocument
import PDProtocol

/// What is reported of a command's run, in the form of version 1: `output` where it worked, else `stdout`, `stderr` and
/// `returncode`; and what it was a run of.
enum CommandResult {
    /// The most bytes that a result's texts may come to in JSON, together: escaping makes six bytes of one, and a report
    /// beyond what the server takes would be lost.
    static let escapedLimit = 1 << 20

    /// The result of a run that ended.
    ///
    /// - Parameters:
    ///   - limit: how much of each output is reported, in bytes.
    ///   - origin: what it was a run of: fields that follow.
    static func of(_ output: CommandOutput, limit: Int, origin: Document) -> Document {
        guard output.returncode != 0 else {
            return adding(origin, to: ["output": text(output.stdout, limit, escaped: escapedLimit)])
        }
        return failure(
            Array(output.stdout.prefix(limit)), Array(output.stderr.prefix(limit)), Int(output.returncode),
            origin: origin)
    }

    /// The result of a run that could not be begun or was broken off.
    static func of(_ error: CommandError, limit: Int, origin: Document) -> Document {
        failure(
            Array((error.output?.stdout ?? []).prefix(limit)),
            Array("\(error)\n".utf8) + (error.output?.stderr.prefix(limit) ?? []), -1, origin: origin)
    }

    /// The result of a run that did not work.
    static func failure(
        _ stdout: [UInt8], _ stderr: [UInt8], _ code: Int, origin: Document
    ) -> Document {
        adding(
            origin,
            to: [
                "stdout": text(stdout, .max, escaped: escapedLimit / 2),
                "stderr": text(stderr, .max, escaped: escapedLimit / 2), "returncode": .int(code),
            ])
    }

    private static func adding(_ origin: Document, to result: Document) -> Document {
        origin.reduce(result) { $0.setting($1.key, to: $1.value) }
    }

    /// The beginning of an output: at most `limit` bytes of it, and at most `escaped` bytes of JSON.
    private static func text(_ bytes: [UInt8], _ limit: Int, escaped: Int) -> Value {
        let scalars = String(decoding: bytes.prefix(limit), as: UTF8.self).unicodeScalars
        var room = escaped
        let end =
            scalars.indices.first {
                room -= escapedSize(scalars[$0])
                return room < 0
            } ?? scalars.endIndex
        return .string(String(scalars[..<end]))
    }

    /// How many bytes of JSON a character takes at most.
    private static func escapedSize(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x22, 0x5c: 2
        case 0x20..<0x7f: 1
        // Those that JSON, or ours, writes as \u and four digits are among these.
        case 0..<0xa0, 0x2000..<0x2070: 6
        default: UTF8.width(scalar)
        }
    }
}
