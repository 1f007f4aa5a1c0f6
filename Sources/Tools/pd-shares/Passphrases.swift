import PDSecrets
import PDShamir
import PDShareFiles

/// Where passphrases come from: the terminal, or one line each from a file descriptor. Never an argument, never the
/// environment, which other processes can read.
struct Passphrases: Keepers {
    /// The descriptor, where one was given.
    let descriptor: Int32?
    /// Which lines it has to give, for a message.
    let expected: String

    /// Those of shares that are read.
    static func forShares(descriptor: Int32?) -> Passphrases {
        Passphrases(descriptor: descriptor, expected: "one line for each locked share")
    }

    var canBeAskedAgain: Bool { descriptor == nil }

    func note(_ text: String) { Terminal.note(text) }

    /// Asked until both entries are the same: what a person types on without looking must not reach the shell.
    func newPassphrase(for share: String) throws(ToolError) -> SecretBytes {
        if let line = try line() { return line }
        while true {
            guard let first = try Terminal.askPassphrase("New passphrase for \(share): ") else {
                note("a passphrase has at least one character")
                continue
            }
            if first.count < 8 {
                note(
                    "this is short: whoever finds the share could try all of them; six random words are good")
            }
            if let second = try Terminal.askPassphrase("The same again: "), first == second { return first }
            note("the two passphrases differ: again, from the first")
        }
    }

    func passphrase(for share: String, again: Bool) throws(ToolError) -> SecretBytes? {
        if let line = try line() { return line }
        return try Terminal.askPassphrase("Passphrase for \(share), or Return to go on without it: ")
    }

    /// A line of a file with CR LF at the ends of its lines. Nobody can type a CR at the end of a passphrase: a share
    /// that was locked with one would only open with such a file.
    private static func withoutCarriageReturn(_ line: SecretBytes) -> SecretBytes {
        line.withUnsafeBytes {
            $0.last == 0x0d ? SecretBytes(copying: $0.dropLast()) : line
        }
    }

    private func line() throws(ToolError) -> SecretBytes? {
        guard let descriptor else { return nil }
        let read = try Terminal.readLine(from: descriptor, named: "--passphrase-fd \(descriptor)").map(
            Self.withoutCarriageReturn)
        guard let line = read else {
            throw .usage("--passphrase-fd \(descriptor) has no passphrase left: give \(expected)")
        }
        guard line.count > 0 else {
            throw ToolError("--passphrase-fd \(descriptor): a passphrase is empty: give \(expected)")
        }
        return line
    }
}
