/// Writes archives in POSIX ustar, of regular files alone: the same files always make the same bytes.
///
/// Owner and group are 0, without names; every file has the same time.
public enum TarWriter {
    /// The time of every file: 1980-01-01T00:00:00Z. Some programs take an earlier one for a mistake.
    public static let modificationTime = 315_532_800

    /// The header of a file, 512 bytes. After it comes the content, then ``padding(after:)``.
    public static func header(path: RelativePath, mode: Int, size: Int) throws(TarError) -> [UInt8] {
        guard size >= 0, size < 1 << 33 else { throw .tooLarge(path) }
        guard (0...0o777).contains(mode) else { throw .specialMode(path) }
        let (prefix, name) = try split(path)
        var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
        func put(_ bytes: some Collection<UInt8>, _ field: Range<Int>) {
            for (offset, byte) in bytes.enumerated() { block[field.lowerBound + offset] = byte }
        }
        func put(_ number: Int, _ field: Range<Int>) {
            let digits = String(number, radix: 8)
            put((String(repeating: "0", count: max(0, field.count - 1 - digits.count)) + digits).utf8, field)
        }
        put(name, TarHeader.Field.name)
        put(mode, TarHeader.Field.mode)
        put(0, TarHeader.Field.user)
        put(0, TarHeader.Field.group)
        put(size, TarHeader.Field.size)
        put(modificationTime, TarHeader.Field.time)
        block[TarHeader.Field.type] = UInt8(ascii: "0")
        put(TarHeader.magic, TarHeader.Field.magic)
        put(0, TarHeader.Field.deviceMajor)
        put(0, TarHeader.Field.deviceMinor)
        put(prefix, TarHeader.Field.prefix)
        // Six digits, NUL, space: as every tar writes it.
        let sum = TarHeader.checksum(block[...])
        put(sum, TarHeader.Field.checksum.lowerBound..<TarHeader.Field.checksum.upperBound - 1)
        block[TarHeader.Field.checksum.upperBound - 1] = UInt8(ascii: " ")
        return block
    }

    /// The zeros after a content of that size.
    public static func padding(after size: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: TarHeader.padding(after: size))
    }

    /// The end of every archive.
    public static let end = [UInt8](repeating: 0, count: 2 * TarHeader.blockSize)

    /// A whole archive, in the order of the paths.
    public static func archive(
        _ files: [(path: RelativePath, mode: Int, content: [UInt8])]
    ) throws(TarError) -> [UInt8] {
        var archive: [UInt8] = []
        var paths = PathSet()
        for file in files.sorted(by: { $0.path < $1.path }) {
            do throws(PathCollision) {
                try paths.insert(file: file.path)
            } catch { throw .collision(error) }
            archive += try header(path: file.path, mode: file.mode, size: file.content.count)
            archive += file.content
            archive += padding(after: file.content.count)
        }
        return archive + end
    }

    /// A path in the two fields that ustar has for it: the last slash at which both parts fit.
    private static func split(
        _ path: RelativePath
    ) throws(TarError) -> (prefix: ArraySlice<UInt8>, name: ArraySlice<UInt8>) {
        let bytes = Array(path.text.utf8)
        if bytes.count <= TarHeader.Field.name.count { return ([], bytes[...]) }
        let slash = bytes.indices.first {
            bytes[$0] == UInt8(ascii: "/") && bytes.count - $0 - 1 <= TarHeader.Field.name.count
        }
        guard let slash, slash <= TarHeader.Field.prefix.count else { throw .unsuitablePath(path) }
        return (bytes[..<slash], bytes[(slash + 1)...])
    }
}
