import PDSecrets
import PDShamir

/// Where passphrases come from: the terminal, or one line each from a file descriptor. Never an argument, never the
/// environment, which other processes can read.
struct Passphrases {
    /// The descriptor, where one was given.
    let descriptor: Int32?
    /// Which lines it has to give, for a message.
    let expected: String

    /// Those of shares that are read.
    static func forShares(descriptor: Int32?) -> Passphrases {
        Passphrases(descriptor: descriptor, expected: "one line for each locked share")
    }

    /// A new passphrase, asked twice.
    func new(for share: String) throws(ToolError) -> SecretBytes {
        if let line = try line() { return line }
        let first = try Terminal.askPassphrase("New passphrase for \(share): ")
        let second = try Terminal.askPassphrase("The same again: ")
        guard first == second else {
            throw ToolError("the two passphrases differ: nothing was written")
        }
        return first
    }

    /// The passphrase of a share, and up to two more tries on a terminal.
    func unlock(_ share: Share, named name: String, _ cryptography: CoreCryptography) throws -> Share {
        guard share.protection != nil else { return share }
        var tries = 3
        while true {
            let passphrase = try line() ?? Terminal.askPassphrase("Passphrase for \(name): ")
            do {
                return try share.unlocked(passphrase: passphrase, cryptography: cryptography)
            } catch let error as ShareFileError where error == .wrongPassphrase {
                tries -= 1
                guard descriptor == nil, tries > 0 else { throw ToolError("\(name): \(error)") }
                Terminal.note("\(error): try again")
            }
        }
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
