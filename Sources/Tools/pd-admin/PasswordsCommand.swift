import ArgumentParser
import Foundation
import PDBasics
import PDCrypto
import PDDocument
import PDFiles
import PDFleet
import PDLegacy
import PDServerToolSupport
import PDToolSupport

struct PasswordsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwords", abstract: "Who may download releases and open shells.",
        discussion: """
            A user of the server (without --endpoint) may use what server_auth:ENDPOINT:users or a group admits to. \
            A user of an endpoint may use that alone. A server that runs learns of it when it is started again.
            """,
        subcommands: [Set.self, Remove.self, List.self, PasswordGroupsCommand.self])

    enum Endpoint: String, CaseIterable, ExpressibleByArgument {
        case downloadRelease = "download_release"
        case pipeCreate = "pipe_create"
    }

    struct Place: ParsableArguments {
        @Option(help: "Only for this endpoint: download_release or pipe_create.")
        var endpoint: Endpoint?

        var place: SettingsFile.PasswordPlace { endpoint.map { .endpoint($0.rawValue) } ?? .server }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a user's password, read from the terminal or from standard input.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var place: Place

        @Argument(help: "The user.")
        var user: String

        func validate() throws {
            // HTTP Basic ends the user's name at the first colon (RFC 7617, section 2).
            let isName =
                (1...255).contains(user.utf8.count)
                && user.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != ":" }
            guard isName else {
                throw ValidationError("a user's name has 1 to 255 bytes, no colon and no control characters")
            }
        }

        func run() async throws {
            // Nobody is asked for a password in vain, and nobody waits for the file while somebody types one.
            _ = try options.settingsFile()
            let password = try PasswordInput.new("password for \(user)")
            let hash = try PasswordHash(password: password, random: SecureRandom(.nonce))
            try options.changeSettings { settings in
                try settings.setPassword(hash.modular, of: user, in: place.place)
            }
            print("the password of \(user.printable) is set; start the server again to use it")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a user's password away.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var place: Place

        @Argument(help: "The user.")
        var user: String

        func run() async throws {
            try options.changeSettings { settings in
                guard try settings.users(in: place.place).contains(user) else {
                    throw ToolFailure(
                        .failed, "\(user.printable) has no password there: see pd-admin passwords list"
                    )
                }
                try settings.removePassword(of: user, in: place.place)
            }
            print("\(user.printable) has no password any more; start the server again")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Who has a password.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let file = try options.settingsFile()
            var rows: [(user: String, endpoint: String?)] = []
            for user in try file.users(in: .server) { rows.append((user, nil)) }
            for endpoint in Endpoint.allCases {
                for user in try file.users(in: .endpoint(endpoint.rawValue)) {
                    rows.append((user, endpoint.rawValue))
                }
            }
            options.show(
                rows.map { row -> Document in
                    ["user": .string(row.user), "endpoint": row.endpoint.map(Value.string) ?? .null]
                }
            ) {
                guard !rows.isEmpty else { return "Nobody has a password." }
                var table = Table("USER", "FOR")
                for row in rows { table.add(row.user, row.endpoint ?? "the server") }
                return table.text
            }
        }
    }
}

extension FleetOptions {
    /// The settings file, to be changed.
    func settingsFile() throws -> SettingsFile {
        do {
            return try asOwner {
                guard FileManager.default.fileExists(atPath: state.settingsFile.path) else { throw absent }
                return try SettingsFile(state.settingsFile)
            }
        } catch {
            throw ToolFailure(explaining: error)
        }
    }

    /// Changes the settings file, all or nothing, and after whoever else is changing it.
    func changeSettings(_ change: (inout SettingsFile) throws -> Void) throws {
        do {
            let place = try place()
            let lock = try place.perform { try PrivateFiles.lock(state) }
            let file = try place.perform {
                var file = try settingsFile()
                try change(&file)
                return file
            }
            // Settings that only root may write: in another directory, or lent to the server to read.
            let name = state.settingsFile.lastPathComponent
            let own = try OwnedDirectory(state.settingsFile.deletingLastPathComponent().path)
            if own.isRoots(name) { try file.save() } else { try own.perform { try file.save() } }
            withExtendedLifetime(lock) {}
        } catch {
            throw ToolFailure(explaining: error)
        }
    }

    /// Reads, changes and writes what is below the state directory, as its owner, while nobody else does.
    func changeState(_ change: () throws -> Void) throws {
        do {
            try asOwner {
                let lock = try PrivateFiles.lock(state)
                try withExtendedLifetime(lock) { try change() }
            }
        } catch {
            throw ToolFailure(explaining: error)
        }
    }
}
