import Foundation
import Logging
import PDStore
import Testing

@testable import PDServer

@Suite("Whether the server is ready")
struct ReadinessTests {
    /// A database that takes as long as it is told to.
    private struct SlowLeases: LeaseStore {
        let duration: Duration
        let error: StoreError?

        func takeLease(_ name: String, holder: String, at: Int64, duration: Int64) async throws(StoreError)
            -> Bool
        {
            // Cancelled or not, the answer is the same.
            try? await Task.sleep(for: self.duration)
            if let error { throw error }
            return true
        }

        func releaseLease(_ name: String, holder: String) async throws(StoreError) {}
    }

    private func readiness(_ duration: Duration, _ error: StoreError? = nil, _ writes: WriteHealth = .init())
        -> Readiness
    {
        Readiness(
            leases: SlowLeases(duration: duration, error: error), writes: writes, now: { 0 },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("p169_a database that takes its time costs whoever asks two seconds at most, however many ask")
    func bounded() async throws {
        let readiness = readiness(.seconds(20))
        let begin = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { await #expect(throws: Refusal.self) { try await readiness.check() } }
            }
        }
        #expect(ContinuousClock.now - begin < .seconds(2))
    }

    @Test("a write that works is good news, one that does not is none")
    func outcomes() async throws {
        try await readiness(.zero).check()
        await #expect(throws: Refusal.self) {
            try await readiness(.zero, .unavailable(reason: "full")).check()
        }
    }

    @Test("while most reports cannot be stored, the server is not ready, though a write may work")
    func mostFail() async throws {
        let writes = WriteHealth()
        let readiness = readiness(.zero, nil, writes)
        for _ in 0..<3 { writes.note(isStored: false) }
        try await readiness.check()
        for _ in 0..<2 { writes.note(isStored: true) }
        writes.note(isStored: false)
        await #expect(throws: Refusal.self) { try await readiness.check() }
        for _ in 0..<2 { writes.note(isStored: true) }
        try await readiness.check()
    }

    @Test("what happened long ago counts no longer")
    func forgotten() {
        let writes = WriteHealth()
        let now = ContinuousClock.now
        for _ in 0..<9 { writes.note(isStored: false, at: now) }
        #expect(writes.mostFail(at: now + .seconds(8)))
        #expect(!writes.mostFail(at: now + .seconds(11)))
    }
}
