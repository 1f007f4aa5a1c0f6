import PDCrypto
import PDSecrets

/// A password's hash in the modular form `$pbkdf2-sha256$ROUNDS$SALT$DIGEST`.
///
/// SALT and DIGEST are base64 without padding, with `.` for `+`.
public struct PasswordHash: Equatable, Sendable {
    /// PBKDF2 rounds.
    public let rounds: Int
    private let salt: [UInt8]
    private let digest: [UInt8]

    /// The rounds for new hashes: 0.1 to 0.2 seconds.
    public static let defaultRounds = 600_000
    /// The most rounds that a stored hash may ask for: about a second.
    public static let maximumRounds = 4_000_000
    /// The longest salt of a stored hash, in bytes.
    public static let maximumSaltByteCount = 1_024

    /// Base 64 with `.` for `+` and without padding.
    private static let coder = BaseN(
        bits: 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789", "./")
    private static let scheme = "pbkdf2-sha256"
    private static let digestByteCount = 32
    private static let newSaltByteCount = 16

    /// Hashes a new password.
    ///
    /// - Parameters:
    ///   - password: The UTF-8 bytes of the password.
    ///   - rounds: 1 through ``maximumRounds``.
    ///   - random: Gives the salt.
    /// - Throws: ``Error/rounds(_:)``, ``CryptoError``.
    public init(password: SecretBytes, rounds: Int = defaultRounds, random: some RandomSource) throws {
        guard rounds > 0, rounds <= Self.maximumRounds else { throw Error.rounds(String(rounds)) }
        self.rounds = rounds
        salt = try random.bytes(count: Self.newSaltByteCount)
        digest = try Self.derive(password, salt: salt, rounds: rounds).withUnsafeBytes(Array.init)
    }

    /// Reads the modular form.
    ///
    /// - Throws: ``Error``, naming the field that is wrong.
    public init(modular: String) throws {
        let fields = modular.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count >= 2, fields[0].isEmpty, fields[1] == Self.scheme else { throw Error.scheme }
        guard fields.count == 5 else { throw Error.fieldCount(fields.count - 1) }
        guard let rounds = Self.decimal(fields[2]), rounds <= Self.maximumRounds else {
            throw Error.rounds(String(fields[2].prefix(24)))
        }
        guard let salt = Self.coder.decode(fields[3].utf8), salt.count <= Self.maximumSaltByteCount
        else {
            throw Error.salt
        }
        guard let digest = Self.coder.decode(fields[4].utf8), digest.count == Self.digestByteCount
        else {
            throw Error.digest
        }
        self.rounds = rounds
        self.salt = salt
        self.digest = digest
    }

    /// The modular form.
    public var modular: String {
        "$\(Self.scheme)$\(rounds)$\(Self.coder.text(salt))$\(Self.coder.text(digest))"
    }

    /// Whether `password` is the one that was hashed. The digests are compared in constant time.
    ///
    /// - Throws: ``CryptoError``.
    public func matches(_ password: SecretBytes) throws -> Bool {
        let candidate = try Self.derive(password, salt: salt, rounds: rounds)
        return candidate.withUnsafeBytes { candidate in
            digest.withUnsafeBytes { ConstantTime.isEqual(candidate, $0) }
        }
    }

    /// Whether `password` matches the hash of a user, or false for a user who does not exist, after the same
    /// time.
    ///
    /// - Parameters:
    ///   - password: What was typed.
    ///   - hash: The user's hash; nil where there is no such user.
    ///   - rounds: What is spent on an unknown user: the rounds that the known users' hashes have.
    /// - Throws: ``CryptoError``.
    public static func matches(
        _ password: SecretBytes, _ hash: PasswordHash?, roundsIfUnknown rounds: Int = defaultRounds
    ) throws -> Bool {
        // One way for both, so that there is no difference to find.
        let isMatch = try (hash ?? PasswordHash(decoyOf: rounds)).matches(password)
        return isMatch && hash != nil
    }

    /// Nobody's.
    private init(decoyOf rounds: Int) {
        self.rounds = rounds
        salt = [UInt8](repeating: 0, count: Self.newSaltByteCount)
        digest = [UInt8](repeating: 0, count: Self.digestByteCount)
    }

    private static func derive(_ password: SecretBytes, salt: [UInt8], rounds: Int) throws -> SecretBytes {
        try PBKDF2.deriveKey(password: password, salt: salt, rounds: rounds, outputByteCount: digestByteCount)
    }

    /// A decimal number above zero, without sign and leading zeros.
    private static func decimal(_ text: Substring) -> Int? {
        guard text.first != "0", text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}

extension PasswordHash {
    /// What is wrong with a stored hash. No case carries the salt or the digest.
    public enum Error: Swift.Error, Equatable, Sendable {
        /// It does not begin with `$pbkdf2-sha256$`.
        case scheme
        /// There are not four fields.
        case fieldCount(Int)
        /// The rounds are no plain decimal number, or out of bounds.
        case rounds(String)
        /// The salt is not the base64 of at most 1,024 bytes.
        case salt
        /// The digest is not the base64 of 32 bytes.
        case digest
    }
}

extension PasswordHash.Error: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .scheme: "a password hash begins with $pbkdf2-sha256$"
        case .fieldCount(let count): "a password hash has four fields, not \(count)"
        case .rounds(let text):
            "\(text.debugDescription) rounds: not a number from 1 to \(PasswordHash.maximumRounds)"
        case .salt: "the salt of the password hash is not valid base64 (with . for +, without padding)"
        case .digest:
            "the digest of the password hash is not the base64 of 32 bytes (with . for +, without padding)"
        }
    }
}

extension PasswordHash: CustomStringConvertible, CustomReflectable {
    /// The rounds; neither salt nor digest.
    public var description: String { "PasswordHash(\(rounds) rounds)" }

    /// The rounds; neither salt nor digest.
    public var customMirror: Mirror { Mirror(self, children: ["rounds": rounds]) }
}
