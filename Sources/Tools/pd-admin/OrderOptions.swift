import ArgumentParser
import Foundation
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

    func validate() throws {
        guard [hosts != nil, condition != nil, allHosts].count(where: { $0 }) == 1 else {
            throw ValidationError("name the hosts: one of --hosts, --where, --all-hosts")
        }
    }

    /// The hosts, in the order of their names; at least one.
    func resolve(_ fleet: Fleet, now: Int64) async throws -> [Hostname] {
        var found: [Hostname] = []
        if let hosts {
            for name in hosts.split(separator: ",") {
                found.append(try await fleet.host(named: String(name)).hostname)
            }
        } else if let condition {
            let query: Query
            do {
                query = try Query(json: condition, now: now)
            } catch { throw ToolFailure(.usage, "--where: \(error)") }
            found = try await fleet.store.hosts(where: query).map(\.hostname)
        } else {
            found = try await fleet.store.hosts().map(\.hostname)
        }
        let names = Set(found).sorted { $0.name < $1.name }
        guard !names.isEmpty else { throw ToolFailure(.failed, "no host matches: see pd-admin hosts list") }
        return names
    }
}

/// Who signs an order, and until when it holds.
struct OrderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A secret key without passphrase; else the server's, where it may.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("A key in gpg's keyring instead.", valueName: "fingerprint"))
    var gpgKey: String?

    @Option(help: ArgumentHelp("gpg's home; else $GNUPGHOME, else ~/.gnupg.", valueName: "dir"))
    var gpgHome: String?

    @Option(help: ArgumentHelp("Days after which no agent obeys it any more.", valueName: "days"))
    var expires = 30

    @Flag(help: "Also for agents of version 1: each file is signed by itself as well.")
    var v1 = false

    func validate() throws {
        guard key == nil || gpgKey == nil else { throw ValidationError("name one key: --key or --gpg-key") }
        guard (1...3650).contains(expires) else {
            throw ValidationError("--expires must be from 1 to 3650 days")
        }
    }

    /// A patch that any agent can verify: the order for those of this software, and with ``v1`` a signature file
    /// beside each file for those of version 1.
    func patch(
        _ kind: OrderStatement.Kind, _ files: [Order.File], for hosts: [Hostname], in state: ServerState,
        now: Int64
    ) throws -> Order {
        let role: KeysCommand.Role = kind == .files ? .patch : .command
        let signer = try signer(role, state)
        let seconds = now / 1000
        let fleet = try OpenPGP.Certificate(try PrivateFiles.read(state.serverPublicKey)).fingerprint
        let id = Self.newID(seconds)
        let statement: OrderStatement
        do {
            statement = try OrderStatement(
                id: id, kind: kind, fleet: fleet, hosts: hosts, created: seconds,
                expires: seconds + Int64(expires) * 86_400,
                files: files.map {
                    SignedFile(path: try RelativePath($0.path), mode: $0.mode, content: $0.content)
                })
        } catch { throw ToolFailure(.usage, "\(error)") }
        let (bytes, time) = (statement.json(), OpenPGP.Timestamp(seconds))
        var all = files
        if v1 {
            for file in files {
                let signature: [UInt8]
                do {
                    signature = try FileSignature.make(of: file.content, by: signer, at: time)
                } catch {
                    throw ToolFailure(.failed, "\(file.path) cannot be signed for version 1: \(error)")
                }
                all.append(Order.File(path: "signatures/\(file.path).sig", mode: 0o644, content: signature))
            }
        }
        return Order(
            id: id, submittedAt: now, files: all, pendingHosts: hosts,
            signed: Order.Signed(
                statement: bytes,
                signature: try signer.detachedSignature(of: bytes, for: .order, at: time)))
    }

    /// The key, which must be one that may sign such orders.
    private func signer(
        _ role: KeysCommand.Role, _ state: ServerState
    ) throws -> any OpenPGP.DetachedSigner {
        let signer: any OpenPGP.DetachedSigner
        if let gpgKey {
            guard let fingerprint = OpenPGP.Fingerprint(hex: gpgKey) else {
                throw ToolFailure(.usage, "--gpg-key takes a fingerprint of 40 hexadecimal digits")
            }
            signer = try GnuPG.Signer(fingerprint, in: GnuPG.Home(path: gpgHome))
        } else {
            var bytes = try Files.read(key ?? state.serverSecretKey.path, limit: OpenPGP.SecretKey.sizeLimit)
            defer {
                bytes.withUnsafeMutableBytes {
                    if let start = $0.baseAddress { explicit_bzero(start, $0.count) }
                }
            }
            signer = try OpenPGP.SecretKey(bytes)
        }
        let fingerprint = signer.certificate.fingerprint
        guard try !RoleKeys.copies(of: fingerprint, in: role.directory(state)).isEmpty else {
            throw ToolFailure(
                .refused,
                key == nil && gpgKey == nil
                    ? "the server's key may not sign a \(role.rawValue): name a key with --key or --gpg-key"
                    : "\(fingerprint) may not sign a \(role.rawValue): see pd-admin keys add --role \(role.rawValue)"
            )
        }
        return signer
    }

    /// As MongoDB makes identifiers: the time, then chance.
    private static func newID(_ seconds: Int64) -> String {
        let time = UInt32(truncatingIfNeeded: seconds)
        let bytes =
            (0..<4).map { UInt8(truncatingIfNeeded: time >> (24 - 8 * $0)) }
            + (0..<8).map { _ in UInt8.random(in: 0 ... .max) }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
