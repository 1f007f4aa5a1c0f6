import PDDocument

/// `eset`, `eraagent`, `prey`: one product each, as `{installed, running, recent}`.
struct SecurityProductCollector: Collector {
    let product: SecurityProduct

    var name: String { product.name }
    var commands: Set<String> { Set(product.question.map { [$0.arguments[0]] } ?? []) }

    func collect(_ context: CollectorContext) throws -> Value {
        var result = DocumentWriter()
        SecurityProductState(product, try RunningProcess.all(context.machine), context).append(to: &result)
        return .document(result.finish())
    }
}

/// `antivirus`: every product that is installed, and whether one of them does its work.
struct AntivirusCollector: Collector {
    let name = "antivirus"
    let commands = Set(SecurityProduct.antivirus.compactMap { $0.question?.arguments[0] })

    func collect(_ context: CollectorContext) throws -> Value {
        let processes = try RunningProcess.all(context.machine)
        let states = SecurityProduct.antivirus
            .map { (name: $0.name, state: SecurityProductState($0, processes, context)) }
            .filter { $0.state.installed }
            .sorted { $0.name < $1.name }
        let verdict: Verdict =
            if states.contains(where: {
                $0.state.running == true && $0.state.recent != false && $0.state.healthy != false
            }) {
                .on
            } else if processes.isEmpty {
                .unknown("no process is to be seen")
            } else { .off }
        var result = DocumentWriter()
        result.append("status", .string(verdict.word))
        result.append(
            "reason",
            ifPresent: verdict == .off
                ? (states.isEmpty
                    ? "none is installed that is known here" : "none runs, is well and is up to date")
                : verdict.reason)
        result.append(
            "products",
            .array(
                states.map { product in
                    var entry = DocumentWriter()
                    entry.append("name", .string(product.name))
                    product.state.append(to: &entry)
                    return .document(entry.finish())
                }))
        return .document(result.finish())
    }
}
