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
        try create("\(out)/key.asc", key.armored(), mode: 0o600)
        try create("\(out)/key.pub.asc", Array(key.certificate.armored().utf8), mode: 0o644)
        print(key.certificate.fingerprint)
    }

    /// Makes a file that was not there.
    private func create(_ path: String, _ content: [UInt8], mode: mode_t) throws(FileError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileError(operation: "create", path: path, code: errno) }
        defer { close(descriptor) }
        try Files.writeAll(content, to: descriptor, path: path)
        guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else {
            throw FileError(operation: "write", path: path, code: errno)
        }
    }
}
