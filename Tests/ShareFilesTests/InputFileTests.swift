import Foundation
import Testing

@testable import PDShareFiles

@Suite("Files that pd-shares reads")
struct SharesInputFileTests {
    private final class Reader: @unchecked Sendable {
        // @unchecked: written by one thread, read after it has ended.
        var thread = pthread_t()
        var bytes: [UInt8] = []
        let descriptor: Int32

        init(descriptor: Int32) { self.descriptor = descriptor }
    }

    /// A handler that does nothing, and without which no call is interrupted.
    private static let interrupts: Void = {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGUSR2, &action, nil)
    }()

    @Test func p88_aReadThatASignalInterruptsGoesOn() throws {
        _ = Self.interrupts
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let reader = Reader(descriptor: ends[0])
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            reader.thread = pthread_self()
            done.signal()
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = try? buffer.withUnsafeMutableBytes {
                try InputFile("/proc/self/fd/\(reader.descriptor)").read(into: $0)
            }
            reader.bytes = Array(buffer[..<(count ?? 0)])
            done.signal()
        }
        thread.start()
        done.wait()
        for byte in UInt8(1)...8 {
            usleep(20_000)
            pthread_kill(reader.thread, SIGUSR2)
            usleep(5_000)
            withUnsafeBytes(of: byte) { _ = write(ends[1], $0.baseAddress, 1) }
        }
        close(ends[1])
        done.wait()
        #expect(reader.bytes == Array(1...8))
    }
}
