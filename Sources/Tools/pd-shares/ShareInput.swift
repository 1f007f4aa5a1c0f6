import Glibc
import PDShamir

/// Shares as they were given on the command line.
enum ShareInput {
    /// A share of the native format.
    struct Native {
        /// The file, or "typed share 2".
        let name: String
        let share: Share

        /// How to speak of it.
        var title: String {
            let holder = share.holder.map { " (\($0))" } ?? ""
            return "share \(share.number) of \(share.set.shares)\(holder)"
        }
    }

    /// A share of libgfshare's format.
    struct Gfshare {
        let number: UInt8
        let file: InputFile
        let bytes: Int
    }

    case native([Native], sealed: [InputFile])
    case gfshare([Gfshare])

    /// What share files of the native format are called.
    static let suffix = ".share.txt"
    /// What sealed files are called.
    static let sealedSuffix = ".sealed"
    /// A share of the longest secret has less than 250,000 bytes.
    static let maximumFileBytes = 1_048_576

    /// Reads all shares.
    ///
    /// - Parameter arguments: files; directories, of which the shares and the sealed files are taken; `-` for standard
    ///   input. Every share that does not read is reported before the error is thrown.
    static func collect(_ arguments: [String]) throws(ToolError) -> ShareInput {
        var collector = Collector()
        for argument in arguments {
            let before = collector.native.count
            let directory = try ShareDirectory.shares(in: argument)
            for file in directory ?? [ShareDirectory.Entry(argument)] {
                do throws(ToolError) {
                    try collector.add(file)
                } catch {
                    collector.problems.append(error)
                }
            }
            guard directory != nil else { continue }
            // As they were made: 2 before 10, so that passphrases can be given in that order.
            collector.native[before...].sort { ($0.share.number, $0.name) < ($1.share.number, $1.name) }
        }
        return try collector.finish()
    }

    /// One file, for `inspect`.
    static func single(_ path: String) throws(ToolError) -> ShareInput {
        var collector = Collector()
        try collector.add(ShareDirectory.Entry(path))
        return try collector.finish()
    }

    private struct Collector {
        var native: [Native] = []
        var gfshare: [Gfshare] = []
        var sealed: [InputFile] = []
        var problems: [ToolError] = []

        mutating func add(_ entry: ShareDirectory.Entry) throws(ToolError) {
            let path = entry.name
            if path == "-" {
                native += try TypedShares.read(already: native)
                return
            }
            let file = try InputFile(path, opening: entry.path)
            if try SealedFiles.isSealed(file) {
                sealed.append(file)
                return
            }
            if let number = GfshareName.number(in: path), let bytes = file.size, try !isText(file) {
                gfshare.append(Gfshare(number: number, file: file, bytes: bytes))
                return
            }
            guard let text = try file.readAll(limit: ShareInput.maximumFileBytes) else {
                throw ToolError("\(Printable.path(path)): too large for a share")
            }
            do throws(ShareFileError) {
                let share = try text.withUnsafeBytes { text throws(ShareFileError) in try Share(parsing: text)
                }
                native.append(Native(name: Printable.path(path), share: share))
            } catch .notAShare(let line) {
                throw ToolError(
                    "\(Printable.path(path)): line \(line): not a share: expected -----BEGIN PENGUINDOME SHARE-----, "
                        + "or a libgfshare file, which is no text and whose name ends in .001 to .255")
            } catch {
                throw ToolError("\(Printable.path(path)): \(Printable.escaped(error.description))")
            }
        }

        private func isText(_ file: InputFile) throws(ToolError) -> Bool {
            let start = try file.start(bytes: GfshareProbe.startBytes)
            try file.rewind()
            return start.withUnsafeBytes { GfshareProbe.isText($0) }
        }

        func finish() throws(ToolError) -> ShareInput {
            for problem in problems.dropLast() { Terminal.note("pd-shares: \(problem.message)") }
            if let last = problems.last { throw last }
            if gfshare.isEmpty {
                guard !native.isEmpty || !sealed.isEmpty else { throw .usage("no shares were given") }
                return .native(native, sealed: sealed)
            }
            guard native.isEmpty, sealed.isEmpty else {
                throw ToolError(
                    "shares of two formats were given, native and libgfshare: they never fit together")
            }
            return .gfshare(gfshare)
        }
    }
}
