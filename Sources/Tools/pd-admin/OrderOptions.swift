import ArgumentParser
import Foundation
import PDBasics
import PDCrypto
import PDFiles
import PDFleet
import PDGnuPG
import PDProtocol
import PDQuery
import PDStore
import PDToolSupport

/// Which hosts are meant.
struct HostChoice: ParsableArguments {
    @Option(help: ArgumentHelp("Names of hosts, parted by commas.", valueName: "names"))
    var hosts: String?

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp("Those that this matches, in MongoDB's query language.", valueName: "query"))
    var condition: String?

    @Flag(help: "The whole fleet.")
    var allHosts = false

    @Flag(help: "Only say which hosts are meant.")
    var dryRun = false

    func validate() throws {
        guard [hosts != nil, condition != nil, allHosts].count(where: { $0 }) == 1 else {
            throw ValidationError("name the hosts: one of --hosts, --where, --all-hosts")
        }
    }

    var selection: HostSelection {
        if let hosts { return .named(hosts.split(separator: ",").map(String.init)) }
        return condition.map { .matching($0) } ?? .all
    }
}

/// The key that signs an order.
struct OrderKey: ParsableArguments {
    @Option(help: ArgumentHelp("A secret key without passphrase.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("A key in gpg's keyring instead.", valueName: "fingerprint"))
    var gpgKey: String?

    @Option(help: ArgumentHelp("gpg's home; else $GNUPGHOME, else ~/.gnupg.", valueName: "dir"))
    var gpgHome: String?

    @Flag(help: "Also for agents of version 1: each file is signed by itself as well.")
    var v1 = false

    @Flag(help: "Sign without asking.")
    var yes = false

    var isNamed: Bool { key != nil || gpgKey != nil }

    func validate() throws {
        guard key == nil || gpgKey == nil else { throw ValidationError("name one key: --key or --gpg-key") }
    }

    /// The key; that of `fallback` where none is named.
    func signer(orElse fallback: String?) throws -> any OpenPGP.DetachedSigner {
        if let gpgKey {
            guard let fingerprint = OpenPGP.Fingerprint(hex: gpgKey) else {
                throw ToolFailure(.usage, "--gpg-key takes a fingerprint of 40 hexadecimal digits")
            }
            return try GnuPG.Signer(fingerprint, in: GnuPG.Home(path: gpgHome))
        }
        guard let file = key ?? fallback else {
            throw ToolFailure(.usage, "name the key that signs: --key or --gpg-key")
        }
        return try SigningKeyFile.read(file)
    }

    /// Shows what is about to be signed, and asks on a terminal.
    ///
    /// - Parameter mustAsk: whether without a terminal nothing is signed unless that was allowed beforehand.
    func confirm(_ draft: OrderDraft, mustAsk: Bool) throws {
        FileHandle.standardError.write(Data((draft.words + "\n").utf8))
        guard !yes else { return }
        guard isatty(STDIN_FILENO) == 1 else {
            guard mustAsk else { return }
            throw ToolFailure(.usage, "there is no terminal to ask on: --yes signs without asking")
        }
        FileHandle.standardError.write(Data("Sign this order? [y/N] ".utf8))
        guard ["y", "yes"].contains(readLine()?.lowercased()) else {
            throw ToolFailure(.refused, "nothing was signed")
        }
    }
}

/// Who signs an order, where, and until when it holds.
struct OrderOptions: ParsableArguments {
    @OptionGroup var signing: OrderKey

    @Option(help: ArgumentHelp("Days after which no agent obeys it any more.", valueName: "days"))
    var expires = 30

    @Option(
        help: ArgumentHelp(
            "Sign nothing and send nothing: write the order here, for orders sign on another machine.",
            valueName: "file"))
    var out: String?

    func validate() throws {
        guard (1...3650).contains(expires) else {
            throw ValidationError("--expires must be from 1 to 3650 days")
        }
        guard out == nil || !signing.isNamed else {
            throw ValidationError("--out writes an order that is not signed: leave the key out")
        }
    }

    /// Writes an order down, and has it signed and sent, or kept for whoever signs it elsewhere.
    ///
    /// - Returns: the order that now waits for its hosts; nothing where it was kept.
    func issue(
        _ kind: OrderStatement.Kind, _ files: [Order.File], for hosts: HostChoice, _ options: FleetOptions
    ) async throws -> Order? {
        let now = Moment.now()
        if hosts.dryRun {
            let names = try await options.withFleet { try await $0.hosts(hosts.selection, at: now) }
            print("\(Plural.of(names.count, "host")): \(names.map(\.name).joined(separator: ", "))")
            return nil
        }
        // An operator's key is the operator's to read: before anything is done as the state's owner.
        let named = signing.isNamed ? try signing.signer(orElse: nil) : nil
        let draft = try await options.withFleet { fleet in
            try OrderDraft(
                kind, files, for: try await fleet.hosts(hosts.selection, at: now),
                fleet: Fleet.fingerprint(of: fleet.state), days: expires, at: now)
        }
        if let out {
            try Files.writeAtomically(Array(OrderFile(draft).json.utf8), to: out)
            print("\(draft.statement.id): written to \(out), to be signed with pd-admin orders sign")
            return nil
        }
        let state = options.state
        let signer = try named ?? options.asOwner { try signing.signer(orElse: state.serverSecretKey.path) }
        let fingerprint = signer.certificate.fingerprint
        let copies = try options.asOwner {
            try RoleKeys.copies(of: fingerprint, in: draft.role.directory(state))
        }
        guard !copies.isEmpty else {
            throw ToolFailure(
                .refused,
                signing.isNamed
                    ? "\(fingerprint) may not sign a \(draft.role.rawValue): see pd-admin keys add --role \(draft.role.rawValue)"
                    : "the server's key may not sign a \(draft.role.rawValue): name a key with --key or --gpg-key"
            )
        }
        try signing.confirm(draft, mustAsk: false)
        let order = try draft.signed(by: signer, forVersion1: signing.v1, at: now)
        try await options.withFleet { fleet in try await fleet.store.add(order) }
        print("\(order.id): waits for \(Plural.of(order.pendingHosts.count, "host"))")
        return order
    }
}
