/// One port, and what holds for requests that come in on it.
package struct Listener: Sendable {
    /// The address to bind, for instance `127.0.0.1` or `::`.
    package var host: String
    /// The TCP port; 0 lets the system choose.
    package var port: Int
    /// Whether hosts should use another: those that still use it get an issue.
    package var isDeprecated: Bool
    /// What it proves itself with; nothing for plain HTTP.
    package var identity: TLSIdentity?

    /// A port with its address.
    package init(host: String, port: Int, isDeprecated: Bool = false, identity: TLSIdentity? = nil) {
        self.host = host
        self.port = port
        self.isDeprecated = isDeprecated
        self.identity = identity
    }
}
