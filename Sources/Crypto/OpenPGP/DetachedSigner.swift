extension OpenPGP {
    /// What signs documents: a key that this process holds, or one that a person keeps behind gpg-agent.
    public protocol DetachedSigner: Sendable {
        /// Why it does not sign.
        associatedtype Failure: Swift.Error

        /// The certificate by which the signatures are verified.
        var certificate: Certificate { get }

        /// A binary detached signature of `document` (RFC 9580, section 10.4), of type 0x00.
        ///
        /// - Parameters:
        ///   - purpose: what the signature is for; whoever verifies it must ask for the same.
        ///   - now: the present time. The certificate must be valid at it; a signer whose key is elsewhere may write the
        ///     time of another clock into the signature.
        func detachedSignature(
            of document: some Collection<UInt8>, for purpose: Purpose, at now: Timestamp
        ) throws(Failure) -> [UInt8]
    }

    /// A binary detached signature in ASCII armor.
    public static func armored(signature: [UInt8]) -> String {
        String(decoding: Armor.wrap(signature, kind: .signature), as: UTF8.self)
    }
}
