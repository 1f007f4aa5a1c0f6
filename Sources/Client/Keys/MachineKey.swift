import Glibc
import PDCrypto
import PDFiles
import PDProtocol
import PDSecrets

/// The keys that this machine made for itself: one that signs, one that secrets are sealed to. Their secret halves leave
/// it never.
struct MachineKey: Sendable {
    private static let heading = "penguindome-machine-key-1\n"
    private static let seedBytes = 32

    let signing: Curve25519.Signing.PrivateKey
    let sealing: Curve25519.KeyAgreement.PrivateKey

    /// Reads the file, or makes keys and keeps them there. Only for whoever holds the state's lock.
    ///
    /// - Throws: ``AgentError/key(file:reason:)``: a damaged file is not replaced by itself, since the server knows the
    ///   machine by what was in it.
    init(file: String, random: SecureRandom = SecureRandom(.longTermKey)) throws(AgentError) {
        do {
            if Files.exists(file) {
                self = try Self.read(file)
            } else {
                signing = try Curve25519.Signing.PrivateKey(random: random)
                sealing = try Curve25519.KeyAgreement.PrivateKey(random: random)
                try write(file)
            }
        } catch let error as FileError {
            throw .file(error)
        } catch let error as AgentError {
            throw error
        } catch { throw .machineKey(file: file, reason: "\(error)") }
    }

    private init(signing: Curve25519.Signing.PrivateKey, sealing: Curve25519.KeyAgreement.PrivateKey) {
        self.signing = signing
        self.sealing = sealing
    }

    /// The public halves.
    var publicKeys: MachineKeys { MachineKeys(signing: signing.publicKey, sealing: sealing.publicKey) }

    private static func read(_ file: String) throws -> MachineKey {
        var text = try Files.read(file, limit: 1 << 12, links: .refuse)
        defer { text.wipe() }
        var end = text.endIndex
        while end > text.startIndex, text[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        guard text.starts(with: heading.utf8),
            var bytes = BaseN.base64.decode(text[heading.utf8.count..<end]), bytes.count == 2 * seedBytes
        else { throw AgentError.machineKey(file: file, reason: "it is damaged") }
        defer { bytes.wipe() }
        return MachineKey(
            signing: try .init(rawRepresentation: SecretBytes(copying: bytes[..<seedBytes])),
            sealing: try .init(rawRepresentation: SecretBytes(copying: bytes[seedBytes...])))
    }

    private func write(_ file: String) throws {
        var bytes = signing.rawRepresentation.withUnsafeBytes { Array($0) }
        sealing.rawRepresentation.withUnsafeBytes { bytes += $0 }
        defer { bytes.wipe() }
        var text = Array(Self.heading.utf8) + BaseN.base64.encode(bytes) + [UInt8(ascii: "\n")]
        defer { text.wipe() }
        try Files.writeAtomically(text, to: file)
    }
}
