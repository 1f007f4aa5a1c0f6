import ArgumentParser
import Glibc
import PDShamir
import PDShareFiles

struct DrillCommand: SecretCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract:
            "The year's drill: see that shares are readable and whole, and that they fit, without the secret.",
        discussion: """
            One keeper alone learns that the share is whole. Enough keepers together learn that their shares fit. The \
            sealed file is not needed, and is checked where it is given. The dated record says what was seen and holds no \
            secret: it may be mailed.
            """)

    @Argument(help: "Share files, directories that hold them, the sealed file; - to type or paste shares.")
    var inputs: [String] = []

    @Option(help: "A new file for the record.")
    var record: String?

    @Flag(help: "Print the record as JSON.")
    var json = false

    @Option(help: "Read passphrases from this file descriptor, one line for each locked share.")
    var passphraseFd: Int32?

    func validate() throws {
        guard !inputs.isEmpty || Terminal.standardInputIsTerminal() else {
            throw ValidationError("no shares were given")
        }
        try SetOptions.check(passphraseFd: passphraseFd, inputs: inputs.isEmpty ? ["-"] : inputs)
    }

    func run() throws {
        let keepers = Passphrases.forShares(descriptor: passphraseFd)
        let cryptography = try CoreCryptography()
        let output = try record.map { try SecretOutput($0) }
        let given = try ShareInput(
            inputs.isEmpty ? ["-"] : inputs, keepers: keepers, typed: TypedShares.readAlone)
        guard given.gfshare.isEmpty else {
            throw ToolError.usage(
                "libgfshare's shares say nothing that could be checked alone: use verify --threshold")
        }
        for line in given.damaged.flatMap(\.lines) { Terminal.note("pd-shares: \(line)") }
        guard let set = given.native.first?.share.set else { throw ToolError("no share is whole") }
        let numbers = Swift.Set(given.native.map(\.share.number))
        var fits: Bool?
        var sealed: Bool?
        if given.damaged.isEmpty, numbers.count >= set.threshold {
            let combined = try NativeSet(given, keepers: keepers, cryptography: cryptography)
            for share in combined.changed { Terminal.note("pd-shares: \(share) \(NativeSet.misfit)") }
            fits = combined.changed.isEmpty
            if !given.sealed.isEmpty, fits == true {
                try NativeSecret(combined, sealed: given.sealed, cryptography: cryptography)
                    .write(verifyFirst: false) { _ in }
                sealed = true
            }
        }
        let text = json ? jsonRecord(given, set, fits, sealed) : plainRecord(given, set, fits, sealed)
        if let output {
            try Array(text.utf8).withUnsafeBytes { try output.write($0) }
            try output.finish()
        }
        try Terminal.say(String(text.dropLast()))
        if !given.damaged.isEmpty || fits == false {
            throw ToolError(
                "the drill has failed: see above; bring another copy, or make new shares with refresh")
        }
    }

    private func plainRecord(_ given: ShareInput, _ set: ShareSet, _ fits: Bool?, _ sealed: Bool?) -> String {
        var lines = [
            "Drill of \(ShareOutput.today()) for the secret \(NativeSet.name(set)), any \(set.threshold) of \(set.shares)"
        ]
        for input in given.native {
            lines.append(
                "  \(Printable.escaped(input.title)): readable and whole"
                    + (input.share.protection == nil ? "" : ", locked with a passphrase"))
        }
        for input in given.damaged { lines.append("  \(input.name): DAMAGED") }
        switch fits {
        case true:
            lines.append(
                "  These shares fit together and restore the secret\(sealed == true ? ", and the sealed file opens" : "'s key")."
            )
        case false: lines.append("  These shares do NOT all fit together.")
        default:
            lines.append(
                "  Whether they fit together was not tried: that takes \(set.threshold) holders.")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func jsonRecord(_ given: ShareInput, _ set: ShareSet, _ fits: Bool?, _ sealed: Bool?) -> String {
        func truth(_ value: Bool?) -> String { value.map { "\($0)" } ?? "null" }
        let shares = given.native.map {
            "{\"share\": \($0.share.number), \"holder\": \($0.share.holder.map(Printable.json) ?? "null"), \"whole\": true, "
                + "\"passphrase\": \($0.share.protection != nil)}"
        }
        let damaged = given.damaged.map {
            "{\"share\": \($0.share.number.map { "\($0)" } ?? "null"), \"whole\": false, \"file\": \(Printable.json($0.name))}"
        }
        return """
            {"date": \(Printable.json(ShareOutput.today())), "set": \(Printable.json(set.identifierText)), \
            "label": \(set.label.map(Printable.json) ?? "null"), "created": \(Printable.json(set.created)), \
            "threshold": \(set.threshold), "shares": \(set.shares), "seen": [\((shares + damaged).joined(separator: ", "))], \
            "fit": \(truth(fits)), "sealed_file": \(truth(sealed))}

            """
    }
}
