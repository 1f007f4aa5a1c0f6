import PDSecrets

/// One share of the native format, as its holder has it: perhaps still locked by a passphrase.
public struct Share {
    /// How a passphrase locks a share.
    public struct Protection: Equatable, Sendable {
        static let saltBytes = 16
        static let tagBytes = 16
        /// What a try costs.
        public let cost: PassphraseCost
        /// Sixteen random bytes.
        public let salt: [UInt8]

        init?(cost: PassphraseCost, salt: [UInt8]) {
            guard salt.count == Self.saltBytes else { return nil }
            self.cost = cost
            self.salt = salt
        }
    }

    /// What all shares of the split have in common.
    public let set: ShareSet
    /// The share's number, 1...set.shares.
    public let number: UInt8
    /// Who keeps it.
    public let holder: String?
    /// Present where a passphrase is needed.
    public let protection: Protection?
    /// The share's value and its MAC; sealed where there is a protection.
    var body: SecretBytes

    init(
        set: ShareSet, number: Int, holder: String?, protection: Protection? = nil, body: SecretBytes
    ) throws(ShareFileError) {
        guard 1...set.shares ~= number else { throw .invalidField("Share") }
        if let holder, !ShareName.isValid(holder) { throw .invalidField("Holder") }
        let bytes = ShareBody.bytes(of: set, protected: protection != nil)
        guard body.count == bytes else { throw .invalidField("Secret") }
        self.set = set
        self.number = UInt8(number)
        self.holder = holder
        self.protection = protection
        self.body = body
    }

    /// Locks the share with a passphrase.
    ///
    /// - Parameters:
    ///   - passphrase: UTF-8, at least one byte.
    ///   - randomness: draws the salt.
    /// - Throws: ``ShareFileError/invalidField(_:)`` where it is locked already, ``ShareFileError/failed(_:)``.
    public func locked(
        passphrase: SecretBytes, cost: PassphraseCost = .standard, randomness: some ShareRandomness,
        cryptography: some ShareCryptography
    ) throws(ShareFileError) -> Share {
        guard protection == nil, passphrase.count > 0 else { throw .invalidField("Protection") }
        var salt = SecretBytes(count: Protection.saltBytes)
        try ShareFileError.wrapping { () throws(ShamirError) in
            try salt.withUnsafeMutableBytes { salt throws(ShamirError) in try randomness.draw(salt) }
        }
        guard let protection = Protection(cost: cost, salt: salt.withUnsafeBytes(Array.init)) else {
            throw .invalidField("Protection")
        }
        var sealed = SecretBytes(count: body.count + Protection.tagBytes)
        let key = try protection.key(passphrase: passphrase, cryptography: cryptography)
        try key.withUnsafeBytes { key throws(ShareFileError) in
            try body.withUnsafeBytes { body throws(ShareFileError) in
                try sealed.withUnsafeMutableBytes { sealed throws(ShareFileError) in
                    try cryptography.seal(
                        body, key: key, nonce: Self.nonce, authenticating: associatedData(protection),
                        into: sealed)
                }
            }
        }
        return try Share(set: set, number: Int(number), holder: holder, protection: protection, body: sealed)
    }

    /// Unlocks the share; a share without a passphrase is returned as it is.
    ///
    /// - Throws: ``ShareFileError/wrongPassphrase``, ``ShareFileError/failed(_:)``.
    public func unlocked(
        passphrase: SecretBytes, cryptography: some ShareCryptography
    ) throws(ShareFileError) -> Share {
        guard let protection else { return self }
        var opened = SecretBytes(count: body.count - Protection.tagBytes)
        let key = try protection.key(passphrase: passphrase, cryptography: cryptography)
        let right = try key.withUnsafeBytes { key throws(ShareFileError) in
            try body.withUnsafeBytes { body throws(ShareFileError) in
                try opened.withUnsafeMutableBytes { opened throws(ShareFileError) in
                    try cryptography.open(
                        body, key: key, nonce: Self.nonce, authenticating: associatedData(protection),
                        into: opened)
                }
            }
        }
        guard right else { throw .wrongPassphrase }
        return try Share(set: set, number: Int(number), holder: holder, body: opened)
    }

    /// The key is used for one message, because the salt is new for each.
    private static var nonce: [UInt8] { [UInt8](repeating: 0, count: 12) }

    private func associatedData(_ protection: Protection) -> [UInt8] {
        ShareText.setLines(set) + ShareText.ownLines(self) + Array("Protection: \(protection.text)\n".utf8)
    }
}

extension Share.Protection {
    /// The value of the `Protection` line.
    var text: String {
        "argon2id \(cost.memory) \(cost.passes) \(cost.lanes) \(ShareText.plain(salt))"
    }

    /// The inverse of `text`; nil for anything else, also for other spellings of the same.
    init?(text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "argon2id",
            let memory = Decimal.parse(parts[1]), let passes = Decimal.parse(parts[2]),
            let lanes = Decimal.parse(parts[3]),
            let cost = PassphraseCost(memory: memory, passes: passes, lanes: lanes)
        else { return nil }
        var salt = [UInt8](repeating: 0, count: Self.saltBytes)
        let decoded = Array(parts[4].utf8).withUnsafeBytes { digits in
            salt.withUnsafeMutableBytes { BaseN.base32.decode(digits, into: $0) }
        }
        guard decoded else { return nil }
        self.init(cost: cost, salt: salt)
        guard self.text == text else { return nil }
    }

    func key(
        passphrase: SecretBytes, cryptography: some ShareCryptography
    ) throws(ShareFileError) -> SecretBytes {
        let passphrase = ShareName.normalisedPassphrase(passphrase)
        var key = SecretBytes(count: 32)
        try passphrase.withUnsafeBytes { passphrase throws(ShareFileError) in
            try key.withUnsafeMutableBytes { key throws(ShareFileError) in
                try cryptography.deriveKey(passphrase: passphrase, salt: salt, cost: cost, into: key)
            }
        }
        return key
    }
}
