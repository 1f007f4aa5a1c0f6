import Foundation
import PDTestSupport
import Testing

/// A test never waits for ever.
@Suite("Programs that tests start")
struct StartedProgramTests {
    private let folder = FileManager.default.temporaryDirectory

    @Test func aProgramHasEndedThoughWhatItStartedRunsOn() throws {
        let output = Pipe()
        let null = FileHandle.nullDevice.fileDescriptor
        let program = try StartedProgram(
            ["/bin/sh", "-c", "sleep 1000 & echo $!; exit 3"], in: folder,
            streams: .descriptors(
                input: null, output: output.fileHandleForWriting.fileDescriptor, errors: null))
        let end = try #require(program.wait(seconds: 60))
        #expect(end.status == 3 && end.signal == nil)
        let left = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let sleeper = try #require(pid_t(left.trimmingCharacters(in: .newlines)))
        #expect(kill(sleeper, SIGKILL) == 0)
    }

    @Test func aProgramThatDoesNotEndIsKilledWithAllThatItStarted() throws {
        let null = FileHandle.nullDevice.fileDescriptor
        let program = try StartedProgram(
            ["/bin/sh", "-c", "sleep 1000; :"], in: folder,
            streams: .descriptors(input: null, output: null, errors: null))
        #expect(program.wait(seconds: 0) == nil)
        #expect(!program.isRunning)
    }

    @Test func aTerminalThatNobodyReadsTakesNoMoreThanItsTime() throws {
        let session = try TerminalSession(["/bin/sleep", "1000"], in: folder, patience: 0.5)
        #expect(throws: TerminalSession.Failure.self) {
            try session.type(String(repeating: "a line\n", count: 100_000))
        }
        #expect(throws: TerminalSession.Failure.self) { try session.read(until: "no such words") }
        #expect(throws: TerminalSession.Failure.self) { _ = try session.status() }
    }
}
