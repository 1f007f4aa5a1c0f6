/// Reads an archive as it comes, strictly: regular files and directories of POSIX ustar, and nothing else.
///
/// Every path is checked, alone and beside the others, before it is given out. Holds no more than one block besides what
/// ``append(_:)`` was given and ``next()`` has not yet taken.
public struct TarReader: Sendable {
    /// What comes next.
    public enum Event: Equatable, Sendable {
        /// A member begins.
        case entry(TarEntry)
        /// Some of the file's content, never empty.
        case content(ArraySlice<UInt8>)
        /// The file is complete.
        case fileEnd
    }

    private enum State {
        case header
        case content(left: Int, padding: Int)
        case padding(Int)
        case firstEndBlock
        case ended
    }

    /// The most members of an archive.
    public let entryLimit: Int
    /// The most zeros after the end mark: some programs fill up a tape's block.
    private static let fillLimit = 1 << 16

    private var state = State.header
    private var pending: [UInt8] = []
    private var position = 0
    private var paths = PathSet()
    private var entries = 0
    private var fill = 0

    /// A reader at the start of an archive.
    public init(entryLimit: Int = 2 * Manifest.fileLimit) {
        self.entryLimit = entryLimit
    }

    /// Adds bytes to what there is to read.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        pending.removeFirst(position)
        position = 0
        pending += bytes
    }

    /// What comes next, or nothing where more bytes are wanted.
    public mutating func next() throws(TarError) -> Event? {
        while true {
            switch state {
            case .header:
                guard let block = take(TarHeader.blockSize) else { return nil }
                guard block.contains(where: { $0 != 0 }) else {
                    state = .firstEndBlock
                    continue
                }
                let entry = try Self.entry(block)
                entries += 1
                guard entries <= entryLimit else { throw .tooManyEntries(limit: entryLimit) }
                do throws(PathCollision) {
                    switch entry.kind {
                    case .file: try paths.insert(file: entry.path)
                    case .directory: try paths.insert(directory: entry.path)
                    }
                } catch { throw .collision(error) }
                if entry.kind == .file {
                    state = .content(left: entry.size, padding: TarHeader.padding(after: entry.size))
                }
                return .entry(entry)
            case .content(0, let padding):
                state = .padding(padding)
                return .fileEnd
            case .content(let left, let padding):
                let count = min(left, pending.count - position)
                guard count > 0 else { return nil }
                defer { position += count }
                state = .content(left: left - count, padding: padding)
                return .content(pending[position..<position + count])
            case .padding(let count):
                guard let zeros = take(count) else { return nil }
                guard zeros.allSatisfy({ $0 == 0 }) else { throw .notZero(field: "padding") }
                state = .header
            case .firstEndBlock:
                guard let block = take(TarHeader.blockSize) else { return nil }
                guard block.allSatisfy({ $0 == 0 }) else { throw .trailingBytes }
                state = .ended
            case .ended:
                let rest = pending[position...]
                fill += rest.count
                guard fill <= Self.fillLimit, rest.allSatisfy({ $0 == 0 }) else { throw .trailingBytes }
                position = pending.count
                return nil
            }
        }
    }

    /// Throws unless the archive was read to its end. To be called when there are no more bytes.
    public func finish() throws(TarError) {
        guard case .ended = state else { throw .truncated }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard pending.count - position >= count else { return nil }
        defer { position += count }
        return pending[position..<position + count]
    }

    // MARK: - Headers

    private static func entry(_ block: ArraySlice<UInt8>) throws(TarError) -> TarEntry {
        let block = Array(block)
        guard block[TarHeader.Field.magic].elementsEqual(TarHeader.magic) else { throw .notUstar }
        guard try number(block, TarHeader.Field.checksum, "checksum") == TarHeader.checksum(block[...]) else {
            throw .badChecksum
        }
        let kind: TarEntry.Kind
        switch block[TarHeader.Field.type] {
        case UInt8(ascii: "0"): kind = .file
        case UInt8(ascii: "5"): kind = .directory
        case UInt8(ascii: "1"), UInt8(ascii: "2"): throw .link
        case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"): throw .specialFile
        case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"): throw .extendedHeader
        case UInt8(ascii: "S"): throw .sparseFile
        case let code: throw .unknownType(code)
        }
        // A program that looks at these would see another archive than we do.
        guard block[TarHeader.Field.linkName].allSatisfy({ $0 == 0 }) else {
            throw .notZero(field: "link name")
        }
        guard block[TarHeader.Field.rest].allSatisfy({ $0 == 0 }) else {
            throw .notZero(field: "unused bytes")
        }

        let path = try path(block, kind)
        let mode = try number(block, TarHeader.Field.mode, "mode")
        guard mode & ~0o777 == 0 else { throw .specialMode(path) }
        let size = try number(block, TarHeader.Field.size, "size")
        guard size <= SignedFile.sizeLimit else { throw .tooLarge(path) }
        guard kind == .file || size == 0 else { throw .badNumber(field: "size") }
        return TarEntry(path: path, kind: kind, mode: mode, size: size)
    }

    private static func path(_ block: [UInt8], _ kind: TarEntry.Kind) throws(TarError) -> RelativePath {
        let prefix = try text(block[TarHeader.Field.prefix])
        var name = try text(block[TarHeader.Field.name])
        if kind == .directory, name.last == UInt8(ascii: "/") { name.removeLast() }
        let bytes = prefix.isEmpty ? Array(name) : prefix + [UInt8(ascii: "/")] + name
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUnicode }
        do throws(PathError) {
            return try RelativePath(text)
        } catch { throw .badPath(error) }
    }

    /// Up to the first NUL, after which there must be nothing else.
    private static func text(_ field: ArraySlice<UInt8>) throws(TarError) -> ArraySlice<UInt8> {
        let text = field.prefix { $0 != 0 }
        guard field[text.endIndex...].allSatisfy({ $0 == 0 }) else {
            throw .notZero(field: "name after its end")
        }
        return text
    }

    /// Octal digits, then at least one NUL or space. The binary numbers of GNU tar are none.
    private static func number(
        _ block: [UInt8], _ range: Range<Int>, _ field: String
    ) throws(TarError) -> Int {
        let digits = block[range].prefix { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        let rest = block[digits.endIndex..<range.upperBound]
        guard !digits.isEmpty, !rest.isEmpty, rest.allSatisfy({ $0 == 0 || $0 == 0x20 }) else {
            throw .badNumber(field: field)
        }
        // At most eleven digits: no overflow.
        return digits.reduce(0) { $0 << 3 | Int($1 - UInt8(ascii: "0")) }
    }
}
