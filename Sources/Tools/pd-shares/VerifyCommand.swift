import ArgumentParser
import PDShamir

struct VerifyCommand: SecretCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Prove that shares fit together, without writing the secret anywhere.",
        discussion: "Exits with 0 only where the shares restore the secret and none of them was changed.")

    @Argument(help: "Share files, directories that hold them, the sealed file; - to type or paste shares.")
    var inputs: [String] = []

    @Option(
        help:
            "The threshold of libgfshare's shares, which do not tell it: only further shares prove anything.")
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
        let cryptography = try CoreCryptography()
        switch try ShareInput.collect(inputs.isEmpty ? ["-"] : inputs) {
        case .gfshare(let shares):
            let set = try GfshareSet(shares, threshold: threshold)
            try set.combine { _ in }
            guard set.isChecked else {
                throw ToolError(
                    "libgfshare's shares prove nothing by themselves: give more of them than the threshold, and "
                        + "--threshold")
            }
            try Terminal.say(
                "These \(shares.count) shares agree with each other under threshold \(threshold ?? 0).")
        case .native(let shares, let sealed):
            try SetOptions.check(noThreshold: threshold, option: "--threshold")
            let set = try NativeSet(
                shares, passphrases: .forShares(descriptor: passphraseFd), cryptography: cryptography)
            try NativeSecret(set, sealed: sealed, cryptography: cryptography).write(verifyFirst: false) { _ in
            }
            if let changed = set.changed.first {
                for share in set.changed.dropFirst() {
                    Terminal.note("pd-shares: \(share) \(NativeSet.misfit)")
                }
                throw ToolError("\(changed) \(NativeSet.misfit)")
            }
            let combined = set.combination.set
            try Terminal.say(
                "All \(shares.count) shares of set \(combined.identifierText) fit; any \(combined.threshold) restore the secret."
            )
        }
    }
}
