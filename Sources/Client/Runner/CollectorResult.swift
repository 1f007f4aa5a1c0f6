import PDDocument

/// What a collector found, or what is reported in its place.
struct CollectorResult: Sendable {
    let value: Value

    static func success(_ value: Value) -> CollectorResult {
        CollectorResult(value: value)
    }

    /// `status` `unknown`, `reason`, `stdout`, `stderr` and `returncode`.
    static func failure(_ reason: String, _ output: CommandOutput? = nil) -> CollectorResult {
        let text = { (bytes: [UInt8]?) in
            Value.string(
                String(decoding: (bytes ?? []).prefix(CollectorRunner.reportedOutputLimit), as: UTF8.self))
        }
        return CollectorResult(value: [
            "status": "unknown", "reason": .string(reason), "stdout": text(output?.stdout),
            "stderr": text(output?.stderr), "returncode": .int(Int(output?.returncode ?? 1)),
        ])
    }
}
