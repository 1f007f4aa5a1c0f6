import Logging
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

/// An order that this machine took, as its owner may want to see it.
public struct OrderShown: Sendable, Equatable {
    /// The order's number.
    public let id: String
    /// `patch`, or the name of a command; nothing where its text cannot be read any more.
    public let what: String?
    /// The fingerprint of the key that signed it; nothing where that is trusted no longer.
    public let signer: String?
    /// When it was first accepted, in seconds since 1970-01-01 UTC.
    public let accepted: Int64
    /// `done`, `failed`, or `waits` where it is tried again.
    public let state: String
    /// What a command's last run ended with.
    public let returncode: Int?
    /// Why it did not work, where its program did not say that.
    public let reason: String?

    /// As JSON has it.
    public var document: Document {
        [
            "order": .string(id), "what": what.map(Value.string) ?? .null,
            "signed_by": signer.map(Value.string) ?? .null,
            "accepted_at": .date(milliseconds: accepted * 1000), "state": .string(state),
            "returncode": returncode.map(Value.int) ?? .null, "reason": reason.map(Value.string) ?? .null,
        ]
    }
}

extension Agent {
    /// The orders that this machine took and that have not been forgotten since, the newest first, each with who signed it,
    /// as its signature says now.
    ///
    /// - Throws: ``AgentError/file(_:)``.
    public static func orders(
        _ state: StateDirectory, _ settings: AgentSettings, log: Logger
    ) throws(AgentError) -> [OrderShown] {
        guard Files.exists(state.orders) else { return [] }
        do throws(FileError) {
            let folder = try OrderFolder(state.orders)
            let keys = try TrustedKeys(settings.trust, state: state, log: log)
            return try folder.ids().compactMap { folder.shown($0, keys) }
                .sorted { ($0.accepted, $0.id) > ($1.accepted, $1.id) }
        } catch { throw .file(error) }
    }
}

extension OrderFolder {
    /// One order; nothing where nobody knows what became of it.
    fileprivate func shown(_ id: String, _ keys: TrustedKeys) -> OrderShown? {
        // A damaged record is told by the order's refusal, whenever it is offered.
        guard let record = try? record(id) else { return nil }
        let (what, signer) = described(id, acceptedAt: record.accepted, keys)
        return OrderShown(
            id: id, what: what, signer: signer, accepted: record.accepted,
            state: record.isDone ? record.hasFailed ? "failed" : "done" : "waits",
            returncode: record.returncode, reason: record.reason)
    }

    private func described(
        _ id: String, acceptedAt time: Int64, _ keys: TrustedKeys
    ) -> (what: String?, signer: String?) {
        let now = OpenPGP.Timestamp(time)
        // What is lost, changed, or of a key that is trusted no longer, says nothing.
        guard let statement = try? statement(id),
            let order = try? statement.order(
                patches: keys.verifier(.patches), commands: keys.verifier(.commands), at: now),
            order.id == id
        else { return (nil, nil) }
        let (what, role): (String, Trust.Role) =
            switch order.kind {
            case .files: ("patch", .patches)
            case .command(let command): (command.name, .commands)
            }
        let signatures = try? keys.verifier(role).verifyRelease(
            signatures: statement.signature, of: statement.bytes, for: .order, at: now)
        return (what, signatures?.first.map { "\($0.certificate)" })
    }
}
