import ArgumentParser
import Glibc
import PDShamir

struct CombineCommand: SecretCommand {
    static let configuration = CommandConfiguration(
        commandName: "combine",
        abstract: "Restore a secret from shares.",
        discussion: "Shares are only read. An existing file is never overwritten.")

    @Argument(help: "Share files, directories that hold them, the sealed file; - to type or paste shares.")
    var inputs: [String] = []

    @Option(help: "Where the secret goes: a new file; - for standard output.")
    var out: String

    @Flag(help: "Write the secret to a terminal.")
    var force = false

    @Option(
        help: "The threshold of libgfshare's shares, which do not tell it: further shares are checks then.")
    var threshold: Int?

    @Option(
        help:
            "Read the shares' passphrases from this file descriptor: one line for each locked share, in the order of the arguments, and in a directory in that of the shares' numbers."
    )
    var passphraseFd: Int32?

    func validate() throws {
        try SetOptions.check(knownThreshold: threshold, option: "--threshold")
        guard !inputs.isEmpty || Terminal.standardInputIsTerminal() else {
            throw ValidationError("no shares were given")
        }
        try SetOptions.check(passphraseFd: passphraseFd, inputs: inputs.isEmpty ? ["-"] : inputs)
    }

    func run() throws {
        if out == "-", Terminal.standardOutputIsTerminal(), !force {
            throw ToolError.usage(
                "the secret would show on the terminal: use --out FILE, or --force if you mean it")
        }
        let cryptography = try CoreCryptography()
        // Opened first, so that nobody types shares in vain.
        let target = try SecretOutput(out)
        switch try ShareInput.collect(inputs.isEmpty ? ["-"] : inputs) {
        case .gfshare(let shares):
            let set = try GfshareSet(shares, threshold: threshold)
            try set.combine(verifyFirst: target.isStream) { try target.write($0) }
            try target.finish()
            if !set.isChecked { Terminal.note("pd-shares: \(GfshareSet.warning)") }
        case .native(let shares, let sealed):
            try SetOptions.check(noThreshold: threshold, option: "--threshold")
            let set = try NativeSet(
                shares, passphrases: .forShares(descriptor: passphraseFd), cryptography: cryptography)
            try NativeSecret(set, sealed: sealed, cryptography: cryptography)
                .write(verifyFirst: target.isStream) { try target.write($0) }
            try target.finish()
            for share in set.changed {
                Terminal.note(
                    "pd-shares: warning: \(share) \(NativeSet.misfit)"
                )
            }
        }
    }
}

/// Where a restored secret goes: a new file that appears when it is complete, or standard output.
final class SecretOutput {
    private let files: NewFiles?
    private let file: NewFiles.File?

    /// Whether what was written cannot be taken back.
    var isStream: Bool { file == nil }

    init(_ path: String) throws(ToolError) {
        guard path != "-" else {
            files = nil
            file = nil
            return
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, !name.isEmpty else {
            throw .usage("--out \(Printable.path(path)): not a file name")
        }
        let directory =
            parts.count == 1
            ? "."
            : parts.count == 2 && parts[0].isEmpty
                ? "/" : parts.dropLast().joined(separator: "/")
        let files = try NewFiles(directory: directory, creating: false)
        file = try files.create(String(name))
        self.files = files
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ToolError) {
        if let file {
            try file.write(bytes)
        } else {
            try NewFiles.write(bytes, to: STDOUT_FILENO, "standard output")
        }
    }

    func finish() throws(ToolError) { try files?.commit() }
}

/// The secret of a native set, in the shares or in a sealed file.
struct NativeSecret {
    private let set: NativeSet
    /// The set's sealed file, where it has one.
    let sealed: InputFile?
    private let cryptography: CoreCryptography

    /// - Parameter sealed: all sealed files that were given, perhaps of other sets.
    init(_ set: NativeSet, sealed: [InputFile], cryptography: CoreCryptography) throws(ToolError) {
        self.set = set
        self.cryptography = cryptography
        let wanted = set.combination.set
        guard case .sealed(let bytes) = wanted.content else {
            self.sealed = nil
            return
        }
        var own: [InputFile] = []
        for file in sealed {
            try file.rewind()
            if try SealedFiles.header(file) == wanted.identifier { own.append(file) }
        }
        guard let first = own.first else {
            throw ToolError(
                sealed.isEmpty
                    ? "the shares fit, but the secret of \(bytes) bytes is in a sealed file: give that file "
                        + "(\(ShareInput.sealedSuffix), set \(wanted.identifierText)) too"
                    : "\(Self.names(sealed)) \(sealed.count == 1 ? "belongs" : "belong") to another set than the shares, which is "
                        + "\(wanted.identifierText): bring the sealed file of that set")
        }
        guard own.count == 1 else {
            throw ToolError(
                "\(Self.names(own)) are all sealed files of set \(wanted.identifierText): give one of them")
        }
        self.sealed = first
    }

    private static func names(_ files: [InputFile]) -> String {
        files.map { Printable.path($0.name) }.joined(separator: ", ")
    }

    /// Hands out the secret piece by piece; each piece is proved.
    ///
    /// - Parameter verifyFirst: read everything once before handing out anything, so that the end is proved too.
    func write(verifyFirst: Bool, to take: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let sealed else {
            return try set.combination.secret.withUnsafeBytes { try take($0) }
        }
        if verifyFirst {
            try SealedFiles.open(sealed, with: set.combination, cryptography: cryptography) { _ in }
        }
        try SealedFiles.open(sealed, with: set.combination, cryptography: cryptography, take: take)
    }
}
