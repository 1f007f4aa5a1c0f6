import ArgumentParser
import PDDocument
import PDFiles
import PDFleet
import PDToolSupport

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Evidence for auditors: what was open when, on which host, who was exempt and why.",
        discussion: """
            Figures are counted from records, each of which the report names. A page (html) needs nothing from elsewhere and \
            prints well; csv has a line for each host, check and issue; json has all of it. Days are in UTC, and the last one \
            belongs to the report.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case html, csv, json }

    @OptionGroup var options: FleetOptions

    @Option(help: ArgumentHelp("The first day, or a time: 2026-10-01.", valueName: "time"))
    var from: String

    @Option(help: ArgumentHelp("The last day, or a time.", valueName: "time"))
    var to: String

    @Option(help: "html, csv or json.")
    var format = Format.html

    @Option(
        help: ArgumentHelp(
            "Only the checks that answer to controls of this framework: soc2, iso27001, cis, or another that checks.yml names.",
            valueName: "name"))
    var framework: String?

    @Option(help: ArgumentHelp("Where to write it; standard output unless given.", valueName: "file"))
    var out: String?

    func run() async throws {
        let now = options.now()
        let begin = try Time.read(from, "--from")
        // A day that is named as the last one belongs to it.
        let end = try Time.read(to, "--to") + (CivilDate(to) == nil ? 0 : 86_400_000)
        guard begin < end else { throw ToolFailure(.usage, "--from must be before --to") }
        guard begin < now else { throw ToolFailure(.usage, "--from: that is still to come") }
        guard end - begin <= Self.longest else {
            throw ToolFailure(.usage, "a report is about 10 years at most")
        }
        let checks = try options.checks()
        let evidence = try await options.withFleet { fleet in
            try await Evidence(
                store: fleet.store, checks: checks, from: begin, to: end, framework: framework,
                keptFor: fleet.settings.retention.closedIssues?.milliseconds, at: now)
        }
        let content =
            switch options.json ? .json : format {
            case .html: EvidencePage(evidence).html
            case .csv: evidence.csv
            case .json: evidence.json.json(pretty: true) + "\n"
            }
        // As whoever asks, not as the owner of the state: it is theirs to give away.
        guard let out else {
            return try Files.writeAll(Array(content.utf8), to: 1, path: "standard output")
        }
        try Files.writeAtomically(Array(content.utf8), to: out)
        print(
            "\(out): \(evidence.episodes.count) issues on \(evidence.hosts.count) hosts, \(evidence.exceptions.count) exceptions and snoozes"
        )
    }

    /// So many milliseconds a report may be about: a bar a day has to fit.
    private static let longest: Int64 = 3653 * 86_400_000
}
