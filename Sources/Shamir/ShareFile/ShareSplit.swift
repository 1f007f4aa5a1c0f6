import PDSecrets

extension ShareSet {
    /// Splits a secret, or a sealed file's key, into the shares of this set.
    ///
    /// - Parameters:
    ///   - secret: what ``content`` says: the secret itself, or the 32 bytes of a sealed file's key.
    ///   - holders: who keeps which share; the first keeps number 1. May be shorter than the number of shares.
    ///   - randomness: draws the check key and the coefficients.
    /// - Throws: ``ShareFileError/invalidField(_:)``, ``ShareFileError/failed(_:)``.
    public func split<Randomness: ShareRandomness>(
        _ secret: SecretBytes, holders: [String?] = [], randomness: Randomness,
        cryptography: some ShareCryptography
    ) throws(ShareFileError) -> [Share] {
        guard secret.count == secretBytes else { throw .invalidField("Secret") }
        guard holders.count <= shares else { throw .invalidField("Holder") }
        var checkKey = SecretBytes(count: ShareBody.checkKeyBytes)
        try ShareFileError.wrapping { () throws(ShamirError) in
            try checkKey.withUnsafeMutableBytes { key throws(ShamirError) in try randomness.draw(key) }
        }
        let message = try message(secret, checkKey: checkKey, cryptography: cryptography)
        let values = try ShareFileError.wrapping { () throws(ShamirError) in
            try Shamir.split(message, threshold: threshold, shares: shares, randomness: randomness)
        }
        var made: [Share] = []
        for (index, value) in values.enumerated() {
            let holder = index < holders.count ? holders[index] : nil
            let empty = SecretBytes(count: ShareBody.bytes(of: self, protected: false))
            var share = try Share(set: self, number: index + 1, holder: holder, body: empty)
            try value.withUnsafeBytes { value throws(ShareFileError) in
                try checkKey.withUnsafeBytes { checkKey throws(ShareFileError) in
                    let mac = try ShareBody.shareMAC(
                        share, value: value, checkKey: checkKey, cryptography: cryptography)
                    share.body.withUnsafeMutableBytes { body in
                        body.copyMemory(from: value)
                        mac.withUnsafeBytes { body.copy($0, at: value.count) }
                    }
                }
            }
            made.append(share)
        }
        return made
    }

    /// What is split: secret ‖ check key ‖ the set's MAC.
    private func message(
        _ secret: SecretBytes, checkKey: SecretBytes, cryptography: some ShareCryptography
    ) throws(ShareFileError) -> SecretBytes {
        var message = SecretBytes(count: messageBytes)
        try secret.withUnsafeBytes { secret throws(ShareFileError) in
            try checkKey.withUnsafeBytes { checkKey throws(ShareFileError) in
                let mac = try ShareBody.setMAC(
                    self, secret: secret, checkKey: checkKey, cryptography: cryptography)
                message.withUnsafeMutableBytes { message in
                    message.copyMemory(from: secret)
                    message.copy(checkKey, at: secret.count)
                    mac.withUnsafeBytes { message.copy($0, at: secret.count + checkKey.count) }
                }
            }
        }
        return message
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Copies all of `bytes` to `offset`.
    func copy(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        UnsafeMutableRawBufferPointer(rebasing: self[offset..<(offset + bytes.count)]).copyMemory(from: bytes)
    }
}
