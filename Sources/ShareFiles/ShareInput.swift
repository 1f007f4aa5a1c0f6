import Glibc
import PDSecrets
import PDShamir

/// Shares as they were given: files, directories and what was typed.
package struct ShareInput {
    /// A share of the native format.
    package struct Native {
        /// The file, or "typed share 2".
        package let name: String
        package let share: Share
        /// Whether a person typed it, who can take it back.
        package let isTyped: Bool

        package init(name: String, share: Share, isTyped: Bool = false) {
            self.name = name
            self.share = share
            self.isTyped = isTyped
        }

        /// How to speak of it.
        package var title: String {
            Self.title(number: Int(share.number), of: share.set.shares, holder: share.holder)
        }

        static func title(number: Int, of shares: Int, holder: String?) -> String {
            "share \(number) of \(shares)" + (holder.map { " (\($0))" } ?? "")
        }
    }

    /// A share that could not be read whole.
    package struct Damaged {
        package let name: String
        package let share: ShareScanner.DamagedShare

        /// One line for each thing that is wrong.
        package var lines: [String] {
            let who = [share.number.map { "share \($0)" }, share.holder].compactMap { $0 }.joined(
                separator: ", ")
            let start = Printable.escaped(who.isEmpty ? name : "\(name) (\(who))")
            return share.problems.map { problem in
                let place = problem.line.map { " (line \($0) of the text)" } ?? ""
                return "\(start): \(Printable.escaped(problem.description))\(place)"
            }
        }
    }

    /// What standard input gave.
    package enum Typed {
        /// From a person, line by line.
        case shares([Native])
        /// From a pipe or a file.
        case text(SecretBytes)
    }

    /// A share of libgfshare's format.
    package struct Gfshare {
        package let number: UInt8
        package let file: InputFile
        package let bytes: Int
    }

    package var native: [Native] = []
    package var gfshare: [Gfshare] = []
    package var sealed: [InputFile] = []
    package var damaged: [Damaged] = []
    /// Files of a directory that look like shares by their names and could not be read.
    package private(set) var unreadable: [String] = []
    /// Locked shares that a passphrase opened, as they were and open: nobody is asked for that passphrase again.
    var opened: [(locked: Share, open: Share)] = []
    /// The shares that were last combined and did not restore a secret, open.
    var refused: [Share] = []

    /// What share files of the native format are called.
    package static let suffix = ".share.txt"
    /// What sealed files are called.
    package static let sealedSuffix = ".sealed"
    /// A share of the longest secret has less than 250,000 bytes; mail may add to it.
    package static let maximumFileBytes = 1_048_576

    package init() {}

    /// Reads files and directories. Everything that is not a share is left out where it was not named, with a line.
    ///
    /// - Parameters:
    ///   - photographs: pictures of sheets, whose QR codes are read.
    ///   - mending: whether lines that only one correction fits are taken as corrected.
    ///   - typed: what `-` stands for.
    package init(
        _ arguments: [String], photographs: [String] = [], mending: Bool = false, keepers: some Keepers,
        typed: ([Native]) throws(ToolError) -> Typed
    ) throws {
        var problems: [ToolError] = []
        var stray: ToolError?
        for argument in arguments {
            let before = native.count
            let directory = try ShareDirectory.shares(in: argument)
            for entry in directory ?? [ShareDirectory.Entry(argument)] {
                do throws(ToolError) {
                    if entry.name == "-" {
                        switch try typed(native) {
                        case .shares(let shares): native += shares
                        case .text(let text):
                            try add(text: text, name: "standard input", mending: mending, keepers)
                        }
                    } else {
                        try add(entry, mending: mending, keepers)
                    }
                } catch  where directory != nil {
                    // Somebody's stray file, or a link that leads nowhere, does not keep the others from being used.
                    keepers.note("\(error.message): left out")
                    if error.exitCode == 3 { unreadable.append(Printable.path(entry.name)) }
                    stray = error
                } catch {
                    problems.append(error)
                }
            }
            guard directory != nil else { continue }
            // As they were made: 2 before 10, so that passphrases can be given in that order.
            native[before...].sort { ($0.share.number, $0.name) < ($1.share.number, $1.name) }
        }
        for path in photographs {
            try add(text: Photograph.text(path), name: Printable.path(path), mending: mending, keepers)
        }
        for problem in problems.dropLast() { keepers.note("pd-shares: \(problem.message)") }
        if let last = problems.last { throw last }
        repairFromOthers(mending: mending, keepers)
        dropRepeated(keepers)
        joinParts(keepers)
        if native.isEmpty, gfshare.isEmpty, sealed.isEmpty, damaged.isEmpty {
            if let stray { throw stray }
            throw ToolError.usage("no shares were given")
        }
        guard gfshare.isEmpty || native.isEmpty && sealed.isEmpty && damaged.isEmpty else {
            throw ToolError(
                "shares of two formats were given, native and libgfshare: they never fit together")
        }
    }

    /// The shares that were given before and after typed ones, and in place of these what was typed meanwhile.
    package mutating func replaceTyped(by typed: [Native], _ keepers: some Keepers) {
        native.removeAll(where: \.isTyped)
        native += typed
        repairFromOthers(mending: false, keepers)
        dropRepeated(keepers)
    }

    /// Adds the sealed file that somebody names at a prompt, where no shell takes quotes and backslashes off a path: the
    /// file, the directory that it is in, or a text with its printed parts.
    package mutating func addSealed(_ answer: String, _ keepers: some Keepers) throws(ToolError) {
        let path = Self.typedPath(answer)
        let before = sealed.count
        for entry in try ShareDirectory.shares(in: path) ?? [ShareDirectory.Entry(path)] {
            let file = try InputFile(entry.name, opening: entry.path)
            if try SealedFiles.isSealed(file) {
                sealed.append(file)
            } else if let text = try file.readAll(limit: Self.maximumFileBytes) {
                parts += text.withUnsafeBytes { SealedPart.scan($0).parts }
            }
        }
        joinParts(keepers)
        guard sealed.count > before else {
            throw ToolError("\(Printable.path(path)): no sealed file")
        }
    }

    /// A path as a terminal has it after a file was dropped on it: in quotes or with backslashes, and a space after it.
    static func typedPath(_ answer: String) -> String {
        var path = answer[...]
        while path.last == " " { path = path.dropLast() }
        while path.first == " " { path = path.dropFirst() }
        if let quote = path.first, quote == "'" || quote == "\"", path.count > 1, path.last == quote {
            return String(path.dropFirst().dropLast())
        }
        return path.split(separator: "\\ ", omittingEmptySubsequences: false).joined(separator: " ")
    }

    /// Parts of printed sealed files.
    private var parts: [SealedPart] = []

    /// Sealed files of which every part was read, and a line for each of which one is missing.
    private mutating func joinParts(_ keepers: some Keepers) {
        for (set, parts) in Dictionary(grouping: parts, by: \.set).sorted(by: { $0.key < $1.key }) {
            let (file, missing) = SealedPart.joined(parts)
            if let file {
                sealed.append(InputFile(file, name: "the printed sealed file of set \(set)"))
            } else {
                let list = missing.prefix(12).map { "\($0)" }.joined(separator: ", ")
                keepers.note(
                    "the printed sealed file of set \(set) is not complete: of its \(parts[0].count) parts these are missing: "
                        + list + (missing.count > 12 ? "…" : ""))
            }
        }
    }

    /// The texts of damaged shares, to be read again once more is known.
    private var texts: [SecretBytes] = []

    private mutating func add(
        _ entry: ShareDirectory.Entry, mending: Bool, _ keepers: some Keepers
    ) throws(ToolError) {
        let path = entry.name
        let file = try InputFile(path, opening: entry.path)
        if try SealedFiles.isSealed(file) {
            sealed.append(file)
            return
        }
        if let number = GfshareName.number(in: path), let bytes = file.size, try !Self.isText(file) {
            gfshare.append(Gfshare(number: number, file: file, bytes: bytes))
            return
        }
        guard let text = try file.readAll(limit: Self.maximumFileBytes) else {
            throw ToolError("\(Printable.path(path)): too large for a share")
        }
        try add(text: text, name: Printable.path(path), mending: mending, keepers)
    }

    private static func isText(_ file: InputFile) throws(ToolError) -> Bool {
        let start = try file.start(bytes: GfshareProbe.startBytes)
        try file.rewind()
        return start.withUnsafeBytes { GfshareProbe.isText($0) }
    }

    /// Takes all shares of a text.
    package mutating func add(
        text: SecretBytes, name: String, mending: Bool, _ keepers: some Keepers
    ) throws(ToolError) {
        let findings = text.withUnsafeBytes {
            ShareScanner(known: native.map(\.share.set), mending: mending).scan($0)
        }
        let (printed, torn) = text.withUnsafeBytes { SealedPart.scan($0) }
        parts += printed
        if torn > 0 {
            keepers.note(
                "\(name): \(torn) \(torn == 1 ? "part" : "parts") of a printed sealed file cannot be read: take another picture"
            )
        }
        guard !findings.isEmpty || !printed.isEmpty || torn > 0 else {
            throw ToolError(
                "\(name): not a share: no line after -----BEGIN PENGUINDOME SHARE----- is in it, and libgfshare's "
                    + "files are no text and have names that end in .001 to .255")
        }
        for (index, finding) in findings.enumerated() {
            let own = findings.count == 1 ? name : "\(name) [\(index + 1)]"
            switch finding {
            case .share(let share, let corrections):
                Self.note(corrections, of: own, keepers)
                native.append(Native(name: own, share: share))
            case .damaged(let share):
                damaged.append(Damaged(name: own, share: share))
                texts.append(text)
            }
        }
    }

    private static func note(_ corrections: [String], of name: String, _ keepers: some Keepers) {
        for correction in corrections { keepers.note("\(name): corrected, line \(correction)") }
    }

    /// What one paper lost and the others of its set say.
    private mutating func repairFromOthers(mending: Bool, _ keepers: some Keepers) {
        guard !damaged.isEmpty, !native.isEmpty else { return }
        let scanner = ShareScanner(known: native.map(\.share.set), mending: mending)
        for index in damaged.indices.reversed() {
            for case .share(let share, let corrections) in texts[index].withUnsafeBytes({ scanner.scan($0) })
            where damaged[index].share.number.map({ $0 == Int(share.number) }) ?? true {
                guard !native.contains(where: { $0.share.isSame(as: share) }) else { continue }
                Self.note(corrections, of: damaged[index].name, keepers)
                native.append(Native(name: damaged[index].name, share: share))
                damaged.remove(at: index)
                texts.remove(at: index)
                break
            }
        }
    }

    private mutating func dropRepeated(_ keepers: some Keepers) {
        var kept: [Native] = []
        for input in native {
            if let first = kept.first(where: { $0.share.isSame(as: input.share) }) {
                keepers.note("\(input.name) is the same share as \(first.name): left out")
            } else {
                kept.append(input)
            }
        }
        native = kept
    }
}
