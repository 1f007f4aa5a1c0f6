import PDBasics
import PDCrypto
import PDProtocol
import PDStore

/// An order before it is signed: what somebody is about to put a name to.
package struct OrderDraft: Sendable, Equatable {
    /// What is to be signed.
    package let statement: OrderStatement
    /// The files that it speaks of, with their content.
    package let files: [Order.File]

    /// Writes an order down.
    ///
    /// - Parameters:
    ///   - fleet: the fingerprint of the fleet's server.
    ///   - days: after how many days nobody obeys it any more.
    ///   - random: makes its id hard to guess.
    /// - Throws: ``FleetError`` where it is one that no agent would obey.
    package init(
        _ kind: OrderStatement.Kind, _ files: [Order.File], for hosts: [Hostname],
        fleet: OpenPGP.Fingerprint, days: Int, at now: Moment, random: any RandomSource = SecureRandom(.nonce)
    ) throws {
        do {
            statement = try OrderStatement(
                id: Self.newID(now, random), kind: kind, fleet: fleet, hosts: hosts, created: now.seconds,
                expires: now.seconds + Int64(days) * 86_400,
                files: files.map {
                    SignedFile(path: try RelativePath($0.path), mode: $0.mode, content: $0.content)
                })
        } catch { throw FleetError(.usage, "\(error)") }
        self.files = files
    }

    /// An order that was written down elsewhere.
    ///
    /// - Throws: ``FleetError`` where its files are not those that it speaks of.
    package init(_ statement: OrderStatement, _ files: [Order.File]) throws(FleetError) {
        let contents = Dictionary(files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        guard contents.count == files.count, files.count == statement.files.count,
            statement.files.allSatisfy({ file in
                contents[file.path.text].map {
                    $0.mode == file.mode && (file.mode == 0 ? $0.content.isEmpty : file.describes($0.content))
                } ?? false
            })
        else {
            throw FleetError(.failed, "order \(statement.id): its files are not those that it speaks of")
        }
        self.statement = statement
        self.files = files
    }

    /// What the key must be trusted for.
    package var role: KeyRole {
        switch statement.kind {
        case .files: .patch
        case .command: .command
        }
    }

    /// Signs it.
    ///
    /// - Parameter forVersion1: whether each file gets a signature of its own as well, which agents of version 1 check.
    /// - Returns: an order that any agent can verify.
    package func signed(
        by signer: some OpenPGP.DetachedSigner, forVersion1: Bool = false, at now: Moment
    ) throws -> Order {
        let (bytes, time) = (statement.json(), OpenPGP.Timestamp(now.seconds))
        var all = files
        if forVersion1 {
            for file in files {
                let signature: [UInt8]
                do {
                    signature = try FileSignature.make(of: file.content, by: signer, at: time)
                } catch {
                    throw FleetError(.failed, "\(file.path) cannot be signed for version 1: \(error)")
                }
                all.append(
                    Order.File(
                        path: Order.signatureFolder + "\(file.path).sig", mode: 0o644, content: signature))
            }
        }
        return Order(
            id: statement.id, submittedAt: now.milliseconds, files: all, pendingHosts: statement.hosts,
            signed: Order.Signed(
                statement: bytes,
                signature: try signer.detachedSignature(of: bytes, for: .order, at: time)))
    }

    /// As MongoDB makes identifiers: the time, then chance.
    private static func newID(_ now: Moment, _ random: any RandomSource) throws -> String {
        let time = UInt32(truncatingIfNeeded: now.seconds)
        return hexadecimal(
            (0..<4).map { UInt8(truncatingIfNeeded: time >> (24 - 8 * $0)) } + (try random.bytes(count: 8)))
    }
}

extension Order {
    /// Where signatures for agents of version 1 lie, among the files.
    package static let signatureFolder = "signatures/"

    /// What was ordered; nothing where it is for agents of version 1 alone.
    package var statement: OrderStatement? { signed.flatMap { try? OrderStatement(json: $0.statement) } }

    /// The files that it speaks of, without those of signatures.
    package var ownFiles: [File] { files.filter { !$0.path.hasPrefix(Self.signatureFolder) } }

    /// What kind of order it is, for people and for scripts.
    package var kind: String {
        switch statement?.kind {
        case .files: "files"
        case .command: "command"
        case nil: "version 1"
        }
    }
}
