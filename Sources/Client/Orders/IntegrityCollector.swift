import Logging
import PDDocument
import PDFiles
import PDProtocol

/// Reports whether the agent's own files are as they were signed, and what the agent refused to do.
struct IntegrityCollector: Collector {
    let name = "integrity"
    private static let fact = "release"
    let state: StateDirectory
    let settings: AgentSettings
    let log: Logger
    let now: @Sendable () -> Int64

    func collect(_ context: CollectorContext) throws -> Value {
        let time = now()
        var memory = context.memory.facts()[Self.fact]?.value.document.flatMap(IntegrityMemory.init)
        var report = Agent.integrity(
            state: state, settings: settings, log: log, now: time, memory: &memory
        ).report
        // Nothing is known of a release whose manifest cannot be verified.
        try context.memory.keep(
            memory.map { [Self.fact: .init(value: .document($0.document), at: time)] } ?? [:])
        for (name, file) in [
            ("update", "\(state.releases)/problem.json"), ("refused", "\(state.orders)/refused.json"),
        ] {
            let bytes: [UInt8]
            do throws(FileError) {
                bytes = try Files.read(file, limit: 1 << 20, links: .refuse)
            } catch {
                if error.isAbsence { continue }
                throw error
            }
            guard let value = try Document(json: bytes)[name] else { continue }
            if value != .array([]), value != .null { report = report.setting(name, to: value) }
        }
        return .document(report)
    }
}
