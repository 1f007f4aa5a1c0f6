import CGcrypt
import Foundation
import Testing

@testable import PDCrypto

@Suite("The library underneath")
struct LibgcryptTests {
    @Test("p100 Many threads that start the library at once find it ready")
    func p100_concurrentStart() async throws {
        // In a process of its own: here another test has started the library before.
        guard ProcessInfo.processInfo.environment["PENGUINDOME_TEST_FIRST"] != nil else {
            let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let result = try Program.run(
                executable, ["--testing-library", "swift-testing", "--filter", "p100_concurrentStart"],
                environment: ["PENGUINDOME_TEST_FIRST": "1"])
            let output = String(decoding: result.output, as: UTF8.self) + result.errors
            #expect(result.status == 0 && output.contains("1 test"), "\(output)")
            return
        }
        #expect(pd_gcry_is_initialized() == 0, "nobody was before this")
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for index in 0..<64 {
                group.addTask {
                    try Libgcrypt.ready()
                    return SHA256.hash([UInt8(index)])
                }
            }
            var digests = Set<[UInt8]>()
            for try await digest in group { digests.insert(digest) }
            #expect(digests.count == 64)
            #expect(pd_gcry_is_initialized() != 0)
        }
    }

    @Test func `an error code of libgcrypt becomes an error, and none becomes none`() throws {
        try CryptoError.check(0)
        #expect(throws: CryptoError.library(code: 45)) { try CryptoError.check(45) }
    }

    /// Set in the process that the next test starts.
    static let isUnprivileged = ProcessInfo.processInfo.environment["PENGUINDOME_TEST_NO_MLOCK"] != nil

    /// AddressSanitizer answers mlock(2) itself, with success, and locks nothing.
    static let locksAreReal = dlsym(nil, "__asan_init") == nil

    @Test(
        "p99 Secure memory that cannot be locked is reported, not passed over",
        .enabled(if: locksAreReal, "AddressSanitizer answers mlock"))
    func p99_failedLockIsSeen() throws {
        if Self.isUnprivileged {
            #expect(try !Libgcrypt.secureMemoryIsLocked)
            return
        }
        #expect(try Libgcrypt.secureMemoryIsLocked)
        // This same test once more, in a process that may lock nothing.
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // Root may lock whatever it likes, unless that capability is dropped.
        let drop = geteuid() == 0 ? [try Program.path("setpriv").path, "--bounding-set", "-ipc_lock"] : []
        let result = try Program.run(
            "prlimit",
            ["--memlock=0"] + drop
                + [executable, "--testing-library", "swift-testing", "--filter", "p99_failedLockIsSeen"],
            environment: ["PENGUINDOME_TEST_NO_MLOCK": "1"])
        #expect(result.status == 0, "\(result.errors)")
        let output = String(decoding: result.output, as: UTF8.self) + result.errors
        #expect(output.contains("1 test"), "\(output)")
    }
}
