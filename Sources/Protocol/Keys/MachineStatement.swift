import PDCrypto
import PDDocument
import PDSecrets

/// The public halves of the keys that one machine made for itself and shows nobody: one that signs, and one that the
/// fleet's client key is sealed to.
public struct MachineKeys: Sendable, Hashable {
    /// Ed25519 (RFC 8032).
    public let signing: Curve25519.Signing.PublicKey
    /// X25519 (RFC 7748), for HPKE.
    public let sealing: Curve25519.KeyAgreement.PublicKey

    /// The keys of a machine.
    public init(signing: Curve25519.Signing.PublicKey, sealing: Curve25519.KeyAgreement.PublicKey) {
        self.signing = signing
        self.sealing = sealing
    }

    /// What people compare: the first 16 bytes of SHA-256 over both keys, in eight groups of four hexadecimal digits.
    public var fingerprint: String {
        let digest = SHA256.hash(signing.rawRepresentation + sealing.rawRepresentation).prefix(16)
        let digits = Array(BaseN.hexadecimal.text(digest))
        return stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<$0 + 4]) }
            .joined(separator: "-")
    }
}

/// What a machine says of its own keys and of what it knows of its server. Signed by the machine's own key, so that
/// nobody registers a key that is somebody else's.
public struct MachineStatement: Sendable, Equatable {
    static let format = "penguindome-machine-1"
    /// The most bytes that are read.
    public static let sizeLimit = 1 << 14

    /// What the machine calls itself.
    public let hostname: Hostname
    /// Its keys.
    public let keys: MachineKeys
    /// The server's key that it knows.
    public let serverKey: OpenPGP.Fingerprint
    /// The serial number of the last ``KeyStatement`` that it followed; 0 where it followed none.
    public let serial: Int
    /// The client key that it has.
    public let clientKey: OpenPGP.Fingerprint
    /// When it was made, in seconds since 1970-01-01 UTC by the machine's clock.
    public let made: Int64

    /// A statement to sign.
    public init(
        hostname: Hostname, keys: MachineKeys, serverKey: OpenPGP.Fingerprint, serial: Int,
        clientKey: OpenPGP.Fingerprint, made: Int64
    ) {
        self.hostname = hostname
        self.keys = keys
        self.serverKey = serverKey
        self.serial = serial
        self.clientKey = clientKey
        self.made = made
    }

    /// Reads the bytes of a statement, whose signature is not known to be good yet: the key that made it stands in it.
    public init(json: [UInt8]) throws(StatementError) {
        let fields = try StatementFields(
            json: json, limit: Self.sizeLimit, format: Self.format,
            known: [
                "format", "critical", "hostname", "signing_key", "sealing_key", "server_key", "serial",
                "client_key",
                "made_at",
            ])
        guard let hostname = Hostname(try fields.string("hostname")) else {
            throw .badField("hostname", reason: "is not a host name")
        }
        self.hostname = hostname
        let (signing, sealing) = (try fields.digest("signing_key"), try fields.digest("sealing_key"))
        do {
            keys = MachineKeys(
                signing: try Curve25519.Signing.PublicKey(rawRepresentation: signing),
                sealing: try Curve25519.KeyAgreement.PublicKey(rawRepresentation: sealing))
        } catch { throw .badField("signing_key", reason: "cannot be used: \(error)") }
        serverKey = try fields.fingerprint("server_key")
        serial = try fields.integer("serial", in: 0...KeyStatement.serialLimit)
        clientKey = try fields.fingerprint("client_key")
        made = try fields.time("made_at")
    }

    /// The bytes to sign and to send.
    public func json() -> [UInt8] {
        let document: Document = [
            "format": .string(Self.format),
            "hostname": .string(hostname.name),
            "signing_key": .string(BaseN.hexadecimal.text(keys.signing.rawRepresentation)),
            "sealing_key": .string(BaseN.hexadecimal.text(keys.sealing.rawRepresentation)),
            "server_key": .string("\(serverKey)"),
            "serial": .int(serial),
            "client_key": .string("\(clientKey)"),
            "made_at": StatementFields.time(made),
        ]
        return Array(document.json().utf8)
    }
}

/// The fleet's client key on its way to one machine (RFC 9180, base mode, X25519 with HKDF-SHA256 and AES-256-GCM). Who
/// sealed it is not proved by that: a machine takes it only where a ``KeyStatement`` names the key's fingerprint.
public enum SealedClientKey {
    private static let info = Array("penguindome client key 1".utf8)

    /// Seals a secret key to a machine's key. The host's name and the key's fingerprint are bound to it.
    public static func seal(
        _ armored: SecretBytes, fingerprint: OpenPGP.Fingerprint, for hostname: Hostname,
        to keys: MachineKeys,
        random: some RandomSource
    ) throws -> [UInt8] {
        try armored.withUnsafeBytes { armored in
            try HPKE.SealedValue(
                sealing: armored, to: keys.sealing, info: info,
                authenticating: context(fingerprint, hostname), random: random
            ).combined
        }
    }

    /// Opens what ``seal(_:fingerprint:for:to:random:)`` sealed.
    ///
    /// - Throws: ``CryptoError`` where it is not for this machine, this host or that key.
    public static func open(
        _ sealed: [UInt8], fingerprint: OpenPGP.Fingerprint, for hostname: Hostname,
        with key: Curve25519.KeyAgreement.PrivateKey
    ) throws -> SecretBytes {
        try HPKE.KeyRing(current: key).open(
            HPKE.SealedValue(combined: sealed), info: info, authenticating: context(fingerprint, hostname))
    }

    private static func context(_ fingerprint: OpenPGP.Fingerprint, _ hostname: Hostname) -> [UInt8] {
        Array("\(hostname.name)\0\(fingerprint)".utf8)
    }
}
