import ArgumentParser
import PDSecrets
import PDShamir
import PDShareFiles

struct RefreshCommand: SecretCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Make a new set of shares for the same secret.",
        discussion: """
            For when a holder leaves or a share may have been seen. New and old shares cannot be combined with each \
            other; the old ones still restore the secret together, so they must be destroyed. The secret itself is not \
            written. Where an old share is locked with a passphrase, the new ones are locked too.
            """)

    @Argument(help: "Share files, directories that hold them, the sealed file; - to type or paste shares.")
    var inputs: [String] = []

    @Option(
        name: .customLong("out"),
        help: "The directory for the new shares, without others; created where it does not exist.")
    var directory: String

    @Option(help: "How many new shares restore the secret. Default: as before.")
    var threshold: Int?

    @Option(help: "How many new shares there are. Default: as before.")
    var shares: Int?

    @Option(
        name: .customLong("holder"), help: "Who keeps the next new share. Default: as before, where known.")
    var holders: [String] = []

    @Option(
        help:
            "The threshold of libgfshare's old shares, which do not tell it; needed there, and further shares are checks."
    )
    var oldThreshold: Int?

    @Flag(
        inversion: .prefixedNo, exclusivity: .exclusive,
        help: """
            Lock each new share with a passphrase of its holder. Default: lock them where an old share is locked, or \
            --passphrase-fd is given.
            """)
    var passphrase: Bool?

    @Option(
        help: """
            Read passphrases from this file descriptor: first one line for each locked old share, in the order of the \
            arguments, and in a directory in that of the shares' numbers; then, unless --no-passphrase is given, one \
            line for each new share.
            """)
    var passphraseFd: Int32?

    func validate() throws {
        try SetOptions.check(knownThreshold: oldThreshold, option: "--old-threshold")
        guard !inputs.isEmpty || Terminal.standardInputIsTerminal() else {
            throw ValidationError("no shares were given")
        }
        try SetOptions.check(passphraseFd: passphraseFd, inputs: inputs.isEmpty ? ["-"] : inputs)
    }

    func run() throws {
        // First, so that nobody types shares in vain.
        try ShareDirectory.refuseOthers(in: directory, format: .native)
        let cryptography = try CoreCryptography()
        let report: [String]
        let proof: String?
        let keepers = Passphrases.forShares(descriptor: passphraseFd)
        let input = StandardInput(keepers)
        var given = try ShareInput(
            inputs.isEmpty ? ["-"] : inputs, keepers: keepers, typed: input.read)
        if given.gfshare.isEmpty {
            try SetOptions.check(noThreshold: oldThreshold, option: "--old-threshold")
            report = try input.attempt(&given) { try refresh(&$0, input, cryptography) }
            proof = NativeSet.proof
        } else {
            (report, proof) = try refresh(given.gfshare, cryptography)
        }
        for line in report { try Terminal.say(line) }
        guard let proof else {
            Terminal.note("pd-shares: \(GfshareSet.warning)")
            // The new shares fit each other whatever they hold, so that verifying them proves nothing.
            try Terminal.say(
                "KEEP the old shares until `pd-shares combine` has restored a secret from the new ones that you know to be"
                    + " right: nothing proved that the old ones fit together. Then destroy ALL old ones.")
            return
        }
        try Terminal.say(
            "The old shares still restore the secret: once \(proof), destroy ALL old ones and old sealed files."
        )
    }

    private func refresh(
        _ given: inout ShareInput, _ input: StandardInput, _ cryptography: CoreCryptography
    ) throws -> [String] {
        let wereLocked = given.native.contains { $0.share.protection != nil }
        let lock = passphrase ?? (wereLocked || passphraseFd != nil)
        let passphrases = Passphrases(
            descriptor: passphraseFd,
            expected: "one line for each locked old share"
                + (lock ? ", then one for each new share (--no-passphrase leaves those unlocked)" : ""))
        let set = try NativeSet(&given, keepers: passphrases, cryptography: cryptography)
        if let changed = set.changed.first {
            throw ToolError("\(changed) \(NativeSet.misfit); ask its holder, and leave out what was forged")
        }
        let before = set.combination.set
        let count = shares ?? before.shares
        var names: [String?] = holders.map(ShareName.normalised)
        if holders.isEmpty {
            names = (1...count).map { number in
                set.inputs.first { Int($0.share.number) == number }?.share.holder
            }
        }
        try check(threshold: threshold ?? before.threshold, shares: count, format: .native)
        let output = ShareOutput(
            directory: directory, stem: Self.stem(before.label), holders: names,
            keepers: lock ? passphrases : nil, directBytes: Self.directBytes(before),
            cryptography: cryptography)
        let source: PieceSource
        if let sealed = try input.secret(of: set, &given, cryptography).sealed {
            try SealedFiles.open(sealed, with: set.combination, cryptography: cryptography) { _ in }
            let reader = try SealedFiles.Reader(sealed, with: set.combination, cryptography: cryptography)
            source = PieceSource { try reader.next() }
        } else {
            source = PieceSource(set.combination.secret)
        }
        let report = try output.writeNative(
            label: before.label, threshold: threshold ?? before.threshold, shares: count
        ) { try source.read(into: $0) }
        let change = wereLocked && !lock ? ", as the old ones were" : ""
        let destroy = set.inputs.map(\.title).joined(separator: ", ")
        return report + [
            "Each holder destroys the old share of set \(before.identifierText), made on \(before.created), on paper and "
                + "in files, and keeps the new one. These were used: \(Printable.escaped(destroy)).",
            lock
                ? "The new shares are locked, each with its new passphrase."
                : "The new shares are NOT locked with passphrases\(change).",
        ]
    }

    private func refresh(
        _ old: [ShareInput.Gfshare], _ cryptography: CoreCryptography
    ) throws -> (report: [String], proof: String?) {
        guard let oldThreshold else {
            throw ToolError.usage(
                "libgfshare's shares do not tell their threshold, and too few of them would become new shares of "
                    + "something else: give --old-threshold")
        }
        guard let threshold, let shares else {
            throw ToolError.usage(
                "libgfshare's shares do not tell how many there are: give --threshold and --shares")
        }
        guard passphrase != true, passphraseFd == nil else {
            throw ToolError.usage("--passphrase needs shares of the native format")
        }
        try check(threshold: threshold, shares: shares, format: .gfshare)
        try ShareDirectory.refuseOthers(in: directory, format: .gfshare)
        let set = try GfshareSet(old, threshold: oldThreshold)
        guard let first = old.first else { throw ToolError.usage("no shares were given") }
        let name = first.file.name.split(separator: "/").last ?? "secret"
        let output = ShareOutput(
            directory: directory, stem: String(name.dropLast(4)), holders: holders, keepers: nil,
            cryptography: cryptography)
        let reader = try GfshareSet.Reader(set)
        let pieces = PieceSource { try reader.next() }
        let report = try output.writeGfshare(threshold: threshold, shares: shares) {
            try pieces.read(into: $0)
        }
        return (report, set.isChecked ? GfshareSet.proof(threshold: threshold, shares: shares) : nil)
    }

    private func check(threshold: Int, shares: Int, format: ShareFormat) throws {
        do {
            try SetOptions.check(threshold: threshold, shares: shares, holders: holders, format: format)
        } catch let error as ValidationError {
            throw ToolError.usage(error.message)
        }
    }

    /// Where the secret was it stays.
    private static func directBytes(_ set: ShareSet) -> Int {
        if case .direct = set.content { ShareSet.maximumDirectBytes } else { ShareOutput.defaultDirectBytes }
    }

    /// A file name from what a share says, without anything that leads elsewhere.
    private static func stem(_ label: String?) -> String {
        let name = (label ?? "secret").map { $0 == "/" ? "_" : $0 }
        return name.first == "." ? "secret" + String(name) : String(name)
    }
}
