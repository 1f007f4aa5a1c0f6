/// By which proxy requests go.
public enum HTTPProxy: Sendable, Equatable {
    /// What `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy` say, as curl(1) understands them.
    case environment
    /// None, whatever the environment says.
    case none
    /// This one: `http://` or `https://`, a host, and where they are needed a user, a password and a port.
    case url(String)

    /// The proxy that a setting names: a URL, or `none`; `nil` where it is neither.
    public init?(setting: String) {
        guard setting != "none" else {
            self = .none
            return
        }
        guard let scheme = ["http://", "https://"].first(where: setting.hasPrefix),
            setting.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        let rest = setting.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        guard !host.isEmpty, !host.hasPrefix(":"), rest == authority || rest == authority + "/" else {
            return nil
        }
        self = .url(setting)
    }
}
