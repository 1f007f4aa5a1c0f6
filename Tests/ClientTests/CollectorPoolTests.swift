import Foundation
import PDDocument
import PDFiles
import Testing

@testable import PDClient

/// The collectors of `Tests/Support/HostileCollectors` run by workers of their own.
@Suite("Collectors that run apart from the agent")
struct CollectorPoolTests {
    /// Beside the test runner, where the build put it.
    private static let worker = URL(
        filePath: Files.realPath("/proc/self/exe") ?? "", relativeTo: nil
    ).deletingLastPathComponent().appendingPathComponent("hostile-collectors").path

    private static func run(_ names: [String], workers: Int = 4) -> [String: Value] {
        var limits = CollectorLimits()
        limits.time = .seconds(3)
        limits.grace = .milliseconds(500)
        limits.memory = 128 << 20
        limits.workers = workers
        return CollectorPool(
            command: [worker], limits: limits
        ).run(names)
    }

    @Test(
        "p138_that crash, exit, hang, recurse, grow, flood or garble cost their own result, with the reason, and no other",
        arguments: [
            ("crashes", "it crashed"), ("recurses", "it crashed"), ("grows", "it crashed"),
            ("hangs", "no answer within"), ("exits", "it ended by itself, with exit code 7"),
            ("floods", "longer than"), ("garbles", "cannot be read"),
            ("forks", "sh started too many processes"),
        ])
    func hostile(name: String, reason: String) {
        let results = Self.run(["a-good-one", name, "z-good-one"])
        #expect(results["a-good-one"] == ["status": "on"])
        #expect(results["z-good-one"] == ["status": "on"])
        #expect(results[name]?.document?["status"] == "unknown")
        #expect(results[name]?.document?["reason"]?.string?.contains(reason) == true, "\(results)")
    }

    @Test("hold each other up no longer than it takes to start a further worker")
    func patience() {
        let start = ContinuousClock.now
        let results = Self.run(["hangs", "a-good-one", "z-good-one"])
        #expect(results["z-good-one"] == ["status": "on"])
        // All of them share the one hanging collector's time.
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("leave no process behind, not even in a session of its own")
    func children() throws {
        #expect(Self.run(["leaves-children"])["leaves-children"] == "left\n")
        let left = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
            (try? Files.read("/proc/\(process)/cmdline")).map { String(decoding: $0, as: UTF8.self) }
                == "sleep\0" + "86413\0"
        }
        #expect(left.isEmpty)
    }

    @Test("that cannot be started are reported as unknown, each of them")
    func notStarted() {
        let results = CollectorPool(command: ["/nonexistent/pd-agent"], limits: .init()).run(["a", "b"])
        for name in ["a", "b"] {
            #expect(results[name]?.document?["status"] == "unknown")
            #expect(results[name]?.document?["reason"]?.string?.contains("could not be started") == true)
        }
    }
}
