import Foundation
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol
import Synchronization
import Testing

@testable import PDClient

@Suite("Commands that a release brings")
struct ReleasedCommandTests {
    private final class Results: Sendable {
        private let list = Mutex<[(name: String, result: Document)]>([])
        func add(_ name: String, _ result: Document) { list.withLock { $0.append((name, result)) } }
        /// Those since the last call.
        func take() -> [(name: String, result: Document)] {
            list.withLock { list in
                defer { list = [] }
                return list
            }
        }
    }

    private func commands(_ machine: ReleaseMachine, _ results: Results) throws -> ReleasedCommands {
        let files = try SignedFiles(
            machine.settings.trust, state: machine.state, log: LogLines().logger(), now: ReleaseMachine.now)
        return ReleasedCommands(
            memory: machine.state.commands, programs: ReleasedCommands.programs(of: files).found,
            release: files.release, report: { results.add($0, $1) }, log: LogLines().logger())
    }

    @Test("each is run in each cycle until it ends with 0, once for its content")
    func untilItWorks() async throws {
        let machine = try ReleaseMachine()
        let results = Results()
        let mark = machine.directory.path + "/mark"
        let script = "#!/bin/sh\necho out\n[ -e \(mark) ] || { echo missing >&2; exit 3; }\n"
        func release(_ number: Int, _ content: String) throws -> ReleaseInMemory {
            try machine.release(number) { $0.files["client/commands/mend"] = content }
        }
        _ = try await machine.updater().run(release(1, script))
        for attempt in 1...2 {
            #expect(try commands(machine, results).run())
            let result = try #require(results.take().first)
            #expect(result.name == "mend" && result.result["returncode"] == 3)
            #expect(result.result["attempt"] == .int(attempt) && result.result["release"] == 1)
            #expect(result.result["stdout"] == "out\n" && result.result["stderr"] == "missing\n")
        }
        try Data().write(to: URL(filePath: mark))
        #expect(try commands(machine, results).run())
        #expect(results.take().map { $0.result["output"] } == ["out\n"])
        #expect(try !commands(machine, results).run())
        // The next release holds the same, the one after it another one.
        _ = try await machine.updater().run(release(2, script))
        #expect(try !commands(machine, results).run() && results.take().isEmpty)
        _ = try await machine.updater().run(release(3, script + "# changed\n"))
        #expect(try commands(machine, results).run() && results.take().count == 1)
        #expect(try !commands(machine, results).run())
        // One that was gone for a release and comes back is another one, too.
        _ = try await machine.updater().run(machine.release(4))
        #expect(try !commands(machine, results).run())
        _ = try await machine.updater().run(release(5, script))
        #expect(try commands(machine, results).run() && results.take().count == 1)
    }

    @Test("p114_what is not as it was signed does not run, and a damaged memory has nothing run twice")
    func notAsSigned() async throws {
        let machine = try ReleaseMachine()
        let results = Results()
        let mark = machine.directory.path + "/mark"
        _ = try await machine.updater().run(
            machine.release(1) { $0.files["client/commands/c"] = "#!/bin/sh\nexit 0\n" })
        try Data("#!/bin/sh\ntouch \(mark)\n".utf8).write(
            to: URL(filePath: "\(machine.state.releases)/1/client/commands/c"))
        #expect(try commands(machine, results).run())
        #expect(results.take().map { $0.result["returncode"] } == [-1])
        #expect(!FileManager.default.fileExists(atPath: mark))
        try Data("{".utf8).write(to: URL(filePath: machine.state.commands))
        #expect(throws: OrderError.self) { try commands(machine, results).run() }
        #expect(results.take().isEmpty)
    }

    @Test("what was verified is what runs, though another file has its name by then")
    func byDescriptor() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try directory.write("#!/bin/sh\necho good\n", to: "/p")
        #expect(chmod(directory.path + "/p", 0o755) == 0)
        let file = SignedFile(
            path: try RelativePath("p"), mode: 0o755, content: Array("#!/bin/sh\necho good\n".utf8))
        let program = try #require(try Integrity.open(file, in: OpenDirectory(directory.path)))
        try directory.write("#!/bin/sh\necho bad\n", to: "/q")
        #expect(rename(directory.path + "/q", directory.path + "/p") == 0)
        let output = try ChildProcess(
            executable: program.path, arguments: ["p"], environment: OrderKeeper.environment,
            deadline: .now + .seconds(20), outputLimit: 1000, program: program
        ).run()
        #expect(String(decoding: output.stdout, as: UTF8.self) == "good\n")
    }
}
