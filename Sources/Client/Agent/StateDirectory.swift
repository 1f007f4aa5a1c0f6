import Glibc
import PDCrypto
import PDFiles
import PDProtocol
import PDSecrets
import PDSettings

/// Where an agent keeps what it needs: its membership, its spool and what it did last.
public struct StateDirectory: Sendable {
    /// The directory.
    public let path: String

    /// A state directory, which need not exist yet.
    public init(_ path: String) {
        self.path = path
    }

    var settings: String { "\(path)/agent.yml" }
    var clientKey: String { "\(path)/client.key.asc" }
    var serverKey: String { "\(path)/server.pub.asc" }
    /// The certificate that the server proves itself with, where it is not the system that vouches for it.
    var authority: String { "\(path)/\(MembershipFiles.authorityName)" }
    /// The fleet's checks, as the kit brought them.
    var checks: String { "\(path)/\(PublishedChecks.fileName)" }
    var spool: String { "\(path)/spool" }
    /// The last report that the server took, byte for byte, and the one before it.
    var lastSent: String { "\(path)/sent.json" }
    var sentBefore: String { "\(path)/sent-before.json" }
    /// What all users of the machine may see of it: of the agent that the system starts.
    public var digest: String? {
        path == "/var/lib/penguindome/agent" ? "/run/penguindome/agent.json" : nil
    }
    var history: String { "\(path)/status.json" }
    /// The secret halves of the keys that the machine made for itself.
    var machineKey: String { "\(path)/machine.key" }
    /// What the server has said of its keys.
    var keyHistory: String { "\(path)/keys.json" }
    /// The public halves of client keys that came before, while reports that they signed wait.
    var formerClientKeys: String { "\(path)/client.before.asc" }
    /// Public keys beside the server's, of which the settings name those that are trusted.
    var keys: String { "\(path)/keys" }
    /// The debug log.
    var logs: String { "\(path)/log" }
    /// What collectors remember, in a directory for each.
    var collectors: String { "\(path)/collectors" }
    var releases: String { "\(path)/releases" }
    var orders: String { "\(path)/orders" }
    /// What became of the commands that releases brought.
    var commands: String { "\(path)/commands.json" }
    /// Plugins that somebody put here by hand; `plugins.manifest` and its signature lie beside it.
    var plugins: String { "\(path)/plugins" }

    /// Keeps the public half of a client key that another one follows, while reports that it signed wait.
    func addFormerClientKey(_ armored: String) throws(FileError) {
        let former = Files.exists(formerClientKeys) ? try Files.read(formerClientKeys, limit: 1 << 20) : []
        try Files.writeAtomically(former + Array(armored.utf8), to: formerClientKeys)
    }

    /// Takes the right to change what lies here.
    func lock() throws(AgentError) -> StateLock {
        do throws(FileError) {
            return try StateLock("\(path)/lock")
        } catch {
            throw error.code == EWOULDBLOCK ? .busy(path) : error.isAbsence ? .notJoined(path) : .file(error)
        }
    }
}

/// A folder with what makes a machine a member: `agent.yml`, `client.key.asc`, `server.pub.asc`, and `server.crt` where
/// the server's certificate vouches for itself.
struct MembershipFiles {
    static let names = ["agent.yml", "client.key.asc", "server.pub.asc"]
    static let authorityName = "server.crt"

    var settings: [UInt8]
    let clientKey: SecretBytes
    let serverKey: [UInt8]
    /// Nothing where there is none.
    let authority: [UInt8]?
    /// The fleet's checks; nothing where there are none.
    let checks: [UInt8]?

    /// Reads all of them.
    init(folder: String) throws(FileError) {
        settings = try Files.read("\(folder)/\(Self.names[0])", limit: 1 << 20)
        clientKey = try Files.readSecret(
            "\(folder)/\(Self.names[1])", limit: OpenPGP.SecretKey.sizeLimit)
        serverKey = try Files.read("\(folder)/\(Self.names[2])", limit: 1 << 20)
        let certificate = "\(folder)/\(Self.authorityName)"
        authority = Files.exists(certificate) ? try Files.read(certificate, limit: 1 << 20) : nil
        let published = "\(folder)/\(PublishedChecks.fileName)"
        checks = Files.exists(published) ? try Files.read(published, limit: PublishedChecks.sizeLimit) : nil
    }
}
