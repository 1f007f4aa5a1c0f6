import ArgumentParser
import Foundation
import PDBasics
import PDCrypto
import PDDocument
import PDFiles
import PDFleet
import PDGnuPG
import PDSecrets
import PDServerToolSupport
import PDToolSupport

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write all that the server is into one file, while it works.",
        discussion: """
            The file holds the database, settings, checks, keys, certificates, releases and the agents' kit: all that \
            pd-admin restore needs to make another machine the same server. The server's secret key is among it: keep the file as \
            you keep that, or encrypt it. Without encryption it is a tar archive, whose last member is the SHA-256 of \
            all before it.
            """)

    @OptionGroup var options: FleetOptions

    @Argument(help: "A file that does not exist.")
    var file: String

    @Flag(
        help: "Encrypt it to a passphrase, asked for on the terminal or read as one line of standard input.")
    var passphrase = false

    @Option(help: ArgumentHelp("Encrypt it to this key of gpg's keyring.", valueName: "fingerprint"))
    var recipient: String?

    @Option(help: ArgumentHelp("gpg's home; else $GNUPGHOME, else ~/.gnupg.", valueName: "dir"))
    var gpgHome: String?

    func validate() throws {
        guard recipient == nil || !passphrase else {
            throw ValidationError("one way of encryption is enough: --passphrase or --recipient")
        }
    }

    func run() async throws {
        guard !Files.exists(file) else { throw ToolFailure(.failed, "\(file) exists already") }
        let key = try recipient.map { text throws(ToolFailure) in
            guard let fingerprint = OpenPGP.Fingerprint(hex: text) else {
                throw ToolFailure(.usage, "--recipient takes a fingerprint of 40 hexadecimal digits")
            }
            return fingerprint
        }
        let place = try options.place()
        let secret = passphrase ? try PasswordInput.new("passphrase for \(file)") : nil
        // It is written as the state's owner, who may not write where root wants it, and copied from there.
        let descriptor = try place.perform { try Files.unnamed(in: place.path) }
        defer { close(descriptor) }
        let description = try await options.withFleet { fleet in
            let bar = ProgressBar()
            defer { bar.finish() }
            return try await FleetBackup(fleet).write(
                to: descriptor, path: file, passphrase: secret, at: options.now()
            ) { bar.show("backup", $0, of: $1) }
        }
        guard lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw ToolFailure(.failed, "the backup cannot be read again: \(systemMessage(errno))")
        }
        if let key {
            let home = try GnuPG.Home(path: gpgHome)
            try Files.makeNew(file) { try home.encrypt(from: descriptor, to: $0, recipient: key) }
        } else {
            try Files.copy(from: descriptor, toNew: file)
        }
        try await options.withFleet { try await $0.store.note(.backup, at: options.now()) }
        if options.json {
            print(description.document.setting("file", to: .string(file)).json(pretty: true))
        } else {
            print("Wrote \(file), with \(Plural.of(description.hosts, "host")).")
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make this machine the server that a backup was made of.",
        discussion: """
            Stop the server first. The backup is read to its end before anything is changed: one that is damaged \
            anywhere changes nothing. What was there is set aside, in the directory replaced of the state. On a new \
            machine, run pd-server setup as root afterwards: it makes the user and the units, and keeps what was restored.
            """)

    @OptionGroup var options: FleetOptions
    @OptionGroup var confirmation: Confirmation

    @Argument(help: "What pd-admin backup wrote.")
    var file: String

    @Flag(
        help: "Keep the database in a file of the state, also where the settings of the backup name MongoDB.")
    var sqlite = false

    @Option(help: ArgumentHelp("gpg's home; else $GNUPGHOME, else ~/.gnupg.", valueName: "dir"))
    var gpgHome: String?

    func run() async throws {
        guard options.stateOptions.settingsFile == nil else {
            throw ToolFailure(
                .usage, "settings are restored into the state: leave --config and PENGUINDOME_CONFIG out")
        }
        let source = open(file, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw FileError(operation: "open", path: file, code: errno) }
        defer { close(source) }
        let place = try OwnedDirectory.making(options.state.directory.path)
        let descriptor = try plain(source, place)
        defer { if descriptor != source { close(descriptor) } }
        do {
            try await place.perform { () async throws in try await restore(descriptor) }
        } catch { throw ToolFailure(explaining: error) }
    }

    /// What can be read: the file itself, or what gpg makes of it.
    private func plain(_ source: Int32, _ place: OwnedDirectory) throws -> Int32 {
        let start = try Files.read(file, at: 0, count: 16)
        if start.starts(with: Array("SQLite format 3\0".utf8)) {
            throw ToolFailure(
                .failed,
                "\(file) is a database alone, not a backup of a server: pd-admin store copy --from sqlite:\(file) takes it over"
            )
        }
        // Armor, or the first octet of an OpenPGP packet (RFC 9580, section 4.2).
        guard start.starts(with: Array("-----BEGIN PGP".utf8)) || start.first.map({ $0 & 0x80 != 0 }) == true
        else { return source }
        let target = try place.perform { try Files.unnamed(in: place.path) }
        do {
            try GnuPG.Home(path: gpgHome).decrypt(from: source, to: target)
            guard lseek(target, 0, SEEK_SET) == 0 else {
                throw FileError(operation: "read", path: file, code: errno)
            }
        } catch {
            close(target)
            throw ToolFailure(.failed, "\(file) cannot be decrypted, and nothing was restored: \(error)")
        }
        return target
    }

    private func restore(_ descriptor: Int32) async throws {
        let state = options.state
        var info = stat()
        let size = fstat(descriptor, &info) == 0 ? Int(info.st_size) : 0
        let bar = ProgressBar()
        let restoration = try await FleetRestore(
            state, from: descriptor, path: file, keepsDatabase: sqlite,
            passphrase: { try PasswordInput.known("Passphrase of \(file)") },
            progress: { bar.show("restore", $0, of: size) })
        bar.finish()
        let description = restoration.description
        let what = "\(Plural.of(description.hosts, "host")), as of \(readable(description.madeAt))"
        for note in restoration.notes { ToolFailure.warn("note: \(note)") }
        let replaces = try restoration.replaces
        if replaces {
            do {
                try confirmation.ask(
                    "The server in \(state.directory.path) will be replaced by the backup \(file): \(what)")
            } catch {
                try restoration.cancel()
                throw error
            }
        }
        try restoration.commit()
        try await options.withFleet { try await $0.store.note(.backup, at: options.now()) }
        if options.json {
            print(description.document.setting("restored", to: .string(file)).json(pretty: true))
        } else {
            print("Restored \(file) into \(state.directory.path): \(what).")
            if replaces {
                print("What was there is in \(state.replaced.path): remove it when you need it no longer.")
            }
        }
    }
}
