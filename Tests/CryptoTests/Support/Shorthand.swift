import CGcrypt
import Foundation
import PDSecrets

@testable import PDCrypto

// Names for what tests do often and the module does nowhere, or for one caller.

extension OpenPGP.Timestamp {
    /// What the system's clock says: gpg has no other.
    static func now() -> OpenPGP.Timestamp { OpenPGP.Timestamp(Int64(time(nil))) }
}

extension OpenPGP.PublicKey {
    func verify(
        _ fields: ArraySlice<UInt8>, digest: [UInt8], hash: DigestState.Algorithm
    ) throws(OpenPGP.Error) {
        try OpenPGP.verify(fields, by: self, digest: digest, hash: hash)
    }

    func verify(
        _ signature: OpenPGP.SignaturePacket, digest: [UInt8], hash: DigestState.Algorithm
    ) throws(OpenPGP.Error) {
        try OpenPGP.verify(signature, by: self, digest: digest, hash: hash)
    }
}

extension OpenPGP.SecretKey {
    func signDetached(
        _ document: some Collection<UInt8>, for purpose: Purpose?, at time: OpenPGP.Timestamp,
        hash: OpenPGP.HashAlgorithm? = nil
    ) throws(OpenPGP.Error) -> [UInt8] {
        try sign(document, for: purpose, at: time, hash: hash)
    }

    /// Most tests are about signatures, keys and packets, whatever was signed for. Theirs have no purpose, as those of gpg
    /// have none unless it is told; PurposeTests is about the purposes.
    func signDetached(
        _ document: some Collection<UInt8>, at time: OpenPGP.Timestamp, hash: OpenPGP.HashAlgorithm? = nil
    ) throws(OpenPGP.Error) -> [UInt8] {
        try sign(document, for: nil, at: time, hash: hash)
    }

    func signDetachedArmored(
        _ document: some Collection<UInt8>, at time: OpenPGP.Timestamp, hash: OpenPGP.HashAlgorithm? = nil
    ) throws(OpenPGP.Error) -> String {
        try OpenPGP.armored(signature: sign(document, for: nil, at: time, hash: hash))
    }
}

extension OpenPGP.Verifier {
    func verify(
        signature: [UInt8], of document: some Collection<UInt8>, at now: OpenPGP.Timestamp
    ) throws(OpenPGP.Error) -> OpenPGP.VerifiedSignature {
        try verifyWithoutPurpose(signature: signature, of: document, at: now)
    }

    func verifyRelease(
        signatures: [UInt8], of document: some Collection<UInt8>, threshold: Int = 1,
        at now: OpenPGP.Timestamp
    ) throws(OpenPGP.Error) -> [OpenPGP.VerifiedSignature] {
        try verifyAll(Self.signaturePackets(signatures), document, nil, threshold: threshold, now)
    }
}

extension AES.GCM {
    /// A box under a nonce of the caller's choice, for vectors.
    static func seal(
        _ message: [UInt8], using key: SecretBytes, nonce: [UInt8], authenticating authenticated: [UInt8]
    ) throws(CryptoError) -> SealedBox {
        let sealed = try message.withContiguousBytes { message throws(CryptoError) in
            try [UInt8](count: message.count + 16) { sealed throws(CryptoError) in
                try seal(message, using: key, nonce: nonce, authenticating: authenticated, into: sealed)
            }
        }
        return try SealedBox(combined: nonce + sealed)
    }
}

extension SExpression {
    /// A fresh key pair from a `genkey` expression.
    static func generateKey(_ parameters: SExpression) throws(CryptoError) -> SExpression {
        var key: gcry_sexp_t?
        try CryptoError.check(gcry_pk_genkey(&key, parameters.handle))
        guard let key else { throw .library(code: GPG_ERR_INTERNAL.rawValue) }
        return SExpression(handle: key)
    }
}

extension OpenPGP.PacketTag {
    static let marker = OpenPGP.PacketTag(rawValue: 10)
}

extension OpenPGP.Certificate {
    /// Whether the owner revoked the primary key, for whatever reason.
    var isRevoked: Bool { !primary.revocations.isEmpty }
}
