import Logging
import PDDocument
import PDFiles
import PDProtocol
import PDQuery

/// The fleet's checks, put to this very machine.
public struct MachineChecks: Sendable {
    /// What a check says of this machine.
    public struct Answer: Sendable, Equatable {
        /// How it stands.
        public enum Verdict: String, Sendable {
            /// It does not find this machine.
            case passing
            /// It does.
            case failing
            /// The machine cannot tell what the check wants to know.
            case unknown
            /// The check is about other machines.
            case notApplicable = "not_applicable"
        }

        /// What was asked.
        public let check: PublishedChecks.Check
        /// What came of it.
        public let verdict: Verdict
        /// What was seen; empty where the check does not say where to look.
        public let evidence: String
        /// What to do about it on this distribution; may be empty.
        public let fix: String

        /// Whether there is something to do.
        public var isFinding: Bool { verdict == .failing || verdict == .unknown }
    }

    /// Where the checks came from, for people.
    public let source: String
    private let checks: PublishedChecks

    init(_ checks: PublishedChecks, source: String) {
        self.checks = checks
        self.source = source
    }

    /// Those of the release in use, as they were signed; where it brought none, those of the kit.
    ///
    /// - Throws: ``AgentError`` where there are none, or they are not as they were signed.
    init(state: StateDirectory, trust: Trust, log: Logger, now: Int64) throws(AgentError) {
        do {
            if let content = try Self.released(state, trust, log, now) {
                self.init(try PublishedChecks(json: content.bytes), source: "release \(content.release)")
                return
            }
            let kit = try Files.read(state.checks, limit: PublishedChecks.sizeLimit, links: .refuse)
            self.init(try PublishedChecks(json: kit), source: "the kit that this machine joined with")
        } catch let error as FileError where error.isAbsence {
            throw .noChecks
        } catch { throw .badChecks("\(error)") }
    }

    private static func released(
        _ state: StateDirectory, _ trust: Trust, _ log: Logger, _ now: Int64
    ) throws -> (bytes: [UInt8], release: Int)? {
        guard Files.exists("\(state.releases)/current/\(PublishedChecks.fileName)") else { return nil }
        let folder = try ReleaseFolder(state.releases)
        guard let number = folder.current else { return nil }
        let keys = try TrustedKeys(trust, state: state, log: log)
        let manifest = try Integrity.manifest(folder, number, keys.verifier(.releases), now / 1000)
        let path = try RelativePath(PublishedChecks.fileName)
        let content = try folder.files(number).open(path).content(limit: PublishedChecks.sizeLimit)
        guard let file = manifest.file(path), file.describes(content) else {
            throw ReleaseError.otherContent(number)
        }
        return (content, number)
    }

    /// Puts them to a report.
    ///
    /// - Parameters:
    ///   - report: what this machine would tell the server, as the server keeps it.
    ///   - distributions: what its distribution is called, the most exact name first.
    ///   - now: milliseconds since 1970-01-01 UTC.
    /// - Throws: ``AgentError/badChecks(_:)`` for a query that nobody can answer.
    func answers(_ report: Document, distributions: [String], now: Int64) throws(AgentError) -> [Answer] {
        var answers: [Answer] = []
        for check in checks.checks {
            let verdict = try Self.verdict(of: check, on: report, now: now)
            let isFinding = verdict == .failing || verdict == .unknown
            let seen = isFinding ? report[check.evidence.split(separator: ".").map(String.init)] : nil
            answers.append(
                Answer(
                    check: check, verdict: verdict, evidence: seen.map(Self.words) ?? "",
                    fix: isFinding ? check.fix(on: distributions) : ""))
        }
        return answers
    }

    private static func verdict(
        of check: PublishedChecks.Check, on report: Document, now: Int64
    ) throws(AgentError) -> Answer.Verdict {
        do {
            func matches(_ query: Document?) throws -> Bool? {
                try query.map { try Query($0, now: now).matches(report) }
            }
            if try matches(check.appliesTo) == false { return .notApplicable }
            if try matches(check.unknown) == true { return .unknown }
            return try matches(check.query) == true ? .failing : .passing
        } catch is PatternError {
            // An expression that would take too long: what cannot be known must not look well.
            return .unknown
        } catch { throw .badChecks("\(check.name): \(error)") }
    }

    private static func words(_ value: Value) -> String {
        value.string ?? value.array?.compactMap(\.string).joined(separator: "; ") ?? ""
    }
}

extension Agent {
    /// Looks at this machine with the fleet's checks. Nothing is kept and nothing is sent.
    ///
    /// - Throws: ``AgentError`` where there are no checks, or they cannot be used.
    public func check() async throws(AgentError) -> (answers: [MachineChecks.Answer], source: String) {
        let time = now()
        let checks = try MachineChecks(state: state, trust: settings.trust, log: log, now: time)
        // As the server gets it: what a query asks for must be in the same place and of the same type.
        let sent = await report(isKept: false)
        let plugins: Document
        do {
            plugins = try Document(json: sent.json(), timestamps: .atSuffix)["plugins"]?.document ?? [:]
        } catch { throw .badChecks("the report cannot be read: \(error)") }
        let report: Document = [
            "hostname": .string(hostname.name), "submitted_at": .date(milliseconds: time),
            "collected_at": .date(milliseconds: time), "plugins": .document(plugins),
        ]
        let answers = try checks.answers(report, distributions: distributions, now: time)
        return (answers, checks.source)
    }

    private var distributions: [String] {
        // Without the file the fix for all is the one that is left.
        guard let release = try? OSRelease.read(machine) else { return [] }
        return [release.id] + (release.fields["ID_LIKE"] ?? "").split(separator: " ").map(String.init)
    }
}
