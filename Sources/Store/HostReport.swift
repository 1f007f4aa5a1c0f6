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
/// request which is played back cannot make a host that is gone look alive. Results of attempts at one order are told apart
/// by the number of the attempt first. What takes the place of nothing must be newer than what was known of a host of that
/// name that was deleted or renamed since.
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
    ///
    /// - Parameter departed: looks up what is known of a host of that name that is gone; called only where it matters.
    func effect(on known: Document?, departed: () throws -> DepartedHost?) throws -> Effect {
        var gone: DepartedHost??
        /// Whether it was collected before a host of that name went: nothing newer may have taken its place.
        func wentBefore() throws -> Bool {
            let found = try gone ?? departed()
            gone = .some(found)
            return found.map { isNoNewer(than: $0) } ?? false
        }
        guard let known else {
            guard try !wentBefore() else { return Effect(.outdated) }
            let document = try assemble(
                collectedAt: plugins == nil ? nil : collectedAt.map(Value.date(milliseconds:)),
                agent: plugins == nil ? nil : agent.map(Value.string),
                plugins: plugins.map(Value.document), commands: commands.map(Value.document), rest: [])
            return Effect(.newHost, document: document)
        }
        var isNews = false
        var isOutdated = false
        /// Whether that part of the submission takes the place of what is known.
        func takes(_ new: Document?, collectedAt: Value?, insteadOf old: Value?) throws -> Bool {
            let age =
                try old == nil && wentBefore()
                ? Age.outdated : age(of: new, collectedAt: collectedAt, insteadOf: old)
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
        if let plugins, try takes(plugins, collectedAt: collected, insteadOf: newPlugins) {
            newPlugins = .document(plugins)
            newAgent = agent.map(Value.string)
            collected = collectedAt.map(Value.date(milliseconds:))
        }
        let newCommands = try merge(commands, into: known["commands"]) { new, old in
            try takes(new.document, collectedAt: old?.document?["collected_at"], insteadOf: old)
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
        _ commands: Document?, into known: Value?, takes: (_ new: Value, _ old: Value?) throws -> Bool
    ) rethrows -> Value? {
        guard let commands, !commands.isEmpty else { return known }
        // By bytes: what Swift takes for one text may be the names of two commands.
        var coming = Dictionary(commands.map { (Array($0.key.utf8), $0.value) }, uniquingKeysWith: { $1 })
        var writer = DocumentWriter()
        for (name, old) in known?.document ?? Document() {
            if let new = coming.removeValue(forKey: Array(name.utf8)), try takes(new, old) {
                writer.append(name, new)
            } else {
                writer.append(name, old)
            }
        }
        for name in commands.keys {
            guard let result = coming.removeValue(forKey: Array(name.utf8)), try takes(result, nil) else {
                continue
            }
            writer.append(name, result)
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
        let says = new.setting("submitted_at", to: .date(milliseconds: delivered))
        if collectedAt == known, says == old { return .repeated }
        if let attempts = attempts(new, old) {
            // Attempts at one order are counted, whatever the host's clock does in between.
            if attempts.new != attempts.old { return attempts.new < attempts.old ? .outdated : .newer }
        }
        let mark = mark(collectedAt: known, submittedAt: delivered)
        return mark.map { collectedAt < $0 } ?? false ? .outdated : .newer
    }

    /// Whether the submission was collected no later than what is known of a host that is gone.
    private func isNoNewer(than gone: DepartedHost) -> Bool {
        guard let collectedAt, let mark = mark(collectedAt: gone.collectedAt, submittedAt: gone.submittedAt)
        else { return false }
        return collectedAt <= mark
    }

    /// What the submission's time of collection is compared with; nothing where a clock was wrong and nothing can be told.
    private func mark(collectedAt known: Int64, submittedAt delivered: Int64) -> Int64? {
        let (sum, overflow) = submittedAt.addingReportingOverflow(Self.toleratedLead)
        let horizon = overflow ? .max : sum
        // The host's clock against itself, as long as it has not been put right in between.
        if known <= horizon || collectedAt ?? .max > horizon { return known }
        let mark = min(known, delivered)
        return mark <= submittedAt ? mark : nil
    }

    /// Which attempts at an order two results of a command are of, where they are of the same.
    private func attempts(_ new: Document, _ old: Document) -> (new: Int, old: Int)? {
        guard let order = new["order"]?.string, order == old["order"]?.string,
            let attempt = new["attempt"]?.integer, let known = old["attempt"]?.integer
        else { return nil }
        return (attempt, known)
    }
}
