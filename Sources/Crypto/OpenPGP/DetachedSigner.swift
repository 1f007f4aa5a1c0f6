extension OpenPGP {
    /// What signs documents: a key that this process holds, or one that a person keeps behind gpg-agent.
    public protocol DetachedSigner: Sendable {
        /// The certificate by which the signatures are verified.
        var certificate: Certificate { get }

        /// A binary detached signature of `document` (RFC 9580, section 10.4), of type 0x00.
        ///
        /// - Parameters:
        ///   - purpose: what the signature is for.
        ///   - now: the present time. The certificate must be valid at it; a signer whose key is elsewhere may write the
        ///     time of another clock into the signature.
        func detachedSignature(
            of document: some Collection<UInt8>, for purpose: Purpose, at now: Timestamp
        ) throws -> [UInt8]
    }
}

extension OpenPGP.DetachedSigner {
    /// As ``detachedSignature(of:for:at:)``, in ASCII armor.
    public func armoredDetachedSignature(
        of document: some Collection<UInt8>, for purpose: Purpose, at now: OpenPGP.Timestamp
    ) throws -> String {
        let signature = try detachedSignature(of: document, for: purpose, at: now)
        return String(decoding: OpenPGP.Armor.wrap(signature, kind: .signature), as: UTF8.self)
    }
}

extension OpenPGP.SecretKey: OpenPGP.DetachedSigner {
    /// As ``signDetached(_:for:at:hash:)`` with the hash algorithm that fits the key.
    public func detachedSignature(
        of document: some Collection<UInt8>, for purpose: Purpose, at now: OpenPGP.Timestamp
    ) throws(OpenPGP.Error) -> [UInt8] {
        try signDetached(document, for: purpose, at: now)
    }
}
