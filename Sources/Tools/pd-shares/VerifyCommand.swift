import ArgumentParser
import PDShamir
import PDShareFiles

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
        let keepers = Passphrases.forShares(descriptor: passphraseFd)
        let input = StandardInput(keepers)
        var given = try ShareInput(
            inputs.isEmpty ? ["-"] : inputs, keepers: keepers, typed: input.read)
        if !given.gfshare.isEmpty {
            let set = try GfshareSet(given.gfshare, threshold: threshold)
            try set.combine { _ in }
            guard set.isChecked else {
                throw ToolError(
                    "libgfshare's shares prove nothing by themselves: give more of them than the threshold, and "
                        + "--threshold")
            }
            try Terminal.say(
                "These \(given.gfshare.count) shares agree with each other under threshold \(threshold ?? 0)."
            )
            return
        }
        try SetOptions.check(noThreshold: threshold, option: "--threshold")
        let set = try input.attempt(&given) { given in
            let set = try NativeSet(&given, keepers: keepers, cryptography: cryptography)
            try input.secret(of: set, &given, cryptography).write(verifyFirst: false) { _ in }
            return set
        }
        for share in set.changed.dropFirst() { Terminal.note("pd-shares: \(share) \(NativeSet.misfit)") }
        if let changed = set.changed.first { throw ToolError("\(changed) \(NativeSet.misfit)") }
        let torn = given.damaged.map(\.name) + given.unreadable
        guard torn.isEmpty else {
            throw ToolError("the other shares fit, but \(torn.joined(separator: ", ")) cannot be read whole")
        }
        let combined = set.combination.set
        try Terminal.say(
            "All \(set.inputs.count) shares of set \(combined.identifierText) fit; any \(combined.threshold) restore the secret."
        )
    }
}
