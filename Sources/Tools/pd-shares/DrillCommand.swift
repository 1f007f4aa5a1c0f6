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
            inputs.isEmpty ? ["-"] : inputs, keepers: keepers,
            typed: StandardInput(keepers, alone: true).read)
        guard given.gfshare.isEmpty else {
            throw ToolError.usage(
                "libgfshare's shares say nothing that could be checked alone: use verify --threshold")
        }
        for line in given.damaged.flatMap(\.lines) { Terminal.note("pd-shares: \(line)") }
        guard let drill = try Drill(given, keepers: keepers, cryptography: cryptography) else {
            throw ToolError("no share is whole")
        }
        let text = json ? drill.json : drill.text
        if let output {
            try Array(text.utf8).withUnsafeBytes { try output.write($0) }
            try output.finish()
        }
        try Terminal.say(String(text.dropLast()))
        if drill.hasFailed {
            throw ToolError(
                "the drill has failed: see above; bring another copy, or make new shares with refresh")
        }
    }
}
