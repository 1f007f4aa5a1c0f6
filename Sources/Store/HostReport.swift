import PDDocument
import PDProtocol

/// A submission in the form in which it becomes part of its host's document, and the rules by which it does: the same
/// for every store.
///
/// The host's document holds `hostname`, `submitted_at`, `collected_at`, `agent`, `plugins`, `commands`, in this order, and
/// then whatever else was there. Three names belong to the server and replace what an agent may have sent under them:
/// `plugins.submitted_at`, `commands.NAME.submitted_at` and `commands.NAME.collected_at`.
///
/// **Which report is newer.** The plugins, and each command, are judged by themselves, since they replace each other by
/// themselves: a command's result that was held up is not lost because newer plugins overtook it. What was collected
/// before what is known, both by the host's clock, is outdated, what has no time of its own is taken. What was collected
/// at the very time of what is known and says the same is a repetition, and is not written again, so that a captured
/// request which is played back cannot make a host that is gone look alive.
///
/// A host whose clock was further ahead than ``toleratedLead`` and has been put right must not be ignored until that time
/// comes: what it dated so counts as collected when the server got it, for reports that are not dated so themselves. Such
/// a mark that lies in the server's own future was set by a wrong clock of the server, and does not count.
struct HostReport: Sendable {
    /// The most that a host's document may have, in bytes: what MongoDB allows (16 MiB).
    static let maximumDocumentBytes = 16 << 20
    /// How far a host's clock may be ahead of the server's and still be believed, in milliseconds: an hour. When it is put
    /// right, the host is ignored for no longer than that.
    static let toleratedLead: Int64 = 3_600_000

    let hostname: Hostname
    let submittedAt: Int64
    private let collectedAt: Int64?
    private let agent: String?
    private let plugins: Document?
    private let commands: Document?

    /// Does all the work that does not depend on what is known of the host.
    init(_ submission: V1.Submission, submittedAt: Int64) {
        hostname = submission.hostname
        self.submittedAt = submittedAt
        collectedAt = submission.collectedAt
        agent = submission.agent
        plugins = submission.plugins?.setting("submitted_at", to: .date(milliseconds: submittedAt))
        let collected = submission.collectedAt.map(Value.date(milliseconds:))
        commands = submission.commands.map { commands in
            Document(
                commands.map { name, result in
                    // A result that is no object has no place for times; it is kept as it came.
                    guard case .document(let fields) = result else { return (name, result) }
                    return (
                        name,
                        .document(
                            fields.setting("submitted_at", to: .date(milliseconds: submittedAt))
                                .setting("collected_at", to: collected))
                    )
                })
        }
    }

    /// About how many bytes it keeps in memory.
    var byteCount: Int { 256 + (plugins?.byteCount ?? 0) + (commands?.byteCount ?? 0) }

    /// What becomes of the host.
    struct Effect {
        let disposition: SubmissionReceipt.Disposition
        /// The host's new document; nothing where it stays as it is.
        let document: Document?
        let differences: [V1.Difference]
        let changes: [V1.Change]

        init(
            _ disposition: SubmissionReceipt.Disposition, document: Document? = nil,
            differences: [V1.Difference] = [], changes: [V1.Change] = []
        ) {
            self.disposition = disposition
            self.document = document
            self.differences = differences
            self.changes = changes
        }
    }

    /// What becomes of the host with that document, or of a host that is not known.
    func effect(on known: Document?) throws(StoreError) -> Effect {
        guard let known else {
            let document = try assemble(
                collectedAt: plugins == nil ? nil : collectedAt.map(Value.date(milliseconds:)),
                agent: plugins == nil ? nil : agent.map(Value.string),
                plugins: plugins.map(Value.document), commands: commands.map(Value.document), rest: [])
            return Effect(.newHost, document: document)
        }
        var isNews = false
        var isOutdated = false
        /// Whether that part of the submission takes the place of what is known.
        func takes(_ age: Age) -> Bool {
            switch age {
            case .newer: isNews = true
            case .outdated: isOutdated = true
            case .repeated: break
            }
            return age == .newer
        }

        var collected = known["collected_at"]
        var newAgent = known["agent"]
        var newPlugins = known["plugins"]
        if let plugins, takes(age(of: plugins, collectedAt: collected, insteadOf: newPlugins)) {
            newPlugins = .document(plugins)
            newAgent = agent.map(Value.string)
            collected = collectedAt.map(Value.date(milliseconds:))
        }
        let newCommands = merge(commands, into: known["commands"]) { new, old in
            takes(age(of: new.document, collectedAt: old.document?["collected_at"], insteadOf: old))
        } added: {
            isNews = true
        }
        guard isNews else { return Effect(isOutdated ? .outdated : .repeated) }

        let document = try assemble(
            collectedAt: collected, agent: newAgent, plugins: newPlugins, commands: newCommands,
            rest: known.filter { !Self.ownFields.contains($0.key) })
        let (differences, changes) = V1.ChangeDetection.compare(old: known, new: document)
        return Effect(.stored, document: document, differences: differences, changes: changes)
    }

    /// The fields that a submission sets, or, as `suspended`, clears.
    private static let ownFields: Set = [
        "hostname", "submitted_at", "collected_at", "agent", "plugins", "commands", "suspended",
    ]

    private func assemble(
        collectedAt: Value?, agent: Value?, plugins: Value?, commands: Value?, rest: [Document.Element]
    ) throws(StoreError) -> Document {
        var writer = DocumentWriter()
        writer.append("hostname", .string(hostname.name))
        writer.append("submitted_at", .date(milliseconds: submittedAt))
        if let collectedAt { writer.append("collected_at", collectedAt) }
        if let agent { writer.append("agent", agent) }
        if let plugins { writer.append("plugins", plugins) }
        if let commands { writer.append("commands", commands) }
        for (key, value) in rest { writer.append(key, value) }
        let document = writer.finish()
        guard document.byteCount <= Self.maximumDocumentBytes else {
            throw .hostTooLarge(hostname, bytes: document.byteCount, limit: Self.maximumDocumentBytes)
        }
        return document
    }

    private func merge(
        _ commands: Document?, into known: Value?, replaces: (_ new: Value, _ old: Value) -> Bool,
        added: () -> Void
    ) -> Value? {
        guard let commands, !commands.isEmpty else { return known }
        // By bytes: what Swift takes for one text may be the names of two commands.
        var coming = Dictionary(commands.map { (Array($0.key.utf8), $0.value) }, uniquingKeysWith: { $1 })
        var writer = DocumentWriter()
        for (name, old) in known?.document ?? Document() {
            if let new = coming.removeValue(forKey: Array(name.utf8)), replaces(new, old) {
                writer.append(name, new)
            } else {
                writer.append(name, old)
            }
        }
        for name in commands.keys {
            guard let result = coming.removeValue(forKey: Array(name.utf8)) else { continue }
            writer.append(name, result)
            added()
        }
        return .document(writer.finish())
    }

    // MARK: Newer or not

    private enum Age {
        case newer, repeated, outdated
    }

    /// Compares a part of the submission, with the server's time in it, with what is known in its place.
    private func age(of new: Document?, collectedAt known: Value?, insteadOf old: Value?) -> Age {
        guard let collectedAt, let new, let known = known?.milliseconds, let old = old?.document,
            let delivered = old["submitted_at"]?.milliseconds
        else { return .newer }
        if collectedAt == known, new.setting("submitted_at", to: .date(milliseconds: delivered)) == old {
            return .repeated
        }
        let (sum, overflow) = submittedAt.addingReportingOverflow(Self.toleratedLead)
        let horizon = overflow ? .max : sum
        // The host's clock against itself, as long as it has not been put right in between.
        if known <= horizon || collectedAt > horizon { return collectedAt < known ? .outdated : .newer }
        let mark = min(known, delivered)
        return collectedAt < mark && mark <= submittedAt ? .outdated : .newer
    }
}
