/// One port, and what holds for requests that come in on it.
public struct Listener: Sendable {
    /// The address to bind, for instance `127.0.0.1` or `::`.
    public var host: String
    /// The TCP port; 0 lets the system choose.
    public var port: Int
    /// Whether hosts should use another: those that still use it get an issue.
    public var isDeprecated: Bool
    /// What it proves itself with; nothing for plain HTTP.
    public var identity: TLSIdentity?

    /// A port with its address.
    public init(host: String, port: Int, isDeprecated: Bool = false, identity: TLSIdentity? = nil) {
        self.host = host
        self.port = port
        self.isDeprecated = isDeprecated
        self.identity = identity
    }
}
