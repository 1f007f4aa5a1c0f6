import PDCrypto

/// Why an archive is not the one that a manifest describes.
public enum ArchiveError: Error, Equatable, Sendable, CustomStringConvertible {
    /// It is no archive of ours.
    case tar(TarError)
    /// More bytes than the manifest says.
    case tooLong
    /// Not the bytes of which the manifest has the digest.
    case otherArchive
    /// Something that the manifest does not name.
    case unnamed(RelativePath)
    /// A file of another mode, size or content than the manifest says.
    case differs(RelativePath)
    /// A file that the manifest names is not there; how many there are.
    case missing(RelativePath, count: Int)

    /// One line for people.
    public var description: String {
        switch self {
        case .tar(let error): "\(error)"
        case .tooLong: "the archive is longer than its manifest says"
        case .otherArchive: "the archive is not the one of the manifest"
        case .unnamed(let path): "\(path) is not in the manifest"
        case .differs(let path): "\(path) is not as the manifest says"
        case .missing(let path, let count): "\(count) files are missing, the first is \(path)"
        }
    }
}

/// Reads an archive as it comes and holds every part of it against a manifest.
///
/// A file that differs throws at its end at the latest, before ``TarReader/Event/fileEnd`` is given out.
public struct ArchiveReader: ~Copyable {
    private let manifest: Manifest
    private var tar = TarReader()
    private var whole = SHA256()
    private var size = 0
    private var file: (SignedFile, SHA256State)?
    private var missing: Set<RelativePath>
    private let directories: Set<RelativePath>

    /// The digest of the file that is being read.
    private final class SHA256State {
        private var digest: SHA256? = SHA256()
        func update(_ bytes: ArraySlice<UInt8>) { digest?.update(bytes) }
        func finish() -> [UInt8] { digest.take()?.finalize() ?? [] }
    }

    /// A reader at the start of the archive of this manifest.
    public init(_ manifest: Manifest) {
        self.manifest = manifest
        missing = Set(manifest.files.map(\.path))
        var directories: Set<RelativePath> = []
        for file in manifest.files {
            for parent in file.path.parents where !directories.insert(parent).inserted { break }
        }
        self.directories = directories
    }

    /// Adds bytes to what there is to read.
    public mutating func append(_ bytes: some Collection<UInt8>) throws(ArchiveError) {
        size += bytes.count
        guard size <= manifest.archive.size else { throw .tooLong }
        whole.update(bytes)
        tar.append(bytes)
    }

    /// What comes next, or nothing where more bytes are wanted.
    public mutating func next() throws(ArchiveError) -> TarReader.Event? {
        let event: TarReader.Event?
        do throws(TarError) {
            event = try tar.next()
        } catch { throw .tar(error) }
        switch event {
        case .entry(let entry) where entry.kind == .directory:
            guard directories.contains(entry.path) else { throw .unnamed(entry.path) }
        case .entry(let entry):
            guard let named = manifest.file(entry.path) else { throw .unnamed(entry.path) }
            guard named.size == entry.size, named.mode == entry.mode else { throw .differs(entry.path) }
            file = (named, SHA256State())
        case .content(let bytes): file?.1.update(bytes)
        case .fileEnd:
            guard let (named, state) = file else { break }
            guard state.finish() == named.digest else { throw .differs(named.path) }
            missing.remove(named.path)
            file = nil
        case nil: break
        }
        return event
    }

    /// Throws unless the archive was read to its end and is the manifest's.
    public consuming func finish() throws(ArchiveError) {
        do throws(TarError) {
            try tar.finish()
        } catch { throw .tar(error) }
        if let first = missing.min() { throw .missing(first, count: missing.count) }
        guard size == manifest.archive.size, whole.finalize() == manifest.archive.digest else {
            throw .otherArchive
        }
    }
}
