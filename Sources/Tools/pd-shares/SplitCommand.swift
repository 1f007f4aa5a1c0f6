import ArgumentParser
import Glibc
import PDShamir
import PDShareFiles

struct SplitCommand: SecretCommand {
    static let configuration = CommandConfiguration(
        commandName: "split",
        abstract: "Split a file into shares, one for each holder.",
        discussion: """
            The shares are written to files that only you can read. Give each to its holder, on paper or on a \
            medium, then remove the files and the secret itself. Existing files are never overwritten.
            """)

    @Argument(help: "The secret; - for standard input.")
    var file: String

    @Option(help: "How many shares restore the secret, 2 to 255.")
    var threshold: Int

    @Option(help: "How many shares there are, up to 255.")
    var shares: Int

    @Option(
        name: .customLong("out"),
        help: "The directory for the shares, without others; created where it does not exist.")
    var directory: String

    @Option(help: "The format: native, or gfshare for libgfshare's tools.")
    var format = ShareFormat.native

    @Option(name: .customLong("holder"), help: "Who keeps the next share; once for each, in order.")
    var holders: [String] = []

    @Option(help: "What the secret is, for its holders. Default: the file's name.")
    var label: String?

    @Flag(
        help: """
            Keep a secret of more than 128 bytes in the shares themselves, up to 65,536 bytes, which makes them long. \
            Default: it goes to one sealed file, and each share fits on a page.
            """)
    var whole = false

    @Flag(help: "Lock each share with a passphrase of its holder.")
    var passphrase = false

    @Option(help: "Read the passphrases from this file descriptor, one line for each share.")
    var passphraseFd: Int32?

    func validate() throws {
        try SetOptions.check(threshold: threshold, shares: shares, holders: holders, format: format)
        if let label, !ShareName.isValid(ShareName.normalised(label)) {
            throw ValidationError("--label: \(SetOptions.nameRule)")
        }
        guard format == .native || !passphrase && passphraseFd == nil else {
            throw ValidationError("--passphrase needs the native format")
        }
        guard format == .native || label == nil else {
            throw ValidationError("--label needs the native format: libgfshare's shares have no place for it")
        }
        try SetOptions.check(passphraseFd: passphraseFd, inputs: [file])
    }

    func run() throws {
        let cryptography = try CoreCryptography()
        try ShareDirectory.refuseOthers(in: directory, format: format)
        if file == "-", Terminal.standardInputIsTerminal() {
            throw ToolError.usage(
                "a secret typed here would show on the screen: write it to a file, or pipe it in")
        }
        let input = try InputFile(file)
        let stem = file == "-" ? "secret" : String(file.split(separator: "/").last ?? "secret")
        let output = ShareOutput(
            directory: directory, stem: stem, holders: holders.map(ShareName.normalised),
            keepers: passphrase || passphraseFd != nil
                ? Passphrases(descriptor: passphraseFd, expected: "one line for each share") : nil,
            directBytes: whole ? ShareSet.maximumDirectBytes : ShareOutput.defaultDirectBytes,
            cryptography: cryptography)
        let report =
            switch format {
            case .native:
                try output.writeNative(
                    label: Self.label(label, stem: stem), threshold: threshold,
                    shares: shares
                ) { try input.read(into: $0) }
            case .gfshare:
                try output.writeGfshare(threshold: threshold, shares: shares) { try input.read(into: $0) }
            }
        for line in report { try Terminal.say(line) }
        if file != "-" {
            let proof =
                switch format {
                case .native: NativeSet.proof
                case .gfshare: GfshareSet.proof(threshold: threshold, shares: shares)
                }
            try Terminal.say("\(Printable.path(file)) was not touched: remove it once \(proof).")
        }
    }
}

extension SplitCommand {
    /// What the secret is called: as asked for, or as its file where that can stand on a share.
    static func label(_ label: String?, stem: String) -> String? {
        let name = ShareName.normalised(label ?? stem)
        return ShareName.isValid(name) ? name : nil
    }
}

extension ShareFormat: ExpressibleByArgument {}

/// Options that `split` and `refresh` share.
enum SetOptions {
    static let nameRule =
        "a name has 1 to 100 bytes, no control characters or unusual spaces, and single spaces inside only"

    /// Native shares tell their threshold; another one from the command line would be ignored.
    static func check(noThreshold threshold: Int?, option: String) throws(ToolError) {
        guard threshold == nil else {
            throw .usage("\(option) is for libgfshare's shares: these ones tell their threshold")
        }
    }

    /// Standard input cannot be two things. A descriptor that is not open would be that of the next file that is.
    static func check(passphraseFd: Int32?, inputs: [String]) throws {
        if let passphraseFd, fcntl(passphraseFd, F_GETFD) < 0 {
            throw ValidationError("--passphrase-fd \(passphraseFd): this file descriptor is not open")
        }
        guard passphraseFd != 0 || !inputs.contains("-") else {
            throw ValidationError("--passphrase-fd 0 and - both mean standard input")
        }
    }

    /// A threshold that the caller may know of shares that do not tell it.
    static func check(knownThreshold threshold: Int?, option: String) throws {
        if let threshold, !(2...255 ~= threshold) {
            throw ValidationError("\(option): \(ShamirError.thresholdOutOfRange(threshold))")
        }
    }

    static func check(threshold: Int, shares: Int, holders: [String], format: ShareFormat) throws {
        guard 2...255 ~= threshold else {
            throw ValidationError("\(ShamirError.thresholdOutOfRange(threshold))")
        }
        guard 2...255 ~= shares else { throw ValidationError("\(ShamirError.shareCountOutOfRange(shares))") }
        guard threshold <= shares else {
            throw ValidationError(
                "\(ShamirError.thresholdAboveShareCount(threshold: threshold, shares: shares))")
        }
        guard holders.count <= shares else {
            throw ValidationError("\(holders.count) holders for \(shares) shares")
        }
        for holder in holders where !ShareName.isValid(ShareName.normalised(holder)) {
            throw ValidationError("--holder \(Printable.escaped(holder)): \(nameRule)")
        }
    }
}
