import PDCrypto
import PDSecrets

/// How a backup is sealed to a passphrase: a header of 64 bytes, then frames of ``PipeFrame``.
///
/// | offset | bytes | content |
/// | --- | --- | --- |
/// | 0 | 16 | `penguindome-bk1` and a line feed |
/// | 16 | 16 | salt |
/// | 32 | 4 | Argon2id: memory in KiB, big-endian |
/// | 36 | 4 | passes |
/// | 40 | 4 | lanes |
/// | 44 | 20 | 0 |
///
/// The frames' secret is Argon2id (RFC 9106) of the passphrase, with the header as associated data, so that every bit of
/// the header counts; their pipe id is the salt, their direction 0. Each frame but the last holds 65,536 bytes.
struct BackupSeal {
    static let mark = Array("penguindome-bk1\n".utf8)
    static let headerBytes = 64

    /// RFC 9106, section 4, second choice: 64 MiB, three passes, four lanes.
    static let memory = 1 << 16
    static let passes = 3
    static let lanes = 4

    let header: [UInt8]

    /// The header of a new backup.
    init(random: some RandomSource) throws {
        let cost = [Self.memory, Self.passes, Self.lanes]
        header =
            try Self.mark + random.bytes(count: 16)
            + cost.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
            + [UInt8](repeating: 0, count: 20)
    }

    /// The header that a file begins with.
    init(header: [UInt8]) { self.header = header }

    private var salt: [UInt8] { Array(header[16..<32]) }

    private func number(at offset: Int) -> Int {
        header[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// The secret of the frames; nothing where the header asks for what no backup of ours does. What is asked for comes
    /// from a file that nobody has checked yet: it must not take all memory.
    private func secret(_ passphrase: SecretBytes) throws -> SecretBytes? {
        let (memory, passes, lanes) = (number(at: 32), number(at: 36), number(at: 40))
        guard (1 << 13...1 << 20).contains(memory), (1...16).contains(passes), (1...16).contains(lanes) else {
            return nil
        }
        return try Argon2id.deriveKey(
            password: passphrase, salt: salt, memory: memory, passes: passes, lanes: lanes,
            associated: header)
    }

    func sealer(_ passphrase: SecretBytes) throws -> PipeFrame.Sealer? {
        guard let secret = try secret(passphrase) else { return nil }
        return try PipeFrame.Sealer(secret: secret, pipeID: salt, direction: .fromAgent)
    }

    func opener(_ passphrase: SecretBytes) throws -> PipeFrame.Opener? {
        guard let secret = try secret(passphrase) else { return nil }
        return try PipeFrame.Opener(secret: secret, pipeID: salt, direction: .fromAgent)
    }
}
