import ArgumentParser
import PDSecrets
import PDShamir
import PDShareFiles

struct SheetCommand: SecretCommand {
    static let configuration = CommandConfiguration(
        commandName: "sheet",
        abstract:
            "Write a page to print for each share: instructions, the share in large type, and a QR code.",
        discussion: """
            As HTML, SVG and text, each complete in itself, with the recovery script beside them. The pages hold the \
            shares: print them on a machine and a printer that keep no copies, and destroy the files.
            """)

    @Argument(help: "Share files, directories that hold them, the sealed file; - to type or paste shares.")
    var inputs: [String]

    @Option(name: .customLong("out"), help: "The directory for the pages; created where it does not exist.")
    var directory: String

    @Flag(help: "Print the sealed file too, as QR codes, four on a page.")
    var sealed = false

    func validate() throws {
        guard !inputs.isEmpty else { throw ValidationError("no shares were given") }
    }

    func run() throws {
        // The core has to be ready before its hash is used.
        _ = try CoreCryptography()
        let keepers = Passphrases.forShares(descriptor: nil)
        let given = try ShareInput(
            inputs, keepers: keepers, typed: StandardInput(keepers, alone: true).read)
        for line in given.damaged.flatMap(\.lines).dropLast() { Terminal.note("pd-shares: \(line)") }
        if let last = given.damaged.last?.lines.last { throw ToolError(last) }
        guard !given.native.isEmpty else {
            throw ToolError.usage("sheets are for native shares: libgfshare's are no text")
        }
        let files = try NewFiles(directory: directory)
        var pages: [String] = []
        for input in given.native {
            let sheet = ShareSheet(input.share, recoveryHash: RecoveryScript.hash)
            let set = input.share.set
            let stem = "share-\(input.share.number)-of-\(set.shares).\(set.identifierText)"
            for (suffix, text) in [("html", sheet.html), ("svg", sheet.svg), ("txt", sheet.text)] {
                let file = try files.create("\(stem).\(suffix)")
                try Array(text.utf8).withUnsafeBytes { try file.write($0) }
                if suffix == "html" {
                    pages.append("  \(Printable.escaped(input.title)): \(Printable.path(file.path))")
                }
            }
        }
        if sealed { pages += try Self.write(sheetsOf: given.sealed, to: files) }
        let script = try files.create(RecoveryScript.name)
        try RecoveryScript.bytes.withUnsafeBytes { try script.write($0) }
        try files.commit()
        try Terminal.say("Pages to print, each also as .svg and .txt:")
        for page in pages { try Terminal.say(page) }
        try Terminal.say(
            "They hold the shares: print them, give each to its holder with \(RecoveryScript.name), then destroy the files."
        )
    }

    /// - Returns: what to tell people.
    private static func write(sheetsOf sealed: [InputFile], to files: NewFiles) throws -> [String] {
        guard !sealed.isEmpty else { throw ToolError.usage("--sealed: no sealed file was given") }
        return try sealed.map { input in
            let sheet = try SealedSheet(input)
            var path = ""
            for (suffix, text) in [("txt", sheet.text), ("html", sheet.html)] {
                let file = try files.create("\(sheet.stem).\(suffix)")
                try Array(text.utf8).withUnsafeBytes { try file.write($0) }
                path = file.path
            }
            return
                "  the sealed file, \(sheet.pages) \(sheet.pages == 1 ? "page" : "pages"): \(Printable.path(path))"
        }
    }
}
