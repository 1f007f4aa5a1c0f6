@testable import PDCrypto

// Most tests are about signatures, keys and packets, whatever was signed for. Theirs have no purpose, as those of gpg have
// none unless it is told; PurposeTests is about the purposes.

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
        try verifyAll(signatures, of: document, for: nil, threshold: threshold, at: now)
    }
}

extension OpenPGP.SecretKey {
    func signDetached(
        _ document: some Collection<UInt8>, at time: OpenPGP.Timestamp, hash: OpenPGP.HashAlgorithm? = nil
    ) throws(OpenPGP.Error) -> [UInt8] {
        try signDetachedWithoutPurpose(document, at: time, hash: hash)
    }

    func signDetachedArmored(
        _ document: some Collection<UInt8>, at time: OpenPGP.Timestamp, hash: OpenPGP.HashAlgorithm? = nil
    ) throws(OpenPGP.Error) -> String {
        try signDetachedWithoutPurposeArmored(document, at: time, hash: hash)
    }
}
