import Foundation

/// Where a server keeps what it knows: one directory that only its user can read.
///
/// ```
/// server.yml               settings
/// checks.yml               what an audit looks for
/// fleet.sqlite             the embedded store
/// keys/server.key.asc      the server's secret key
/// keys/server.pub.asc      its public half
/// keys/client/*.pub.asc    public keys that may sign reports, one a file, named by fingerprint
/// keys/retired/*.pub.asc   public keys that might once
/// keys/statements/         what the server has said of its keys, see KeyStatements
/// keys/former/*.key.asc    secret keys that the server signed with before, while machines know no other
/// keys/*-next.key.asc      a key that is about to be used
/// keys/secret-keeping.pub.asc  what private values of a fleet of version 1 were encrypted to
/// agent-kit/               what an agent needs to join
/// releases/                releases of the agent, see ReleaseShelf
/// lock                     held by whoever changes settings or keys
/// serving                  held by a server that runs
/// restoring/               a backup on its way into this directory, see FleetRestore
/// replaced/                what was here before the last backup was restored
/// ```
package struct ServerState: Sendable {
    /// The directory.
    package let directory: URL
    /// The settings file: `server.yml` in the directory unless another is named.
    package let settingsFile: URL

    /// Names the places; touches nothing.
    package init(directory: URL, settingsFile: URL? = nil) {
        self.directory = directory
        self.settingsFile = settingsFile ?? directory.appending(path: "server.yml")
    }

    /// What an audit looks for.
    package var checksFile: URL { directory.appending(path: "checks.yml") }
    /// The embedded store.
    package var database: URL { directory.appending(path: "fleet.sqlite") }
    /// All keys.
    package var keys: URL { directory.appending(path: "keys") }
    /// The server's secret key.
    package var serverSecretKey: URL { keys.appending(path: "server.key.asc") }
    /// Its public half.
    package var serverPublicKey: URL { keys.appending(path: "server.pub.asc") }
    /// Public keys that may sign reports.
    package var clientKeys: URL { keys.appending(path: "client") }
    /// Public keys that no longer may.
    package var retiredKeys: URL { keys.appending(path: "retired") }
    /// What the server has said of its keys.
    package var keyStatements: URL { keys.appending(path: "statements") }
    /// Secret keys that the server signed with before.
    package var formerServerKeys: URL { keys.appending(path: "former") }
    /// What private values of a fleet of version 1 were encrypted to.
    package var keepersKey: URL { keys.appending(path: "secret-keeping.pub.asc") }
    /// The secret key that hosts sign reports with.
    package var clientSecretKey: URL { agentKit.appending(path: "client.key.asc") }
    /// Releases of the agent.
    package var releases: URL { directory.appending(path: "releases") }
    /// Held by whoever changes settings or keys.
    var lock: URL { directory.appending(path: "lock") }
    /// Held by a server that runs, together with others that do.
    var serving: URL { directory.appending(path: "serving") }
    /// A backup on its way into the directory.
    var restoring: URL { directory.appending(path: "restoring") }
    /// What was there before a backup was restored.
    package var replaced: URL { directory.appending(path: "replaced") }
    /// What an agent needs to join.
    package var agentKit: URL { directory.appending(path: "agent-kit") }
}

/// Why files of the state cannot be read or written: one line that names the file.
package struct StateError: Error, CustomStringConvertible, Equatable {
    /// What is wrong, where, and what to do.
    package let description: String

    /// An error with its line.
    package init(_ description: String) {
        self.description = description
    }
}
