import PDFiles
import PDProtocol

/// Where releases come from. Nothing that it gives is believed.
public protocol ReleaseSource: Sendable {
    /// The manifest of the newest release with its signature; nothing where the one in use is the newest.
    func newest(after current: Int) async throws(ReleaseError) -> SignedStatement?

    /// Some bytes of a release's archive.
    ///
    /// - Returns: from the offset on; none at the end.
    func piece(of number: Int, at offset: Int) async throws(ReleaseError) -> [UInt8]
}

/// A release in files: `X.tar`, `X.manifest`, `X.manifest.sig`.
public struct ReleaseInFiles: ReleaseSource {
    private let archive: String

    /// - Parameter archive: the path of the archive; the others lie beside it.
    public init(archive: String) {
        self.archive = archive
    }

    private var manifest: String {
        (archive.hasSuffix(".tar") ? String(archive.dropLast(4)) : archive) + ".manifest"
    }

    /// The manifest with its signature, whatever is in use.
    public func newest(after current: Int) async throws(ReleaseError) -> SignedStatement? {
        do throws(FileError) {
            return SignedStatement(
                bytes: try Files.read(manifest, limit: Manifest.sizeLimit),
                signature: try Files.read("\(manifest).sig", limit: 1 << 18))
        } catch { throw .file(error) }
    }

    /// Up to 1 MiB of the archive.
    public func piece(of number: Int, at offset: Int) async throws(ReleaseError) -> [UInt8] {
        do throws(FileError) {
            return try Files.read(archive, at: offset, count: 1 << 20)
        } catch { throw .file(error) }
    }
}
