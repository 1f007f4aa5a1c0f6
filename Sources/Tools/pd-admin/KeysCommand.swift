import ArgumentParser
import Foundation
import PDBasics
import PDCrypto
import PDDocument
import PDFleet
import PDGnuPG
import PDToolSupport

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "The public keys that the server trusts, by what they may sign.",
        subcommands: [
            List.self, Add.self, ImportKeyring.self, Rotate.self, Rotation.self, Retire.self, Remove.self,
        ])

    /// What has to be said to trust a key all the same.
    struct Exceptions: ParsableArguments {
        @Flag(help: "Trust a key again that was retired.")
        var retired = false

        @Flag(help: "Trust a key that has expired, is revoked or begins later.")
        var force = false

        /// A key that was retired on purpose does not come back by the way.
        func refuseRetired(_ certificate: OpenPGP.Certificate, _ state: ServerState) throws {
            let fingerprint = certificate.fingerprint
            guard !retired, try !RoleKeys.copies(of: fingerprint, in: state.retiredKeys).isEmpty else {
                return
            }
            throw ToolFailure(
                .failed, "\(fingerprint) is retired, nothing was added: --retired would trust it again")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All trusted keys, and the retired ones.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let now = OpenPGP.Timestamp.now()
            var keys: [(role: KeyRole, isRetired: Bool, key: RoleKeys.KeyFile)] = []
            try options.asOwner {
                for role in KeyRole.allCases {
                    keys += try RoleKeys.keyFiles(in: role.directory(options.state)).map { (role, false, $0) }
                }
                keys += try RoleKeys.keyFiles(in: options.state.retiredKeys).map { (.client, true, $0) }
            }
            let rows = keys.map { document($0, isRetired: $1, $2, at: now) }
            options.show(rows) {
                var table = Table("ROLE", "FINGERPRINT", "OWNER", "STATE")
                for (role, isRetired, key) in keys {
                    switch key.certificate {
                    case .success(let certificate):
                        let state = isRetired ? "retired" : KeyExpiry(certificate, at: now)?.text ?? "good"
                        table.add(
                            role.rawValue, "\(certificate.fingerprint)", certificate.userIDs.first ?? "-",
                            state)
                    case .failure(let error):
                        table.add(role.rawValue, "-", "-", "unreadable: \(error)")
                    }
                }
                return table.text
            }
        }

        /// A key, or a file that holds none: then all but the problem is null.
        private func document(
            _ role: KeyRole, isRetired: Bool, _ key: RoleKeys.KeyFile, at now: OpenPGP.Timestamp
        ) -> Document {
            let certificate: OpenPGP.Certificate?
            let problem: String?
            switch key.certificate {
            case .success(let found): (certificate, problem) = (found, found.problem(at: now).map { "\($0)" })
            case .failure(let error): (certificate, problem) = (nil, error.description)
            }
            return [
                "role": .string(role.rawValue),
                "fingerprint": certificate.map { .string("\($0.fingerprint)") } ?? .null,
                "user_ids": .array((certificate?.userIDs ?? []).map(Value.string)),
                "created_at": certificate.map { .date(milliseconds: $0.creationTime.seconds * 1000) }
                    ?? .null,
                "expires_at": certificate?.expirationTime(at: now).map {
                    .date(milliseconds: $0.seconds * 1000)
                } ?? .null,
                "problem": problem.map(Value.string) ?? .null,
                "retired": .bool(isRetired),
            ]
        }
    }

    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Trust a key no longer, and keep it for the record.",
            discussion: """
                pd-admin keys rotate client gives a fleet a new key, and retires the old one. A server that runs refuses \
                its signatures within a second. pd-admin keys add --retired trusts it again.
                """)

        @OptionGroup var options: FleetOptions

        @Argument(help: "The key's fingerprint, as keys list shows it.")
        var fingerprint: String

        func run() async throws {
            let wanted = try readFingerprint(fingerprint)
            let state = options.state
            try options.changeState {
                let copies = try RoleKeys.copies(of: wanted, in: state.clientKeys)
                guard let first = copies.first else {
                    throw ToolFailure(.failed, "\(wanted) is not trusted: see pd-admin keys list")
                }
                try RoleKeys.add(first.certificate, to: state.retiredKeys, knownIn: [state.clientKeys])
                _ = try RoleKeys.remove(wanted, from: state.clientKeys)
            }
            print("\(wanted) is retired: it may no longer sign reports")
        }
    }

    struct ImportKeyring: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import-keyring",
            abstract: "Trust the client keys of an existing GnuPG home.",
            discussion: """
                Takes the public keys whose secret half is not there, and which the original did not name as the \
                secret-keepers' or as a server's: what is left out is named. Name fingerprints to take only those.
                """)

        @OptionGroup var options: FleetOptions

        @Argument(help: "The GnuPG home directory.")
        var home: String

        @Argument(help: "Fingerprints of the keys to take.")
        var fingerprints: [String] = []

        @Option(help: "What the keys may sign: client (reports).")
        var role: KeyRole = .client

        @OptionGroup var exceptions: Exceptions

        func run() async throws {
            let wanted = try fingerprints.map(readFingerprint)
            guard FileManager.default.fileExists(atPath: options.state.clientKeys.path) else {
                throw ToolFailure(
                    .failed,
                    "there is no server in \(options.state.directory.path): name another with --state")
            }
            do {
                let home = try GnuPG.Home(path: home)
                let keys = try home.keys()
                for fingerprint in wanted where !keys.contains(where: { $0.fingerprint == fingerprint }) {
                    throw ToolFailure(.failed, "\(fingerprint) is not in that keyring")
                }
                // All are read before any is trusted.
                var certificates: [OpenPGP.Certificate] = []
                for key in keys where wanted.isEmpty || wanted.contains(key.fingerprint) {
                    let certificate = try home.certificate(key.fingerprint)
                    let reason =
                        key.hasSecretKey
                        ? "its secret half is there: it is the keyring's own"
                        : KeyRole.whyNoClientKey(certificate)
                    if wanted.isEmpty, let reason {
                        ToolFailure.warn("\(key.fingerprint) is left out: \(reason)")
                        continue
                    }
                    if let reason = KeyRole.whyNoClientKey(certificate) {
                        throw ToolFailure(.refused, "\(key.fingerprint) may not sign reports: \(reason)")
                    }
                    certificates.append(certificate)
                }
                guard !certificates.isEmpty else {
                    throw ToolFailure(
                        .failed, "no key of that keyring is one of hosts: name the fingerprints")
                }
                let now = OpenPGP.Timestamp.now()
                try options.changeState {
                    var fit: [OpenPGP.Certificate] = []
                    for certificate in certificates {
                        try KeyRole.client.refuseMixing(certificate, options.state)
                        try exceptions.refuseRetired(certificate, options.state)
                        do {
                            try KeyRole.client.refuseUnfit(
                                certificate, options.state, force: exceptions.force, at: now)
                            fit.append(certificate)
                        } catch let error as FleetError where wanted.isEmpty {
                            // A keyring that has been in use for years holds keys that are over.
                            ToolFailure.warn("\(error)")
                        }
                    }
                    guard !fit.isEmpty else {
                        throw ToolFailure(.failed, "no key of that keyring can sign, nothing was added")
                    }
                    for certificate in fit {
                        let known = try KeyRole.client.trust(
                            certificate, options.state, force: exceptions.force, at: now)
                        tellTrust(known, .client, at: now)
                    }
                }
            } catch let error as GnuPG.Error {
                throw ToolFailure(.failed, "\(error)")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Trust a key no longer.",
            discussion: """
                A server that runs refuses its signatures within a second. After a laptop was lost, pd-admin keys rotate \
                client --lost HOST gives the others a new key before the old one goes.
                """)

        @OptionGroup var options: FleetOptions

        @Argument(help: "The key's fingerprint, as keys list shows it.")
        var fingerprint: String

        @Option(help: "What the key may sign no longer: client, release, patch or command.")
        var role = KeyRole.client

        @OptionGroup var confirmation: Confirmation

        /// Says how many hosts are refused from then on, and asks.
        private func confirmCutOff(by wanted: OpenPGP.Fingerprint) async throws {
            let hosts = try await options.withFleet { fleet in
                let uses = try await fleet.store.keyUses()
                return try await fleet.store.hosts().map(\.hostname).filter { uses[$0] == wanted }.map(\.name)
            }
            guard !hosts.isEmpty else { return }
            let shown = hosts.prefix(20).joined(separator: ", ") + (hosts.count > 20 ? " and others" : "")
            // Said also to whoever wants to be asked nothing.
            ToolFailure.warn(
                "\(Plural.of(hosts.count, "host")) signed the last report with it and will be refused: \(shown); "
                    + "pd-admin keys rotate client gives hosts a new key first")
            try confirmation.ask("The key \(wanted) is removed")
        }

        func run() async throws {
            let wanted = try readFingerprint(fingerprint)
            let directory = role.directory(options.state)
            if role == .client { try await confirmCutOff(by: wanted) }
            try options.changeState {
                var removed = try RoleKeys.remove(wanted, from: directory)
                if role == .client {
                    removed += try RoleKeys.remove(wanted, from: options.state.retiredKeys)
                } else {
                    let kit = options.state.agentKit.appending(path: "keys")
                    let others = try KeyRole.allCases.filter { $0 != .client }.flatMap {
                        try RoleKeys.copies(of: wanted, in: $0.directory(options.state))
                    }
                    if others.isEmpty, FileManager.default.fileExists(atPath: kit.path) {
                        _ = try RoleKeys.remove(wanted, from: kit)
                    }
                }
                guard !removed.isEmpty else {
                    throw ToolFailure(.failed, "\(wanted) is not trusted: see pd-admin keys list")
                }
            }
            print("\(wanted) may no longer sign \(role.what)")
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Trust a public key, armored or binary.",
            discussion: "A server that runs uses it within a second.")

        @OptionGroup var options: FleetOptions

        @Argument(help: "The file, as gpg --export writes it.")
        var file: String

        @Option(help: "What the key may sign: client (reports), release, patch or command.")
        var role: KeyRole

        @OptionGroup var exceptions: Exceptions

        func run() async throws {
            let certificate: OpenPGP.Certificate
            do {
                certificate = try OpenPGP.Certificate(
                    try PrivateFiles.read(URL(filePath: file), limit: OpenPGP.Certificate.sizeLimit))
            } catch let error as OpenPGP.Error {
                throw ToolFailure(.failed, "\(file) is not a public key: \(error)")
            }
            guard FileManager.default.fileExists(atPath: options.state.clientKeys.path) else {
                throw ToolFailure(
                    .failed,
                    "there is no server in \(options.state.directory.path): name another with --state")
            }
            let now = OpenPGP.Timestamp.now()
            try options.changeState {
                try role.refuseMixing(certificate, options.state)
                if role == .client { try exceptions.refuseRetired(certificate, options.state) }
                let known = try role.trust(
                    certificate, options.state, force: exceptions.force, at: now)
                tellTrust(known, role, at: now)
                if role != .client { try offerToAgents(known) }
            }
        }

        /// Puts the key into the kit of new agents. They obey it once their settings name it.
        private func offerToAgents(_ certificate: OpenPGP.Certificate) throws {
            _ = try RoleKeys.add(certificate, to: options.state.agentKit.appending(path: "keys"))
            print(
                "an agent obeys it once agent.yml names it, trust:\(role.what): [\(certificate.fingerprint)],"
            )
            print("and the key lies in keys/ of its state; the kit in \(options.state.agentKit.path) has it")
        }
    }
}

private func readFingerprint(_ text: String) throws -> OpenPGP.Fingerprint {
    guard let fingerprint = OpenPGP.Fingerprint(hex: text) else {
        throw ToolFailure(.usage, "a fingerprint has 40 hexadecimal digits: see pd-admin keys list")
    }
    return fingerprint
}

/// Says that a key is trusted, and what speaks against it.
private func tellTrust(_ certificate: OpenPGP.Certificate, _ role: KeyRole, at now: OpenPGP.Timestamp) {
    if let problem = certificate.problem(at: now) {
        print("\(certificate.fingerprint) is added, but its signatures will be refused: \(problem)")
        return
    }
    print("\(certificate.fingerprint) may now sign \(role.what)")
    if let weakness = certificate.weakness { ToolFailure.warn(weakness) }
}

extension KeyRole: ExpressibleByArgument {}
