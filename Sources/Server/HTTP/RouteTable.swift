import HTTPTypes

/// Which route answers which path and method.
struct RouteTable: Sendable {
    /// What became of looking up a path.
    enum Match: Sendable {
        case route(Route, parameters: [String: String])
        /// The path is known, with other methods than the one asked for.
        case otherMethods([HTTPRequest.Method])
        case nothing
    }

    /// Paths without variable components.
    private var fixed: [String: [Route]] = [:]
    private var variable: [(components: [Substring], route: Route)] = []

    init(_ routes: [Route]) {
        for route in routes {
            for path in route.paths {
                if path.contains("{") {
                    variable.append((Self.components(path), route))
                } else {
                    fixed[path, default: []].append(route)
                }
            }
        }
    }

    /// The paths are compared as they were sent: an endpoint has no second spelling through percent signs, dots or
    /// slashes.
    func match(_ method: HTTPRequest.Method, _ path: String) -> Match {
        var allowed: [HTTPRequest.Method] = []
        for route in fixed[path] ?? [] {
            if route.method == method { return .route(route, parameters: [:]) }
            allowed.append(route.method)
        }
        if !variable.isEmpty {
            let asked = Self.components(path)
            for (pattern, route) in variable {
                guard let parameters = Self.parameters(pattern, asked) else { continue }
                if route.method == method { return .route(route, parameters: parameters) }
                allowed.append(route.method)
            }
        }
        return allowed.isEmpty ? .nothing : .otherMethods(allowed)
    }

    private static func components(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func parameters(_ pattern: [Substring], _ path: [Substring]) -> [String: String]? {
        guard pattern.count == path.count else { return nil }
        var parameters: [String: String] = [:]
        for (expected, found) in zip(pattern, path) {
            if expected.hasPrefix("{"), expected.hasSuffix("}") {
                guard !found.isEmpty else { return nil }
                parameters[String(expected.dropFirst().dropLast())] = String(found)
            } else if expected != found {
                return nil
            }
        }
        return parameters
    }
}
