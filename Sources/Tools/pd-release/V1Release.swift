import PDCrypto
import PDLegacy
import PDProtocol
import PDToolSupport

/// A release in the form of version 1: beside each file a detached signature, `client/release.txt` with the number, and
/// the archive in one signed message.
struct V1Release {
    private let manifest: Manifest
    private var files: [(path: RelativePath, mode: Int, content: [UInt8])] = []

    /// - Parameter archive: what the manifest describes, verified.
    init(manifest: Manifest, archive: [UInt8]) throws {
        self.manifest = manifest
        var reader = TarReader()
        reader.append(archive)
        while let event = try reader.next() {
            switch event {
            case .entry(let entry) where entry.kind == .file: files.append((entry.path, entry.mode, []))
            case .content(let bytes): files[files.count - 1].content += bytes
            default: break
            }
        }
        let release = try RelativePath("client/release.txt")
        let number = Array("\(manifest.number)\n".utf8)
        if let own = files.first(where: { $0.path == release }) {
            guard own.content == number else {
                throw ToolFailure(
                    .failed, "client/release.txt in the release does not say \(manifest.number)")
            }
        } else {
            files.append((release, 0o644, number))
        }
    }

    /// The signed message, in ASCII armor.
    func message(signedBy key: OpenPGP.SecretKey, at now: OpenPGP.Timestamp) throws -> [UInt8] {
        var signed = files
        for file in files {
            let signature: [UInt8]
            do {
                signature = try FileSignature.make(of: file.content, by: key, at: now)
            } catch { throw ToolFailure(.failed, "\(file.path) cannot be signed for version 1: \(error)") }
            signed.append((try RelativePath("signatures/\(file.path).sig"), 0o644, signature))
        }
        let archive: [UInt8]
        do throws(TarError) {
            archive = try TarWriter.archive(signed)
        } catch { throw ToolFailure(.failed, "the form for agents of version 1 cannot be made: \(error)") }
        return try InlineMessage.sign(archive, fileName: "\(manifest.number).tar", with: key, at: now)
    }
}
