import ArgumentParser
import Glibc
import PDShamir
import PDShareFiles

struct CombineCommand: SecretCommand {
    static let configuration = CommandConfiguration(
        commandName: "combine",
        abstract: "Restore a secret from shares.",
        discussion: "Shares are only read. An existing file is never overwritten.")

    @Argument(help: "Share files, directories that hold them, the sealed file; - to type or paste shares.")
    var inputs: [String] = []

    @Option(
        name: .customLong("qr"), help: "A photograph of a sheet, whose QR code zbarimg reads; once for each.")
    var photographs: [String] = []

    @Option(help: "Where the secret goes: a new file; - for standard output.")
    var out: String

    @Flag(help: "Write the secret to a terminal.")
    var force = false

    @Flag(help: "Clear the screen and what was scrolled away once the secret is written.")
    var clear = false

    @Flag(help: "Take the correction of a mistyped line where exactly one fits its checksum.")
    var mend = false

    @Option(
        help: "The threshold of libgfshare's shares, which do not tell it: further shares are checks then.")
    var threshold: Int?

    @Flag(
        help:
            "Combine libgfshare's shares without knowing their threshold; ends with 5, for nothing is proved."
    )
    var unchecked = false

    @Option(
        help:
            "Read the shares' passphrases from this file descriptor: one line for each locked share, in the order of the arguments, and in a directory in that of the shares' numbers."
    )
    var passphraseFd: Int32?

    func validate() throws {
        try SetOptions.check(knownThreshold: threshold, option: "--threshold")
        guard !inputs.isEmpty || !photographs.isEmpty || Terminal.standardInputIsTerminal() else {
            throw ValidationError("no shares were given")
        }
        guard threshold == nil || !unchecked else {
            throw ValidationError("--threshold and --unchecked contradict each other")
        }
        try SetOptions.check(passphraseFd: passphraseFd, inputs: sources)
    }

    private var sources: [String] { inputs.isEmpty && photographs.isEmpty ? ["-"] : inputs }

    func run() throws {
        if out == "-", Terminal.standardOutputIsTerminal(), !force {
            throw ToolError.usage(
                "the secret would show on the terminal: use --out FILE, or --force if you mean it")
        }
        let cryptography = try CoreCryptography()
        // Opened first, so that nobody types shares in vain.
        let target = try SecretOutput(out)
        let keepers = Passphrases.forShares(descriptor: passphraseFd)
        let input = StandardInput(keepers)
        var given = try ShareInput(
            sources, photographs: photographs, mending: mend, keepers: keepers, typed: input.read)
        if !given.gfshare.isEmpty { return try combine(given.gfshare, to: target) }
        try SetOptions.check(noThreshold: threshold, option: "--threshold")
        let set = try input.attempt(&given) { given in
            let set = try NativeSet(&given, keepers: keepers, cryptography: cryptography)
            try input.secret(of: set, &given, cryptography)
                .write(verifyFirst: target.isStream || input.isConversation) { try target.write($0) }
            return set
        }
        try target.finish()
        report(set, atTerminal: input.isConversation)
    }

    private func report(_ set: NativeSet, atTerminal: Bool) {
        for share in set.changed { Terminal.note("pd-shares: warning: \(share) \(NativeSet.misfit)") }
        let combined = set.combination.set
        let bytes =
            switch combined.content {
            case .direct(let bytes), .sealed(let bytes): bytes
            }
        let place = out == "-" ? "standard output" : Printable.path(out)
        Terminal.note(
            "Proved: this is the secret \(NativeSet.name(combined)), \(bytes) bytes, in \(place). Use it, then destroy it "
                + (out == "-" ? "wherever it went." : "(shred -u \(place)).")
                + " The shares stay secret: put each back where it belongs.")
        if clear {
            Terminal.clear()
        } else if atTerminal {
            Terminal.note(
                "What you typed still shows on this screen and above it: clear both, or close the window (--clear does it)."
            )
        }
    }

    private func combine(_ shares: [ShareInput.Gfshare], to target: SecretOutput) throws {
        guard threshold != nil || unchecked else {
            throw ToolError.usage(
                "libgfshare's shares do not tell their threshold, and too few or changed ones give something else than the "
                    + "secret without a sign: give --threshold, and more shares than that, or --unchecked")
        }
        if unchecked, !target.isStream, !out.lowercased().contains("unchecked") {
            throw ToolError.usage(
                "--unchecked needs a file name that says so, as in --out \(Printable.path(out)).unchecked")
        }
        let set = try GfshareSet(shares, threshold: threshold)
        try set.combine(verifyFirst: target.isStream) { try target.write($0) }
        try target.finish()
        guard set.isChecked else {
            throw ToolError.unproved(
                "written, but nothing proves that it is the secret: \(GfshareSet.warning)")
        }
        Terminal.note(
            "Checked: all \(shares.count) shares agree under threshold \(threshold ?? 0); \(set.bytes) bytes are in "
                + "\(out == "-" ? "standard output" : Printable.path(out)).")
    }
}
