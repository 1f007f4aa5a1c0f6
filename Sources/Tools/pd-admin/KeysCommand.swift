import ArgumentParser
import Foundation
import PDCrypto
import PDDocument
import PDServer
import PDToolSupport

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "The public keys that the server trusts, by what they may sign.",
        subcommands: [List.self, Add.self, Remove.self])

    enum Role: String, CaseIterable, ExpressibleByArgument {
        /// Reports.
        case client
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All trusted keys.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let now = OpenPGP.Timestamp.now()
            let certificates = try RoleKeys(directory: options.state.clientKeys).certificates
            let rows = certificates.map { certificate -> Document in
                [
                    "role": .string(Role.client.rawValue),
                    "fingerprint": .string("\(certificate.fingerprint)"),
                    "user_ids": .array(certificate.userIDs.map(Value.string)),
                    "created_at": .date(milliseconds: certificate.creationTime.seconds * 1000),
                    "expires_at": certificate.expirationTime(at: now).map {
                        .date(milliseconds: $0.seconds * 1000)
                    } ?? .null,
                    "problem": certificate.problem(at: now).map { .string("\($0)") } ?? .null,
                ]
            }
            options.show(rows) {
                var table = Table("ROLE", "FINGERPRINT", "OWNER", "STATE")
                for certificate in certificates {
                    table.add(
                        Role.client.rawValue, "\(certificate.fingerprint)", certificate.userIDs.first ?? "-",
                        certificate.problem(at: now).map { "\($0)" } ?? "good")
                }
                return table.text
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Trust a key no longer, for instance after a laptop was lost.",
            discussion: "A server that runs refuses its signatures within a second.")

        @OptionGroup var options: FleetOptions

        @Argument(help: "The key's fingerprint, as keys list shows it.")
        var fingerprint: String

        func run() async throws {
            guard let wanted = OpenPGP.Fingerprint(hex: fingerprint) else {
                throw ToolFailure(.usage, "a fingerprint has 40 hexadecimal digits: see pd-admin keys list")
            }
            guard try !RoleKeys.remove(wanted, from: options.state.clientKeys).isEmpty else {
                throw ToolFailure(.failed, "\(wanted) is not trusted: see pd-admin keys list")
            }
            print("\(wanted) may no longer sign reports")
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Trust a public key, armored or binary.",
            discussion: "A server that runs uses it within a second.")

        @OptionGroup var options: FleetOptions

        @Argument(help: "The file, as gpg --export writes it.")
        var file: String

        @Option(help: "What the key may sign: client (reports).")
        var role: Role

        func run() async throws {
            let certificate: OpenPGP.Certificate
            do {
                certificate = try OpenPGP.Certificate(
                    try PrivateFiles.read(URL(filePath: file), limit: 1 << 20))
            } catch let error as OpenPGP.Error {
                throw ToolFailure(.failed, "\(file) is not a public key: \(error)")
            }
            guard FileManager.default.fileExists(atPath: options.state.clientKeys.path) else {
                throw ToolFailure(
                    .failed,
                    "there is no server in \(options.state.directory.path): name another with --state")
            }
            _ = try RoleKeys.add(certificate, to: options.state.clientKeys)
            print("\(certificate.fingerprint) may now sign reports")
            if let problem = certificate.problem(at: .now()) {
                FileHandle.standardError.write(
                    Data("pd-admin: its signatures will be refused: \(problem)\n".utf8))
            } else if let weakness = certificate.weakness {
                FileHandle.standardError.write(Data("pd-admin: \(weakness)\n".utf8))
            }
        }
    }
}
