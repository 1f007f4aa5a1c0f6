import Foundation
import PDDocument
import PDFiles
import Testing

@testable import PDClient

/// A collector that does what a test wants.
private struct Scripted: Collector {
    let name: String
    let commands: Set = ["sh", "sleep"]
    let body: @Sendable (Machine) throws -> Value

    init(_ name: String, _ body: @escaping @Sendable (Machine) throws -> Value) {
        self.name = name
        self.body = body
    }

    func collect(_ context: CollectorContext) throws -> Value { try body(context.machine) }
}

@Suite("The collector runner")
struct RunnerTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "it broke"
    }

    private func run(_ collectors: [any Collector], timeout: Duration = .seconds(10)) async -> Document {
        var limits = CollectorLimits()
        limits.time = timeout
        limits.grace = .milliseconds(200)
        return await CollectorRunner(collectors, limits: limits).run(
            in: CollectorEnvironment(machine: .this()))
    }

    private let good = Scripted("good") { _ in ["status": "on"] }

    @Test("reports results in the order of their names")
    func order() async {
        let results = await run([Scripted("z") { _ in 1 }, good, Scripted("a") { _ in 2 }])
        #expect(results.keys == ["a", "good", "z"])
        #expect(results["good"] == ["status": "on"])
    }

    @Test("reports a collector that throws, and the others all the same")
    func failing() async {
        let results = await run([good, Scripted("bad") { _ in throw Broken() }])
        #expect(
            results["bad"] == [
                "status": "unknown", "reason": "it broke", "stdout": "", "stderr": "", "returncode": 1,
            ])
        #expect(results["good"] == ["status": "on"])
    }

    @Test("does not wait for a collector that hangs in a system call")
    func hanging() async {
        let start = ContinuousClock.now
        let results = await run(
            [
                good,
                Scripted("bad") { _ in
                    Thread.sleep(forTimeInterval: 20); return 1
                },
            ],
            timeout: .milliseconds(200))
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(results["bad"]?.document?["status"] == "unknown")
        #expect(results["bad"]?.document?["reason"]?.string?.contains("given up") == true)
        #expect(results["good"] == ["status": "on"])
    }

    @Test("kills a command that hangs, with all that it started, and reports what it had written")
    func hangingCommand() async throws {
        let marker = "4217\(UInt32.random(in: 1000...9999))"
        let results = await run(
            [
                good,
                Scripted("bad") {
                    .string(try $0.run("sh", "-c", "echo begun; sleep \(marker) & sleep \(marker)").text)
                },
            ],
            timeout: .seconds(6))
        #expect(results["bad"]?.document?["stdout"] == "begun\n")
        #expect(results["bad"]?.document?["returncode"] == -9)
        #expect(results["bad"]?.document?["reason"] == "sh did not finish in time")
        #expect(results["good"] == ["status": "on"])
        // The whole group is gone, the background process with it.
        try await Task.sleep(for: .milliseconds(100))
        let alive = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
            (try? Files.read("/proc/\(process)/cmdline")).map { String(decoding: $0, as: UTF8.self) }
                == "sleep\0\(marker)\0"
        }
        #expect(alive.isEmpty)
    }

    @Test("lets a collector run its own commands only")
    func commands() async {
        let results = await run([Scripted("bad") { .string(try $0.run("env").text) }])
        #expect(
            results["bad"]?.document?["reason"] == "env is none of the commands that this collector may run")
    }

    @Test("reports a command that crashes by its signal")
    func crashing() async {
        let results = await run([
            good, Scripted("bad") { .int(Int(try $0.run("sh", "-c", "kill -SEGV $$").returncode)) },
        ])
        #expect(results["bad"] == -11)
        #expect(results["good"] == ["status": "on"])
    }

    @Test("stops a command that floods its output, at once and with bounded memory", arguments: ["", " >&2"])
    func flooding(redirection: String) async {
        let start = ContinuousClock.now
        let results = await run([
            good, Scripted("bad") { .string(try $0.run("sh", "-c", "yes\(redirection)").text) },
        ])
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(results["bad"]?.document?["reason"] == "sh wrote too much")
        let text = results["bad"]?.document?[redirection.isEmpty ? "stdout" : "stderr"]?.string
        #expect(text?.utf8.count == CollectorRunner.reportedOutputLimit)
        #expect(results["good"] == ["status": "on"])
    }

    @Test("runs collectors side by side")
    func parallel() async {
        let start = ContinuousClock.now
        _ = await run(
            (0..<10).map { number in
                Scripted("\(number)") { .int(Int(try $0.run("sleep", "1").returncode)) }
            })
        #expect(ContinuousClock.now - start < .seconds(8))
    }
}

@Suite("Commands")
struct CommandTests {
    private func run(_ arguments: [String], limit: Int = 1 << 20) throws -> CommandOutput {
        try ChildProcess(
            executable: "/bin/sh", arguments: arguments, environment: ["LC_ALL=C", "PATH=/usr/bin:/bin"],
            deadline: .now + .seconds(10), outputLimit: limit
        ).run()
    }

    @Test("give both outputs and the exit code")
    func outputs() throws {
        let output = try run(["sh", "-c", "echo out; echo err >&2; exit 7"])
        #expect(
            output == CommandOutput(stdout: Array("out\n".utf8), stderr: Array("err\n".utf8), returncode: 7))
    }

    @Test("get exactly the environment that was given, and nothing to read")
    func environment() throws {
        let output = try run(["sh", "-c", "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort; cat"])
        #expect(output.text == "LC_ALL=C\nPATH=/usr/bin:/bin\n")
    }

    @Test("do not inherit descriptors, signal settings or our process group")
    func inheritance() async throws {
        // In a process of its own, since the settings hold for all of it.
        await #expect(processExitsWith: .success) {
            // One that an inattentive parent left open.
            try #require(open("/dev/null", O_RDONLY) > 2)
            signal(SIGTERM, SIG_IGN)
            let listed = try Machine.this().run("sh", "-c", "ls /proc/$$/fd; grep SigIgn /proc/$$/status")
                .text
                .split(separator: "\n")
            #expect(listed.dropLast() == ["0", "1", "2"])
            // The two signals above 31 are the C library's own.
            let ignored = try #require(
                listed.last?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
            #expect(ignored & 0x7FFF_FFFF == 0)
            let group = try Machine.this().run("sh", "-c", "cut -d' ' -f5 /proc/$$/stat; echo $$").text
                .split(separator: "\n")
            #expect(group.count == 2 && group[0] == group[1])
        }
    }

    @Test("end when their first process does, even if others hold their outputs")
    func orphans() throws {
        let start = ContinuousClock.now
        let output = try run(["sh", "-c", "sleep 30 & echo done"])
        #expect(output.text == "done\n")
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("may close their outputs and still take their time to end")
    func closedOutputs() throws {
        let output = try run(["sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 3"])
        #expect(output.returncode == 3)
    }

    @Test("may write exactly as much as is allowed")
    func limit() throws {
        #expect(try run(["sh", "-c", "printf 12345678"], limit: 8).text == "12345678")
        #expect {
            try run(["sh", "-c", "printf 123456789"], limit: 8)
        } throws: { ($0 as? CommandError)?.output?.text == "12345678" }
    }

    @Test("that are not there are named")
    func missing() {
        #expect(throws: CommandError.notInstalled("no-such-command")) {
            try Machine.this().run("no-such-command", "x")
        }
    }

    @Test("leave no descriptor and no zombie behind, many at a time")
    func leaks() async throws {
        // In a process of its own, since other tests open files at the same time.
        await #expect(processExitsWith: .success) {
            _ = try Machine.this().run("true")
            // The runtime opens something of its own now and then; what runs leave, they leave in every round.
            var open = try Files.names(in: "/proc/self/fd")
            var added: Set<String> = ["not measured yet"]
            for _ in 0..<5 where !added.isEmpty {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<40 {
                        group.addTask { _ = try? Machine.this().run("sh", "-c", "echo x; sleep 0.01") }
                    }
                }
                let names = try Files.names(in: "/proc/self/fd")
                added = Set(names).subtracting(open)
                open = names
            }
            #expect(added.isEmpty)
            #expect(waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD)
        }
    }
}
