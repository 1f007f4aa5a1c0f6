import PDCrypto
import PDProtocol

extension ReleaseShelf {
    /// The newest release's manifest with its signature, where it is newer than `old`. A release is there once
    /// `N.manifest.sig` is.
    package func newestStatement(after old: Int) throws(StateError) -> SignedStatement? {
        guard let newest = try numbers(with: ".manifest.sig").last, newest > old,
            let manifest = try ReleaseFile(directory: directory, name: "\(newest).manifest"),
            let signature = try ReleaseFile(directory: directory, name: "\(newest).manifest.sig")
        else { return nil }
        guard manifest.size <= Manifest.sizeLimit, signature.size <= OpenPGP.Verifier.sizeLimit else {
            throw StateError("release \(newest): its manifest is too large")
        }
        return SignedStatement(
            bytes: try manifest.read(at: 0, count: manifest.size),
            signature: try signature.read(at: 0, count: signature.size))
    }

    /// Some bytes of a release's archive; nothing where there is no such release.
    package func piece(of number: Int, at offset: Int) throws(StateError) -> [UInt8]? {
        guard number > 0, try ReleaseFile(directory: directory, name: "\(number).manifest.sig") != nil,
            let file = try archive(Int64(number))
        else { return nil }
        guard offset < file.size else { return [] }
        return try file.read(at: offset, count: min(V2.pieceBytes, file.size - offset))
    }
}
