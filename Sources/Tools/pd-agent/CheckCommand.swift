import ArgumentParser
import PDBasics
import PDClient
import PDDocument
import PDToolSupport

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Looks at this machine with the fleet's checks, and says what to do.",
        discussion: """
            Nothing is kept and nothing is sent. The checks are those that the release in use brought, or those of the kit; \
            what only the server can find is missing. Exit codes: 0 all is well, 1 something is to be fixed.
            """)

    @Flag(help: "As JSON.")
    var json = false

    @Flag(help: "Also what is well.")
    var all = false

    @OptionGroup var options: Options

    func run() async throws {
        try options.handOver()
        let (answers, source) = try await options.agent(isReadOnly: true).check()
        let findings = answers.filter(\.isFinding)
        let shown = all ? answers : findings
        if json {
            print(Value.array(shown.map { .document($0.summary) }).json(pretty: true))
        } else {
            for answer in shown { show(answer) }
            let looked = answers.count { $0.verdict != .notApplicable }
            print(
                findings.isEmpty
                    ? "All is well: \(looked) checks of \(source) find nothing."
                    : "\(findings.count) of \(looked) checks of \(source) \(findings.count == 1 ? "finds" : "find") something to fix."
            )
        }
        if !findings.isEmpty { throw ExitCode(1) }
    }

    private func show(_ answer: MachineChecks.Answer) {
        let check = answer.check
        switch answer.verdict {
        case .passing: return print("ok: \(check.name.printable)")
        case .notApplicable: return print("not about this machine: \(check.name.printable)")
        case .failing:
            print("\(check.severity.printable): \(check.title.printable) (\(check.name.printable))")
        case .unknown: print("cannot tell: \(check.title.printable) (\(check.name.printable))")
        }
        lines("seen", answer.evidence)
        lines("why", check.why)
        lines("fix", answer.fix)
    }

    /// A command that has several lines keeps them, so that it can be copied.
    private func lines(_ label: String, _ text: String) {
        for (index, line) in text.split(whereSeparator: \.isNewline).enumerated() {
            let start = index == 0 ? label : ""
            print("    \(start)\(String(repeating: " ", count: 6 - start.count))\(String(line).printable)")
        }
    }
}

extension MachineChecks.Answer {
    fileprivate var summary: Document {
        [
            "check": .string(check.name), "verdict": .string(verdict.rawValue),
            "severity": .string(check.severity), "title": .string(check.title), "why": .string(check.why),
            "evidence": .string(evidence), "fix": .string(fix),
        ]
    }
}
