import Foundation
import PDDocument
import PDProtocol
import Testing

@testable import PDClient

@Suite("What is hashed of a release, and when")
struct IntegrityMemoryTests {
    /// A machine with a release in use, looked at once. Time begins long after its files were written, so that what is
    /// done to them now leaves no trace in their times.
    private struct Scene {
        let machine: ReleaseMachine
        var time = (Int64(Date().timeIntervalSince1970) + 864_000) * 1000
        var memory: IntegrityMemory?

        init() async throws {
            machine = try ReleaseMachine()
            _ = try await machine.updater().run(
                machine.release(1) { parts in
                    for number in 0..<20 {
                        parts.files["data/\(number)"] = String(repeating: "x", count: 1000 * (1 + number % 3))
                    }
                })
            _ = look()
        }

        mutating func look(after seconds: Int64 = 0) -> Integrity {
            time += seconds * 1000
            // As it is kept from one cycle to the next.
            memory = memory.flatMap { IntegrityMemory($0.document) }
            return Agent.integrity(
                state: machine.state, settings: machine.settings, log: LogLines().logger(), now: time,
                memory: &memory)
        }

        /// Changes the content alone: neither size nor mode.
        func tamper(_ path: String, with byte: UInt8) throws {
            let file = try #require(FileHandle(forUpdatingAtPath: "\(machine.state.releases)/1/\(path)"))
            try file.write(contentsOf: [byte])
            try file.close()
        }
    }

    @Test("a change that leaves no trace is found within a day, and stays found until it is mended")
    func withinADay() async throws {
        var scene = try await Scene()
        try scene.tamper("data/7", with: 0x79)
        var found: Int?
        for cycle in 1...288 {
            let integrity = scene.look(after: 300)
            if integrity.changed == ["data/7"] { found = found ?? cycle }
            #expect(integrity.changed == (found == nil ? [] : ["data/7"]), "cycle \(cycle)")
        }
        #expect(found != nil)
        try scene.tamper("data/7", with: 0x78)
        let mended = scene.look(after: 300)
        #expect(mended.isIntact)
    }

    @Test("what changes its size, mode or times, or is not there, is found by the next look")
    func atOnce() async throws {
        var scene = try await Scene()
        let release = "\(scene.machine.state.releases)/1"
        #expect(chmod(release + "/data/1", 0o600) == 0)
        #expect(unlink(release + "/data/2") == 0)
        try Data("longer than it was".utf8).write(to: URL(filePath: release + "/README"))
        var integrity = scene.look(after: 1)
        #expect(integrity.changed == ["README", "data/1"] && integrity.missing == ["data/2"])
        // A clock that agrees with that of the files.
        var present = try await Scene()
        present.time = Int64(Date().timeIntervalSince1970 * 1000) - 1000
        present.memory = nil
        _ = present.look()
        try present.tamper("data/7", with: 0x79)
        integrity = present.look(after: 2)
        #expect(integrity.changed == ["data/7"])
    }

    @Test("everything is hashed after an update, after a day, and where the clock went back")
    func whole() async throws {
        for pause: Int64 in [86_400, -1, 30 * 86_400] {
            var scene = try await Scene()
            try scene.tamper("data/7", with: 0x79)
            let integrity = scene.look(after: pause)
            #expect(integrity.changed == ["data/7"], "\(pause)")
        }
        var scene = try await Scene()
        _ = try await scene.machine.updater().run(
            scene.machine.release(2) { $0.files["data/7"] = "other" })
        let file = try #require(FileHandle(forUpdatingAtPath: "\(scene.machine.state.releases)/2/data/7"))
        try file.write(contentsOf: [0x79])
        try file.close()
        let updated = scene.look(after: 1)
        #expect(updated.changed == ["data/7"])
    }

    @Test("in a day every byte is hashed once, and in a cycle no more than its share")
    func share() throws {
        let files = try (0..<50).map {
            SignedFile(
                path: try RelativePath("f\($0)"), mode: 0o644, content: [UInt8](repeating: 1, count: 100 + $0)
            )
        }
        var memory = IntegrityMemory(manifest: [1], lookedAt: 0)
        var counts = [Int](repeating: 0, count: files.count)
        var most = 0
        for cycle in 1...288 {
            let begun = memory.begin(files, manifest: [1], at: Int64(cycle) * 300_000)
            let plan = try #require(begun)
            for place in plan.places { counts[place] += 1 }
            most = max(most, plan.places.reduce(0) { $0 + files[$1].size })
        }
        #expect(counts.allSatisfy { (1...2).contains($0) }, "\(counts)")
        #expect(most <= 149 + files.reduce(0) { $0 + $1.size } / 288 + 1)
        // A memory that was damaged does no harm.
        for (looked, credit) in [(Int64.min, Int.max), (.max, 0), (0, .max)] {
            var damaged = IntegrityMemory(manifest: [1], lookedAt: looked)
            damaged.credit = credit
            damaged.position = .max
            _ = damaged.begin(files, manifest: [1], at: 1000)
        }
    }
}
