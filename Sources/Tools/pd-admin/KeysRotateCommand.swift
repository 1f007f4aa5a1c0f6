import ArgumentParser
import Foundation
import PDBasics
import PDDocument
import PDFleet
import PDProtocol
import PDToolSupport

extension KeysCommand {
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace the client key, the server's key or its certificate on the whole fleet.",
            discussion: """
                The first call makes what is new and announces it: agents take it when they next ask, and nobody touches \
                them. Each later call says how far they are, and once no host needs what is old, it goes. \
                --finish lets it go before: hosts that have registered their machine's key find the way back by \
                themselves, the others have to join again.

                After a laptop was lost: keys rotate client --lost LAPTOP. It is sent nothing, and machines that register \
                by the old key from then on wait for pd-admin hosts approve.
                """)

        @OptionGroup var options: FleetOptions

        @Argument(
            help:
                "client (hosts sign reports with it), server (it signs with it) or certificate (of its port)."
        )
        var subject: PDFleet.Rotation.Subject

        @Option(
            name: .customLong("lost"),
            help: ArgumentHelp("A host that is in the wrong hands; can be given again.", valueName: "host"))
        var lost: [String] = []

        @Option(
            help: ArgumentHelp(
                "Machines that registered since then wait for pd-admin hosts approve, too.",
                valueName: "time"))
        var since: String?

        @Flag(help: "Let what is old go, although hosts still use it.")
        var finish = false

        @OptionGroup var confirmation: Confirmation

        func validate() throws {
            guard subject == .client || lost.isEmpty && since == nil else {
                throw ValidationError("--lost and --since belong to the client key")
            }
            guard since == nil || !lost.isEmpty else { throw ValidationError("--since needs --lost") }
            guard !finish || lost.isEmpty else {
                throw ValidationError("--finish comes when the others have the new key: leave --lost out")
            }
        }

        func run() async throws {
            let now = Moment.now()
            let since = try since.map(moment)
            let outcome = try await options.withFleet { fleet in
                var rotation = KeyRotation(fleet, at: now)
                let hosts = try await hostnames(fleet)
                try confirm(try await rotation.progress(subject))
                return try await rotation.advance(subject, lost: hosts, since: since, isFinal: finish)
            }
            if options.json {
                print(Value.document(document(subject, outcome)).json(pretty: true))
                return
            }
            for step in outcome.steps { print(step) }
            guard let rotation = outcome.rotation else {
                return print("The rotation of the \(subject.words) is finished.")
            }
            print(describe(rotation, outcome.progress))
        }

        private func hostnames(_ fleet: Fleet) async throws -> [Hostname] {
            var hosts: [Hostname] = []
            for name in lost { hosts.append(try await fleet.host(named: name).hostname) }
            return hosts
        }

        private func moment(_ text: String) throws -> Moment {
            guard let milliseconds = Timestamp.milliseconds(text.utf8) else {
                throw ToolFailure(.usage, "--since takes a time such as 2026-11-20T08:00:00Z")
            }
            return Moment(milliseconds: milliseconds)
        }

        /// Says what is about to happen.
        private func confirm(_ found: (PDFleet.Rotation?, RotationProgress)) throws {
            let (rotation, progress) = found
            if rotation == nil {
                var lines = [
                    "a new \(subject.words) will be made and announced to \(Plural.of(progress.all, "host"))"
                ]
                if subject != .certificate, !progress.version1.isEmpty {
                    lines.append(
                        "\(Plural.of(progress.version1.count, "host")) with an agent of version 1 cannot follow, and have to be moved or given it by hand: "
                            + names(progress.version1))
                }
                // Said also to whoever wants to be asked nothing.
                ToolFailure.warn(lines.joined(separator: "; "))
                try confirmation.ask("The rotation begins")
            } else if finish, !progress.remaining.isEmpty {
                let what =
                    "\(Plural.of(progress.remaining.count, "host")) still use what is old: \(names(progress.remaining))"
                ToolFailure.warn(what)
                try confirmation.ask("What is old goes all the same")
            }
        }
    }

    struct Rotation: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What is being replaced, and how far the hosts are.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let rows = try await options.withFleet { fleet in
                var rows: [(PDFleet.Rotation, RotationProgress)] = []
                for subject in PDFleet.Rotation.Subject.allCases {
                    let (rotation, progress) = try await KeyRotation(fleet, at: .now()).progress(subject)
                    if let rotation { rows.append((rotation, progress)) }
                }
                return rows
            }
            options.show(rows.map { document($0, $1) }) {
                rows.isEmpty
                    ? "Nothing is being replaced." : rows.map(describe).joined(separator: "\n\n")
            }
        }
    }
}

extension PDFleet.Rotation.Subject: ExpressibleByArgument {
    /// What it is, for people.
    var words: String {
        switch self {
        case .client: "client key"
        case .server: "server key"
        case .certificate: "certificate"
        }
    }
}

extension RotationProgress {
    /// How many hosts there are.
    var all: Int { moved.count + remaining.count + lost.count }
}

private func document(_ rotation: PDFleet.Rotation, _ progress: RotationProgress) -> Document {
    func list(_ hosts: [Hostname]) -> Value { .array(hosts.map { .string($0.name) }) }
    return [
        "what": .string(rotation.subject.rawValue),
        "started_at": .date(milliseconds: rotation.startedAt),
        "old": .array(rotation.old.map { .string("\($0)") }),
        "new": rotation.new.map { .string("\($0)") } ?? .null,
        "moved": list(progress.moved), "following": list(progress.following),
        "waiting": list(progress.waiting), "unregistered": list(progress.unregistered),
        "version_1": list(progress.version1), "lost": list(progress.lost),
    ]
}

private func document(
    _ subject: PDFleet.Rotation.Subject, _ outcome: KeyRotation.Outcome
) -> Document {
    let rotation = outcome.rotation.map { document($0, outcome.progress) }
    return [
        "what": .string(subject.rawValue), "finished": .bool(outcome.rotation == nil),
        "steps": .array(outcome.steps.map(Value.string)),
        "rotation": rotation.map(Value.document) ?? .null,
    ]
}

/// A rotation that is under way, in lines.
private func describe(_ rotation: PDFleet.Rotation, _ progress: RotationProgress) -> String {
    var lines: [String] = []
    switch rotation.subject {
    case .client, .server:
        let old = rotation.old.map { "\($0)" }.joined(separator: ", ")
        lines.append("\(rotation.subject.words) \(rotation.new.map { "\($0)" } ?? "-") for \(old)")
    case .certificate: lines.append("certificate, announced in statement \(rotation.serial)")
    }
    lines.append("  \(progress.moved.count) of \(Plural.of(progress.all, "host")) use what is new")
    for (hosts, what) in [
        (progress.following, "take it when they next ask"),
        (progress.waiting, "wait for pd-admin hosts approve"),
        (progress.unregistered, "have not registered their machine's key: an older agent, or silent since"),
        (progress.version1, "have an agent of version 1 and cannot: move them, or give them the kit"),
        (progress.lost, "lost: sent nothing"),
    ] where !hosts.isEmpty {
        lines.append("  \(hosts.count) \(what): \(names(hosts))")
    }
    lines.append(
        progress.remaining.isEmpty
            ? "  No host needs what is old: pd-admin keys rotate \(rotation.subject.rawValue) lets it go."
            : "  pd-admin keys rotate \(rotation.subject.rawValue) goes on; --finish waits for nobody.")
    return lines.joined(separator: "\n")
}

/// Names in one line: the first twenty, and how many more there are.
private func names(_ hosts: [Hostname]) -> String {
    let shown = hosts.prefix(20).map(\.name).joined(separator: ", ")
    return hosts.count > 20 ? "\(shown) and \(hosts.count - 20) more" : shown
}
