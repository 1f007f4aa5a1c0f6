import ArgumentParser
import PDBasics
import PDDocument
import PDFiles
import PDFleet
import PDProtocol
import PDStore
import PDToolSupport

struct ChecksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checks", abstract: "What audits look for.",
        subcommands: [List.self, Validate.self, Test.self, Export.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The checks of checks.yml.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let checks = try options.checks().checks
            options.show(checks.map(\.summary)) {
                var table = Table("CHECK", "SEVERITY", "GRACE", "AGAIN", "TELLS", "FINDS")
                for check in checks {
                    table.add(
                        check.name, check.severity.rawValue, "\(check.gracePeriod)",
                        "\(check.alertFrequency)",
                        check.tell.joined(separator: ", "), check.title)
                }
                return table.text
            }
        }
    }

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read checks.yml as an audit does, and say what is wrong with it.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let checks = try options.checks()
            print(
                "\(options.state.checksFile.path): \(checks.checks.count) checks, \(checks.calendars.count) calendars, all good"
            )
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the checks as machines get them, for pd-agent check.",
            discussion: """
                Put the file into a release as checks.json: agents believe it as it was signed there. It is also written into \
                agent-kit, for machines that join.
                """)

        @Option(help: ArgumentHelp("Where to write it; standard output unless given.", valueName: "file"))
        var out: String?

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let content = Array(try options.checks().published.json.utf8)
            let kit = options.state.agentKit
            try options.asOwner {
                guard Files.exists(kit.path) else { return }
                try PrivateFiles.write(content, to: kit.appending(path: PublishedChecks.fileName))
            }
            guard let out else { return try Files.writeAll(content, to: 1, path: "standard output") }
            try Files.writeAtomically(content, to: out)
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put one check to one host, without opening or closing anything.",
            discussion: "Ends with 1 where the check finds the host.")

        @Argument(help: "The check.")
        var check: String

        @Option(help: ArgumentHelp("The host, by name or id.", valueName: "host"))
        var host: String

        @Flag(help: "Show which part of the query matched, on which value.")
        var explain = false

        @OptionGroup var options: FleetOptions

        func run() async throws {
            guard let check = try options.checks()[check] else {
                throw ToolFailure(
                    .usage, "there is no check \(check.printable): pd-admin checks list names them")
            }
            guard case .query(let query) = check.method else {
                throw ToolFailure(.usage, "\(check.name) is built into the server: it looks at no report")
            }
            let now = options.now()
            let found = try await options.withFleet { fleet in try await fleet.host(named: host) }
            let explanation = try CheckExplanation(query, host: found.document, now: now)
            let unknown = try check.unknown.map {
                try CheckExplanation($0.query, host: found.document, now: now)
            }
            let applies = try check.appliesTo.map { try CheckExplanation($0, host: found.document, now: now) }
            let isAbout = applies?.matches ?? true
            let verdict =
                !isAbout
                ? "does not apply"
                : unknown?.matches == true ? "unknown" : explanation.matches ? "failing" : "passing"
            if options.json {
                var writer = DocumentWriter()
                writer.append("check", .string(check.name))
                writer.append("host", .string(found.hostname.name))
                writer.append("verdict", .string(verdict))
                writer.append("matches", .bool(isAbout && (explanation.matches || unknown?.matches == true)))
                if explain {
                    writer.append("query", .array(explanation.parts.map { $0.summary }))
                    if let unknown { writer.append("unknown", .array(unknown.parts.map { $0.summary })) }
                    if let applies { writer.append("applies_to", .array(applies.parts.map { $0.summary })) }
                }
                print(Value.document(writer.finish()).json(pretty: true))
            } else {
                print("\(found.hostname) \(check.name): \(verdict)")
                if explain {
                    if let applies { print(text("applies to", applies)) }
                    print(text("query", explanation))
                    if let unknown { print(text("cannot tell", unknown)) }
                }
            }
            if isAbout, explanation.matches || unknown?.matches == true { throw ExitCode(1) }
        }

        private func text(_ title: String, _ explanation: CheckExplanation) -> String {
            var lines = ["\(title): \(explanation.matches ? "matches" : "does not match")"]
            for part in explanation.parts {
                let indent = String(repeating: "  ", count: part.depth + 1)
                let value =
                    part.value.map { ", the report has \($0.printable)" }
                    ?? (part.condition.hasPrefix("$") ? "" : ", the report has nothing there")
                lines.append(
                    "\(indent)\(part.matches ? "yes" : "no ") \(part.condition.printable)\(value)")
            }
            return lines.joined(separator: "\n")
        }
    }
}

extension CheckExplanation.Part {
    fileprivate var summary: Value {
        var writer = DocumentWriter()
        writer.append("condition", .string(condition))
        writer.append("depth", .int(depth))
        writer.append("matches", .bool(matches))
        if let value { writer.append("value", .string(value)) }
        return .document(writer.finish())
    }
}

extension Check {
    fileprivate var summary: Document {
        [
            "name": .string(name), "title": .string(title), "why": .string(why), "fix": .string(fix),
            "severity": .string(severity.rawValue), "grace_period": .string("\(gracePeriod)"),
            "alert_frequency": .string("\(alertFrequency)"), "tell": .array(tell.map(Value.string)),
            "tags": .array(tags.map(Value.string)), "built_in": .bool(method == .builtIn),
            "controls": .document(
                Document(
                    controls.sorted { $0.key < $1.key }.map { ($0.key, .array($0.value.map(Value.string))) })),
        ]
    }
}
