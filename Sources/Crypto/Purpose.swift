/// What a signature that an agent or a server obeys is for: the only list of these names.
///
/// A signature says "this key signed these bytes" and no more. Without a purpose the signature that goes out with a file
/// would be one of an order, wherever somebody gets an order signed as a file's content. So the purpose is part of what is
/// signed, and whoever verifies names the one that it wants.
///
/// A name ends in the version of what is signed: a new form that means something else gets a new name.
public enum Purpose: String, Sendable, CaseIterable, CustomStringConvertible {
    /// A statement that machines carry out: `OrderStatement`.
    case order = "order-1"
    /// The manifest of a release.
    case manifest = "manifest-1"
    /// The content of a file: an archive of a release, or a file that version 1 agents verify one by one.
    case file = "file-1"
    /// What a server says of its own key, the fleet's client key and its certificate: `KeyStatement`.
    case keys = "keys-1"
    /// What a machine says of the keys that are its own: `MachineStatement`.
    case machine = "machine-1"
    /// The key that private values are sealed to.
    case sealing = "sealing-1"

    /// The name under which an OpenPGP signature carries its purpose, as a notation (RFC 9580, section 5.2.3.24):
    /// `gpg --sig-notation purpose@penguindome=order-1 --detach-sign FILE`.
    public static let notationName = "purpose@penguindome"

    /// The name of the purpose.
    public var description: String { rawValue }

    /// What stands before the content where a bare Ed25519 key signs: `penguindome/`, the name, and a NUL. No prefix of one
    /// purpose begins another, since no name contains a NUL.
    var prefix: [UInt8] { Array("penguindome/\(rawValue)".utf8) + [0] }
}

extension Curve25519.Signing.PrivateKey {
    /// A signature that `content` was signed for `purpose`: 64 bytes, the same ones each time.
    public func signature(
        of content: some Collection<UInt8>, for purpose: Purpose
    ) throws(CryptoError) -> [UInt8] {
        try signature(for: purpose.prefix + content)
    }
}

extension Curve25519.Signing.PublicKey {
    /// Whether `signature` was made over `content`, for `purpose`, with the private half of this key.
    public func isValidSignature(
        _ signature: some Collection<UInt8>, of content: some Collection<UInt8>, for purpose: Purpose
    ) throws(CryptoError) -> Bool {
        try isValidSignature(signature, for: purpose.prefix + content)
    }
}
