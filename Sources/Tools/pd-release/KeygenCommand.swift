import ArgumentParser
import FoundationEssentials
import Glibc
import PDCrypto
import PDFiles
import PDToolSupport

struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make an Ed25519 key to sign with: key.asc and key.pub.asc.",
        discussion: """
            The secret half has no passphrase: keep the folder on a machine, or a medium, that nobody else reaches. For \
            a key behind a passphrase or on a smartcard, make it with gpg and sign with --gpg-key; key.asc can also be \
            imported by gpg --import and given a passphrase there.
            """)

    @Option(help: ArgumentHelp("The folder for both files; made where it is not there.", valueName: "dir"))
    var out: String

    @Option(help: ArgumentHelp("What the key is called.", valueName: "text"))
    var name = "penguindome-release"

    @Option(help: ArgumentHelp("Days until the key expires; without it, it does not.", valueName: "days"))
    var expires: Int?

    func run() throws {
        guard expires.map({ (1...36_500).contains($0) }) ?? true else {
            throw ToolFailure(.usage, "--expires must be from 1 to 36500 days")
        }
        guard mkdir(out, 0o700) == 0 || errno == EEXIST else {
            throw FileError(operation: "make directory", path: out, code: errno)
        }
        let key: OpenPGP.SecretKey
        do throws(OpenPGP.Error) {
            key = try OpenPGP.SecretKey.generate(
                userID: name, at: .now(), validity: expires.map { Int64($0) * 86_400 })
        } catch {
            throw error == .unsuitableTimeOrName
                ? ToolFailure(.usage, "--name must be plain text") : ToolFailure(.failed, "\(error)")
        }
        try Files.create(key.armored(), at: "\(out)/key.asc", mode: 0o600)
        try Files.create(
            Array(key.certificate.armored().utf8), at: "\(out)/key.pub.asc", mode: 0o644)
        print(key.certificate.fingerprint)
    }
}
