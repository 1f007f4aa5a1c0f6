import Glibc
import PDDocument

/// Whether a product that protects the machine is installed, runs, and knows what is new.
struct SecurityProductState {
    /// How old the newest change of what it knows may be, in milliseconds: three days.
    static let freshFor: Int64 = 3 * 86_400_000

    var installed = false
    /// Nothing where it cannot be told.
    var running: Bool? = false
    var recent: Bool?
    /// Whether it says of itself that it is well; nothing where it was not asked or did not say.
    var healthy: Bool?
    var reason: String?
    var evidence: [String] = []

    /// Looks at it.
    init(_ product: SecurityProduct, _ processes: [RunningProcess], _ context: CollectorContext) {
        let machine = context.machine
        let paths = product.installed.filter(machine.exists)
        let running = product.programs.filter { program in processes.contains { $0.isProgram(program) } }
        installed = !paths.isEmpty || !running.isEmpty
        guard installed else { return }
        evidence = paths + running.map { "process \($0)" }
        self.running = processes.isEmpty ? nil : !running.isEmpty
        let changes = product.freshness.compactMap { machine.modified($0) }
        if let newest = changes.max() {
            recent = context.now - newest <= Self.freshFor
            if recent == false {
                reason = "what it knows was last changed on \(CalendarDay(milliseconds: newest).text)"
            }
        } else if !product.freshness.isEmpty {
            recent = nil
            reason = "what it knows is not where it was looked for"
        }
        guard let question = product.question, self.running == true else { return }
        do throws(CommandError) {
            let output = try machine.run(question.arguments)
            guard output.returncode == 0 else {
                reason = "\(question.arguments[0]): \(output.complaint)"
                return
            }
            let fields = Self.fields(output.text)
            healthy = question.healthy.flatMap { wanted in fields[wanted.field].map { $0 == wanted.value } }
            if let wanted = question.fresh, let said = fields[wanted.field] { recent = said == wanted.value }
            if !evidence.contains(question.arguments[0]) { evidence.append(question.arguments[0]) }
        } catch { reason = "\(error)" }
    }

    /// The fields of an answer: a JSON object, or `name=value` and `name: value` as texts.
    static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        if let document = try? Document(json: Array(text.utf8)) {
            for (name, value) in document {
                // Some write values as `{"$type": …, "value": "upToDate"}`.
                switch value.document?["value"] ?? value {
                case .string(let text): fields[name] = text.filter { $0 != "\"" }
                case .bool(let flag): fields[name] = flag ? "true" : "false"
                case let other: fields[name] = other.json()
                }
            }
            return fields
        }
        for part in text.split(whereSeparator: { $0.isNewline || $0 == "," }) {
            guard let mark = part.firstIndex(where: { $0 == "=" || $0 == ":" }) else { continue }
            fields[trimmed(part[..<mark])] = trimmed(part[part.index(after: mark)...]).filter {
                $0 != "." && $0 != "\""
            }
        }
        return fields
    }

    /// `installed`, `running`, `recent`, with what is known besides.
    func append(to result: inout DocumentWriter) {
        result.append("installed", .bool(installed))
        result.append("running", .known(running))
        if installed, let recent {
            result.append("recent", .bool(recent))
        } else {
            result.append("recent", "unknown")
        }
        if let healthy { result.append("healthy", .bool(healthy)) }
        result.append("reason", ifPresent: reason)
        result.append("evidence", ifAny: evidence)
    }
}

extension Machine {
    /// When the file or directory was last changed, in milliseconds since 1970-01-01 UTC.
    func modified(_ path: String) -> Int64? {
        var information = stat()
        guard stat(root + path, &information) == 0 else { return nil }
        return Int64(information.st_mtim.tv_sec) * 1000 + Int64(information.st_mtim.tv_nsec) / 1_000_000
    }
}
