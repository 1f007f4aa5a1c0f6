// Sources: Sources/Secrets/*.swift Fuzz/Support/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift -I Sources/CShims/CGcrypt
// Modules: PDSecrets
//
// Public keys, and secret ones where the first byte is odd. What reads must read the same when it is written again, and
// no key may accept numbers that nobody computed. libgcrypt sees each key: it must not end the process.

/// The vectors as inputs to start from.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    Vectors.seed(
        Vectors.publicKeys.flatMap { [[0] + $0, [0] + Vectors.binary($0, .publicKey)] }
            + [[1] + Vectors.secretKey, [1] + Vectors.binary(Vectors.secretKey, .secretKey)])
    return 0
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzKey(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 0, let data else { return 0 }
    let input = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    if data[0].isMultiple(of: 2) {
        guard let found = try? OpenPGP.Certificate.all(in: input) else { return 0 }
        for certificate in found { check(certificate) }
    } else {
        guard let key = try? OpenPGP.SecretKey(input) else { return 0 }
        check(key.certificate)
        check(key)
    }
    return 0
}

private func check(_ certificate: OpenPGP.Certificate) {
    guard let again = try? OpenPGP.Certificate(Array(certificate.armored().utf8)) else {
        fatalError("what was written does not read")
    }
    precondition(again.bytes == certificate.bytes && again.fingerprint == certificate.fingerprint)
    precondition(again.userIDs == certificate.userIDs)
    precondition(again.problem(at: Vectors.now) == certificate.problem(at: Vectors.now))
    let digest = [UInt8](repeating: 0x5a, count: 32)
    for component in ([certificate.primary] + certificate.subkeys).prefix(8) {
        for value in values(component.key.algorithm) {
            do {
                try OpenPGP.verify(value[...], by: component.key, digest: digest, hash: .sha256)
            } catch {
                continue
            }
            fatalError("a signature that nobody made was accepted")
        }
    }
}

/// Numbers that are well formed, and small or one another's multiples: what a careless verification takes.
private func values(_ algorithm: UInt8) -> [[UInt8]] {
    let one: [UInt8] = [0, 1, 1]
    let neutral = [1] + [UInt8](repeating: 0, count: 31)
    let zero = [UInt8](repeating: 0, count: 32)
    switch algorithm {
    case OpenPGP.PublicKeyAlgorithm.ed25519.rawValue: return [neutral + zero, neutral + neutral]
    case OpenPGP.PublicKeyAlgorithm.eddsaLegacy.rawValue:
        return [
            OpenPGP.mpi(neutral) + OpenPGP.mpi(zero), OpenPGP.mpi(neutral) + OpenPGP.mpi(neutral), one + one,
        ]
    case OpenPGP.PublicKeyAlgorithm.ecdsa.rawValue: return [one + one, [0, 0] + [0, 0], one + [0, 2, 2]]
    default: return [one, [0, 0], [0, 2, 2]]
    }
}

/// What a secret key signs, its certificate verifies; or the key refuses to sign.
private func check(_ key: OpenPGP.SecretKey) {
    guard let signature = try? key.detachedSignature(of: [1, 2, 3], for: .order, at: Vectors.now) else {
        return
    }
    let verifier = OpenPGP.Verifier(certificates: [key.certificate])
    guard (try? verifier.verify(signature: signature, of: [1, 2, 3], for: .order, at: Vectors.now)) != nil
    else {
        fatalError("a key's own signature is refused")
    }
}
